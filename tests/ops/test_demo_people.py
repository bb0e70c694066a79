"""The demo's people are the same each time, exist nowhere, and write badly enough to be like life."""

from collections import Counter
from datetime import UTC, date, datetime

import phonenumbers
import pytest

from cdp.ops.demo import dirt
from cdp.ops.demo.people import SIZE, Someone, populate
from cdp.ops.demo.quality import measure
from cdp.ops.demo.records import Traces, leave_traces
from cdp.ops.demo.telling import Telling, masked

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
