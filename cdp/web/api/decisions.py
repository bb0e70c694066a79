"""Why, or why not: one decision about one person with every reason; every use of it is in the ledger."""

from typing import Any

from flask import Response, jsonify
from marshmallow import ValidationError, fields, validate, validates_schema
from sqlmodel import Session

from cdp import gate
from cdp.errors import FieldError, Problem
from cdp.gate.explanation import Explanation
from cdp.gate.question import Beyond
from cdp.web import current
from cdp.web.api import asking, identifiers
from cdp.web.api.fields import Channel, IdentifierSchema, Instant, Name, ReasonSchema, Strict, Text
from cdp.web.api.resource import Resource
from cdp.web.auth.access import requires

blueprint = Resource("decisions", __name__, url_prefix="/api/decisions", description="Decisions explained")


class QuestionSchema(Strict):
    """About whom, and what use of their data."""

    identifier = fields.Nested(IdentifierSchema)
    subject = Text(
        validate=validate.Length(1, 64), metadata={"description": "Pseudonym that this client's recipient was given"}
    )
    purpose = Name(required=True)
    recipient = Name(metadata={"description": "Left out: the client's own"})
    channel = Channel()
    categories = fields.List(Name(), validate=validate.Length(max=50))
    at = Instant(metadata={"description": "Left out: now"})

    @validates_schema
    def _one_of_two(self, data: dict[str, Any], **_: Any) -> None:
        if ("identifier" in data) == ("subject" in data):
            raise ValidationError("Give either an identifier or a subject.", "identifier")


class DecisionSchema(Strict):
    """The answer, with every reason."""

    decision = fields.String(metadata={"enum": ["allow", "deny"]})
    reasons = fields.List(fields.Nested(ReasonSchema))
    basis = fields.List(fields.String())
    obligations = fields.List(fields.String())
    fields_ = fields.List(fields.String(), data_key="fields", metadata={"description": "What may be given at most"})
    expires_at = fields.DateTime(metadata={"description": "Ask again after this; never more than a minute ahead"})
    policy_version = fields.String()
    entry = fields.String(metadata={"description": "Ledger entry of this question"})


@blueprint.post("")
@requires("decision:read")
@blueprint.arguments(QuestionSchema)
@blueprint.response(200, DecisionSchema)
@blueprint.alt_response(404, "NOT_FOUND")
def decide(body: dict[str, Any]) -> Response:
    """Explain a decision

    Allow or deny, every reason with law, article and both texts. Opens nothing; 404 for nobody known.
    """
    recipient = body.get("recipient", current.caller().recipient)
    if recipient not in current.policy().recipients:
        errors = [FieldError("/recipient", "No such recipient is declared.")]
        raise Problem(400, "unknown_recipient", "The policy declares no such recipient.", errors)
    use = asking.declared_use(body["purpose"], body.get("channel"), recipient)
    _check_categories(body.get("categories", []))
    beyond = Beyond(categories=frozenset(body.get("categories", ())))
    now = current.now()
    at = body.get("at") or now
    with current.database().transaction() as session:
        person = _person(session, body)
        as_of = at if at < now else None
        whose = identifiers.find_subject(session, body["identifier"]) if as_of and "identifier" in body else None
        explained = None
        if person is not None:
            explained = gate.explain(session, person, use, at, beyond, as_of=as_of, subject=whose)
        entry = asking.note_explained(session, use, person, explained)
    if explained is None:
        raise Problem(404, "not_found", "Nobody is known by this.", extra={"entry": entry})
    return jsonify({**_body(explained), "entry": entry})


def _person(session: Session, body: dict[str, Any]) -> int | None:
    if "subject" in body:
        return gate.find_by_pseudonym(session, current.caller().recipient, body["subject"])
    return identifiers.find(session, body["identifier"])


def _check_categories(categories: list[str]) -> None:
    known = current.policy().categories
    errors = [FieldError(f"/categories/{n}", "Not declared.") for n, name in enumerate(categories) if name not in known]
    if errors:
        raise Problem(400, "unknown_category", "The policy declares no such data category.", errors)


def _body(explained: Explanation) -> dict[str, Any]:
    decision = explained.decision
    return {
        "decision": "allow" if decision.allow else "deny",
        "reasons": [dict(asking.reason_body(reason)) for reason in decision.reasons],
        "basis": list(decision.bases),
        "obligations": list(decision.obligations),
        "fields": list(explained.fields),
        "expires_at": explained.expires_at.isoformat(),
        "policy_version": explained.policy,
    }
