"""Rights of data subjects, brought by a client on the person's behalf; followed by the client that brought them."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Response, jsonify
from marshmallow import fields, validate
from sqlmodel import Session

from cdp import rights
from cdp.errors import Problem
from cdp.rights.asked import KINDS, PROVISION
from cdp.rights.model import SubjectRequest
from cdp.rights.plans import REQUESTERS, RIGHTS
from cdp.rights.words import OUTCOMES
from cdp.web import current
from cdp.web.api import idempotency, identifiers, paging
from cdp.web.api.fields import Flag, IdentifierSchema, Instant, Json, Name, Strict, Text
from cdp.web.api.resource import Resource
from cdp.web.auth.access import insufficient, requires
from cdp.web.auth.caller import EVERYTHING

blueprint = Resource(
    "subject-requests", __name__, url_prefix="/api/subject-requests", description="Rights of data subjects"
)

STATES = ("received", "in_progress", "completed", "refused")


class CorrectIdentifierSchema(IdentifierSchema):
    """An identifier that is right."""

    verified = Flag(
        load_default=False, metadata={"description": "It was proved to be theirs, so that it may join records"}
    )


class CorrectedIdentifierSchema(Strict):
    """One of: `remove`; `add`; `replace` and `by`."""

    remove = fields.Nested(IdentifierSchema)
    add = fields.Nested(CorrectIdentifierSchema)
    replace = fields.Nested(IdentifierSchema)
    by = fields.Nested(CorrectIdentifierSchema)


class CorrectionsSchema(Strict):
    """What is to be put right. A trait that is null is to be deleted."""

    traits = fields.Dict(keys=Name(), values=Json(allow_none=True), load_default=dict)
    identifiers = fields.List(fields.Nested(CorrectedIdentifierSchema), load_default=list)


class RequestSchema(Strict):
    """Which right, of whom, and who asks."""

    right = Text(required=True, validate=validate.OneOf(list(RIGHTS)))
    identifier = fields.Nested(IdentifierSchema, required=True)
    requester = Text(required=True, validate=validate.OneOf(list(REQUESTERS)))
    reason = Text(load_default="", validate=validate.Length(max=1000))
    kind = Text(
        load_default="",
        validate=validate.OneOf([*KINDS, PROVISION]),
        metadata={"description": "Of an objection; `provision` of APPI 35"},
    )
    purpose = Name(metadata={"description": "Of an objection to legitimate interests; left out: every purpose"})
    lift = Flag(load_default=False, metadata={"description": "End the restriction or objection"})
    corrections = fields.Nested(CorrectionsSchema)
    restrict_meanwhile = Flag(
        load_default=False, metadata={"description": "Accuracy is contested: use nothing until it is decided"}
    )
    revokes = Text(
        load_default="", validate=validate.Length(max=32), metadata={"description": "Rectification to take back"}
    )


class ReceivedSchema(Strict):
    """Where the request stands."""

    id = fields.String()
    state = fields.String(metadata={"enum": list(STATES)})
    due_at = fields.DateTime()
    waits_for = fields.String(metadata={"enum": ["", "verification", "notice", "decision"]})


class StateSchema(ReceivedSchema):
    """Where the request stands, with what was done."""

    right = fields.String()
    requester = fields.String()
    law = fields.String()
    asked = fields.Dict()
    received_at = fields.DateTime()
    completed_at = fields.DateTime(allow_none=True)
    overdue = fields.Boolean()
    steps = fields.List(fields.Dict())
    package_url = fields.String()
    package_until = fields.DateTime()
    certificate = fields.Dict()


class ListQuery(Strict):
    """Which requests to list."""

    state = Text(validate=validate.OneOf([*STATES, "open"]), metadata={"description": "`open`: not answered yet"})
    overdue = fields.Boolean(load_default=False)
    limit = fields.Integer(load_default=paging.USUAL, validate=validate.Range(paging.SMALLEST, paging.LARGEST))
    cursor = Text(validate=validate.Length(max=1024))


class ListSchema(Strict):
    """Requests by due date, the most pressing first."""

    data = fields.List(fields.Nested(StateSchema))
    next_cursor = fields.String(allow_none=True)


class ToldSchema(Strict):
    """When the person was told."""

    at = Instant(required=True)


class ExtensionSchema(Strict):
    """When the person was told that it takes longer, and why."""

    at = Instant(required=True)
    reason = Text(required=True, validate=validate.Length(1, 1000))


class CloseSchema(Strict):
    """How the request ends, and why."""

    outcome = Text(required=True, validate=validate.OneOf(OUTCOMES))
    reason = Text(required=True, validate=validate.Length(1, 1000))


@blueprint.post("")
@requires("request:write")
@blueprint.arguments(RequestSchema)
@blueprint.response(202, ReceivedSchema)
def receive(body: dict[str, Any]) -> Response:
    """Bring a request

    From a client with `admin:*` the identity counts as verified, and what can be done at once is. An
    identifier that is put right joins records only where it is `verified`, which only such a client may say.
    """
    _check_vouching(body)

    def act(session: Session) -> dict[str, Any]:
        known = identifiers.spelled(session, body["identifier"])
        corrections = body.get("corrections")
        request = rights.receive(
            session,
            body["right"],
            (known.namespace, known.scope, known.value),
            body["requester"],
            current.caller().client_id,
            body["reason"],
            current.now(),
            verified=_vouches(),
            asked=_asked(body),
            corrections=None if corrections is None else rights.read(current.policy(), **corrections),
        )
        return _received(request)

    return idempotency.once(act, 202, _carried_on)


@blueprint.get("")
@requires(EVERYTHING)
@blueprint.arguments(ListQuery, location="query")
@blueprint.response(200, ListSchema)
def listing(query: dict[str, Any]) -> Response:
    """List requests with their due dates, the most pressing first"""
    caller, keys = current.caller(), current.deployment().vault
    question = {"list": "requests", "state": query.get("state"), "overdue": query["overdue"]}
    after = paging.read_cursor(keys, caller.client_id, question, query.get("cursor"))
    now, limit = current.now(), int(query["limit"])
    place = (datetime.fromisoformat(after[0]), str(after[1])) if after else None
    with current.database().snapshot() as session:
        found = rights.by_due(session, query.get("state") or "", now if query["overdue"] else None, place, limit)
    last = found[-1] if len(found) == limit else None
    position = last and [last.due_at.isoformat(), last.id]
    cursor = paging.write_cursor(keys, caller.client_id, question, position) if position else None
    return _unstored(jsonify(data=[_state(request, now) for request in found], next_cursor=cursor))


@blueprint.get("/<string:id>")
@requires("request:write")
@blueprint.response(200, StateSchema)
@blueprint.alt_response(404, "NOT_FOUND")
def show(id: str) -> Response:
    """Follow a request"""
    with current.database().snapshot() as session:
        request = _own(session, id)
    return _unstored(jsonify(_state(request, current.now())))


@blueprint.get("/<string:id>/package")
@requires("request:write")
@blueprint.response(200)
@blueprint.alt_response(404, "NOT_FOUND")
@blueprint.alt_response(410, "GONE")
def package(id: str) -> Response:
    """Fetch what was collected for the person

    Opened for the subject, and recorded as such. 410 once it expired or the person was erased.
    """
    with current.database().transaction() as session:
        _own(session, id)
        return _unstored(jsonify(rights.package(session, id, current.now(), current.caller().client_id)))


@blueprint.post("/<string:id>/verify")
@requires(EVERYTHING)
@blueprint.response(200, ReceivedSchema)
@blueprint.alt_response(404, "NOT_FOUND")
@blueprint.alt_response(409, "CONFLICT")
def verify(id: str) -> Response:
    """Say that who asks is known; the request goes on at once"""
    return _say(id, rights.verify)


@blueprint.post("/<string:id>/tell")
@requires(EVERYTHING)
@blueprint.arguments(ToldSchema)
@blueprint.response(200, ReceivedSchema)
@blueprint.alt_response(404, "NOT_FOUND")
@blueprint.alt_response(409, "CONFLICT")
def tell(body: dict[str, Any], id: str) -> Response:
    """Say when the person was told that a restriction ends; it then ends (GDPR 18(3))"""
    return _say(id, lambda session, name, at: rights.tell(session, name, body["at"], at))


@blueprint.post("/<string:id>/accept")
@requires(EVERYTHING)
@blueprint.response(200, ReceivedSchema)
@blueprint.alt_response(404, "NOT_FOUND")
@blueprint.alt_response(409, "CONFLICT")
def accept(id: str) -> Response:
    """Decide a contested rectification for the person"""
    return _say(id, rights.accept)


@blueprint.post("/<string:id>/extend")
@requires(EVERYTHING)
@blueprint.arguments(ExtensionSchema)
@blueprint.response(200, ReceivedSchema)
@blueprint.alt_response(404, "NOT_FOUND")
@blueprint.alt_response(409, "CONFLICT")
def extend(body: dict[str, Any], id: str) -> Response:
    """Take two further months, once, where the person was told in time (GDPR 12(3))"""
    return _say(id, lambda session, name, at: rights.extend(session, name, body["at"], body["reason"], at))


@blueprint.post("/<string:id>/close")
@requires(EVERYTHING)
@blueprint.arguments(CloseSchema)
@blueprint.response(200, ReceivedSchema)
@blueprint.alt_response(404, "NOT_FOUND")
@blueprint.alt_response(409, "CONFLICT")
def close(body: dict[str, Any], id: str) -> Response:
    """Close a request by hand; a refusal needs its reason (GDPR 12(4))"""
    return _say(id, lambda session, name, at: rights.close(session, name, body["outcome"], body["reason"], at))


def _say(id: str, word: Callable[[Session, str, datetime], SubjectRequest]) -> Response:
    def act(session: Session) -> dict[str, Any]:
        return _received(word(session, _own(session, id).id, current.now()))

    return idempotency.once(act, 200, _carried_on)


def _carried_on(received: dict[str, Any]) -> dict[str, Any]:
    """The worker carries on what this cannot finish; each step is its own transaction."""
    return _received(rights.advance(current.deployment(), received["id"]))


def _asked(body: dict[str, Any]) -> rights.Asked:
    return rights.Asked(
        kind=body["kind"],
        purpose=body.get("purpose", "*"),
        lift=body["lift"],
        restrict_meanwhile=body["restrict_meanwhile"],
        revokes=body["revokes"],
    )


def _check_vouching(body: dict[str, Any]) -> None:
    changes = (body.get("corrections") or {}).get("identifiers", ())
    said = any(one.get("verified") for change in changes for one in change.values())
    if said and not _vouches():
        raise insufficient(EVERYTHING, "Only a client with admin:* may say that an identifier was proved.")


def _vouches() -> bool:
    return EVERYTHING in current.caller().scopes


def _own(session: Session, id: str) -> SubjectRequest:
    request = session.get(SubjectRequest, id) if id.isalnum() else None
    mine = request is not None and request.client == current.caller().client_id
    if request is None or not (mine or _vouches()):
        raise Problem(404, "not_found", "There is no such request of this client.")
    return request


def _received(request: SubjectRequest) -> dict[str, Any]:
    stands: dict[str, Any] = {name: getattr(request, name) for name in ("id", "state", "waits_for")}
    return stands | {"due_at": request.due_at.isoformat()}


def _state(request: SubjectRequest, at: datetime) -> dict[str, Any]:
    body = _received(request) | {
        "right": request.right,
        "requester": request.requester,
        "law": request.law,
        "asked": json.loads(request.asked),
        "steps": json.loads(request.steps),
        "received_at": request.received_at.isoformat(),
        "completed_at": request.completed_at.isoformat() if request.completed_at else None,
        "overdue": request.completed_at is None and request.due_at < at,
    }
    if request.package is not None and request.package_until is not None and request.package_until > at:
        base = current.deployment().settings.base_url.rstrip("/")
        body["package_url"] = f"{base}/api/subject-requests/{request.id}/package"
        body["package_until"] = request.package_until.isoformat()
    if request.certificate:
        body["certificate"] = json.loads(request.certificate)
    return body


def _unstored(response: Response) -> Response:
    """What is about a person is never to be cached."""
    response.headers["Cache-Control"] = "no-store"
    return response
