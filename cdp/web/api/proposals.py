"""Who may be one person, for somebody to decide: how likely, and which comparisons agree; never a value.

Whoever needs the values to decide asks for the two profiles, which the gate answers.
"""

import json
from typing import Any

from flask import Response, jsonify
from marshmallow import Schema, fields, validate
from sqlmodel import Session

from cdp.identity import matches, verdicts
from cdp.identity.model import MatchProposal
from cdp.rights import reasons
from cdp.web import current
from cdp.web.api.fields import After, Strict, Text
from cdp.web.api.identity import SCOPE, MaybeReasonedSchema, reason_of
from cdp.web.api.resource import Resource
from cdp.web.auth.access import requires

blueprint = Resource(
    "proposals", __name__, url_prefix="/api/identity/proposals", description="Who may be one person, to be decided"
)

STATES = ("open", "accepted", "declined", "gone")


class ProposalsQuery(Strict):
    """Which proposals."""

    state = Text(load_default="open", validate=validate.OneOf(STATES))
    sampled = fields.Boolean(load_default=False, metadata={"description": "Only the random sample"})
    after = After()
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 1000))


class ProposalSchema(Schema):
    """Two people who may be one."""

    id = fields.Integer()
    run = fields.Integer()
    model_version = fields.String()
    subjects = fields.List(fields.Integer(), metadata={"description": "The lowest record of each of the two"})
    probability = fields.Float()
    log2_odds = fields.Float()
    band = fields.Float(metadata={"description": "Where its band of probability begins"})
    levels = fields.Dict(
        keys=fields.String(), values=fields.String(), metadata={"description": "Comparison → step that was reached"}
    )
    vetoed = fields.Boolean(metadata={"description": "The given names disagree, or only a household's things agree"})
    sampled = fields.Boolean()
    state = fields.String(metadata={"enum": list(STATES)})
    actor = fields.String()
    closed_at = fields.DateTime(allow_none=True)
    decision = fields.Integer(allow_none=True)


class ProposalsSchema(Schema):
    """Proposals, likeliest first in each run."""

    data = fields.List(fields.Nested(ProposalSchema))
    next_after = fields.Integer(allow_none=True)


class VerdictSchema(Strict):
    """A person's word on a proposal."""

    action = Text(required=True, validate=validate.OneOf(["accept", "decline"]))
    reason = Text(required=True, validate=validate.Length(1, 500))


@blueprint.get("")
@requires(SCOPE)
@blueprint.arguments(ProposalsQuery, location="query")
@blueprint.response(200, ProposalsSchema)
def list_proposals(query: dict[str, Any]) -> Response:
    """List who may be one person

    Empty unless the policy turns proposals on and a run found some.
    """
    with current.database().snapshot() as session:
        found = matches.listed(session, query["state"], query["after"], query["limit"], sampled=query["sampled"])
        data = [_shown(one, one.state) for one in found]
    return jsonify({"data": data, "next_after": found[-1].id if len(found) == query["limit"] else None})


@blueprint.get("/<int:proposal>")
@requires(SCOPE)
@blueprint.response(200, ProposalSchema)
@blueprint.alt_response(404, "NOT_FOUND")
def show_proposal(proposal: int) -> Response:
    """Show how likely two people are one, and what agrees"""
    return _answer(proposal)


@blueprint.post("/<int:proposal>/decision")
@requires(SCOPE)
@blueprint.arguments(VerdictSchema)
@blueprint.response(200, ProposalSchema)
@blueprint.alt_response(404, "NOT_FOUND")
@blueprint.alt_response(409, "CONFLICT")
def decide_proposal(body: dict[str, Any], proposal: int) -> Response:
    """Close a proposal with a person's word

    `accept` joins the two; `decline` is remembered while they look as they do. Both can be taken back.
    """
    verb = verdicts.accept if body["action"] == "accept" else verdicts.decline
    reason, actor, at = reasons.demand(body["reason"]), current.caller().client_id, current.now()
    current.database().attempt(lambda session: verb(session, proposal, reason, actor, at))
    return _answer(proposal)


@blueprint.delete("/<int:proposal>/decision")
@requires(SCOPE)
@blueprint.arguments(MaybeReasonedSchema, required=False)
@blueprint.response(200, ProposalSchema)
@blueprint.alt_response(404, "NOT_FOUND")
@blueprint.alt_response(409, "CONFLICT")
def undo_proposal(body: dict[str, Any], proposal: int) -> Response:
    """Take back what was said of a proposal

    Everybody is as before, and it is open again where both still stand. A reason may be given.
    """
    reason, actor, at = reason_of(body), current.caller().client_id, current.now()
    current.database().attempt(lambda session: verdicts.take_back(session, proposal, actor, at, reason))
    return _answer(proposal)


def _answer(proposal: int) -> Response:
    with current.database().snapshot() as session:
        return jsonify(_told(session, proposal))


def _told(session: Session, proposal: int) -> dict[str, Any]:
    row = verdicts.find(session, proposal)
    return _shown(row, verdicts.state_of(session, row))


def _shown(row: MatchProposal, state: str) -> dict[str, Any]:
    return {
        "id": row.id,
        "run": row.run,
        "model_version": row.model_version,
        "subjects": [row.subject_one, row.subject_other],
        "probability": row.probability,
        "log2_odds": row.log2_odds,
        "band": row.band,
        "levels": json.loads(row.levels),
        "vetoed": row.vetoed,
        "sampled": row.sampled,
        "state": state,
        "actor": row.actor,
        "closed_at": row.closed_at.isoformat() if row.closed_at else None,
        "decision": row.decision,
    }
