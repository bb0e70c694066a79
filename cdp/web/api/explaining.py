"""Why somebody is in an audience or out of it, as far as the asking recipient may know it of one person."""

from datetime import datetime
from typing import Any

from flask import Response, jsonify
from marshmallow import fields
from sqlmodel import Session

from cdp import audience, gate
from cdp.errors import Problem
from cdp.gate.decide import beyond_of
from cdp.gate.explanation import Explanation, record_explanation
from cdp.policy.terms import Use
from cdp.web import current
from cdp.web.api import asking, identifiers
from cdp.web.api.fields import Channel, IdentifierSchema, Name, ReasonSchema, Strict


class ExplainSchema(Strict):
    """Whom, and for what."""

    identifier = fields.Nested(IdentifierSchema, required=True)
    purpose = Name(required=True)
    channel = Channel()


class ClauseSchema(Strict):
    """One node of the rule, and whether it holds for the person; null where that may not be told."""

    pointer = fields.String()
    clause = fields.Raw()
    holds = fields.Boolean(allow_none=True)


class ExplainedSchema(Strict):
    """Why somebody is in or out, and what refuses them."""

    member = fields.Boolean(
        allow_none=True, metadata={"description": "The rule describes the person; null where the use is refused"}
    )
    reachable = fields.Boolean(metadata={"description": "In, and permitted for the use"})
    clauses = fields.List(fields.Nested(ClauseSchema))
    refusals = fields.List(fields.Nested(ReasonSchema))
    entry = fields.String()


def answer(asked: dict[str, Any], name: str, rule: Any) -> Response:
    """Answer for the person named, and record it as a disclosure; `rule` is the audience's, as declared.

    Raises Problem 404 for whoever is unknown, restricted or being erased.
    """
    use = asking.declared_use(asked["purpose"], asked.get("channel"), current.caller().recipient)
    with current.database().transaction() as session:
        at = current.now()
        person = identifiers.find(session, asked["identifier"])
        decided = None if person is None else gate.explain(session, person, use, at, beyond_of(current.policy(), name))
        entry = asking.note_explained(session, use, person, decided)
        body: dict[str, Any] | None = None
        if person is not None and decided is not None and not _is_set_aside(decided):
            body = _explained(session, name, rule, use, person, decided, at)
            told, client = body["member"] is not None, current.caller().client_id
            record_explanation(session, use, person, client, name, told, entry, at)
    if body is None:
        raise Problem(404, "not_found", "Nobody is known by this.")
    return jsonify(**body, entry=entry)


def _is_set_aside(decided: Explanation) -> bool:
    """Whether nothing may be told of the person: restricted (GDPR 18), or being erased."""
    return decided.standing.restricted or decided.standing.erasing


def _explained(
    session: Session, name: str, rule: Any, use: Use, person: int, decided: Explanation, at: datetime
) -> dict[str, Any]:
    """Return refusals, and what the rule says of the person where this recipient may know it of one person."""
    allow = decided.decision.allow
    told = allow and audience.smallest(current.policy(), name, use) <= 1
    clauses = audience.explain(session, name, person, at) if told else None
    holds = {one.pointer: one.holds for one in clauses or ()}
    parts = [pointer for pointer, _ in audience.clauses(audience.load(current.policy(), name))]
    member = holds.get("")
    return {
        "member": member,
        "reachable": allow and bool(member),
        "clauses": [{"pointer": at_, "clause": _node(rule, at_), "holds": holds.get(at_)} for at_ in parts],
        "refusals": [asking.reason_body(reason) for reason in decided.decision.reasons if reason.deny],
    }


def _node(rule: Any, pointer: str) -> Any:
    """Return the part of the declared rule that a JSON pointer names."""
    for part in pointer.split("/")[1:]:
        rule = rule[int(part)] if isinstance(rule, list | tuple) else rule[part]
    return rule
