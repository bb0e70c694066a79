"""What a rule may say of people, as frozen values; reading makes them, compiling turns them into SQL.

`ne` means "stated, and something else"; whoever never stated the trait is found by `not` around `eq`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

COUNTRY = "country"
"""Residence as the law reads it; a column of its own, so it needs no declared slot."""


@dataclass(frozen=True, slots=True)
class Everyone:
    """Whoever is known."""


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: "tuple[Rule, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: "tuple[Rule, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    part: "Rule"


@dataclass(frozen=True, slots=True)
class HasTrait:
    """A comparison with a trait that stands in the clear; false for whoever never stated it."""

    name: str
    column: str
    """The column of `person` that holds it under this policy."""
    op: str
    """eq | ne | in | exists | gte | lte"""
    value: str | float | tuple[str | float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Performed:
    """At least `times` facts of these events, or amounts that reach a sum in one of the currencies."""

    events: tuple[str, ...]
    within: timedelta | None = None
    """Counted back from the instant of the question, both ends included; None = ever."""
    times: int = 1
    amounts: tuple[tuple[str, int], ...] = ()
    """(currency, smallest sum in its minor units); any one is enough, and currencies are never added up."""
    netted: tuple[str, ...] = ()
    """Events whose amounts are taken off the sum, for example `Order Refunded`."""


@dataclass(frozen=True, slots=True)
class BirthdayToday:
    """Birthday on today's date in the controller's time zone; 29 February counts as the 28th in common years."""


@dataclass(frozen=True, slots=True)
class InStage:
    journey: str
    stage: str


Rule: TypeAlias = Everyone | AllOf | AnyOf | Not | HasTrait | Performed | BirthdayToday | InStage


def trait_of(rule: Rule) -> str:
    """Return the trait that this node itself asks for, or ""."""
    if isinstance(rule, BirthdayToday):
        return "birthday"
    return rule.name if isinstance(rule, HasTrait) else ""


def clauses(rule: Rule, pointer: str = "") -> Iterator[tuple[str, Rule]]:
    """Yield every node of the rule with its JSON pointer, the whole first."""
    yield pointer, rule
    if isinstance(rule, AllOf | AnyOf):
        key = "and" if isinstance(rule, AllOf) else "or"
        for n, part in enumerate(rule.parts):
            yield from clauses(part, f"{pointer}/{key}/{n}")
    elif isinstance(rule, Not):
        yield from clauses(rule.part, f"{pointer}/not")
