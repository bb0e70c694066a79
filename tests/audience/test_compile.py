"""A compiled rule finds exactly the people that the rule describes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlmodel import col

from cdp import audience
from cdp.audience.compile import birthdays, compile
from cdp.db import Database
from cdp.journey.model import Stage
from cdp.profile.model import Person
from tests.audience.evaluator import holds
from tests.audience.world import (
    ADA,
    ADDED,
    BEN,
    CLEO,
    DAY,
    DEV,
    EVE,
    NOW,
    ORDERED,
    REFUNDED,
    TICK,
    VIEWED,
    Row,
    fill,
    happened,
    ordered,
)


def found(shop: Database, tree: dict[str, Any], rows: list[Row], at: datetime = NOW) -> list[int]:
    with shop.snapshot() as session:
        fill(session, rows)
        rule = audience.read(tree, session.info["policy"])
        return list(session.scalars(select(col(Person.person)).where(compile(session, rule, at)).order_by("person")))


def test_a_window_of_thirty_days_holds_both_of_its_ends(shop: Database) -> None:
    rows = [
        Row(ADA, facts=[happened(ORDERED, 30 * DAY)]),
        Row(BEN, facts=[happened(ORDERED, 30 * DAY + TICK)]),
        Row(CLEO, facts=[happened(ORDERED, 0 * DAY)]),
        Row(DEV, facts=[happened(ORDERED, -TICK)]),
        Row(EVE),
    ]
    assert found(shop, {"performed": {"event": ORDERED, "within": "P30D"}}, rows) == [ADA, CLEO]


def test_a_fact_of_the_future_has_not_been_performed(shop: Database) -> None:
    assert found(shop, {"performed": {"event": ORDERED}}, [Row(ADA, facts=[happened(ORDERED, -DAY)])]) == []


def test_facts_of_every_subject_of_a_person_count_together(shop: Database) -> None:
    rows = [
        Row(ADA, (1, 11), facts=[happened(ORDERED, subject=1), happened(ORDERED, subject=11)]),
        Row(BEN, (2, 12), facts=[happened(ORDERED, subject=12)]),
    ]
    assert found(shop, {"performed": {"event": ORDERED, "count": {"gte": 2}}}, rows) == [ADA]


def test_cart_abandoners_filled_a_cart_and_have_not_ordered_since(shop: Database) -> None:
    tree = {
        "and": [
            {"performed": {"event": ADDED, "within": "P3D"}},
            {"not": {"performed": {"event": ORDERED, "within": "P3D"}}},
        ]
    }
    rows = [
        Row(ADA, facts=[happened(ADDED)]),
        Row(BEN, facts=[happened(ADDED), happened(ORDERED)]),
        Row(CLEO, facts=[happened(ADDED, 4 * DAY)]),
    ]
    assert found(shop, tree, rows) == [ADA]


HIGH = {
    "performed": {
        "event": ORDERED,
        "within": "P365D",
        "amount": {"EUR": 100_000, "JPY": 1_000_000},
        "events_netted": [REFUNDED],
    }
}


@pytest.mark.parametrize(
    ("facts", "high"),
    [
        ([ordered(600_000), ordered(400_000)], True),
        ([ordered(999_999)], False),
        ([ordered(100_000, "EUR")], True),
        ([ordered(99_999, "EUR"), ordered(999_999, "JPY")], False),
        ([ordered(100_000, "JPY")], False),
        ([ordered(1_000_000, "USD")], False),
        ([ordered(1_000_000), happened(REFUNDED, amount=-1, currency="JPY")], False),
        ([ordered(1_000_000), happened(REFUNDED, amount=1, currency="JPY")], False),
        ([ordered(1_000_000), happened(REFUNDED, amount=-900_000, currency="EUR")], True),
        ([ordered(1_000_000, ago=365 * DAY)], True),
        ([ordered(1_000_000, ago=365 * DAY + TICK)], False),
        ([happened(ORDERED), happened(VIEWED, amount=9_000_000, currency="JPY")], False),
        ([happened(REFUNDED, amount=-9_000_000, currency="JPY")], False),
    ],
)
def test_amounts_are_summed_by_currency_and_refunds_taken_off(shop: Database, facts: list[Any], high: bool) -> None:
    assert found(shop, HIGH, [Row(ADA, facts=facts)]) == ([ADA] if high else [])


def test_whoever_never_stated_a_trait_is_neither_equal_nor_different(shop: Database) -> None:
    rows = [Row(ADA, slots={"t01": "pro"}), Row(BEN, slots={"t01": "free"}), Row(CLEO)]
    trait = {"name": "plan", "value": "pro"}
    assert found(shop, {"trait": {**trait, "op": "eq"}}, rows) == [ADA]
    assert found(shop, {"trait": {**trait, "op": "ne"}}, rows) == [BEN]
    assert found(shop, {"not": {"trait": {**trait, "op": "eq"}}}, rows) == [BEN, CLEO]


def test_an_unknown_residence_is_not_stated(shop: Database) -> None:
    rows = [Row(ADA, slots={"country": "JP"}), Row(BEN, slots={"country": ""})]
    assert found(shop, {"trait": {"name": "country", "op": "exists"}}, rows) == [ADA]
    assert found(shop, {"trait": {"name": "country", "op": "ne", "value": "DE"}}, rows) == [ADA]


def test_dates_and_truths_are_compared_as_they_are_stored(shop: Database) -> None:
    rows = [Row(ADA, slots={"t03": "true", "t04": "2026-06-01"}), Row(BEN, slots={"t03": "false", "t04": "2026-05-31"})]
    assert found(shop, {"trait": {"name": "member", "op": "eq", "value": True}}, rows) == [ADA]
    assert found(shop, {"trait": {"name": "joined", "op": "lte", "value": "2026-05-31"}}, rows) == [BEN]


@pytest.mark.parametrize(
    ("at", "days"),
    [
        (datetime(2026, 5, 31, 15, 0, tzinfo=UTC), ("06-01",)),
        (datetime(2026, 5, 31, 14, 59, tzinfo=UTC), ("05-31",)),
        (datetime(2026, 2, 28, 3, 0, tzinfo=UTC), ("02-28", "02-29")),
        (datetime(2028, 2, 28, 3, 0, tzinfo=UTC), ("02-28",)),
        (datetime(2028, 2, 29, 3, 0, tzinfo=UTC), ("02-29",)),
        (datetime(2100, 2, 28, 3, 0, tzinfo=UTC), ("02-28", "02-29")),
    ],
)
def test_a_birthday_is_the_brands_day_and_nobody_waits_four_years(at: datetime, days: tuple[str, ...]) -> None:
    assert birthdays(at, "Asia/Tokyo") == days


def test_birthdays_are_found(shop: Database) -> None:
    rows = [Row(ADA, slots={"birth_day": "06-01"}), Row(BEN, slots={"birth_day": "06-02"}), Row(CLEO)]
    assert found(shop, {"birthday": "today"}, rows) == [ADA]


def test_a_stage_that_has_timed_out_no_longer_holds(shop: Database) -> None:
    tree = {"stage": {"journey": "standard", "stage": "purchase"}}
    places = [(ADA, "purchase", None), (BEN, "purchase", NOW + TICK), (CLEO, "purchase", NOW), (DEV, "usage", None)]
    with shop.snapshot() as session:
        fill(session, [Row(person) for person in (ADA, BEN, CLEO, DEV)])
        for person, stage, until in places:
            row = {"person": person, "journey": "standard", "stage": stage, "since": NOW - DAY, "until": until}
            session.execute(insert(Stage), row)
        rule = audience.read(tree, session.info["policy"])
        assert set(session.scalars(select(col(Person.person)).where(compile(session, rule, NOW)))) == {ADA, BEN}


def test_a_value_never_becomes_part_of_a_statement(shop: Database) -> None:
    attack = "x' OR '1'='1"
    rows = [Row(ADA, slots={"t02": attack}), Row(BEN, slots={"t02": "Kyoto"})]
    assert found(shop, {"trait": {"name": "city", "op": "eq", "value": attack}}, rows) == [ADA]
    with shop.snapshot() as session:
        rule = audience.read({"trait": {"name": "city", "op": "eq", "value": attack}}, session.info["policy"])
        assert attack not in str(compile(session, rule, NOW))


AGES = st.sampled_from([0 * DAY, TICK, 3 * DAY, 3 * DAY + TICK, 30 * DAY, 30 * DAY + TICK, -TICK, 400 * DAY])
KINDS = st.sampled_from([VIEWED, ADDED, ORDERED, REFUNDED])
AMOUNTS = st.sampled_from([None, -500, 0, 1, 500, 1000])
FACTS = st.builds(
    lambda kind, ago, amount, currency, second: happened(
        kind, ago, amount=amount, currency=currency if amount is not None else None, second=second
    ),
    KINDS,
    AGES,
    AMOUNTS,
    st.sampled_from(["JPY", "EUR"]),
    st.booleans(),
)
SLOTS = st.fixed_dictionaries(
    {
        "t01": st.sampled_from([None, "free", "pro"]),
        "n01": st.sampled_from([None, -1.0, 0.0, 2.5, 10.0]),
        "country": st.sampled_from(["", "JP", "DE"]),
        "birth_day": st.sampled_from([None, "06-01", "02-29"]),
    }
)
PEOPLE = st.lists(st.tuples(SLOTS, st.lists(FACTS, max_size=5)), min_size=1, max_size=5)

LEAVES = st.one_of(
    st.just({"everyone": True}),
    st.just({"birthday": "today"}),
    st.builds(
        lambda op, value: {"trait": {"name": "plan", "op": op, "value": value}},
        st.sampled_from(["eq", "ne"]),
        st.sampled_from(["free", "pro"]),
    ),
    st.sampled_from(
        [
            {"trait": {"name": "plan", "op": "in", "value": ["free", "pro"]}},
            {"trait": {"name": "plan", "op": "exists"}},
            {"trait": {"name": "country", "op": "ne", "value": "JP"}},
            {"trait": {"name": "country", "op": "exists", "value": False}},
        ]
    ),
    st.builds(
        lambda op, value: {"trait": {"name": "points", "op": op, "value": value}},
        st.sampled_from(["gte", "lte", "eq"]),
        st.sampled_from([-1, 0, 2.5, 3]),
    ),
    st.builds(
        lambda events, more, spent: {"performed": {"event": events, **more, **spent}},
        st.lists(KINDS, min_size=1, max_size=2),
        st.fixed_dictionaries(
            {},
            optional={
                "within": st.sampled_from(["P3D", "P30D", "PT1M"]),
                "count": st.fixed_dictionaries({"gte": st.integers(1, 3)}),
            },
        ),
        st.one_of(
            st.just({}),
            st.fixed_dictionaries(
                {
                    "amount": st.dictionaries(
                        st.sampled_from(["JPY", "EUR"]), st.sampled_from([1, 500, 1500]), min_size=1
                    )
                },
                optional={"events_netted": st.just([REFUNDED])},
            ),
        ),
    ),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"and": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"or": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=6,
)


def people_of(described: list[Any]) -> list[Row]:
    rows = []
    for n, (slots, facts) in enumerate(described, 1):
        placed = [{**fact, "subject": n + 10 if fact["second"] else n} for fact in facts]
        for fact in placed:
            del fact["second"]
        rows.append(Row(n, (n, n + 10), slots, placed))
    return rows


@given(described=PEOPLE, tree=TREES)
def test_sql_and_plain_python_agree_on_every_rule(shop: Database, described: list[Any], tree: dict[str, Any]) -> None:
    rows = people_of(described)
    with shop.snapshot() as session:
        fill(session, rows)
        rule = audience.read(tree, session.info["policy"])
        matching = set(session.scalars(select(col(Person.person)).where(compile(session, rule, NOW))))
        assert matching == {row.person for row in rows if holds(rule, row, NOW)}
        for row in rows:
            explained = audience.explain(session, rule, row.person, NOW)
            assert explained is not None
            assert [clause.holds for clause in explained] == [holds(clause.rule, row, NOW) for clause in explained]


def test_an_event_both_counted_and_netted_takes_off(shop: Database) -> None:
    tree = {"performed": {"event": [ORDERED, REFUNDED], "amount": {"JPY": 1}, "events_netted": [REFUNDED]}}
    rows = [Row(ADA, facts=[ordered(5), happened(REFUNDED, amount=-5, currency="JPY")]), Row(BEN, facts=[ordered(5)])]
    assert found(shop, tree, rows) == [BEN]


def test_windows_are_counted_in_instants_not_in_days(shop: Database) -> None:
    rows = [Row(ADA, facts=[happened(ORDERED, timedelta(hours=2))]), Row(BEN, facts=[happened(ORDERED, 2 * DAY)])]
    assert found(shop, {"performed": {"event": ORDERED, "within": "PT2H"}}, rows) == [ADA]
