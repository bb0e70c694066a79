"""Who is there twice is found, shown without a value, decided by somebody, and undone; and nothing of it stays."""

import json
import random
import struct
import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from pyroaring import BitMap64
from sqlalchemy import select
from sqlmodel import SQLModel, col

from cdp import gate, identity
from cdp.gate.model import Disclosed
from cdp.identity import matches, verdicts
from cdp.identity.holder import export, forget
from cdp.identity.model import MatchProposal, MatchRun
from cdp.identity.proposals import Described, Model, Proposal, Run, Sample, train
from cdp.ops import proposing
from cdp.profile.model import Subject
from cdp.rights.erasure import mark_erasing
from cdp.rights.restriction import object_to, restrict
from tests.ops import remains
from tests.ops.conftest import Home
from tests.ops.proposing import PAGE, Town, mail_of, open_policies, people

RARE = {"family": "関所", "given": "守門", "kana_family": "セキショ", "kana_given": "モリカド"}
NAMESAKES = [
    Described(9001, **RARE),
    Described(9002, **RARE),
    Described(9003, **RARE, birth_date="1950-01-02", postal="999-0001", block="西町1-1-1"),
    Described(9004, **RARE, birth_date="1988-09-27", postal="888-0001", block="東町9-9-9"),
]


ON_ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Where the tables are not what is tested."""


@pytest.fixture(scope="module")
def model() -> Model:
    return train(people().people)


@pytest.fixture
def town(home: Home, tmp_path: Path) -> Town:
    made = Town(open_policies(home, tmp_path), people())
    made.bring(made.crowd.people + NAMESAKES)
    return made


@pytest.fixture
def proposed(town: Town, model: Model) -> Town:
    """The town after a run."""
    town.use(model)
    assert town.run().run.published
    return town


def rows(town: Town, table: type[SQLModel] = MatchProposal) -> list:
    with town.home.opened() as deployment, deployment.database.snapshot() as session:
        return list(session.scalars(select(table).order_by(*table.__table__.primary_key)))


def partition(town: Town) -> dict[int, int]:
    with town.home.opened() as deployment, deployment.database.snapshot() as session:
        return dict(tuple(row) for row in session.execute(select(col(Subject.number), col(Subject.person))))


def numbers_of(town: Town, some: Iterable[Described]) -> dict[int, int]:
    """Return number in the crowd → subject."""
    with town.home.opened() as deployment, deployment.database.snapshot() as session:
        return {one.cluster: identity.find_all(session, "email", "", mail_of(one))[0] for one in some}


def number_of(town: Town, one: Described) -> int:
    return numbers_of(town, [one])[one.cluster]


def opened(town: Town) -> set[int]:
    """Return whose values were opened to be compared, as the disclosures have it."""
    found = [row for row in rows(town, Disclosed) if row.kind == "matching"]
    assert all((row.recipient, row.purpose, row.state) == ("staff", "identity_matching", "closed") for row in found)
    return {number for row in found for number in BitMap64.deserialize(row.people)}


@ON_ONE_DATABASE
def test_as_shipped_nothing_is_compared_and_the_answer_says_how_to_turn_it_on(town: Town) -> None:
    for command in ("train", "propose"):
        told = town.home.cdp("identity", command, exit_code=2).output
        assert "`proposals: {enabled: true}` in policies/identifiers.yaml" in told
    assert not opened(town) and not rows(town, MatchRun)


@ON_ONE_DATABASE
def test_without_the_named_model_and_with_a_changed_one_nothing_is_compared(town: Town, model: Model) -> None:
    town.say()
    assert "cdp identity train" in town.home.cdp("identity", "propose", exit_code=2).output
    town.use(model)
    file = proposing.file_of(town.folder, model.version)
    file.write_text(file.read_text(encoding="utf-8").replace('"seed": 1', '"seed": 2'), encoding="utf-8")
    assert "not the one that its version names" in town.home.cdp("identity", "propose", exit_code=2).output
    other = replace(model, seed=2)
    file.write_text(other.to_json(), encoding="utf-8")
    assert "not the one that its version names" in town.home.cdp("identity", "propose", exit_code=2).output
    assert not opened(town)


def test_a_town_is_trained_on_proposed_and_joined_by_commands(town: Town) -> None:
    version = town.learn()
    assert [path.name for path in (town.folder / "matching").iterdir()] == [f"{version}.json"]
    told = town.home.cdp("identity", "propose").output
    found = rows(town)
    assert f"new={len(found)}" in told and "accepted=0" in told and len(found) > 50
    (run,) = rows(town, MatchRun)
    assert (run.state, run.model_version, json.loads(run.counts)["proposed"]) == ("published", version, len(found))
    truth = {subject: town.crowd.truth[one] for one, subject in numbers_of(town, town.crowd.people).items()}
    likely = [one for one in found if one.probability >= 0.95]
    right = [one for one in likely if truth[one.subject_one] == truth[one.subject_other]]
    assert len(right) >= 0.98 * len(likely) > 45
    listed = town.home.cdp("identity", "proposals").output
    assert "given same" in listed and not [name for name in town.names() if name in listed + told]
    one = right[0]
    town.home.cdp("identity", "accept", str(one.id), "--reason", "same customer card")
    now = partition(town)
    assert now[one.subject_other] == now[one.subject_one] == one.subject_one


@ON_ONE_DATABASE
def test_a_name_alone_never_proposes(proposed: Town) -> None:
    namesakes = set(numbers_of(proposed, NAMESAKES).values())
    assert not [one for one in rows(proposed) if {one.subject_one, one.subject_other} & namesakes]
    assert namesakes <= opened(proposed)


@ON_ONE_DATABASE
def test_a_dry_run_keeps_nothing_but_the_record_that_people_were_opened(town: Town, model: Model) -> None:
    town.use(model)
    told = town.home.cdp("identity", "propose", "--dry-run").output
    assert "from_0.999=" in told and "run=" not in told
    assert not rows(town) and not rows(town, MatchRun)
    assert len(opened(town)) == len(town.crowd.people) + len(NAMESAKES)


@ON_ONE_DATABASE
def test_what_the_checks_doubt_is_not_published(town: Town, model: Model) -> None:
    town.use(model, touched=0.01)
    told = town.home.cdp("identity", "propose", exit_code=1).output
    assert "refused=too_many_touched" in told
    (run,) = rows(town, MatchRun)
    assert run.state == "refused" and json.loads(run.refusals)[0][0] == "too_many_touched"
    assert not rows(town)


def test_whoever_refused_is_restricted_or_going_or_was_only_claimed_is_not_opened(town: Town, model: Model) -> None:
    town.use(model)
    objected, restricted, erasing = numbers_of(town, town.crowd.people[:3]).values()
    claimed = replace(town.crowd.people[3], cluster=9100)
    town.bring([claimed], PAGE)
    with town.home.opened() as deployment, deployment.database.transaction() as session:
        at = deployment.clock.now()
        object_to(session, [objected], "legitimate_interests", at, "identity_matching")
        restrict(session, [restricted], at)
        mark_erasing(session, [erasing])
    with town.home.opened() as deployment:
        compared = {one.cluster for one in gate.open_for_matching(deployment.database, lot=100)}
        with deployment.database.snapshot() as session:
            may = gate.comparable(session, [objected, restricted, erasing, *compared], deployment.clock.now())
    with_claims = set(partition(town)) - {objected, restricted, erasing}
    assert len(with_claims - compared) == 1, "only the browser's"
    assert opened(town) == may == compared
    assert len([row for row in rows(town, Disclosed) if row.kind == "matching"]) == 7
    assert not {objected, restricted, erasing} & {n for one in _found(town) for n in (one.a, one.b)}


def _found(town: Town) -> tuple:
    return town.run(keep=False).run.proposals


@ON_ONE_DATABASE
def test_a_policy_without_the_purpose_opens_nobody(town: Town, model: Model) -> None:
    town.use(model)
    policies = Path(town.home.env["CDP_POLICIES"])
    (policies / "purposes" / "identity_matching.yaml").unlink()
    for notice in (policies / "notices").glob("privacy.2.*"):
        notice.write_text(notice.read_text(encoding="utf-8").replace("identity_matching, ", ""), encoding="utf-8")
    assert "no purpose identity_matching" in town.home.cdp("identity", "propose", exit_code=2).output
    assert not opened(town)


def test_accepted_joins_and_taken_back_parts_exactly(proposed: Town) -> None:
    before, (one, *_) = partition(proposed), rows(proposed)
    proposed.home.cdp("identity", "accept", str(one.id), "--reason", "same card")
    assert partition(proposed) == {**before, one.subject_other: one.subject_one}
    assert "decided" in proposed.home.cdp("identity", "accept", str(one.id), "--reason", "x", exit_code=2).output
    proposed.home.cdp("identity", "take-back", str(one.id), "--reason", "another card")
    assert partition(proposed) == before
    (again, *_) = rows(proposed)
    assert (again.state, again.decision, again.actor) == ("open", None, "")
    assert (
        "Nothing was decided"
        in proposed.home.cdp("identity", "take-back", str(one.id), "--reason", "x", exit_code=2).output
    )


def test_a_declined_pair_stays_away_until_it_looks_otherwise(proposed: Town) -> None:
    (one, *others) = rows(proposed)
    proposed.home.cdp("identity", "decline", str(one.id), "--reason", "father and son")
    found = proposed.run()
    assert (found.new, found.run.counts["settled"]) == (0, 1)
    assert [row.state for row in rows(proposed)] == ["declined", *("open" for _ in others)]
    numbers = numbers_of(proposed, proposed.crowd.people)
    moved = next(row for row in proposed.crowd.people if numbers[row.cluster] == one.subject_other)
    proposed.bring([replace(moved, cluster=9200, postal="101-0001", block="別町7-7-7")])
    with proposed.home.opened() as deployment, deployment.database.transaction() as session:
        at = deployment.clock.now()
        newer = identity.find_all(session, "email", "", "c9200@mail.example.test")
        identity.must(session, one.subject_other, newer[0], "moved", "staff", at)
    assert proposed.run().new == 1
    (asked,) = [row for row in rows(proposed) if row.state == "open" and row.subject_one == one.subject_one]
    assert json.loads(asked.levels)["place"] != json.loads(one.levels)["place"]


@ON_ONE_DATABASE
def test_a_pair_that_somebody_keeps_apart_is_not_proposed(town: Town, model: Model) -> None:
    town.use(model)
    one = _found(town)[0]
    with town.home.opened() as deployment, deployment.database.transaction() as session:
        identity.cannot(session, one.b, one.a, "twins", "staff", deployment.clock.now())
    assert (one.a, one.b) not in {(row.a, row.b) for row in _found(town)}


def test_a_proposal_whose_clusters_are_others_by_now_is_gone(proposed: Town) -> None:
    (one, other, *_) = rows(proposed)
    with proposed.home.opened() as deployment, deployment.database.transaction() as session:
        identity.must(session, one.subject_one, one.subject_other, "told so", "staff", deployment.clock.now())
    with proposed.home.opened() as deployment, deployment.database.snapshot() as session:
        assert verdicts.state_of(session, verdicts.find(session, one.id)) == "gone"
        assert [row.id for row in matches.listed(session, limit=1)] == [other.id]
    assert "others by now" in proposed.home.cdp("identity", "accept", str(one.id), "--reason", "x", exit_code=2).output
    proposed.run()
    assert {row.id: row.state for row in rows(proposed)}[one.id] == "gone"


@ON_ONE_DATABASE
def test_a_standing_word_against_it_stops_accepting(proposed: Town) -> None:
    (one, *_) = rows(proposed)
    with proposed.home.opened() as deployment, deployment.database.transaction() as session:
        identity.cannot(session, one.subject_one, one.subject_other, "twins", "staff", deployment.clock.now())
    assert (
        "keeps them apart" in proposed.home.cdp("identity", "accept", str(one.id), "--reason", "x", exit_code=2).output
    )
    assert rows(proposed)[0].state == "open"


def test_a_person_is_told_that_they_were_compared_and_forgotten_with_the_proposal(proposed: Town) -> None:
    (one, *others) = rows(proposed)
    with proposed.home.opened() as deployment, deployment.database.transaction() as session:
        (held,) = [row for row in export(session, [one.subject_one]) if row.kind == "thought to be registered twice"]
        assert held.plain["state"] == "open" and str(one.subject_other) not in json.dumps(held.plain)
        forget(session, [one.subject_other])
    assert [row.id for row in rows(proposed)] == [row.id for row in others]


def reviewed(town: Town, version: str, right: int, wrong: int = 0, undecided: int = 0) -> None:
    """Let people have looked at a sample of the model."""
    states = ["accepted"] * right + ["declined"] * wrong + ["open"] * undecided
    level = json.dumps({"birth": "same", "given": "same"})
    with town.home.opened() as deployment, deployment.database.transaction() as session:
        session.add_all(
            MatchProposal(
                run=0,
                model_version=version,
                subject_one=10**6 + 2 * number,
                subject_other=10**6 + 2 * number + 1,
                log2_odds=20,
                probability=0.9999,
                band=0.999,
                levels=level,
                vetoed=False,
                sampled=True,
                state=state,
            )
            for number, state in enumerate(states)
        )


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    ("accept", "sample", "joins"),
    [
        (True, {"right": 800}, True),
        (False, {"right": 800}, False),
        (True, {"right": 700}, False),
        (True, {"right": 795, "wrong": 5}, False),
        (True, {"right": 790, "undecided": 10}, False),
        (True, None, False),
    ],
)
def test_nobody_is_joined_without_a_person_but_where_it_is_on_and_measured(
    town: Town, model: Model, accept: bool, sample: dict[str, int] | None, joins: bool
) -> None:
    town.use(model, accept=accept)
    reviewed(town, model.version if sample else "0" * 64, **(sample or {"right": 800}))
    found, before = town.run(), partition(town)
    fresh = [row for row in rows(town) if row.run]
    alone = [row for row in fresh if row.actor == "automatic"]
    assert bool(alone) is joins and len(alone) == found.accepted
    for row in alone:
        assert row.probability >= 0.999 and not row.vetoed and not row.sampled
        assert before[row.subject_other] == row.subject_one
    if joins:
        assert len(alone) > 40
        town.home.cdp("identity", "take-back", str(alone[0].id), "--reason", "not the same")
        assert partition(town)[alone[0].subject_other] == alone[0].subject_other


def test_people_see_all_of_the_surest_until_enough_were_right_and_some_of_them_for_ever(
    proposed: Town, model: Model
) -> None:
    found = rows(proposed)
    sure = [row for row in found if row.probability >= 0.999 and not row.vetoed]
    assert [row.id for row in found if row.sampled] == [row.id for row in sure]
    with proposed.home.opened() as deployment, deployment.database.snapshot() as session:
        assert matches.sample_of(session, model.version) == Sample(model.version, len(sure), 0)
    reviewed(proposed, "1" * 64, 800)
    proposals = [
        Proposal(row.subject_one, row.subject_other, 20.0, 0.9999, 0.999, json.loads(row.levels), False, "1" * 64)
        for row in sure
    ]
    with proposed.home.opened() as deployment, deployment.database.transaction() as session:
        run = Run(tuple(proposals), {}, (), "1" * 64)
        _, new = matches.keep(session, run, gate.comparable, deployment.clock.now(), random.Random(2))
        assert len(new) == len(sure)
        assert 0 < sum(row.sampled for row in new) < len(new) / 4


def test_after_a_run_no_file_table_or_temporary_table_holds_a_token_or_a_name_and_the_key_is_gone(
    town: Town, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.chdir(tmp_path / "temporary")
    town.use(model)
    seen: list[tuple[bytearray, list[dict]]] = []

    def watch(key: bytearray, rows: list[dict]) -> None:
        assert any(key)
        seen.append((key, rows))

    with town.home.opened() as deployment:
        began = time.time()
        found = proposing.run(deployment.database, town.folder, watch=watch)
        assert found.new > 50
        ((key, rows),) = seen
        assert key == bytearray(32)
        tokens, names = remains.tokens(rows), {name.encode() for name in town.names()}
        assert len(tokens) > 3_000 and len(names) > 100
        assert remains.temporary_tables(deployment.database) == []
        kept = remains.cells(deployment.database)
    files = remains.files(tmp_path, town.home.settings, began)
    assert {"match_proposal", "disclosure", "trait"} <= {where for where, _ in kept} and files
    for where, content in (*kept, *files):
        assert not remains.has_token(content, tokens), f"a token is in {where}"
        assert not [1 for name in names if name in content], f"a name is in {where}"
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_token_or_a_name_that_was_left_would_be_found() -> None:
    tokens = remains.tokens(
        [{"cluster": 7, "given": -(2**62) - 5, "given_same": [2**61 + 3], "given_writings": ["CJK"]}]
    )
    assert tokens == {-(2**62) - 5, 2**61 + 3}
    for left in (struct.pack("<q", 2**61 + 3), struct.pack(">q", -(2**62) - 5), str(2**61 + 3).encode()):
        assert remains.has_token(b"abc" + left + b"defghijkl", tokens)
    assert not remains.has_token(b"abc" * 100, tokens)
