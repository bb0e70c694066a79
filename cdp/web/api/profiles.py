"""One person, looked up by an identifier in the body: the row, or 404 for unknown and not permitted alike."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from marshmallow import fields, validate
from sqlmodel import Session

from cdp import audience, gate
from cdp.errors import Problem, Refusal
from cdp.policy.terms import Use
from cdp.web import current
from cdp.web.api import asking, identifiers, pages
from cdp.web.api.fields import Channel, IdentifierSchema, Name, RowSchema, Strict, Text
from cdp.web.api.resource import Resource
from cdp.web.auth.access import requires

blueprint = Resource("profiles", __name__, url_prefix="/api/profiles", description="One person at a time")


class LookupSchema(Strict):
    """Whom to look up, for what."""

    identifier = fields.Nested(IdentifierSchema, required=True)
    purpose = Name(required=True)
    channel = Channel()
    fields_ = fields.List(Text(validate=validate.Length(1, 64)), data_key="fields", validate=validate.Length(max=100))


class FoundSchema(RowSchema):
    """The person, as far as this recipient may know them for this purpose."""

    use_by = fields.DateTime()
    disclosure = fields.String()


@blueprint.post("/lookup")
@requires("profile:read")
@blueprint.arguments(LookupSchema)
@blueprint.response(200, FoundSchema)
@blueprint.alt_response(403, "FORBIDDEN")
@blueprint.alt_response(404, "NOT_FOUND")
def look_up(body: dict[str, Any]) -> Response:
    """Look one person up

    Answers the row of the person as far as allowed, with stage; writes the disclosure. 403 `small_audience`
    for a recipient that may be given no list so short.
    404 for unknown and for not permitted alike; with `Prefer: explain` and the scope `decision:read`
    the 404 holds the refusal.
    """
    use = asking.use_for(body["purpose"], body.get("channel"))
    if audience.smallest(current.policy(), "", use) > 1:
        asking.refuse(Refusal("small_audience"))
    fields_ = asking.fields_for(use, body.get("fields_"))
    page, stages = pages.read_one(use, fields_, lambda session: identifiers.find(session, body["identifier"]))
    if not page.rows:
        page.hand_over()
        raise _not_found(use, body["identifier"])
    extra = {"use_by": page.use_by.isoformat(), "disclosure": page.id}
    return pages.hand_over(page, {**pages.row(page.rows[0], stages), **extra})


def _not_found(use: Use, identifier: Mapping[str, Any]) -> Problem:
    extra: dict[str, object] = {}
    if asking.asks_to_explain():
        with current.database().transaction() as session:
            extra["reasons"] = _reasons(session, use, identifier)
    return Problem(404, "not_found", "No such person, or none who may be shown for this purpose.", extra=extra)


def _reasons(session: Session, use: Use, identifier: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    person = identifiers.find(session, identifier)
    explained = gate.explain(session, person, use, current.now()) if person is not None else None
    asking.note_explained(session, use, person, explained)
    return [] if explained is None else [asking.reason_body(one) for one in explained.decision.reasons if one.deny]
