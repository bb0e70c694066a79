"""Rights of data subjects, brought by a client on the person's behalf; followed by the client that brought them."""

import json
from typing import Any

from flask import Response, jsonify
from marshmallow import fields, validate
from sqlmodel import Session

from cdp import rights
from cdp.errors import Problem
from cdp.rights.model import SubjectRequest
from cdp.rights.requests import REQUESTERS, RIGHTS
from cdp.web import current
from cdp.web.api import persons, replay
from cdp.web.api.fields import IdentifierSchema, Strict, Text
from cdp.web.api.resource import Resource
from cdp.web.auth.access import requires
from cdp.web.auth.caller import EVERYTHING

blueprint = Resource(
    "subject-requests", __name__, url_prefix="/api/subject-requests", description="Rights of data subjects"
)


class RequestSchema(Strict):
    """Which right, of whom, and who asks."""

    right = Text(required=True, validate=validate.OneOf(list(RIGHTS)))
    identifier = fields.Nested(IdentifierSchema, required=True)
    requester = Text(required=True, validate=validate.OneOf(list(REQUESTERS)))
    reason = Text(load_default="", validate=validate.Length(max=1000))


class ReceivedSchema(Strict):
    """Where the request stands."""

    id = fields.String()
    state = fields.String(metadata={"enum": ["received", "in_progress", "completed", "refused"]})
    due_at = fields.DateTime()


class StateSchema(ReceivedSchema):
    """Where the request stands, with what was done."""

    right = fields.String()
    received_at = fields.DateTime()
    completed_at = fields.DateTime(allow_none=True)
    steps = fields.List(fields.Dict())
    package_url = fields.String()
    certificate = fields.Dict()


@blueprint.post("")
@requires("request:write")
@blueprint.arguments(RequestSchema)
@blueprint.response(202, ReceivedSchema)
def receive(body: dict[str, Any]) -> Response:
    """Bring a request

    From a client with `admin:*` the identity counts as verified, and what can be done at once is.
    """

    def act(session: Session) -> dict[str, Any]:
        known = persons.spelled(session, body["identifier"])
        request = rights.receive(
            session,
            body["right"],
            (known.namespace, known.scope, known.value),
            body["requester"],
            current.caller().client_id,
            body["reason"],
            current.now(),
            verified=EVERYTHING in current.caller().scopes,
        )
        return {"id": request.id, "state": request.state, "due_at": request.due_at.isoformat()}

    def carry_out(received: dict[str, Any]) -> dict[str, Any]:
        """The worker carries on what this cannot finish; each step is its own transaction."""
        request = rights.advance(current.deployment(), received["id"])
        return {**received, "state": request.state}

    return replay.once(act, 202, carry_out)


@blueprint.get("/<string:id>")
@requires("request:write")
@blueprint.response(200, StateSchema)
@blueprint.alt_response(404, "NOT_FOUND")
def show(id: str) -> Response:
    """Follow a request"""
    with current.database().snapshot() as session:
        request = _own(session, id)
        return jsonify(_state(request))


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
        return jsonify(rights.package(session, id, current.now()))


def _own(session: Session, id: str) -> SubjectRequest:
    request = session.get(SubjectRequest, id) if id.isalnum() else None
    mine = request is not None and request.client == current.caller().client_id
    if request is None or not (mine or EVERYTHING in current.caller().scopes):
        raise Problem(404, "not_found", "There is no such request of this client.")
    return request


def _state(request: SubjectRequest) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": request.id,
        "right": request.right,
        "state": request.state,
        "steps": json.loads(request.steps),
        "received_at": request.received_at.isoformat(),
        "due_at": request.due_at.isoformat(),
        "completed_at": request.completed_at.isoformat() if request.completed_at else None,
    }
    if request.package is not None:
        base = current.deployment().settings.base_url.rstrip("/")
        body["package_url"] = f"{base}/api/subject-requests/{request.id}/package"
    if request.certificate:
        body["certificate"] = json.loads(request.certificate)
    return body
