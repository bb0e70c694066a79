"""Who is who, explained and decided: cases that were held, a person's word on them, and why two are one or not.

Nothing here opens anything: a value is shown by a few signs of a keyed digest. Whoever may know the value asks
for the profile, which the gate answers.
"""

from typing import Any

from flask import Response, jsonify
from marshmallow import Schema, fields, validate
from sqlmodel import Session

from cdp import identity
from cdp.identity import decisions, explaining, review
from cdp.identity.explaining import Told
from cdp.identity.model import IdentityCase, Override
from cdp.rights import reasons
from cdp.web import current
from cdp.web.api.fields import After, Number, Strict, Text
from cdp.web.api.resource import Resource
from cdp.web.auth.access import requires

blueprint = Resource("identity", __name__, url_prefix="/api/identity", description="Who is who, explained and decided")

SCOPE = "identity:review"


class CasesQuery(Strict):
    """Which cases."""

    state = Text(load_default="open", validate=validate.OneOf(["open", "decided", "gone"]))
    severity = Text(validate=validate.OneOf(["notice", "review", "alarm"]))
    after = After()
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 1000))


class CaseSchema(Schema):
    """Something that was held."""

    id = fields.Integer()
    rule = fields.String(metadata={"description": "limit, veto, cannot, size, weight, generic, shared or breaker"})
    severity = fields.String(metadata={"enum": ["notice", "review", "alarm"]})
    state = fields.String(metadata={"enum": ["open", "decided", "gone"]})
    shown = fields.String(metadata={"description": "The value, masked; or the source"})
    opened_at = fields.DateTime()
    action = fields.String()
    actor = fields.String()
    closed_at = fields.DateTime(allow_none=True)


class CasesSchema(Schema):
    """Cases, in the order they were opened."""

    data = fields.List(fields.Nested(CaseSchema))
    next_after = fields.Integer(allow_none=True)


class CasePersonSchema(Schema):
    """Records of one person that a case is about."""

    person = fields.Integer()
    subjects = fields.List(fields.Integer())


class ObstacleSchema(Schema):
    """What stands between two."""

    rule = fields.String()
    namespace = fields.String()
    value = fields.String(metadata={"description": "Masked"})
    counted = fields.String(metadata={"description": "Of which identifier there would be too many"})
    decision = fields.Integer(metadata={"description": "Whose word, where it was somebody's"})


class CaseToldSchema(CaseSchema):
    """A case with whom it is about, what stands between them, and what it can be answered with."""

    people = fields.List(fields.Nested(CasePersonSchema))
    obstacles = fields.List(fields.Nested(ObstacleSchema))
    actions = fields.List(fields.String())
    decisions = fields.List(fields.Integer())


class AnswerSchema(Strict):
    """A person's word on a case."""

    action = Text(required=True, validate=validate.OneOf([*review.OF_VALUES, *review.OF_SOURCES]))
    reason = Text(required=True, validate=validate.Length(1, 500))


class ReasonedSchema(Strict):
    """Why something is taken back."""

    reason = Text(required=True, validate=validate.Length(1, 500))


class MaybeReasonedSchema(Strict):
    """Why something is taken back, for whoever says so."""

    reason = Text(validate=validate.Length(1, 500))


class PairSchema(Strict):
    """Two records, by the numbers that cases name: whoever looks somebody up by an address asks the gate."""

    one = Number(required=True)
    other = Number(required=True)


class StepSchema(Schema):
    """Two records and what is on both."""

    one = fields.Integer()
    other = fields.Integer()
    namespace = fields.String()
    value = fields.String(metadata={"description": "Masked"})
    decision = fields.Integer()


class IdentityExplainedSchema(Schema):
    """Why two records are one person, or why not."""

    one = fields.Integer()
    other = fields.Integer()
    people = fields.List(fields.Integer())
    is_one = fields.Boolean()
    path = fields.List(fields.Nested(StepSchema))
    obstacles = fields.List(fields.Nested(ObstacleSchema))


class PairDecisionSchema(PairSchema):
    """A person's word on two records."""

    kind = Text(required=True, validate=validate.OneOf(["must", "cannot"]))
    reason = Text(required=True, validate=validate.Length(1, 500))


class RetractionSchema(Strict):
    """A record, and a value that is not its after all."""

    subject = Number(required=True)
    value = Text(
        required=True,
        validate=validate.Length(1, 64),
        metadata={"description": "As cases and explanations show it", "example": "email ●3fa2b1"},
    )
    reason = Text(required=True, validate=validate.Length(1, 500))


