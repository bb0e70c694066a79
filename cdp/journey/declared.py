"""Compiles the journeys that a policy declares into rules; how they are written is `cdp.policy.journeys`'."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from cdp.clock import parse_duration
from cdp.errors import Problem
from cdp.journey.rules import NOWHERE, Journey, MoveRule, Timeout
from cdp.policy import journeys as written
from cdp.policy.terms import Policy


def find(policy: Policy, name: str) -> Journey:
    """Return a declared journey; raises Problem 404 `unknown_journey` or 422 `invalid_journey`."""
    if name not in policy.journeys:
        raise Problem(404, "unknown_journey", "There is no journey of this name: GET /api/journeys lists them.")
    return _compile(policy, name)


def journeys(policy: Policy) -> list[Journey]:
    """Return every declared journey."""
    return [_compile(policy, name) for name in policy.journeys]


def check(policy: Policy) -> list[str]:
    """Return one line per mistake in the declared journeys, each with its file and pointer."""
    return [
        f"journeys/{name}.yaml {mistake.pointer}: {mistake.detail}"
        for name, tree in policy.journeys.items()
        for mistake in written.shape_of(tree)[1]
    ]


@lru_cache(maxsize=64)
def _compile(policy: Policy, name: str) -> Journey:
    shape, mistakes = written.shape_of(policy.journeys[name])
    if shape is None or mistakes:
        raise Problem(422, "invalid_journey", "The journey cannot be followed.", errors=mistakes)
    stages = tuple(stage["key"] for stage in shape["stages"])
    return Journey(name, stages, tuple(_rules(shape)), _timeouts(shape))


def _rules(shape: Mapping[str, Any]) -> Iterator[MoveRule]:
    """Yield the rules in their order: what leaves the journey stands before what leads on in it."""
    for part in ("exit", "enter"):
        for number, rule in enumerate(shape[part]["rules"]):
            yield MoveRule(
                to=rule.get("to", NOWHERE),
                on=frozenset(rule["on"]),
                sources=None if rule["source"] == written.ANY else frozenset(rule["source"]),
                nth=rule.get("when", {"nth": 1})["nth"],
                name=f"{part}/rules/{number}",
            )


def _timeouts(shape: Mapping[str, Any]) -> dict[str, Timeout]:
    return {
        one["source"]: Timeout(one["source"], parse_duration(one["after"]), _target(one["to"]), f"timeouts/{number}")
        for number, one in enumerate(shape["timeouts"])
    }


def _target(to: str) -> str:
    return NOWHERE if to == written.NOWHERE else to
