"""Where a person's facts lead in a journey: pure values, so that a recomputation always gives the same moves.

The first rule, in the order they are written, that listens to a fact and stands open to the person's
stage decides; if it leads to the stage where the person is, the stage's time-out starts anew. Rules and
time-outs may lead out of the journey: whoever left is in none of its stages, and may enter again.
A time-out that ends at the very instant of a fact comes before the fact.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

NOWHERE = ""
"""The stage of whoever has not entered the journey, or has left it."""


class Happened(NamedTuple):
    """What a journey reads of a fact."""

    at: datetime
    ref: bytes
    kind: str


@dataclass(frozen=True, slots=True)
class MoveRule:
    """Moves a person to a stage when an event happens."""

    to: str
    on: frozenset[str]
    sources: frozenset[str] | None = None
    """Stages that it moves people from; None = any, and from outside the journey; empty = only from outside."""
    nth: int = 1
    """Counts from the person's n-th fact among `on`."""
    name: str = ""
    """Where the policy declares it, for example `enter/rules/2`."""

    def is_open_from(self, stage: str) -> bool:
        if self.sources is None:
            return stage != NOWHERE or self.to != NOWHERE
        return stage in self.sources or (not self.sources and stage == NOWHERE)


@dataclass(frozen=True, slots=True)
class Timeout:
    """Moves a person on who stayed in a stage too long without anything that renews it."""

    source: str
    after: timedelta
    to: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Journey:
    """A declared journey, checked: every stage named exists and time-outs never run in a circle. Exits come first."""

    name: str
    stages: tuple[str, ...]
    rules: tuple[MoveRule, ...]
    timeouts: Mapping[str, Timeout]
    """Stage → its time-out."""

    @property
    def events(self) -> frozenset[str]:
        """Return every event that any rule listens to."""
        return frozenset().union(*(rule.on for rule in self.rules))


class Move(NamedTuple):
    """One move of a person, with what caused it."""

    from_stage: str
    to_stage: str
    at: datetime
    cause: bytes | None
    """`ref` of the fact; None for a time-out."""
    rule: str


@dataclass(slots=True)
class Path:
    """A person's way through a journey so far."""

    moves: list[Move]
    until: datetime | None = None
    """When the place may change without a new fact arriving: a time-out, or a known fact still to come."""

    @property
    def stage(self) -> str:
        return self.moves[-1].to_stage if self.moves else NOWHERE


def walk(journey: Journey, facts: Iterable[Happened], now: datetime) -> Path:
    """Return the moves that these facts, sorted by (at, ref), and time up to `now` make.

    Facts after `now` wait: `until` is then no later than the first of them.
    """
    path = Path([])
    seen = [0] * len(journey.rules)
    coming = None
    for fact in facts:
        if fact.at > now:
            coming = fact.at
            break
        _time_out(journey, path, fact.at)
        _follow(journey, path, fact, seen)
    _time_out(journey, path, now)
    path.until = min((instant for instant in (path.until, coming) if instant), default=None)
    return path


def _follow(journey: Journey, path: Path, fact: Happened, seen: list[int]) -> None:
    """Let the first open rule that listens to the fact move the person, or renew the stage."""
    chosen = None
    for n, rule in enumerate(journey.rules):
        if fact.kind not in rule.on:
            continue
        seen[n] += 1
        if chosen is None and rule.is_open_from(path.stage) and seen[n] >= rule.nth:
            chosen = rule
    if chosen is None:
        return
    if chosen.to != path.stage:
        path.moves.append(Move(path.stage, chosen.to, fact.at, fact.ref, chosen.name))
    path.until = _end(journey, chosen.to, fact.at)


def _time_out(journey: Journey, path: Path, now: datetime) -> None:
    """Move the person on by every time-out that has ended; circles were refused when the journey was read."""
    while path.until is not None and path.until <= now and path.stage in journey.timeouts:
        timeout = journey.timeouts[path.stage]
        path.moves.append(Move(path.stage, timeout.to, path.until, None, timeout.name))
        path.until = _end(journey, timeout.to, path.until)


def _end(journey: Journey, stage: str, since: datetime) -> datetime | None:
    timeout = journey.timeouts.get(stage)
    return None if timeout is None else since + timeout.after