class DecisionsQuery(Strict):
    """Which decisions."""

    after = After()
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 1000))


class IdentityDecisionSchema(Schema):
    """What somebody said, of whom or of what."""

    id = fields.Integer()
    kind = fields.String(metadata={"enum": ["must", "cannot", "block", "shared", "expire", "retract"]})
    subjects = fields.List(fields.Integer(), metadata={"description": "The records; none where a value is meant"})
    shown = fields.String(metadata={"description": "The value, masked; empty where records are meant"})
    case = fields.Integer(allow_none=True, metadata={"description": "The case that it decided: it is undone there"})
    actor = fields.String()
    at = fields.DateTime()
    revoked_at = fields.DateTime(allow_none=True)


class IdentityDecisionsSchema(Schema):
    """Decisions, in the order in which they were said."""

    data = fields.List(fields.Nested(IdentityDecisionSchema))
    next_after = fields.Integer(allow_none=True)


class DecisionMadeSchema(Schema):
    """A decision, to be taken back by its number."""

    decision = fields.Integer()
    people = fields.List(fields.Integer())


@blueprint.get("/cases")
@requires(SCOPE)
@blueprint.arguments(CasesQuery, location="query")
@blueprint.response(200, CasesSchema)
def list_cases(query: dict[str, Any]) -> Response:
    """List what was held

    Values that may not join all they are on, and sources that joined too much.
    """
    severities = (query["severity"],) if "severity" in query else ()
    with current.database().snapshot() as session:
        found = review.listed(session, (query["state"],), severities, query["after"], query["limit"])
        data = [_case(session, one) for one in found]
    return jsonify({"data": data, "next_after": found[-1].id if len(found) == query["limit"] else None})


@blueprint.get("/cases/<int:case_id>")
@requires(SCOPE)
@blueprint.response(200, CaseToldSchema)
@blueprint.alt_response(404, "NOT_FOUND")
def show_case(case_id: int) -> Response:
    """Show whom a case is about, and why it was held"""
    with current.database().snapshot() as session:
        return jsonify(_told(session, case_id))


@blueprint.post("/cases/<int:case_id>/decision")
@requires(SCOPE)
@blueprint.arguments(AnswerSchema)
@blueprint.response(200, CaseToldSchema)
@blueprint.alt_response(404, "NOT_FOUND")
@blueprint.alt_response(409, "CONFLICT")
def decide_case(body: dict[str, Any], case_id: int) -> Response:
    """Close a case with a person's word

    `allow`, `cannot`, `block`, `shared`, `expire`; of a source `release`, `keep`. Can be taken back.
    """
    reason, actor, at = reasons.demand(body["reason"]), _actor(), current.now()
    current.database().attempt(lambda session: review.decide(session, case_id, body["action"], reason, actor, at))
    with current.database().snapshot() as session:
        return jsonify(_told(session, case_id))


@blueprint.post("/cases/<int:case_id>/undo")
@requires(SCOPE)
@blueprint.arguments(ReasonedSchema)
@blueprint.response(200, CaseToldSchema)
@blueprint.alt_response(404, "NOT_FOUND")
@blueprint.alt_response(409, "CONFLICT")
def undo_case(body: dict[str, Any], case_id: int) -> Response:
    """Take back what was decided of a case

    Everybody is as before, and the case is open again where it still stands.
    """
    reason, actor, at = reasons.demand(body["reason"]), _actor(), current.now()
    current.database().attempt(lambda session: review.undo(session, case_id, reason, actor, at))
    with current.database().snapshot() as session:
        return jsonify(_told(session, case_id))


@blueprint.post("/explanations")
@requires(SCOPE)
@blueprint.arguments(PairSchema)
@blueprint.response(200, IdentityExplainedSchema)
@blueprint.alt_response(404, "NOT_FOUND")
def explain(body: dict[str, Any]) -> Response:
    """Say why two records are one person, or why not

    The evidence from one to the other, or what stands in the way, masked.
    """
    with current.database().snapshot() as session:
        return jsonify(_explained(identity.explain(session, body["one"], body["other"])))


@blueprint.get("/decisions")
@requires(SCOPE)
@blueprint.arguments(DecisionsQuery, location="query")
@blueprint.response(200, IdentityDecisionsSchema)
def list_decisions(query: dict[str, Any]) -> Response:
    """List what was decided

    Also what was taken back since; a decision is taken back by its number, one of a case there.
    """
    with current.database().snapshot() as session:
        found = decisions.listed(session, query["after"], query["limit"])
        data = [_decision(session, one) for one in found]
    return jsonify({"data": data, "next_after": found[-1].id if len(found) == query["limit"] else None})


