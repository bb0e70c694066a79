"""The demo's people are the same each time, exist nowhere, and write badly enough to be like life."""

import json
from collections import Counter
from datetime import UTC, date, datetime

import phonenumbers
import pytest
from rich.console import Console

from cdp.ops.demo import dirt
from cdp.ops.demo.finding import finds_nobody, finds_one
from cdp.ops.demo.people import SIZE, Someone, populate
from cdp.ops.demo.quality import measure
from cdp.ops.demo.reasons import EXAMPLES, grounds, identifiers
from cdp.ops.demo.records import Traces, leave_traces
from cdp.ops.demo.taken import Taken, told_dropped, told_refused
from cdp.ops.demo.telling import Telling, masked
from cdp.ops.demo.wire import Answer

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def people() -> list[Someone]:
    return populate(7, SIZE, NOW.date())


@pytest.fixture(scope="module")
def traces(people: list[Someone]) -> Traces:
    return leave_traces(people, 7, NOW)


def test_the_same_seed_gives_the_same_people_and_the_same_traces(people: list[Someone], traces: Traces) -> None:
    assert people == populate(7, SIZE, NOW.date())
    assert traces == leave_traces(people, 7, NOW)


def test_there_are_at_least_five_thousand_of_both_worlds(people: list[Someone]) -> None:
    countries = Counter(one.country for one in people)
    assert len(people) >= 5_000
    assert 0.55 < countries["JP"] / len(people) < 0.65
    assert len(countries) == 8


def test_every_mailbox_is_under_a_domain_that_nobody_can_own(people: list[Someone]) -> None:
    assert {one.email.rpartition(".")[2] for one in people} == {"example"}


def test_nearly_every_number_could_be_called(people: list[Someone]) -> None:
    valid = [phonenumbers.is_valid_number(phonenumbers.parse(one.phone, one.country)) for one in people]
    assert sum(valid) / len(valid) > 0.99


def test_there_is_every_kind_of_person(people: list[Someone], traces: Traces) -> None:
    assert {len(one.places) for one in people} == {1, 2, 3, 4}
    assert {one.stance for one in people} == {"given", "withdrew", "refused", "never"}
    assert sum(one.child for one in people) > 50
    assert len({one.email for one in people}) < len(people) - 100, "families share mailboxes"
    assert any(one.device.startswith("tablet") for one in people)
    assert traces.withdrawals


def test_the_shop_can_write_its_file_in_its_own_encoding(traces: Traces) -> None:
    for row in traces.shop:
        "".join(row.values()).encode("cp932")


def test_every_record_has_a_key_of_its_own_but_shared_tablets(traces: Traces) -> None:
    counts = Counter((key.namespace, key.scope, key.value) for key in traces.truth)
    assert {value[2][:6] for value, count in counts.items() if count > 1} == {"tablet"}


@pytest.mark.parametrize(
    "day", [date(1950, 1, 1), date(1989, 1, 7), date(1989, 1, 8), date(2019, 5, 1), date(2016, 2, 29)]
)
def test_an_era_begins_on_its_day(day: date) -> None:
    from random import Random

    written = {dirt.birthday(Random(seed), day) for seed in range(40)}
    assert {"昭和" if day < date(1989, 1, 8) else "平成" if day < date(2019, 5, 1) else "令和"} == {
        text[:2] for text in written if text[0] in "昭平令"
    }


def test_quality_counts_pairs() -> None:
    perfect = measure([(1, "a"), (1, "a"), (2, "b")])
    assert (perfect.precision, perfect.recall, perfect.people) == (1.0, 1.0, 2)
    over = measure([(1, "a"), (1, "b")])
    assert (over.precision, over.recall) == (0.0, 1.0)
    under = measure([(1, "a"), (2, "a")])
    assert (under.precision, under.recall) == (1.0, 0.0)


def test_the_screen_shows_nobody() -> None:
    assert "hanako" not in masked("hanako@tegami.example")
    assert masked("hanako@tegami.example").startswith("h•••••@t")


def test_one_broken_promise_is_remembered() -> None:
    telling = Telling()
    telling.promise("water is wet", True)
    telling.promise("the moon is cheese", False)
    assert telling.broken == ["the moon is cheese"]


def test_a_door_accounts_for_every_record_by_its_own_report() -> None:
    taken = Taken(sent=4)
    items = [{"status": "accepted"}, {"status": "accepted"}, {"status": "duplicate", "reason": "duplicate"}]
    taken.add_report({"items": [*items, {"status": "refused", "reason": "unlawful"}]})
    assert (taken.accepted, taken.duplicates, taken.adds_up) == (2, 1, True)
    assert told_refused(taken) == "unlawful 1\nduplicate 1"
    taken.sent += 1
    assert not taken.adds_up


def test_an_import_is_told_as_the_command_printed_it() -> None:
    taken = Taken(sent=7)
    lines = ("rows=7", "accepted=5", "duplicates=0", "refused\t2\tno_identifier", "dropped\t2\titem\tno_identifier")
    taken.add_import("\n".join((*lines, "dropped\t3\tfield:phone\tunusable_identifier", "rejects=some file")))
    assert taken.adds_up and taken.accepted == 5
    assert told_refused(taken) == "no_identifier 2"
    assert told_dropped(taken) == "unusable_identifier 3 (phone)"


def test_a_refused_statement_is_counted_by_the_type_of_its_problem() -> None:
    taken = Taken(sent=2)
    taken.add_answer(201, {})
    taken.add_answer(404, {"type": "urn:sekisho:problem:not_found"})
    assert taken.adds_up and told_refused(taken) == "not_found 1"


def test_an_identifier_counts_as_found_only_if_all_find_one_person() -> None:
    assert finds_one({"email": "7", "user_id": "7"})
    assert not finds_one({"email": "7", "user_id": "8"})
    assert not finds_one({"email": "nobody", "user_id": "nobody"})
    assert not finds_nobody({"email": "nobody", "user_id": "7"})
    assert finds_nobody({"email": "nobody", "user_id": "nobody"})


def test_a_remedy_is_never_cut() -> None:
    remedy = "word " * 60 + "end"
    telling = Telling(Console(width=80, record=True))
    telling.bars({"yes": 3, "no_consent": 1}, {"no_consent": ("GDPR 6(1)(a)", remedy)}, "yes")
    shown = telling.console.export_text()
    assert "…" not in shown
    assert " ".join(remedy.split()) in " ".join(shown.split())


class Answers:
    """A client whose decisions always name both laws for mail in Japan."""

    asked = 0

    def post(self, path: str, body: object) -> Answer:
        self.asked += 1
        said = [
            {"code": "no_consent", "law": law, "article": article, "remedy_en": "Ask.", "deny": True}
            for law, article in (("TOKUTEI", "3(1)"), ("EPRIVACY", "13(1)"))
        ]
        return Answer(200, json.dumps({"reasons": said}).encode(), 1.0)


def test_a_ground_is_what_the_decision_cited(people: list[Someone]) -> None:
    officer = Answers()
    told = grounds(officer, identifiers(people, []), "email_marketing", "email", ["no_consent"])  # type: ignore[arg-type]
    assert told["no_consent"].cited == "特定電子メール法 3(1); ePrivacy 13(1)"
    assert (told["no_consent"].remedy, officer.asked) == ("Ask.", EXAMPLES)
