"""Reads the journeys that a policy declares; refuses stages that do not exist and time-outs that run in a circle."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from marshmallow import INCLUDE, RAISE, Schema, ValidationError, fields, validate

from cdp.clock import parse_duration
from cdp.errors import FieldError, Problem
from cdp.journey.rules import Journey, MoveRule, Timeout
from cdp.policy.terms import Policy

ANY = "any"
_NAME = validate.Length(1, 64)


class _StageShape(Schema):
    key = fields.String(required=True, validate=_NAME)
    ja = fields.String(required=True, validate=_NAME)
    en = fields.String(required=True, validate=_NAME)


class _WhenShape(Schema):
    nth = fields.Integer(required=True, strict=True, validate=validate.Range(1, 1000))


class _RuleShape(Schema):
    to = fields.String(required=True)
    on = fields.List(fields.String(validate=_NAME), required=True, validate=validate.Length(1, 50))
    source = fields.Raw(data_key="from", load_default=ANY)
    when = fields.Nested(_WhenShape)


class _TimeoutShape(Schema):
    source = fields.String(data_key="from", required=True)
    after = fields.String(required=True)
    to = fields.String(required=True)


class _EnterShape(Schema):
    rules = fields.List(fields.Nested(_RuleShape, unknown=RAISE), required=True, validate=validate.Length(1, 100))


class _JourneyShape(Schema):
    class Meta:
        unknown = INCLUDE

    stages = fields.List(fields.Nested(_StageShape, unknown=INCLUDE), required=True, validate=validate.Length(1, 20))
    enter = fields.Nested(_EnterShape, required=True, unknown=RAISE)
    timeouts = fields.List(fields.Nested(_TimeoutShape, unknown=RAISE), load_default=list)


def find(policy: Policy, name: str) -> Journey:
    """Return a declared journey; raises Problem 404 `unknown_journey` or 422 `invalid_journey`."""
    if name not in policy.journeys:
        raise Problem(404, "unknown_journey", "There is no journey of this name.")
    return _read(policy, name)


def journeys(policy: Policy) -> list[Journey]:
    """Return every declared journey."""
    return [_read(policy, name) for name in policy.journeys]


def check(policy: Policy) -> list[str]:
    """Return one line per mistake in the declared journeys, each with its file and pointer."""
    found = []
    for name in policy.journeys:
        try:
            _read(policy, name)
        except Problem as problem:
            found += [f"journeys/{name}.yaml {error.pointer}: {error.detail}" for error in problem.errors]
    return found


@lru_cache(maxsize=64)
def _read(policy: Policy, name: str) -> Journey:
    try:
        shape = dict(_JourneyShape().load(dict(policy.journeys[name])))
    except ValidationError as error:
        problems = [FieldError(f"/{key}", str(detail)) for key, detail in _messages(error).items()]
        raise Problem(422, "invalid_journey", "The journey cannot be understood.", errors=problems) from None
    problems = list(_problems(shape))
    if problems:
        raise Problem(422, "invalid_journey", "The journey cannot be followed.", errors=problems)
    return Journey(name, tuple(stage["key"] for stage in shape["stages"]), _rules(shape), _timeouts(shape))


def _messages(error: ValidationError) -> Mapping[str, Any]:
    return error.messages if isinstance(error.messages, dict) else {"": error.messages}


def _rules(shape: Mapping[str, Any]) -> tuple[MoveRule, ...]:
    return tuple(
        MoveRule(
            to=rule["to"],
            on=frozenset(rule["on"]),
            sources=None if rule["source"] == ANY else frozenset(rule["source"]),
            nth=rule.get("when", {"nth": 1})["nth"],
            name=f"enter/rules/{n}",
        )
        for n, rule in enumerate(shape["enter"]["rules"])
    )


def _timeouts(shape: Mapping[str, Any]) -> dict[str, Timeout]:
    return {
        timeout["source"]: Timeout(timeout["source"], parse_duration(timeout["after"]), timeout["to"], f"timeouts/{n}")
        for n, timeout in enumerate(shape["timeouts"])
    }


def _problems(shape: Mapping[str, Any]) -> Iterator[FieldError]:
    stages = {stage["key"] for stage in shape["stages"]}
    if len(stages) != len(shape["stages"]):
        yield FieldError("/stages", "two stages have one key")
    for n, rule in enumerate(shape["enter"]["rules"]):
        if rule["to"] not in stages:
            yield FieldError(f"/enter/rules/{n}/to", "the journey has no such stage")
        source = rule["source"]
        if source != ANY and not (isinstance(source, list) and stages.issuperset(source)):
            yield FieldError(f"/enter/rules/{n}/from", f"`{ANY}` or a list of the journey's stages stands here")
    yield from _timeout_problems(shape["timeouts"], stages)


def _timeout_problems(timeouts: list[dict[str, Any]], stages: set[str]) -> Iterator[FieldError]:
    onward = {timeout["source"]: timeout["to"] for timeout in timeouts}
    if len(onward) != len(timeouts):
        yield FieldError("/timeouts", "a stage has two time-outs")
    for n, timeout in enumerate(timeouts):
        if not stages.issuperset((timeout["source"], timeout["to"])):
            yield FieldError(f"/timeouts/{n}", "the journey has no such stage")
        try:
            parse_duration(timeout["after"])
        except ValueError as error:
            yield FieldError(f"/timeouts/{n}/after", str(error))
        if _returns(onward, timeout["source"]):
            yield FieldError(
                f"/timeouts/{n}", "time-outs run in a circle: people would move without ever doing anything"
            )


def _returns(onward: Mapping[str, str], start: str) -> bool:
    stage: str | None = onward[start]
    for _ in onward:
        if stage is None or stage == start:
            return stage == start
        stage = onward.get(stage)
    return stage == start