@blueprint.post("/decisions")
@requires(SCOPE)
@blueprint.arguments(PairDecisionSchema)
@blueprint.response(201, DecisionMadeSchema)
@blueprint.alt_response(404, "NOT_FOUND")
@blueprint.alt_response(409, "CONFLICT")
def decide_pair(body: dict[str, Any]) -> tuple[Response, int]:
    """Say that two records are one person, or are not

    Over any limit; a standing `cannot` wins over a `must`.
    """
    verb = identity.must if body["kind"] == "must" else identity.cannot
    pair, reason, actor, at = (body["one"], body["other"]), reasons.demand(body["reason"]), _actor(), current.now()
    number = current.database().attempt(lambda session: verb(session, *pair, reason, actor, at))
    with current.database().snapshot() as session:
        people = identity.people_of(session, pair)
    return jsonify({"decision": number, "people": [people[one] for one in pair]}), 201


@blueprint.post("/retractions")
@requires(SCOPE)
@blueprint.arguments(RetractionSchema)
@blueprint.response(201, DecisionMadeSchema)
@blueprint.alt_response(404, "NOT_FOUND")
@blueprint.alt_response(409, "CONFLICT")
def retract(body: dict[str, Any]) -> tuple[Response, int]:
    """Say that a record was not seen with a value after all

    It joins this record to nobody, and nobody is written to there. Taken back like any other decision.
    """
    reason, actor, at = reasons.demand(body["reason"]), _actor(), current.now()
    number = current.database().attempt(
        lambda session: review.retract(session, body["subject"], body["value"], reason, actor, at)
    )
    with current.database().snapshot() as session:
        people = identity.people_of(session, [body["subject"]])
    return jsonify({"decision": number, "people": list(people.values())}), 201


@blueprint.delete("/decisions/<int:decision>")
@requires(SCOPE)
@blueprint.arguments(MaybeReasonedSchema, required=False)
@blueprint.response(204)
@blueprint.alt_response(404, "NOT_FOUND")
@blueprint.alt_response(409, "CONFLICT")
def revoke_decision(body: dict[str, Any], decision: int) -> tuple[str, int]:
    """Take a decision back

    Everybody is as if it had never been made. A reason may be given, and is kept in the ledger.
    """
    reason, actor, at = reason_of(body), _actor(), current.now()
    current.database().attempt(lambda session: review.revoke(session, decision, actor, at, reason))
    return "", 204


def reason_of(body: dict[str, Any]) -> str:
    """Return the reason, where one is given; raises Problem 422 for one that says nothing or names somebody."""
    return reasons.demand(body["reason"]) if "reason" in body else ""


def _actor() -> str:
    return current.caller().client_id


def _case(session: Session, case: IdentityCase) -> dict[str, Any]:
    shown = case.source or explaining.shown(session, (case.namespace, bytes(case.token)))
    return {
        "id": case.id,
        "rule": case.rule,
        "severity": case.severity,
        "state": case.state,
        "shown": shown,
        "opened_at": case.opened_at.isoformat(),
        "action": case.action,
        "actor": case.actor,
        "closed_at": case.closed_at.isoformat() if case.closed_at else None,
    }


def _decision(session: Session, said: Override) -> dict[str, Any]:
    return {
        "id": said.id,
        "kind": said.kind,
        "subjects": [number for number in (said.subject, said.other_subject) if number],
        "shown": explaining.shown(session, (said.namespace, bytes(said.token))) if said.namespace else "",
        "case": said.case_id,
        "actor": said.actor,
        "at": said.at.isoformat(),
        "revoked_at": said.revoked_at.isoformat() if said.revoked_at else None,
    }


def _told(session: Session, case_id: int) -> dict[str, Any]:
    told = review.tell(session, case_id)
    return _case(session, told.case) | {
        "people": [{"person": person, "subjects": subjects} for person, subjects in sorted(told.people.items())],
        "obstacles": [one._asdict() for one in told.obstacles],
        "actions": list(told.actions),
        "decisions": list(told.decisions),
    }


def _explained(told: Told) -> dict[str, Any]:
    return {
        "one": told.one,
        "other": told.other,
        "people": list(told.people),
        "is_one": told.is_one,
        "path": [step._asdict() for step in told.path],
        "obstacles": [one._asdict() for one in told.obstacles],
    }
