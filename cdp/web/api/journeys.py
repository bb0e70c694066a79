"""Journeys: stages with their sizes, moves and waits, and who is in a stage, page by page."""

from datetime import datetime
from typing import Any

from flask import Response, jsonify
from marshmallow import fields
from sqlmodel import Session

from cdp import audience, gate, journey, ledger
from cdp.errors import Problem, Refusal
from cdp.journey.sizes import Flow
from cdp.policy.terms import Use
from cdp.web import current
from cdp.web.api import asking, changes, pages
from cdp.web.api.fields import Channel, Name, PageQuery, PeoplePageSchema, Strict
from cdp.web.api.resource import Resource
from cdp.web.auth.access import requires

blueprint = Resource("journeys", __name__, url_prefix="/api/journeys", description="Stages and moves")


class SizesQuery(Strict):
    """For what the numbers are asked; left out: the first use that the client is registered for."""

    purpose = Name()
    channel = Channel()


class StageSchema(Strict):
    """A stage and how many people are in it; null where too few to say."""

    key = fields.String()
    ja = fields.String()
    en = fields.String()
    size = fields.Integer(allow_none=True)


class MoveSchema(Strict):
    """Moves between two stages, and how long people had waited (seconds, median)."""

    from_ = fields.String(data_key="from", allow_none=True)
    to = fields.String(allow_none=True, metadata={"description": "null: out of the journey"})
    people = fields.Integer(allow_none=True)
    moves = fields.Integer(allow_none=True)
    median_wait_seconds = fields.Integer(allow_none=True)


class JourneySchema(Strict):
    """A declared journey in numbers."""

    name = fields.String()
    title = fields.Dict()
    purpose = fields.String()
    channel = fields.String()
    as_of = fields.DateTime()
    stages = fields.List(fields.Nested(StageSchema))
    transitions = fields.List(fields.Nested(MoveSchema))


class DeclaredStageSchema(Strict):
    """A stage."""

    key = fields.String()
    ja = fields.String()
    en = fields.String()


class DeclaredSchema(Strict):
    """A declared journey."""

    name = fields.String()
    title = fields.Dict()
    stages = fields.List(fields.Nested(DeclaredStageSchema))


class JourneysSchema(Strict):
    """Every journey."""

    data = fields.List(fields.Nested(DeclaredSchema))
    next_cursor = fields.String(allow_none=True)


@blueprint.get("")
@requires("journey:read")
@blueprint.response(200, JourneysSchema)
def list_all() -> Response:
    """List the journeys"""
    declared = sorted(current.policy().journeys.items())
    data = [{"name": name, "title": said.get("title", {}), "stages": _stages(name)} for name, said in declared]
    return jsonify(data=data, next_cursor=None)


@blueprint.get("/<string:name>")
@requires("journey:read")
@blueprint.arguments(SizesQuery, location="query")
@blueprint.response(200, JourneySchema)
@blueprint.alt_response(403, "FORBIDDEN")
@blueprint.alt_response(404, "NOT_FOUND")
def show(query: dict[str, Any], name: str) -> Response:
    """Read a journey in numbers

    Of the people who are permitted for the use. Exact for who may list them; else rounded, and below 20 not told.
    """
    journey.find(current.policy(), name)
    use = _use(query)
    header = {"client": current.caller().client_id, "journey": name, "purpose": use.purpose}
    with current.database().transaction() as session:
        at = current.now()
        sizes = journey.sizes(session, name, use, at, exact=_may_list(use, at))
        ledger.note(session, "count.answered", {**header, "channel": use.channel, "recipient": use.recipient}, at)
    return jsonify(
        name=name,
        title=current.policy().journeys[name].get("title", {}),
        purpose=use.purpose,
        channel=use.channel,
        as_of=sizes.as_of.isoformat(),
        stages=[{**stage, "size": sizes.stages.get(stage["key"])} for stage in _stages(name)],
        transitions=[_move(flow) for flow in sizes.flows],
    )


@blueprint.get("/<string:name>/stages/<string:stage>/members")
@requires("journey:read")
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, PeoplePageSchema)
@blueprint.alt_response(403, "FORBIDDEN")
@blueprint.alt_response(404, "NOT_FOUND")
def members(query: dict[str, Any], name: str, stage: str) -> Response:
    """List one page of the people in a stage

    As the members of an audience.
    """
    rule, use = _stage_rule(name, stage), asking.use_for(query["purpose"], query.get("channel"))

    def candidates(session: Session, at: datetime, after: int, limit: int) -> list[int]:
        small = audience.refuse_small(session, rule, use, at)
        if small is not None:
            asking.refuse(small)
        return audience.page(session, rule, use, at, after, limit)

    return pages.answer_page(use, query, {"journey": name, "stage": stage}, candidates, f"{name}/{stage}", name)


@blueprint.get("/<string:name>/stages/<string:stage>/changes")
@requires("journey:read")
@blueprint.arguments(changes.ChangesQuery, location="query")
@blueprint.response(200, changes.ChangesPageSchema)
@blueprint.alt_response(403, "FORBIDDEN")
@blueprint.alt_response(404, "NOT_FOUND")
@blueprint.alt_response(410, "GONE")
def follow(query: dict[str, Any], name: str, stage: str) -> Response:
    """Follow who enters and leaves a stage

    As the changes of an audience.
    """
    rule, use = _stage_rule(name, stage), asking.use_for(query["purpose"], query.get("channel"))
    followed = audience.follow(current.policy(), rule, use, f"stage:{name}/{stage}")
    return changes.answer(use, query, followed, f"{name}/{stage}", name)


def _stage_rule(name: str, stage: str) -> audience.Rule:
    """Return the rule of who is in a stage; raises Problem 404 `unknown_journey` or `unknown_stage`."""
    if stage not in journey.find(current.policy(), name).stages:
        raise Problem(404, "unknown_stage", "The journey has no such stage.")
    return audience.read({"stage": {"journey": name, "stage": stage}}, current.policy())


def _may_list(use: Use, at: datetime) -> bool:
    """Whether this caller could list whoever is in a stage, however few they are (ruling R7)."""
    refused = gate.check_request(current.policy(), gate.PageRequest(use, ()), at)
    return not isinstance(refused, Refusal) and audience.smallest(current.policy(), "", use) <= 1


def _use(query: dict[str, Any]) -> Use:
    if "purpose" in query:
        return asking.use_for(query["purpose"], query.get("channel"))
    caller, channel = current.caller(), query.get("channel")
    asking.check_channel(channel)
    uses = [
        use
        for use in current.policy().uses
        if use.recipient == caller.recipient and use.purpose in caller.purposes and channel in (None, use.channel)
    ]
    if not uses:
        asking.refuse(Refusal("unknown_use"))
    return uses[0]


def _stages(name: str) -> list[dict[str, str]]:
    declared = current.policy().journeys[name].get("stages", ())
    return [{"key": stage["key"], "ja": stage["ja"], "en": stage["en"]} for stage in declared]


def _move(flow: Flow) -> dict[str, Any]:
    return {
        "from": flow.from_stage or None,
        "to": flow.to_stage or None,
        "people": flow.people,
        "moves": flow.moves,
        "median_wait_seconds": None if flow.median_wait is None else round(flow.median_wait.total_seconds()),
    }
