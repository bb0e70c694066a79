"""Where facts and time lead, as pure values."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp import journey
from cdp.errors import Problem
from cdp.journey.rules import Happened, walk
from tests.audience.world import ADDED, DAY, NOW, ORDERED, REFUNDED, STANDARD, SUPPORT, TICK, VIEWED, make_policy

JOURNEY = journey.find(make_policy(), "standard")


def facts(*told: tuple[str, int]) -> list[Happened]:
    return [Happened(NOW - ago * DAY, bytes([n]), kind) for n, (kind, ago) in enumerate(told)]


def stages(*told: tuple[str, int], now: Any = NOW) -> list[str]:
    return [move.to_stage for move in walk(JOURNEY, facts(*told), now).moves]


def test_nobody_is_in_a_journey_without_a_fact() -> None:
    path = walk(JOURNEY, [], NOW)
    assert (path.moves, path.stage, path.until) == ([], "", None)


def test_a_person_goes_from_first_view_to_loyalty() -> None:
    told = [(VIEWED, 9), (ADDED, 8), (ORDERED, 7), (SUPPORT, 6), (ORDERED, 5)]
    assert stages(*told) == ["awareness", "consideration", "purchase", "usage", "loyalty"]


def test_every_move_keeps_its_cause() -> None:
    first, second = walk(JOURNEY, facts((VIEWED, 9), (ORDERED, 8)), NOW).moves
    assert (first.cause, first.rule, first.from_stage) == (b"\x00", "enter/rules/5", "")
    assert (second.cause, second.rule, second.from_stage) == (b"\x01", "enter/rules/1", "awareness")


def test_an_unheard_event_moves_nobody() -> None:
    assert stages(("Email Opened", 1)) == []


def test_a_rule_of_other_stages_moves_nobody() -> None:
    assert stages((SUPPORT, 3)) == []
    assert stages((ORDERED, 3), (ADDED, 2), (VIEWED, 1)) == ["purchase"]


def test_the_second_order_and_every_later_one_is_loyalty() -> None:
    path = walk(JOURNEY, facts((ORDERED, 800), (ORDERED, 700), (ORDERED, 10)), NOW)
    assert [move.to_stage for move in path.moves] == ["purchase", "usage", "loyalty", "usage", "loyalty"]


def test_time_moves_people_on_between_facts_and_after_the_last() -> None:
    path = walk(JOURNEY, facts((ORDERED, 200)), NOW)
    assert [(move.to_stage, move.at, move.cause, move.rule) for move in path.moves[1:]] == [
        ("usage", NOW - 110 * DAY, None, "timeouts/1")
    ]
    between = walk(JOURNEY, facts((VIEWED, 90), (ADDED, 80), (ADDED, 20)), NOW)
    assert [move.to_stage for move in between.moves] == ["awareness", "consideration", "awareness", "consideration"]
    assert between.until == NOW + 10 * DAY


@pytest.mark.parametrize(("now", "stage"), [(90 * DAY - TICK, "purchase"), (90 * DAY, "usage")])
def test_a_time_out_ends_at_its_very_instant(now: Any, stage: str) -> None:
    assert walk(JOURNEY, facts((ORDERED, 0)), NOW + now).stage == stage


def test_a_time_out_comes_before_a_fact_of_the_same_instant() -> None:
    told = [Happened(NOW - 30 * DAY, b"a", VIEWED), Happened(NOW - 30 * DAY, b"b", ADDED), Happened(NOW, b"c", ADDED)]
    moves = walk(JOURNEY, told, NOW).moves
    assert [(move.to_stage, move.cause) for move in moves] == [
        ("awareness", b"a"),
        ("consideration", b"b"),
        ("awareness", None),
        ("consideration", b"c"),
    ]


def test_staying_active_renews_the_stage_and_is_no_move() -> None:
    path = walk(JOURNEY, facts((VIEWED, 60), (ADDED, 50), (ADDED, 25)), NOW)
    assert [move.to_stage for move in path.moves] == ["awareness", "consideration"]
    assert path.until == NOW + 5 * DAY


def test_a_fact_still_to_come_waits_for_its_time() -> None:
    told = [Happened(NOW - DAY, b"a", VIEWED), Happened(NOW + DAY, b"b", ORDERED)]
    path = walk(JOURNEY, told, NOW)
    assert (path.stage, path.until) == ("awareness", NOW + DAY)
    assert walk(JOURNEY, told, NOW + DAY).stage == "purchase"


def leaving(*told: tuple[str, int], **changed: Any) -> list[tuple[str, str, str]]:
    """Return (from, to, rule) of every move through a journey that refunds and idleness lead out of."""
    exits = {"exit": {"rules": [{"on": [REFUNDED], "from": ["purchase", "loyalty"]}]}}
    idle = [*STANDARD["timeouts"], {"from": "awareness", "after": "P60D", "to": "nowhere"}]  # type: ignore[misc]
    policy = make_policy(journeys={"standard": {**STANDARD, **exits, "timeouts": idle, **changed}})
    path = walk(journey.find(policy, "standard"), facts(*told), NOW)
    return [(move.from_stage, move.to_stage, move.rule) for move in path.moves]


def test_an_exit_leads_out_of_the_journey_and_the_next_fact_in_again() -> None:
    assert leaving((ORDERED, 9), (REFUNDED, 8), (VIEWED, 7)) == [
        ("", "purchase", "enter/rules/1"),
        ("purchase", "", "exit/rules/0"),
        ("", "awareness", "enter/rules/5"),
    ]


def test_who_was_idle_too_long_is_nowhere_and_stays_there() -> None:
    moves = leaving((ADDED, 300), (ADDED, 299))
    assert [move[1] for move in moves] == ["awareness", "consideration", "awareness", ""]
    assert leaving((VIEWED, 300), (VIEWED, 10)) == [
        ("", "awareness", "enter/rules/5"),
        ("awareness", "", "timeouts/3"),
        ("", "awareness", "enter/rules/5"),
    ]


def test_an_exit_is_open_only_to_who_is_there() -> None:
    assert leaving((REFUNDED, 9), (VIEWED, 8), (REFUNDED, 7)) == [("", "awareness", "enter/rules/5")]
    any_ = {"exit": {"rules": [{"on": [VIEWED, REFUNDED]}]}}
    assert [move[1] for move in leaving((VIEWED, 9), (VIEWED, 8), (VIEWED, 7), **any_)] == [
        "awareness",
        "",
        "awareness",
    ]


def test_who_came_back_still_counts_the_orders_from_before() -> None:
    assert [move[1] for move in leaving((ORDERED, 9), (REFUNDED, 8), (ORDERED, 7))] == ["purchase", "", "loyalty"]


HISTORIES = st.lists(
    st.tuples(st.sampled_from([VIEWED, ADDED, ORDERED, SUPPORT]), st.integers(0, 900)), max_size=12
).map(lambda told: sorted(facts(*told)))


@given(history=HISTORIES, later=st.integers(0, 900))
def test_what_was_walked_once_is_walked_again_as_the_beginning(history: list[Happened], later: int) -> None:
    before = NOW - later * DAY
    known = walk(JOURNEY, history, before).moves
    assert walk(JOURNEY, history, NOW).moves[: len(known)] == known


@given(history=HISTORIES)
def test_moves_are_joined_end_to_end_in_time(history: list[Happened]) -> None:
    moves = walk(JOURNEY, history, NOW).moves
    assert all(one.to_stage == next_.from_stage for one, next_ in itertools.pairwise(moves))
    assert all(one.at <= next_.at for one, next_ in itertools.pairwise(moves))
    assert all(move.from_stage != move.to_stage for move in moves)


@given(history=HISTORIES)
def test_until_is_when_something_changes_and_not_before(history: list[Happened]) -> None:
    path = walk(JOURNEY, history, NOW)
    if path.until is None:
        assert walk(JOURNEY, history, NOW + 5000 * DAY).stage == path.stage
    else:
        assert walk(JOURNEY, history, path.until - TICK).moves == path.moves
        assert len(walk(JOURNEY, history, path.until).moves) == len(path.moves) + 1


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"stages": []}, "/stages"),
        ({"stages": [*STANDARD["stages"], STANDARD["stages"][0]]}, "/stages"),  # type: ignore[index, misc]
        ({"enter": {}}, "/enter/rules"),
        ({"enter": {"rules": [{"to": "usage", "on": []}]}}, "/enter/rules/0/on"),
        ({"exit": {"rules": [{"on": [ORDERED], "to": "usage"}]}}, "/exit/rules/0/to"),
        ({"exit": {"rules": [{"on": [ORDERED], "from": []}]}}, "/exit/rules/0/from"),
        ({"stages": [{"key": "nowhere", "ja": "x", "en": "x"}, *STANDARD["stages"]]}, "/stages/0/key"),  # type: ignore[misc]
        ({"enter": {"rules": [{"to": "moon", "on": [ORDERED]}]}}, "/enter/rules/0/to"),
        ({"enter": {"rules": [{"to": "usage", "on": [ORDERED], "from": ["moon"]}]}}, "/enter/rules/0/from"),
        ({"enter": {"rules": [{"to": "usage", "on": [ORDERED], "from": "usage"}]}}, "/enter/rules/0/from"),
        ({"timeouts": [{"from": "usage", "after": "P1D", "to": "moon"}]}, "/timeouts/0/to"),
        ({"timeouts": [{"from": "nowhere", "after": "P1D", "to": "usage"}]}, "/timeouts/0/from"),
        ({"timeouts": [{"from": "usage", "after": "soon", "to": "loyalty"}]}, "/timeouts/0/after"),
        ({"timeouts": [{"from": "usage", "after": "P1D", "to": "usage"}]}, "/timeouts/0"),
        (
            {
                "timeouts": [
                    {"from": a, "after": "P1D", "to": b} for a, b in (("usage", "loyalty"), ("loyalty", "usage"))
                ]
            },
            "/timeouts/1",
        ),
        ({"timeouts": [{"from": "usage", "after": "P1D", "to": to} for to in ("loyalty", "purchase")]}, "/timeouts"),
    ],
)
def test_a_journey_that_cannot_be_followed_is_refused(changed: dict[str, Any], pointer: str) -> None:
    policy = make_policy(journeys={"standard": {**STANDARD, **changed}})
    with pytest.raises(Problem) as raised:
        journey.find(policy, "standard")
    assert raised.value.type == "invalid_journey"
    assert pointer in {error.pointer for error in raised.value.errors}
    assert journey.check(policy)


def test_an_unknown_journey_is_not_found() -> None:
    with pytest.raises(Problem) as raised:
        journey.find(make_policy(), "grand_tour")
    assert (raised.value.status, raised.value.type) == (404, "unknown_journey")
    assert "GET /api/journeys" in raised.value.detail
