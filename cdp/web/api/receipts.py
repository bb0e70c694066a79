"""The proof of one consent, to be kept by whoever asks for it: signed, and checked offline with a public key."""

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from cdp import identity, ledger
from cdp.consent import receipts
from cdp.errors import Problem
from cdp.web import current
from cdp.web.api import asking
from cdp.web.api.fields import Strict, Text
from cdp.web.api.resource import Resource
from cdp.web.auth.access import requires

blueprint = Resource("receipts", __name__, url_prefix="/api/consents", description="Signed proofs of consent")


class FormatQuery(Strict):
    """Which of the two documents."""

    format = Text(
        load_default="receipt",
        validate=validate.OneOf(receipts.FORMATS),
        metadata={"description": "`receipt`: what was said then; `record`: also what was said later, as of now"},
    )


class HeaderSchema(Schema):
    """What the document is, and whom it is about."""

    form = fields.String()
    schema_version = fields.String(metadata={"description": "IRI of the profile of ISO/IEC TS 27560"})
    profiles = fields.List(fields.String())
    record_id = fields.String()
    receipt_id = fields.String(metadata={"description": "Of a receipt: names its content"})
    pii_principal_id = fields.String(metadata={"description": "A pseudonym that no recipient knows otherwise"})
    brand = fields.String(allow_none=True)
    policy_version = fields.String(metadata={"description": "What purposes and recipients are described by"})
    as_of = fields.DateTime(metadata={"description": "Of a record: the instant that it tells of"})


class NoticeSchema(Schema):
    """The text that was shown."""

    name = fields.String(allow_none=True)
    version = fields.String(allow_none=True)
    language = fields.String(allow_none=True)
    title = fields.String(allow_none=True)
    sha256 = fields.String(allow_none=True, metadata={"description": "As kept with the record; null: not known"})
    declared_sha256 = fields.String(allow_none=True, metadata={"description": "Of the text declared today; null: gone"})


class ConsentedProcessingSchema(Schema):
    """What was agreed to, or refused."""

    privacy_notice = fields.Nested(NoticeSchema)
    language = fields.String()
    purposes = fields.List(fields.Dict())


class EventSchema(Schema):
    """One thing that was said."""

    event_state = fields.String(metadata={"description": "IRI of the consent's status (DPV)"})
    event_type = fields.String(metadata={"description": "IRI of the type of consent (DPV)"})
    event_time = fields.DateTime(allow_none=True, metadata={"description": "null: nobody knew when"})
    received_time = fields.DateTime()
    entity_id = fields.String(allow_none=True)
    actor = fields.String()
    act = fields.Boolean()
    record_id = fields.String()
    collection_method = fields.String()
    collection_source = fields.String()
    evidence = fields.String()
    evidence_kept = fields.Boolean()
    validity_duration = fields.String()
    valid_until = fields.DateTime(allow_none=True)


class ReceiptSchema(Schema):
    """A record or receipt of ISO/IEC TS 27560, in canonical JSON (RFC 8785)."""

    header = fields.Nested(HeaderSchema)
    processing = fields.Nested(ConsentedProcessingSchema)
    parties = fields.List(fields.Dict())
    events = fields.List(fields.Nested(EventSchema))
    signature = fields.String(
        metadata={"description": "Detached JWS (Ed25519) over all of the rest; key: /api/ledger/jwks.json"}
    )


@blueprint.get("/<string:record_id>/receipt")
@requires("consent:write")
@blueprint.arguments(FormatQuery, location="query")
@blueprint.response(200, ReceiptSchema)
@blueprint.alt_response(404, "NOT_FOUND")
def receipt(query: dict[str, Any], record_id: str) -> Response:
    """Read the receipt of one record

    Keep the bytes as they are: `cdp consent verify FILE --key jwks.json` checks them without us. Holds no
    identifier. 404 for a record that is not there, or is of a purpose that this client is not registered for.
    """
    deployment, now = current.deployment(), current.now()
    with current.database().transaction() as session:
        issued = receipts.issue(
            session,
            record_id,
            deployment.signer,
            deployment.settings.base_url,
            now,
            kind=query["format"],
            purposes=current.caller().purposes,
        )
        if issued is None:
            raise Problem(404, "not_found", "There is no such record.")
        person = identity.people_of(session, [issued.subject]).get(issued.subject, issued.subject)
        header = {"client": current.caller().client_id, "record": record_id, "format": query["format"]}
        ledger.note(session, "consent.receipt", {**header, "person": asking.digest_of(session, person)}, now)
    return Response(issued.content, content_type="application/json", headers={"Cache-Control": "no-store"})
