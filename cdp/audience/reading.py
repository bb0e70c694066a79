"""Reads an audience's rule: a JSON tree becomes frozen values, or a problem that points at each mistake.

It refuses (`invalid_rule`) what the policy does not know: traits, events, journeys, stages; traits that
are sealed, since nothing may be asked of a sealed value; and trees too deep or too large to answer fast.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from cdp.audience.comparing import MAX_LISTED, NUMBER_COLUMNS, column_of, compared
from cdp.audience.rule import (
    AllOf,
    AnyOf,
    BirthdayToday,
    Everyone,
    HasTrait,
    InStage,
    Not,
    Performed,
    Rule,
)
from cdp.clock import parse_duration
from cdp.errors import FieldError, Problem
from cdp.policy.terms import Policy, TraitTerm

MAX_DEPTH = 8
MAX_NODES = 100


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


def invalid(errors: list[FieldError]) -> Problem:
    """Return the problem of a rule that cannot be understood."""
    return Problem(422, "invalid_rule", "The rule cannot be understood.", errors=errors)


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
            return HasTrait(term.name, column, op, compared(term, column, op, shape.get("value")))
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


def known_events(policy: Policy) -> frozenset[str]:
    """Return the events that a rule may ask for: those declared, and those that a journey listens to."""
    heard = (rule["on"] for journey in policy.journeys.values() for rule in journey["enter"]["rules"])
    return frozenset(policy.events).union(*heard)


def _flat(messages: object, at: str) -> Iterator[tuple[str, str]]:
    """Yield (pointer, detail) from marshmallow's nested messages."""
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            part = str(key).replace("~", "~0").replace("/", "~1")
            yield from _flat(inner, at if key in ("_schema", "key", "value") else f"{at}/{part}")
    elif isinstance(messages, list):
        for message in messages:
            yield at, str(message).rstrip(".")
