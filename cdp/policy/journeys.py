"""Reads `policies/journeys/`: the one place that knows how a journey is written.

Refuses stages that do not exist, events that nothing declares, durations that are none, and time-outs that
run in a circle. `cdp.journey` turns what is read here into rules.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate

from cdp.clock import parse_duration
from cdp.errors import FieldError
from cdp.policy.documents import Bilingual, Documents, Failures, Shape

ANY = "any"
"""In `from`: whoever it is, also who is in no stage."""

NOWHERE = "nowhere"
"""In a time-out's `to`: out of the journey."""

_NAME = validate.Length(1, 64)


class _StageShape(Bilingual):
    key = fields.String(required=True, validate=[_NAME, validate.NoneOf([ANY, NOWHERE])])


class _WhenShape(Shape):
    nth = fields.Integer(required=True, strict=True, validate=validate.Range(1, 1000))


class _ExitShape(Shape):
    on = fields.List(fields.String(validate=_NAME), required=True, validate=validate.Length(1, 50))
    source = fields.Raw(data_key="from", load_default=ANY)
    when = fields.Nested(_WhenShape)


class _RuleShape(_ExitShape):
    to = fields.String(required=True)


class _TimeoutShape(Shape):
    source = fields.String(data_key="from", required=True)
    after = fields.String(required=True)
    to = fields.String(required=True)


class _EnterShape(Shape):
    rules = fields.List(fields.Nested(_RuleShape), required=True, validate=validate.Length(1, 100))


class _LeaveShape(Shape):
    rules = fields.List(fields.Nested(_ExitShape), required=True, validate=validate.Length(1, 100))


class _JourneyShape(Shape):
    journey = fields.String(required=True)
    title = fields.Nested(Bilingual, required=True)
    stages = fields.List(fields.Nested(_StageShape), required=True, validate=validate.Length(2, 20))
    enter = fields.Nested(_EnterShape, required=True)
    exit = fields.Nested(_LeaveShape, load_default=lambda: {"rules": []})
    timeouts = fields.List(fields.Nested(_TimeoutShape), load_default=list)


def read_journeys(documents: Documents, failures: Failures) -> dict[str, dict[str, Any]]:
    """Return the declared journeys as written; every mistake is noted with its file and pointer."""
    found: dict[str, dict[str, Any]] = {}
    declared = documents.trees.get("events.yaml")
    events = set(declared) if isinstance(declared, dict) else None
    for path, name, tree in documents.under("journeys"):
        shape, mistakes = shape_of(tree, events)
        for mistake in mistakes:
            failures.add(path, f"{mistake.pointer}: {mistake.detail}")
        if shape is not None and shape["journey"] != name:
            failures.add(path, f"/journey: the file says {shape['journey']}: a file is named as what it holds")
        if not mistakes:
            found[name] = tree
    return found


def shape_of(tree: Any, events: Collection[str] | None = None) -> tuple[dict[str, Any] | None, list[FieldError]]:
    """Return a journey in its full shape, if it has one, and every mistake; `events`: those there are, if known."""
    try:
        shape: dict[str, Any] = dict(_JourneyShape().load(tree))
    except ValidationError as error:
        return None, list(_misshapen(error.messages, ""))
    return shape, [*_mistakes(shape), *(_unheard(shape, events) if events is not None else ())]


def _misshapen(messages: Any, pointer: str) -> Iterator[FieldError]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _misshapen(inner, pointer if key == "_schema" else f"{pointer}/{key}")
    else:
        for text in messages if isinstance(messages, list) else [messages]:
            yield FieldError(pointer or "/", str(text))


def _rules(shape: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for part in ("exit", "enter"):
        for number, rule in enumerate(shape[part]["rules"]):
            yield f"/{part}/rules/{number}", rule


def _unheard(shape: Mapping[str, Any], events: Collection[str]) -> Iterator[FieldError]:
    for pointer, rule in _rules(shape):
        for number, event in enumerate(rule["on"]):
            if event not in events:
                yield FieldError(f"{pointer}/on/{number}", f"there is no event {event} in events.yaml")


def _mistakes(shape: Mapping[str, Any]) -> Iterator[FieldError]:
    stages = {stage["key"] for stage in shape["stages"]}
    if len(stages) != len(shape["stages"]):
        yield FieldError("/stages", "two stages have one key")
    for pointer, rule in _rules(shape):
        if rule.get("to", shape["stages"][0]["key"]) not in stages:
            yield FieldError(f"{pointer}/to", f"there is no stage {rule['to']}")
        source = rule["source"]
        if source != ANY and not (isinstance(source, list) and stages.issuperset(source)):
            yield FieldError(f"{pointer}/from", f"`from` is a list of stages, or {ANY}")
        if source == [] and "to" not in rule:
            yield FieldError(f"{pointer}/from", "who is in no stage cannot leave")
    yield from _mistakes_of_timeouts(shape["timeouts"], stages)


def _mistakes_of_timeouts(timeouts: list[dict[str, Any]], stages: set[str]) -> Iterator[FieldError]:
    onward = {timeout["source"]: timeout["to"] for timeout in timeouts}
    if len(onward) != len(timeouts):
        yield FieldError("/timeouts", "a stage has two time-outs")
    for number, timeout in enumerate(timeouts):
        for part, name, known in (("from", timeout["source"], stages), ("to", timeout["to"], stages | {NOWHERE})):
            if name not in known:
                yield FieldError(f"/timeouts/{number}/{part}", f"there is no stage {name}")
        try:
            parse_duration(timeout["after"])
        except ValueError:
            yield FieldError(f"/timeouts/{number}/after", f"{timeout['after']} is no duration such as P90D")
        if _returns(onward, timeout["source"]):
            circle = "time-outs run in a circle: people would move without ever doing anything"
            yield FieldError(f"/timeouts/{number}", circle)


def _returns(onward: Mapping[str, str], start: str) -> bool:
    stage: str | None = onward[start]
    for _ in onward:
        if stage is None or stage == start:
            return stage == start
        stage = onward.get(stage)
    return stage == start
