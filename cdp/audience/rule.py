"""Reads an audience's rule: a JSON tree becomes frozen values, or a problem that points at each mistake.

It refuses (`invalid_rule`) what the policy does not know: traits, events, journeys, stages; traits that
are sealed, since nothing may be asked of a sealed value; and trees too deep or too large to answer fast.

`ne` means "stated, and something else"; whoever never stated the trait is found by `not` around `eq`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, ClassVar, TypeAlias

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from cdp.clock import parse_duration
from cdp.errors import FieldError, Problem
from cdp.policy.terms import Policy, TraitTerm
from cdp.profile.model import NUMBER_SLOTS, TEXT_SLOTS

MAX_DEPTH = 8
MAX_NODES = 100
MAX_LISTED = 100
COUNTRY = "country"
"""Residence as the law reads it; a column of its own, so it needs no declared slot."""
NUMBER_COLUMNS = frozenset((*NUMBER_SLOTS, "birth_year"))
ASKABLE_COLUMNS = frozenset((*TEXT_SLOTS, *NUMBER_COLUMNS, COUNTRY))


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


class _TraitShape(Schema):
    name = fields.String(required=True)
    op = fields.String(required=True, validate=validate.OneOf(["eq", "ne", "in", "exists", "gte", "lte"]))
    value = fields.Raw()


class _CountShape(Schema):
    gte = fields.Integer(required=True, strict=True, validate=validate.Range(1, 10_000))


_NAME = validate.Length(1, 64)


class _PerformedShape(Schema):
    event = fields.Raw(required=True)
    within = fields.String()
    count = fields.Nested(_CountShape)
    amount = fields.Dict(
        keys=fields.String(validate=validate.Regexp(r"[A-Z]{3}\Z")),
        values=fields.Integer(strict=True, validate=validate.Range(1, 2**53)),
        validate=validate.Length(1, 20),
    )
    events_netted = fields.List(fields.String(validate=_NAME), validate=validate.Length(1, 20))


class _StageShape(Schema):
    journey = fields.String(required=True)
    stage = fields.String(required=True)


def load(policy: Policy, name: str) -> Rule:
    """Return the rule of a declared audience; raises Problem 404 `unknown_audience` or 422 `invalid_rule`."""
    declared = policy.audiences.get(name)
    if declared is None:
        raise Problem(404, "unknown_audience", "There is no audience of this name.")
    return read(declared.get("rule"), policy)


def check(policy: Policy) -> list[str]:
    """Return one line per mistake in the declared audiences, each with its file and pointer."""
    found = []
    for name in policy.audiences:
        try:
            load(policy, name)
        except Problem as problem:
            found += [f"audiences/{name}.yaml rule{error.pointer}: {error.detail}" for error in problem.errors]
    return found


def read(tree: object, policy: Policy) -> Rule:
    """Read a rule tree; raises Problem 422 `invalid_rule` with a JSON pointer per mistake."""
    reader = _Reader(policy)
    try:
        rule = reader.node(tree, "", 1)
    except _Wrong as wrong:
        raise invalid([*reader.errors, wrong.error]) from None
    if reader.errors:
        raise invalid(reader.errors)
    return rule


def check_traits(rule: Rule, usable: Collection[str]) -> None:
    """Refuse a rule that asks for other traits; raises Problem 422 `field_not_allowed` with a pointer per trait.

    Country may always be asked for, as every decision about a person asks for it.
    """
    asked = ((pointer, trait_of(node)) for pointer, node in clauses(rule))
    outside = [pointer for pointer, name in asked if name not in ("", COUNTRY, *usable)]
    if outside:
        errors = [FieldError(pointer or "/", "This trait is not used for this purpose.") for pointer in outside]
        raise Problem(422, "field_not_allowed", "The rule asks for what the purpose does not use.", errors=errors)


def trait_of(rule: Rule) -> str:
    """Return the trait that this node itself asks for, or ""."""
    if isinstance(rule, BirthdayToday):
        return "birthday"
    return rule.name if isinstance(rule, HasTrait) else ""


def invalid(errors: list[FieldError]) -> Problem:
    """Return the problem of a rule that cannot be understood."""
    return Problem(422, "invalid_rule", "The rule cannot be understood.", errors=errors)


def clauses(rule: Rule, pointer: str = "") -> Iterator[tuple[str, Rule]]:
    """Yield every node of the rule with its JSON pointer, the whole first."""
    yield pointer, rule
    if isinstance(rule, AllOf | AnyOf):
        key = "and" if isinstance(rule, AllOf) else "or"
        for n, part in enumerate(rule.parts):
            yield from clauses(part, f"{pointer}/{key}/{n}")
    elif isinstance(rule, Not):
        yield from clauses(rule.part, f"{pointer}/not")


class _Wrong(Exception):
    """One mistake in a rule; siblings are still read, so that one answer names all of them."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.error = FieldError(pointer, detail)


