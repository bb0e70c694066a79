"""Who is who from the command line: a change of configuration tried, taken up and checked; cases listed and decided."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from sqlalchemy import text

from cdp import ingest
from cdp.connector.kit import Claim, Item, Signal
from cdp.deployment import assemble
from cdp.ids import GREATEST
from cdp.ops.cli import main
from cdp.settings import Settings
from tests.conftest import ROOT
from tests.ingest.ground import SITE


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> Iterator[Path]:
    """A home in which two records share a telephone, and two accounts a tablet."""
    policies = tmp_path / "policies"
    shutil.copytree(ROOT / "policies", policies)
    (tmp_path / "url").write_text(database_url)
    assert cdp(tmp_path, "init").exit_code == 0
    sets = [
        {"email": "ada@people.test", "phone": "090-1234-5678"},
        {"line_uid": "U1", "phone": "090-1234-5678"},
        {"user_id": "u", "anonymous_id": "tablet"},
        {"user_id": "v", "anonymous_id": "tablet"},
    ]
    deployment = assemble(Settings(home=tmp_path / "home", database_url=database_url, policies=policies))
    at = deployment.clock.now()
    for n, one in enumerate(sets):
        scopes = {"line_uid": "2000000000"}
        claims = tuple(Claim(kind, value, scopes.get(kind, ""), True) for kind, value in one.items())
        item = Item(at=at, claims=claims, message_id=str(n), event="Order Completed")
        assert ingest.take(deployment.database, SITE, [item], at).accepted == 1
    deployment.close()
    yield tmp_path


def cdp(folder: Path, *arguments: str) -> Result:
    names = {
        "CDP_HOME": str(folder / "home"),
        "CDP_DATABASE_URL": (folder / "url").read_text(),
        "CDP_POLICIES": str(folder / "policies"),
    }
    return CliRunner().invoke(main, list(arguments), env=names)


def change(folder: Path, namespace: str, **terms: object) -> None:
    path = folder / "policies" / "identifiers.yaml"
    written = yaml.safe_load(path.read_text())
    written["namespaces"][namespace] |= terms
    path.write_text(yaml.safe_dump(written, allow_unicode=True))


def test_what_is_stored_is_what_the_evidence_says(home: Path) -> None:
    checked = cdp(home, "identity", "rebuild", "--check")
    assert checked.exit_code == 0, checked.output
    assert "subjects=4" in checked.output
    assert "people=3" in checked.output
    assert "differing_subjects=0" in checked.output


def test_another_configuration_parts_nobody_until_it_is_taken_up(home: Path) -> None:
    change(home, "phone", role="attribute")
    checked = cdp(home, "identity", "rebuild", "--check")
    assert checked.exit_code == 0
    assert "run `cdp identity rebuild`" in checked.output
    tried = cdp(home, "identity", "rebuild", "--dry-run")
    assert tried.exit_code == 0, tried.output
    assert "would_part=1" in tried.output
    assert "subject 2\tperson 1 -> 2" in tried.output
    assert "people=3" in cdp(home, "identity", "rebuild", "--check").output, "a rehearsal changes nothing"
    taken = cdp(home, "identity", "rebuild", "--yes")
    assert taken.exit_code == 0, taken.output
    assert "people=4" in taken.output
    change(home, "phone", role="link")
    assert "people=3" in cdp(home, "identity", "rebuild", "--yes").output, "the former brings them together again"


YES = Signal("email_marketing", "email", "given", True, "checkbox", "newsletter", "1", "ja")
NO = Signal("email_marketing", "email", "withdrawn", True, "form")
YESTERDAY = datetime.now(UTC) - timedelta(days=1)
"""Of two words of one instant the no holds."""


def bring(folder: Path, said: Signal, **names: str) -> None:
    settings = Settings(home=folder / "home", database_url=(folder / "url").read_text(), policies=folder / "policies")
    deployment = assemble(settings)
    claims = tuple(
        Claim(kind, value, "2000000000" if kind == "line_uid" else "", True) for kind, value in names.items()
    )
    contact = next((one for one in claims if one.type == "email"), None)
    signal = replace(said, contact=contact)
    item = Item(YESTERDAY, claims, said.status, "Order Completed", signals=(signal,))
    source = replace(SITE, purposes=("service_delivery", "email_marketing"))
    assert ingest.take(deployment.database, source, [item], deployment.clock.now()).accepted == 1
    deployment.close()


@pytest.mark.parametrize(("first", "example"), [(YES, "person 5 -> 5"), (NO, "person 6 -> 5")])
def test_whoever_may_be_written_to_no_more_is_named_before_it_happens(home: Path, first: Signal, example: str) -> None:
    change(home, "phone", role="attribute")
    assert cdp(home, "identity", "rebuild", "--yes").exit_code == 0
    for said in (YES, NO) if first is YES else (NO, YES):
        names = {"user_id": "w", "email": "eve@people.test"} if said is YES else {"line_uid": "U3"}
        bring(home, said, phone="090-5555-5555", **names)
    change(home, "phone", role="link")
    tried = cdp(home, "identity", "rebuild", "--dry-run")
    assert tried.exit_code == 0, tried.output
    assert "people_permitted_less=1\n" in tried.output
    assert f"permitted less\t{example}\n" in tried.output, "also who keeps her number, and is given another's no"


def test_two_records_are_explained(home: Path) -> None:
    joined = cdp(home, "identity", "explain", "1", "2")
    assert joined.exit_code == 0, joined.output
    assert "1\tphone ●" in joined.output
    apart = cdp(home, "identity", "explain", "3", "4")
    assert "limit of user_id\tanonymous_id ●" in apart.output
    assert "nothing is on both" in cdp(home, "identity", "explain", "1", "3").output
    assert cdp(home, "identity", "explain", "1", "99").exit_code == 2


def test_a_case_is_listed_decided_and_undone(home: Path) -> None:
    assert "none yet" in cdp(home, "identity", "cases").output, "a tablet of two people asks for nobody"
    listed = cdp(home, "identity", "cases", "--all")
    assert "limit" in listed.output
    shown = cdp(home, "identity", "show", "1")
    assert "person 3" in shown.output
    assert "answers: allow cannot block shared expire" in shown.output
    decided = cdp(home, "identity", "decide", "1", "shared", "--reason", "the family's")
    assert decided.exit_code == 0, decided.output
    assert cdp(home, "identity", "decide", "1", "shared", "--reason", "again").exit_code == 2
    assert cdp(home, "identity", "undo", "1", "--reason", "no").exit_code == 0
    assert "limit" in cdp(home, "identity", "cases", "--all").output


def test_what_was_said_is_listed_by_its_number_and_taken_back_by_it(home: Path) -> None:
    assert "none yet" in cdp(home, "identity", "decisions").output
    explained = cdp(home, "identity", "explain", "1", "2").output
    (value,) = [part for line in explained.splitlines() for part in line.split("\t") if part.startswith("phone ●")]
    assert cdp(home, "subject", "retract", "2", value, "--reason", "typed by somebody else").exit_code == 0
    assert cdp(home, "subject", "split", "1", "3", "--reason", "others").exit_code == 0
    retracted, parted = cdp(home, "identity", "decisions").output.splitlines()[1:]
    number, *_, by = retracted.split()
    assert f"2 {value}" in retracted and "retract" in retracted and by == "staff"
    assert "cannot" in parted and "1 3" in parted
    assert cdp(home, "subject", "revoke", number, "--reason", "it was hers").exit_code == 0
    first, _ = cdp(home, "identity", "decisions").output.splitlines()[1:]
    assert first.split()[-2:] != retracted.split()[-2:], "the minute at which it was taken back stands at the end"
    (rest,) = cdp(home, "identity", "decisions", "--after", number).output.splitlines()[1:]
    assert rest.split() == parted.split()


def test_a_case_that_was_answered_is_listed_and_shown_with_its_answer(home: Path) -> None:
    assert "none yet" in cdp(home, "identity", "cases", "--decided").output
    cdp(home, "identity", "decide", "1", "shared", "--reason", "the family's")
    (listed,) = cdp(home, "identity", "cases", "--decided").output.splitlines()[1:]
    assert "limit" in listed and listed.split()[-4:-2] == ["shared", "staff"]
    shown = cdp(home, "identity", "show", "1").output
    assert "answered: shared\tstaff" in shown and "decision 1" in shown
    assert "answers:" not in shown and "active" not in shown
    assert cdp(home, "identity", "undo", "1", "--reason", "no").exit_code == 0
    assert "answers: allow" in cdp(home, "identity", "show", "1").output


def test_a_number_that_no_row_can_have_is_no_number(home: Path) -> None:
    for number in (str(GREATEST + 1), str(2**53), "1.5", "-1"):
        for command in (("cases", "--after"), ("proposals", "--after"), ("explain", "1"), ("show",)):
            answer = cdp(home, "identity", *command, number)
            assert answer.exit_code == 2, (command, number)
            assert isinstance(answer.exception, SystemExit), (command, number)
    assert cdp(home, "identity", "cases", "--after", str(GREATEST)).exit_code == 0


def test_the_doctor_says_what_was_not_taken_up(home: Path) -> None:
    change(home, "phone", limit=2)
    assert "policies/identifiers.yaml is another" in cdp(home, "doctor").output


def test_somebodys_word_that_was_lost_is_told_by_the_check_and_brought_back(home: Path) -> None:
    joined = cdp(home, "identity", "explain", "1", "2").output
    (value,) = [part for line in joined.splitlines() for part in line.split("\t") if part.startswith("phone ●")]
    assert cdp(home, "subject", "retract", "2", value, "--reason", "typed by somebody else").exit_code == 0
    assert cdp(home, "identity", "rebuild", "--check").exit_code == 0
    settings = Settings(home=home / "home", database_url=(home / "url").read_text(), policies=home / "policies")
    deployment = assemble(settings)
    with deployment.database.transaction() as session:
        session.execute(text("UPDATE identifier SET aside = 0"))
    deployment.close()
    checked = cdp(home, "identity", "rebuild", "--check")
    assert checked.exit_code == 1
    assert f"lost_decisions=1\nretract\tdecision 1\tsubject 2\t{value}\n" in checked.output
    assert "would_uphold=1" in cdp(home, "identity", "rebuild", "--dry-run").output
    assert cdp(home, "identity", "rebuild", "--yes").exit_code == 0
    assert "lost_decisions=0" in cdp(home, "identity", "rebuild", "--check").output
    assert "retracted" in cdp(home, "identity", "explain", "1", "2").output


def test_a_value_that_was_never_theirs_is_retracted_and_given_back(home: Path) -> None:
    joined = cdp(home, "identity", "explain", "1", "2").output
    (value,) = [part for line in joined.splitlines() for part in line.split("\t") if part.startswith("phone ●")]
    said = cdp(home, "subject", "retract", "2", value, "--reason", "typed by somebody else")
    assert said.exit_code == 0, said.output
    assert "subject 2\tperson 2" in said.output
    assert "retracted" in cdp(home, "identity", "explain", "1", "2").output
    again = cdp(home, "subject", "retract", "2", "email ●000000", "--reason", "no such value")
    assert again.exit_code == 2 and "explanation" in again.output
    number = said.output.splitlines()[0].removeprefix("decision=")
    assert cdp(home, "subject", "revoke", number, "--reason", "it was hers").exit_code == 0
    assert cdp(home, "identity", "explain", "1", "2").output == joined
