"""What a rule may say, and how its mistakes are pointed at."""

from datetime import timedelta
from typing import Any

import pytest

from cdp import audience
from cdp.audience.reading import MAX_DEPTH, MAX_NODES
from cdp.audience.rule import AllOf, Everyone, HasTrait, Not, Performed, clauses
from cdp.errors import Problem
from tests.audience.world import ORDERED, REFUNDED, make_policy

POLICY = make_policy()


def problems(tree: Any) -> dict[str, str]:
    with pytest.raises(Problem) as raised:
        audience.read(tree, POLICY)
    assert (raised.value.status, raised.value.type) == (422, "invalid_rule")
    return {error.pointer: error.detail for error in raised.value.errors}


def test_a_rule_becomes_values() -> None:
    tree = {
        "and": [
            {"trait": {"name": "plan", "op": "eq", "value": "pro"}},
            {"not": {"performed": {"event": ORDERED, "within": "P30D", "count": {"gte": 2}}}},
        ]
    }
    assert audience.read(tree, POLICY) == AllOf(
        (HasTrait("plan", "t01", "eq", "pro"), Not(Performed((ORDERED,), timedelta(days=30), 2)))
    )


def test_amounts_keep_their_currencies_apart() -> None:
    tree = {"performed": {"event": ORDERED, "amount": {"JPY": 9, "EUR": 5}, "events_netted": [REFUNDED]}}
    assert audience.read(tree, POLICY) == Performed((ORDERED,), None, 1, (("EUR", 5), ("JPY", 9)), (REFUNDED,))


@pytest.mark.parametrize(
    ("tree", "pointer"),
    [
        (None, ""),
        ([], ""),
        ({}, ""),
        ({"everyone": True, "not": {"everyone": True}}, ""),
        ({"sql": "1=1"}, ""),
        ({"everyone": False}, "/everyone"),
        ({"and": []}, "/and"),
        ({"or": {"everyone": True}}, "/or"),
        ({"or": [{"everyone": True}, {"nobody": True}]}, "/or/1"),
        ({"not": [{"everyone": True}]}, "/not"),
        ({"trait": {"name": "shoe_size", "op": "eq", "value": 1}}, "/trait/name"),
        ({"trait": {"name": "phone", "op": "exists"}}, "/trait/name"),
        ({"trait": {"op": "exists"}}, "/trait/name"),
        ({"trait": {"name": "plan", "op": "like", "value": "%"}}, "/trait/op"),
        ({"trait": {"name": "plan", "op": "gte", "value": "pro"}}, "/trait/op"),
        ({"trait": {"name": "plan", "op": "eq", "value": "gold"}}, "/trait/value"),
        ({"trait": {"name": "plan", "op": "eq"}}, "/trait/value"),
        ({"trait": {"name": "plan", "op": "in", "value": "pro"}}, "/trait/value"),
        ({"trait": {"name": "plan", "op": "in", "value": []}}, "/trait/value"),
        ({"trait": {"name": "plan", "op": "exists", "value": "yes"}}, "/trait/value"),
        ({"trait": {"name": "plan", "op": "exists", "fuzzy": 1}}, "/trait/fuzzy"),
        ({"trait": {"name": "points", "op": "gte", "value": "10"}}, "/trait/value"),
        ({"trait": {"name": "points", "op": "eq", "value": True}}, "/trait/value"),
        ({"trait": {"name": "points", "op": "eq", "value": float("nan")}}, "/trait/value"),
        ({"trait": {"name": "member", "op": "eq", "value": "true"}}, "/trait/value"),
        ({"trait": {"name": "joined", "op": "gte", "value": "last week"}}, "/trait/value"),
        ({"performed": ORDERED}, "/performed"),
        ({"performed": {}}, "/performed/event"),
        ({"performed": {"event": "Moon Landed"}}, "/performed/event"),
        ({"performed": {"event": [ORDERED, "Moon Landed"]}}, "/performed/event/1"),
        ({"performed": {"event": []}}, "/performed/event"),
        ({"performed": {"event": ORDERED, "within": "a month"}}, "/performed/within"),
        ({"performed": {"event": ORDERED, "within": "P1M"}}, "/performed/within"),
        ({"performed": {"event": ORDERED, "count": {"gte": 0}}}, "/performed/count/gte"),
        ({"performed": {"event": ORDERED, "count": {"lte": 1}}}, "/performed/count/gte"),
        ({"performed": {"event": ORDERED, "amount": {"yen": 1}}}, "/performed/amount/yen"),
        ({"performed": {"event": ORDERED, "amount": {"JPY": 0.5}}}, "/performed/amount/JPY"),
        ({"performed": {"event": ORDERED, "amount": {}}}, "/performed/amount"),
        ({"performed": {"event": ORDERED, "events_netted": [REFUNDED]}}, "/performed/events_netted"),
        ({"birthday": "tomorrow"}, "/birthday"),
        ({"stage": {"journey": "grand_tour", "stage": "purchase"}}, "/stage/journey"),
        ({"stage": {"journey": "standard", "stage": "moon"}}, "/stage/stage"),
    ],
)
def test_a_mistake_is_pointed_at(tree: Any, pointer: str) -> None:
    assert pointer in problems(tree)


def test_every_mistake_is_named_at_once() -> None:
    tree = {"and": [{"birthday": "never"}, {"not": {"sql": ""}}, {"everyone": True}, {"stage": {}}]}
    assert set(problems(tree)) == {"/and/0/birthday", "/and/1/not", "/and/3/stage/journey", "/and/3/stage/stage"}


def test_no_problem_repeats_a_value() -> None:
    tree = {"trait": {"name": "plan", "op": "eq", "value": "taro@people.example"}}
    assert "taro" not in str(problems(tree))


def test_a_rule_too_deep_is_refused() -> None:
    tree: Any = {"everyone": True}
    for _ in range(MAX_DEPTH):
        tree = {"not": tree}
    assert list(problems(tree)) == ["/not" * MAX_DEPTH]


def test_a_bottomless_rule_is_refused_before_it_is_read() -> None:
    tree: Any = {"everyone": True}
    for _ in range(100_000):
        tree = {"and": [tree]}
    assert problems(tree)


def test_a_rule_too_large_is_refused() -> None:
    assert audience.read({"or": [{"everyone": True}] * (MAX_NODES - 1)}, POLICY)
    assert problems({"or": [{"everyone": True}] * MAX_NODES})


def test_an_unknown_audience_is_not_found() -> None:
    with pytest.raises(Problem) as raised:
        audience.load(POLICY, "nobody")
    assert (raised.value.status, raised.value.type) == (404, "unknown_audience")
    assert "GET /api/audiences" in raised.value.detail


def test_a_policy_is_checked_as_a_whole() -> None:
    policy = make_policy(audiences={"bad": {"rule": {"or": [{"birthday": 1}]}}, "good": {"rule": {"everyone": True}}})
    assert audience.check(policy) == ["audiences/bad.yaml rule/or/0/birthday: only `today` can stand here"]


def test_every_clause_has_its_pointer() -> None:
    rule = audience.read({"and": [{"everyone": True}, {"not": {"everyone": True}}]}, POLICY)
    assert [pointer for pointer, _ in clauses(rule)] == ["", "/and/0", "/and/1", "/and/1/not"]
    assert dict(clauses(rule))["/and/0"] == Everyone()