@dataclass(slots=True)
class _Reader:
    """One reading of one tree, and every mistake found in it."""

    policy: Policy
    errors: list[FieldError] = field(default_factory=list)
    nodes: int = 0

    def node(self, tree: object, at: str, depth: int) -> Rule:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise invalid([FieldError(at, f"a rule has at most {MAX_NODES} nodes")])
        if depth > MAX_DEPTH:
            raise _Wrong(at, f"a rule is at most {MAX_DEPTH} levels deep")
        if not isinstance(tree, Mapping) or len(tree) != 1:
            raise _Wrong(at, "a node is an object with exactly one key")
        (key, body), *_ = tree.items()
        reading = self.READINGS.get(key)
        if reading is None:
            raise _Wrong(at, f"a node is one of: {', '.join(self.READINGS)}")
        return reading(self, body, f"{at}/{key}", depth)

    def everyone(self, body: object, at: str, _: int) -> Rule:
        if body is not True:
            raise _Wrong(at, "only `true` can stand here")
        return Everyone()

    def all_of(self, body: object, at: str, depth: int) -> Rule:
        return AllOf(self.parts(body, at, depth))

    def any_of(self, body: object, at: str, depth: int) -> Rule:
        return AnyOf(self.parts(body, at, depth))

    def parts(self, body: object, at: str, depth: int) -> tuple[Rule, ...]:
        if not isinstance(body, list | tuple) or not body:
            raise _Wrong(at, "a list with at least one node stands here")
        parts = []
        for n, part in enumerate(body):
            try:
                parts.append(self.node(part, f"{at}/{n}", depth + 1))
            except _Wrong as wrong:
                self.errors.append(wrong.error)
        return tuple(parts)

    def negation(self, body: object, at: str, depth: int) -> Rule:
        return Not(self.node(body, at, depth + 1))

    def trait(self, body: object, at: str, _: int) -> Rule:
        shape = self.shape(_TraitShape, body, at)
        term = self.policy.traits.get(shape["name"])
        if term is None:
            raise _Wrong(f"{at}/name", "no such trait is declared")
        column, op = column_of(term), shape["op"]
        if column is None:
            raise _Wrong(f"{at}/name", "this trait is sealed: no rule may ask for it")
        if op in ("gte", "lte") and not (column in NUMBER_COLUMNS or term.type == "date"):
            raise _Wrong(f"{at}/op", "only numbers and dates have an order")
        if op == "exists":
            return _presence(term, column, shape.get("value", True), f"{at}/value")
        try:
            return HasTrait(term.name, column, op, _compared(term, column, op, shape.get("value")))
        except ValueError as error:
            raise _Wrong(f"{at}/value", str(error)) from None

    def performed(self, body: object, at: str, _: int) -> Rule:
        shape = self.shape(_PerformedShape, body, at)
        events = self.events(shape["event"], f"{at}/event")
        netted = self.events(shape["events_netted"], f"{at}/events_netted") if "events_netted" in shape else ()
        if netted and "amount" not in shape:
            raise _Wrong(f"{at}/events_netted", "only amounts can be netted: `amount` is missing")
        try:
            within = parse_duration(shape["within"]) if "within" in shape else None
        except ValueError as error:
            raise _Wrong(f"{at}/within", str(error)) from None
        amounts = tuple(sorted(shape.get("amount", {}).items()))
        return Performed(events, within, shape.get("count", {"gte": 1})["gte"], amounts, netted)

    def events(self, body: object, at: str) -> tuple[str, ...]:
        names = [body] if isinstance(body, str) else body
        if not isinstance(names, list) or not 1 <= len(names) <= MAX_LISTED:
            raise _Wrong(at, f"an event's name, or a list of 1 to {MAX_LISTED}, stands here")
        known = known_events(self.policy)
        for n, name in enumerate(names):
            if not isinstance(name, str) or name not in known:
                raise _Wrong(at if isinstance(body, str) else f"{at}/{n}", "no such event is declared")
        return tuple(names)

    def birthday(self, body: object, at: str, _: int) -> Rule:
        if body != "today":
            raise _Wrong(at, "only `today` can stand here")
        return BirthdayToday()

    def stage(self, body: object, at: str, _: int) -> Rule:
        shape = self.shape(_StageShape, body, at)
        journey = self.policy.journeys.get(shape["journey"])
        if journey is None:
            raise _Wrong(f"{at}/journey", "no such journey is declared")
        if shape["stage"] not in {stage["key"] for stage in journey.get("stages", ())}:
            raise _Wrong(f"{at}/stage", "the journey has no such stage")
        return InStage(shape["journey"], shape["stage"])

    def shape(self, schema: type[Schema], body: object, at: str) -> dict[str, Any]:
        """Return the body as its shape has it; notes all that differs, the last by raising."""
        if not isinstance(body, Mapping):
            raise _Wrong(at, "an object stands here")
        try:
            return dict(schema(unknown=RAISE).load(dict(body)))
        except ValidationError as error:
            *others, last = [_Wrong(pointer, detail) for pointer, detail in _flat(error.messages, at)]
            self.errors += [wrong.error for wrong in others]
            raise last from None

    READINGS: ClassVar[dict[str, Callable[["_Reader", object, str, int], Rule]]] = {
        "everyone": everyone,
        "and": all_of,
        "or": any_of,
        "not": negation,
        "trait": trait,
        "performed": performed,
        "birthday": birthday,
        "stage": stage,
    }


