"""What people said about consent: recorded with its proof, withdrawn at once, and read back for any past instant.

A yes needs a declared purpose that the client is registered for, and the notice that was shown. A no
needs nothing: withdrawing is never harder than agreeing was (GDPR 7(3)).
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from flask import Response, jsonify, request
from marshmallow import ValidationError, fields, validate, validates_schema
from sqlalchemy import select
from sqlmodel import Session, col

from cdp import consent, gate, identity, ledger
from cdp.connector.kit import LANGUAGE, METHOD
from cdp.consent.model import ConsentRecord
from cdp.errors import FieldError, Problem
from cdp.gate.model import Permission
from cdp.identity.model import Identifier
from cdp.identity.normalise import Canonical
from cdp.policy.terms import CONTACT_CHANNELS
from cdp.profile.model import Subject
from cdp.web import current
from cdp.web.api import asking, idempotency, identifiers
from cdp.web.api.fields import Channel, IdentifierSchema, Instant, Json, Name, Strict, Text
from cdp.web.api.resource import Resource
from cdp.web.auth.access import requires

blueprint = Resource("consents", __name__, url_prefix="/api/consents", description="Consent and its proof")

SOURCE = "api"

IDENTIFIER_HEADER = "Sekisho-Identifier"


def _spelled(pattern: re.Pattern[str], detail: str, **more: Any) -> Text:
    """Let pass what the pattern describes whole: these words stay in the ledger for ever."""
    whole = validate.Regexp(re.compile(rf"(?:{pattern.pattern})\Z"), error=detail)
    metadata = {"pattern": f"^(?:{pattern.pattern})$", **more.pop("metadata", {})}
    return Text(validate=whole, metadata=metadata, **more)


class StatementSchema(Strict):
    """One thing somebody said about one purpose."""

    identifier = fields.Nested(IdentifierSchema, required=True)
    purpose = Name(required=True)
    channel = Channel()
    status = Text(required=True, validate=validate.OneOf(["given", "refused", "requested"]))
    notice = Name(load_default="")
    notice_version = Text(load_default="", validate=validate.Length(max=32))
    language = _spelled(LANGUAGE, "A language tag such as ja or en-GB.", load_default="")
    method = _spelled(METHOD, "Lower-case letters, digits and _, at most 32.", load_default="api")
    event_time = Instant(metadata={"description": "When it was said; left out: now"})
    actor = Text(
        load_default="subject",
        validate=validate.OneOf(["subject", "guardian"]),
        metadata={"description": "Who said it; below the age of consent only a guardian's word counts"},
    )
    verification = _spelled(
        METHOD,
        "Lower-case letters, digits and _, at most 32.",
        load_default="",
        metadata={
            "description": "Of a guardian: how their responsibility was verified, such as `card` or `signed_form`"
        },
    )
    evidence = Json(metadata={"description": "What proves it (form, wording, document): kept sealed"})

    @validates_schema
    def _named_notice(self, data: dict[str, Any], **_: Any) -> None:
        if (data.get("actor") == "guardian") != bool(data.get("verification")):
            raise ValidationError("Of a guardian say how it was verified, and only of one (GDPR 8(2)).", "verification")
        if data.get("status") != "refused":
            for name in ("notice", "notice_version", "language"):
                if not data.get(name):
                    raise ValidationError("Say which notice, version and language was shown.", name)


class RecordedSchema(Strict):
    """The record that was written."""

    record_id = fields.String()
    confirm_url = fields.String(metadata={"description": "Double opt-in: the link to send to the contact point"})


class WithdrawSchema(Strict):
    """Who withdraws, and what; nothing named = everything."""

    identifier = fields.Nested(IdentifierSchema, required=True)
    purpose = Name()
    channel = Channel()


class WithdrawnSchema(Strict):
    """What was withdrawn, and from when on no page holds the person for it."""

    withdrawn = fields.List(fields.String())
    effective_at = fields.DateTime()


class PastQuery(Strict):
    """The instant to answer for."""

    as_of = Instant(metadata={"description": "What had been received by then; left out: now"})
    subject = Text(
        validate=validate.Length(1, 64), metadata={"description": "Pseudonym that this client's recipient was given"}
    )


class PastBody(Strict):
    """Whom to answer about, and for which instant."""

    identifier = fields.Nested(IdentifierSchema, required=True)
    as_of = Instant()


class RecordSchema(Strict):
    """One consent record."""

    record_id = fields.String()
    purpose = fields.String()
    channel = fields.String()
    status = fields.String()
    notice = fields.String()
    notice_version = fields.String()
    language = fields.String()
    method = fields.String()
    event_time = fields.DateTime()
    received_time = fields.DateTime()


class RecordsSchema(Strict):
    """What was said, oldest first."""

    data = fields.List(fields.Nested(RecordSchema))
    as_of = fields.DateTime()
    next_cursor = fields.String(allow_none=True)


@blueprint.post("")
@requires("consent:write")
@blueprint.arguments(StatementSchema)
@blueprint.response(201, RecordedSchema)
def record(body: dict[str, Any]) -> Response:
    """Record what somebody said

    `requested` begins a double opt-in and answers `confirm_url`; once more within seven days is its reminder, and
    a third time is 409 `reminder_sent`. An unknown identifier makes a subject.
    """
    channel = asking.channel_of(asking.registered_purpose(body["purpose"]), body.get("channel"))
    _check_notice(body)

    def act(session: Session) -> dict[str, Any]:
        known = identifiers.spelled(session, body["identifier"], claims=True)
        _check_contact(channel, known)
        return _record(session, _statement(session, body, channel, known), known)

    def wait(answered: dict[str, Any]) -> dict[str, Any]:
        with current.database().snapshot() as session:
            subjects = consent.said_for(session, [answered["record_id"]])
        gate.wait_until_clear(current.database(), subjects)
        return answered

    return idempotency.once(act, 201, wait if body["status"] == "refused" else None)


@blueprint.post("/withdraw")
@requires("consent:write")
@blueprint.arguments(WithdrawSchema)
@blueprint.response(200, WithdrawnSchema)
def withdraw(body: dict[str, Any]) -> Response:
    """Withdraw consent

    When it answers, it holds: no page asked for afterwards has the person, and none is still on its way.
    An unknown contact point is silenced, and answers an empty list.
    """
    if "purpose" in body:
        asking.known_purpose(body["purpose"])
    asking.check_channel(body.get("channel"))

    def act(session: Session) -> dict[str, Any]:
        records, _ = consent.withdraw(
            session,
            _point(session, body["identifier"]),
            current.now(),
            purpose=body.get("purpose"),
            channel=body.get("channel"),
            source=SOURCE,
        )
        return {"withdrawn": records}

    def wait(answered: dict[str, Any]) -> dict[str, Any]:
        with current.database().snapshot() as session:
            subjects = consent.said_for(session, answered["withdrawn"])
        effective_at = gate.wait_until_clear(current.database(), subjects)
        return {**answered, "effective_at": effective_at.isoformat()}

    return idempotency.once(act, 200, wait)


@blueprint.get("")
@requires("consent:write")
@blueprint.arguments(PastQuery, location="query")
@blueprint.response(200, RecordsSchema)
@blueprint.alt_response(404, "NOT_FOUND")
@blueprint.doc(
    parameters=[
        {
            "in": "header",
            "name": IDENTIFIER_HEADER,
            "schema": {"type": "string"},
            "description": 'JSON, ASCII: `{"type": "email", "value": "…"}`; a URL is no place for it',
        }
    ]
)
def read(query: dict[str, Any]) -> Response:
    """Read what somebody said

    By `subject`, or by the identifier in the header `Sekisho-Identifier`; POST /api/consents/lookup
    takes the identifier in its body.
    """
    with current.database().transaction() as session:
        return _said(session, _person_of_request(session, query), query)


@blueprint.post("/lookup")
@requires("consent:write")
@blueprint.arguments(PastBody)
@blueprint.response(200, RecordsSchema)
@blueprint.alt_response(404, "NOT_FOUND")
def look_up(body: dict[str, Any]) -> Response:
    """Read what somebody said, named in the body"""
    with current.database().transaction() as session:
        return _said(session, identifiers.find(session, body["identifier"]), body)


def _point(session: Session, named: Mapping[str, Any]) -> consent.Point:
    return _point_of(session, identifiers.spelled(session, named))


def _point_of(session: Session, known: Canonical) -> consent.Point:
    return consent.point(session, known.namespace, known.scope, known.value)


def _record(session: Session, statement: consent.Statement, known: Canonical) -> dict[str, Any]:
    at = current.now()
    # The client vouches for the address like a source with a server key; one to be confirmed joins nothing yet.
    vouched = replace(known, verified=statement.status != "requested")
    if statement.status == "refused" and statement.token:  # the no is everybody's who has the point, or brings it now
        consent.hold(session, _point_of(session, known))
    attached = identity.attach(session, [identity.Arrival(SOURCE, (vouched,))], at)
    _check_not_erased(session, known, attached.made)
    subject = attached.subjects[0]
    if statement.token:  # where it stands now that nobody can bring it under another key of the index
        statement = replace(statement, token=_point_of(session, known).token)
    if statement.status != "requested":
        return {"record_id": consent.record(session, subject, statement, at)}
    record_id, token = consent.request(session, subject, statement, at)
    base = current.deployment().settings.base_url.rstrip("/")
    return {"record_id": record_id, "confirm_url": f"{base}/privacy/confirm/{token}"}


def _statement(session: Session, body: Mapping[str, Any], channel: str, known: Canonical) -> consent.Statement:
    point = _point_of(session, known)
    is_contact = known.namespace in CONTACT_CHANNELS.get(channel, ())
    purpose = current.policy().purposes[body["purpose"]]
    return consent.Statement(
        purpose=purpose.name,
        channel=channel,
        status=body["status"],
        method=body["method"],
        event_time=body.get("event_time") or current.now(),
        source=SOURCE,
        namespace=known.namespace if is_contact else "",
        token=point.token if is_contact else b"",
        notice=body["notice"],
        notice_version=body["notice_version"],
        language=body["language"],
        actor=body["actor"],
        verification=body["verification"],
        verified=True,
        brand=purpose.brand,
        proof=json.dumps(body["evidence"]).encode() if "evidence" in body else b"",
        lifts=point.suppression_token if is_contact else b"",
    )


def _check_notice(body: Mapping[str, Any]) -> None:
    key = (body["notice"], body["notice_version"], body["language"])
    if not any(key):
        return
    declared = current.policy().notices.get(key)
    if declared is None or body["purpose"] not in declared.purposes:
        errors = [FieldError("/notice", "No such version of this notice, in this language, for this purpose.")]
        raise Problem(400, "unknown_notice", "The policy declares no such notice for this purpose.", errors)


def _check_contact(channel: str, known: Canonical) -> None:
    """Consent for a contact channel opens one contact point, so that it must name one (ruling R10)."""
    reached = CONTACT_CHANNELS.get(channel)
    if reached is not None and known.namespace not in reached:
        errors = [FieldError("/identifier/type", f"One of {', '.join(reached)} that this channel reaches.")]
        raise Problem(400, "contact_needed", "Consent for this channel is for one contact point: name it.", errors)


def _check_not_erased(session: Session, known: Canonical, made: Collection[int]) -> None:
    """An erased person starts anew through a source that readmits, never through here (ruling R11).

    Asked under the locks that `attach` took, so that an erasure cannot come between; `made` are the
    subjects that this very request made. Someone who has it again by such a source may consent.
    """
    erased = consent.suppressed_tokens(session, identity.silence_tokens(session, known), "erasure")
    if not erased:
        return
    back = (
        select(col(Identifier.subject))
        .join(Subject, col(Subject.number) == col(Identifier.subject))
        .join(Permission, col(Permission.person) == col(Subject.person))
        .where(
            col(Identifier.suppression_token).in_(sorted(erased)),
            col(Identifier.subject).not_in(made),
            col(Permission.erasing).is_(False),
        )
    )
    if session.scalar(back.limit(1)) is None:
        raise Problem(404, "not_found", "Nothing can be recorded for this identifier here.")


def _person_of_request(session: Session, query: Mapping[str, Any]) -> int | None:
    if "subject" in query:
        return gate.find_by_pseudonym(session, current.caller().recipient, query["subject"])
    try:
        named = json.loads(request.headers.get(IDENTIFIER_HEADER, "null"))
        return identifiers.find(session, IdentifierSchema().load(named))
    except (ValueError, ValidationError):
        detail = f"Name a subject, or an identifier in the header {IDENTIFIER_HEADER} (as JSON)."
        raise Problem(400, "identifier_needed", detail) from None


def _said(session: Session, person: int | None, asked: Mapping[str, Any]) -> Response:
    """Answer the records for purposes that the client is registered for; the reading is in the ledger."""
    if person is None:
        raise Problem(404, "not_found", "Nobody is known by this.")
    now = current.now()
    as_of = min(asked.get("as_of") or now, now)
    mine = [*current.caller().purposes, "*"]
    query = (
        select(ConsentRecord)
        .where(
            col(ConsentRecord.subject).in_(identity.subjects_of(session, person)),
            col(ConsentRecord.purpose).in_(mine),
        )
        .order_by(col(ConsentRecord.event_time), col(ConsentRecord.id))
    )
    if asked.get("as_of"):  # what is written counts now, also where a host whose clock is ahead wrote it
        query = query.where(col(ConsentRecord.received_time) <= as_of)
    data = [_shown(one) for one in session.scalars(query)]
    header = {"client": current.caller().client_id, "records": len(data), "person": asking.digest_of(session, person)}
    ledger.note(session, "consent.read", header, now)
    return jsonify(data=data, as_of=as_of.isoformat(), next_cursor=None)


def _shown(one: ConsentRecord) -> dict[str, Any]:
    return {
        "record_id": one.record,
        "purpose": one.purpose,
        "channel": one.channel,
        "status": one.status,
        "notice": one.notice,
        "notice_version": one.notice_version,
        "language": one.language,
        "method": one.method,
        "event_time": one.event_time.isoformat(),
        "received_time": one.received_time.isoformat(),
    }
