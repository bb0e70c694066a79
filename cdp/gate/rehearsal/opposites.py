"""Turns one fact of a scenario into its opposite, and looks whether the answers care.

A scenario whose answers stay the same whatever fact is turned round shows nothing.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any

from cdp.gate.rehearsal.answering import Answer, Elsewhere, play
from cdp.policy.terms import Policy, Scenario

FAR = timedelta(days=800)
_STATUS = {"given": "withdrawn"}
_CIRCUMSTANCES = ("on", "at", "audience", "categories", "requester", "count", "listing", "tcf", "breach", "declares")


@dataclass(frozen=True, slots=True)
class Turned:
    """One fact turned round, and the question whose answer became another."""

    fact: str
    ask: int
    was: str
    became: str


def decisive(policy: Policy, scenario: Scenario, on: date, also: Elsewhere = MappingProxyType({})) -> Turned | None:
    """Return the first fact whose opposite turns a yes into a no, or a no into a yes; None where there is none."""
    before = play(policy, scenario, on, also).answers
    for fact, tree in opposites(scenario.tree):
        after = play(policy, replace(scenario, tree=tree), on, also).answers
        for n, (was, became) in enumerate(zip(before, after, strict=False)):
            if was.then != became.then and became.because != "unknown_use" and became.then != "unanswered":
                return Turned(fact, n, _words(was), _words(became))
    return None


def opposites(tree: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the scenario with one fact turned round at a time: people first, then questions, then declarations."""
    roots = [("given", tree.get("given", {})), *(("people." + name, one) for name, one in tree["people"].items())]
    roots += [(f"asks.{n}.given", ask["given"]) for n, ask in enumerate(tree["asks"])]
    for where, facts in roots:
        yield from _each(tree, where.split("."), facts)
    for n, ask in enumerate(tree["asks"]):
        for name in _CIRCUMSTANCES:
            if ask.get(name):
                yield from _turned(tree, ["asks", str(n), name], ask[name])
    if "on" in tree:
        yield from _turned(tree, ["on"], tree["on"])
    yield from _each(tree, ["declares"], tree["declares"])


def _each(tree: Mapping[str, Any], path: list[str], facts: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, value in facts.items():
        yield from _turned(tree, [*path, name], value)


def _turned(tree: Mapping[str, Any], path: list[str], value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for said, other in _others(path[-1], value):
        yield f"{'.'.join(path)} {said}", _with(tree, path, other)
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield from _turned(tree, [*path, str(name)], one)
    if "declares" in path or path[-1] not in _NEEDED:
        yield f"{'.'.join(path)} left out", _with(tree, path, _left_out(path))


def _others(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the opposites of a fact, with words for them."""
    if isinstance(value, bool):
        yield f"= {not value}".lower(), not value
    elif isinstance(value, int):
        for number in (value + 1, value - 1, 1000, 0):
            yield f"= {number}", number
    elif isinstance(value, date | datetime):
        yield "later", value + FAR
        yield "earlier", value - FAR
    elif name == "status":
        yield f"= {_STATUS.get(value, 'given')}", _STATUS.get(value, "given")
    elif name == "country" and value:
        yield "= DE", "DE"
        yield "= JP", "JP"
    elif isinstance(value, str) and (day := _day(value)):
        yield "later", (day + FAR).isoformat()
        yield "earlier", (day - FAR).isoformat()


_LEFT_OUT = object()
_NEEDED = frozenset({"status", "purpose", "matching", "breach", "tcf", "string", "tcf_purposes"})
"""Facts without which there is no statement and no size."""
_ORDINARY: Mapping[str, Any] = {
    "method": "checkbox",
    "act": True,
    "verified": True,
    "public": False,
    "evidence": "full",
    "brand": "",
    "by": "subject",
    "record": 1,
    "right": "access",
    "lists_members": False,
    "infers": [],
    "unlawful_discrimination_risk": False,
    "categories": [],
}
"""What a fact that is left out is taken for, where the shape of files says so (`cdp.policy.given`, `scenarios`)."""


def _left_out(path: list[str]) -> Any:
    return _LEFT_OUT if "declares" in path else _ORDINARY.get(path[-1], _LEFT_OUT)


def _with(tree: Mapping[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    changed = deepcopy(dict(tree))
    place: Any = changed
    for name in path[:-1]:
        place = place[int(name)] if isinstance(place, list) else place[name]
    key: Any = int(path[-1]) if isinstance(place, list) else path[-1]
    if value is not _LEFT_OUT:
        place[key] = value
    else:
        del place[key]
    return changed


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _words(answer: Answer) -> str:
    return f"{answer.then} ({answer.because})" if answer.because else answer.then