def _presence(term: TraitTerm, column: str, value: object, at: str) -> Rule:
    if not isinstance(value, bool):
        raise _Wrong(at, "only `true` or `false` can stand here")
    stated = HasTrait(term.name, column, "exists")
    return stated if value else Not(stated)


def column_of(term: TraitTerm) -> str | None:
    """Return the column of `person` that holds the trait in the clear; None for a sealed trait."""
    column = COUNTRY if term.name == COUNTRY else term.slot
    return column if column in ASKABLE_COLUMNS else None


def known_events(policy: Policy) -> frozenset[str]:
    """Return the events that a rule may ask for: those declared, and those that a journey listens to."""
    heard = (rule["on"] for journey in policy.journeys.values() for rule in journey["enter"]["rules"])
    return frozenset(policy.events).union(*heard)


def _compared(term: TraitTerm, column: str, op: str, value: object) -> str | float | tuple[str | float, ...]:
    if op != "in":
        return _one(term, column, value)
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= MAX_LISTED:
        raise ValueError(f"a list of 1 to {MAX_LISTED} values stands here")
    return tuple(_one(term, column, one) for one in value)


def _one(term: TraitTerm, column: str, value: object) -> str | float:
    """Return the value as the column holds it; raises ValueError, which never repeats the value."""
    if term.type == "boolean":
        return _truth(column, value)
    if column in NUMBER_COLUMNS:
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 2**53:
            raise ValueError("a number stands here")
        return value
    if not isinstance(value, str) or not 1 <= len(value) <= 64:
        raise ValueError("a text of 1 to 64 characters stands here")
    if term.values and value not in term.values:
        raise ValueError("not one of the values that the trait is declared with")
    return _day(value) if term.type == "date" else value


def _truth(column: str, value: object) -> str | float:
    if not isinstance(value, bool):
        raise ValueError("`true` or `false` stands here")
    return float(value) if column in NUMBER_COLUMNS else str(value).lower()


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError("a date such as 2026-06-01 stands here") from None


def _flat(messages: object, at: str) -> Iterator[tuple[str, str]]:
    """Yield (pointer, detail) from marshmallow's nested messages."""
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            part = str(key).replace("~", "~0").replace("/", "~1")
            yield from _flat(inner, at if key in ("_schema", "key", "value") else f"{at}/{part}")
    elif isinstance(messages, list):
        for message in messages:
            yield at, str(message).rstrip(".")
