"""Audiences: how many may be reached and why not the others, who they are page by page, and why one is in or out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Response, jsonify
from marshmallow import fields
from sqlmodel import Session

from cdp import audience, gate, ledger
from cdp.errors import Refusal
from cdp.policy.terms import Use
from cdp.web import current
from cdp.web.api import asking, changes, explaining, pages
from cdp.web.api.fields import (
    Channel,
    Json,
    Name,
    PageQuery,
    PeoplePageSchema,
    Strict,
    UseQuery,
)
from cdp.web.api.resource import Resource
from cdp.web.auth.access import requires

blueprint = Resource("audiences", __name__, url_prefix="/api/audiences", description="People grouped by rules")


class AudienceSchema(Strict):
    """A declared audience."""

    name = fields.String()
    title = fields.Dict()
    purpose = fields.String(allow_none=True)
    smallest = fields.Integer(metadata={"description": "Fewest people that may be listed at once"})
    rule = fields.Raw(metadata={"description": "JSON rule tree"})


class AudiencesSchema(Strict):
    """Every audience."""

    data = fields.List(fields.Nested(AudienceSchema))
    next_cursor = fields.String(allow_none=True)


class CountSchema(Strict):
    """How many may be reached, and why the others not: each once, under the first rule that denies."""

    count = fields.Integer(allow_none=True)
    suppressed = fields.Boolean(metadata={"description": "True where the number is too small to say"})
    as_of = fields.DateTime()
    refused = fields.Dict(keys=fields.String(), values=fields.Integer())


class PreviewSchema(Strict):
    """A rule that is not saved, and what it would be used for."""

    rule = Json(required=True)
    purpose = Name(required=True)
    channel = Channel()


@blueprint.get("")
@requires("audience:read")
@blueprint.response(200, AudiencesSchema)
def list_all() -> Response:
    """List the audiences"""
    data = [_described(name, said) for name, said in sorted(current.policy().audiences.items())]
    return jsonify(data=data, next_cursor=None)


@blueprint.get("/<string:name>")
@requires("audience:read")
@blueprint.response(200, AudienceSchema)
@blueprint.alt_response(404, "NOT_FOUND")
def show(name: str) -> Response:
    """Read one audience's definition"""
    return jsonify(_described(name, audience.find(current.policy(), name)))


@blueprint.get("/<string:name>/count")
@requires("audience:read")
@blueprint.arguments(UseQuery, location="query")
@blueprint.response(200, CountSchema)
@blueprint.alt_response(403, "FORBIDDEN")
@blueprint.alt_response(404, "NOT_FOUND")
def count(query: dict[str, Any], name: str) -> Response:
    """Count who may be reached

    Exact for who may list the members; for others rounded, and below 20 not told.
    """
    audience.find(current.policy(), name)
    use = asking.use_for(query["purpose"], query.get("channel"))
    return _counted(name, use, name)


@blueprint.get("/<string:name>/members")
@requires("audience:read")
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, PeoplePageSchema)
@blueprint.alt_response(403, "FORBIDDEN")
@blueprint.alt_response(404, "NOT_FOUND")
def members(query: dict[str, Any], name: str) -> Response:
    """List one page of people

    Each with a pseudonym of this recipient's own, the fields allowed, and links. Writes the disclosure.
    Not to be used after `use_by`.
    """
    audience.find(current.policy(), name)
    use = asking.use_for(query["purpose"], query.get("channel"))

    def candidates(session: Session, at: datetime, after: int, limit: int) -> list[int]:
        small = audience.refuse_small(session, name, use, at)
        if small is not None:
            asking.refuse(small)
        return audience.page(session, name, use, at, after, limit)

    return pages.answer_page(use, query, {"audience": name}, candidates, about=name)


@blueprint.get("/<string:name>/changes")
@requires("audience:read")
@blueprint.arguments(changes.ChangesQuery, location="query")
@blueprint.response(200, changes.ChangesPageSchema)
@blueprint.alt_response(403, "FORBIDDEN")
@blueprint.alt_response(404, "NOT_FOUND")
@blueprint.alt_response(410, "GONE")
def follow(query: dict[str, Any], name: str) -> Response:
    """Follow who enters and leaves

    Whoever replays the changes holds exactly the members. The first call, without `since`, lets everybody enter;
    each answer says where to go on. Whoever is erased, restricted or withdraws leaves.
    """
    audience.find(current.policy(), name)
    use = asking.use_for(query["purpose"], query.get("channel"))
    followed = audience.follow(current.policy(), name, use, f"audience:{name}")
    return changes.answer(use, query, followed, name)


@blueprint.post("/preview")
@requires("audience:read")
@blueprint.arguments(PreviewSchema)
@blueprint.response(200, CountSchema)
@blueprint.alt_response(403, "FORBIDDEN")
@blueprint.alt_response(422, "UNPROCESSABLE_ENTITY")
def preview(body: dict[str, Any]) -> Response:
    """Count an unsaved rule

    It may ask for traits that the purpose uses. Of fewer than 20 matching people nothing is told, whoever asks.
    """
    use = asking.use_for(body["purpose"], body.get("channel"))
    rule = audience.read(body["rule"], current.policy())
    audience.check_traits(rule, current.policy().purposes[use.purpose].fields)
    return _counted(rule, use, "")


@blueprint.post("/<string:name>/explain")
@requires("decision:read")
@blueprint.arguments(explaining.ExplainSchema)
@blueprint.response(200, explaining.ExplainedSchema)
@blueprint.alt_response(404, "NOT_FOUND")
def explain(asked: dict[str, Any], name: str) -> Response:
    """Explain why somebody is in or out

    Each refusal with its article and its remedy; what the rule says of the person only where the use is allowed.
    404 for unknown, restricted and erased alike. Recorded as a disclosure.
    """
    return explaining.answer(asked, name, audience.find(current.policy(), name).get("rule"))


def _counted(asked: str | audience.Rule, use: Use, name: str) -> Response:
    with current.database().transaction() as session:
        at = current.now()
        found = audience.count(session, asked, use, at)
        exact = found if isinstance(asked, str) else audience.previewed(found)
        told = exact if _may_list(session, asked, use, at) else audience.rounded(found)
        header = {"client": current.caller().client_id, "audience": name, "purpose": use.purpose}
        ledger.note(session, "count.answered", {**header, "channel": use.channel, "recipient": use.recipient}, at)
    body: dict[str, Any] = {"count": told.count, "as_of": told.as_of.isoformat(), "refused": told.refused}
    return jsonify({**body, "suppressed": True} if told.suppressed else body)


def _may_list(session: Session, asked: str | audience.Rule, use: Use, at: datetime) -> bool:
    """Whether this caller could list the members: then blurring their number would gain nothing (ruling R7)."""
    name = audience.name_of(current.policy(), asked)
    refused = gate.check_request(current.policy(), gate.PageRequest(use, (), audience=name), at)
    return not isinstance(refused, Refusal) and audience.refuse_small(session, asked, use, at) is None


def _described(name: str, declared: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "title": declared.get("title", {}),
        "purpose": declared.get("purpose"),
        "smallest": declared.get("min_size", 0),
        "rule": declared.get("rule"),
    }
