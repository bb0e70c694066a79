"""Links that act for whoever holds the contact point: unsubscribe (RFC 8058) and double opt-in (ruling R14).

A link carries no identifier: an unsubscribe token is sealed, a confirmation token is random and
only its keyed digest is stored.
"""

import base64
import binascii
import json
import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from cdp import identity, vault
from cdp.consent import records
from cdp.consent.model import ConsentRecord
from cdp.consent.records import Statement
from cdp.consent.withdrawal import Point, withdraw
from cdp.errors import CiphertextCorrupt, Problem
from cdp.identity import graph
from cdp.identity.model import Identifier
from cdp.identity.rules import TokenKey

CONFIRM_WITHIN = timedelta(days=7)

LETTERS = 2
"""How often a confirmation may be asked for within that time: once, and one reminder (ruling R14)."""

_LINK = "unsubscribe link"


def unsubscribe_token(keys: vault.Vault, point: Point, channel: str, brand: str = "") -> str:
    """Make the token of a link that silences this contact point on this channel."""
    said = {
        "namespace": point.namespace,
        "token": point.token.hex(),
        "suppression": point.suppression_token.hex(),
        "channel": channel,
        "brand": brand,
    }
    sealed = keys.seal_credentials(_LINK, json.dumps(said).encode())
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def read_unsubscribe_token(session: Session, token: str) -> tuple[Point, str, str]:
    """Return the contact point, channel and brand of a link; raises Problem 404 for one that is not ours."""
    try:
        sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        said: dict[str, Any] = json.loads(vault.of(session).open_credentials(_LINK, sealed))
    except (binascii.Error, ValueError, CiphertextCorrupt):
        raise Problem(404, "unknown_link", "This link is not one of ours, or was damaged on its way.") from None
    point = Point(said["namespace"], bytes.fromhex(said["token"]), bytes.fromhex(said["suppression"]))
    return point, str(said["channel"]), str(said.get("brand", ""))


def unsubscribe(session: Session, token: str, at: datetime, every_brand: bool = False) -> set[int]:
    """Silence the link's contact point on its channel, for its brand or every one; returns the subjects behind it."""
    point, channel, brand = read_unsubscribe_token(session, token)
    said = "" if every_brand else brand
    _, subjects = withdraw(
        session, point, at, channel=channel, method="one_click", source="unsubscribe_link", scoped=True, brand=said
    )
    return subjects


def request(session: Session, subject: int, statement: Statement, at: datetime) -> tuple[str, str]:
    """Record that consent was asked for; returns the record id and the token of the confirmation link.

    A second request for the same while the first waits is the reminder, whose link works as the first does. Raises
    Problem 409 `reminder_sent` for a third: it cannot answer the same link again, of which only a digest is kept,
    and a new one would be another letter to somebody who did not react to two.
    """
    graph.lock_subjects(session, [subject])  # requests at once would each count without the others
    if _waiting(session, subject, statement, at) >= LETTERS:
        raise Problem(409, "reminder_sent", _SENT)
    token = secrets.token_urlsafe(32)
    asked = replace(statement, status="requested", confirm_digest=_digest(session, token))
    return records.record(session, subject, asked, at), token


_SENT = "A confirmation and its reminder went out within seven days, and nobody reacted: no third letter is sent."


def _waiting(session: Session, subject: int, statement: Statement, at: datetime) -> int:
    """Count the requests for the same that can still be confirmed, and were not followed by a yes."""
    same = [col(ConsentRecord.purpose) == statement.purpose, col(ConsentRecord.channel) == statement.channel]
    if statement.token:
        same += [col(ConsentRecord.namespace) == statement.namespace, col(ConsentRecord.token) == statement.token]
    else:
        same += [col(ConsentRecord.subject) == subject]
    proved = (col(ConsentRecord.status) == "given", col(ConsentRecord.evidence) == "full")
    yes = session.scalar(select(func.max(col(ConsentRecord.id))).where(*same, *proved))
    waiting = select(func.count()).where(
        *same,
        col(ConsentRecord.status) == "requested",
        col(ConsentRecord.confirm_digest).is_not(None),
        col(ConsentRecord.received_time) >= at - CONFIRM_WITHIN,
        col(ConsentRecord.id) > (yes or 0),
    )
    return session.scalar(waiting) or 0


def confirm(session: Session, token: str, at: datetime) -> str:
    """Turn a confirmed request into consent, and let its contact point join records from now on; returns the record id.

    Until then anybody could have typed the address, so that it joined nothing. Confirming twice gives the same
    consent. Raises Problem 404 for an unknown or late token (7 days).
    """
    request, held = _requested(session, token, at), set[TokenKey]()
    # Again once they are locked: the address may have gone to another key of the index while we waited.
    while not held >= (keys := identity.proved(session, request.subject, request.namespace, request.token)):
        graph.lock_tokens(session, keys)
        request, held = _requested(session, token, at), keys
    if not graph.lock_subjects(session, [request.subject]):
        raise Problem(404, "unknown_link", "This confirmation link is of somebody who is not known any more.")
    done = _earlier(session, request) or records.record(session, request.subject, _confirmed(session, request, at), at)
    identity.vouch(session, request.subject, request.namespace, request.token, at, "confirmed")
    return done


def _requested(session: Session, token: str, at: datetime) -> ConsentRecord:
    """Read the request that a link confirms, as it stands now; raises Problem 404."""
    query = select(ConsentRecord).where(col(ConsentRecord.confirm_digest) == _digest(session, token))
    asked = session.scalars(query.execution_options(populate_existing=True)).all()
    request = next((one for one in asked if one.status == "requested"), None)
    if request is None or request.received_time + CONFIRM_WITHIN < at:
        raise Problem(404, "unknown_link", "This confirmation link is not known, or is older than seven days.")
    return request


def _earlier(session: Session, request: ConsentRecord) -> str | None:
    """Return the consent that this request already became."""
    return session.execute(
        select(col(ConsentRecord.record)).where(
            col(ConsentRecord.subject) == request.subject,
            col(ConsentRecord.method) == "double_opt_in",
            col(ConsentRecord.event_time) >= request.event_time,
            col(ConsentRecord.purpose) == request.purpose,
            col(ConsentRecord.token) == request.token,
        )
    ).scalar()


def _confirmed(session: Session, request: ConsentRecord, at: datetime) -> Statement:
    return Statement(
        purpose=request.purpose,
        channel=request.channel,
        status="given",
        method="double_opt_in",
        event_time=at,
        source=request.source,
        namespace=request.namespace,
        token=request.token,
        notice=request.notice,
        notice_version=request.notice_version,
        language=request.language,
        notice_sha256=request.notice_sha256,
        verified=True,
        brand=request.brand,
        lifts=_suppression_token(session, request),
    )


def _suppression_token(session: Session, request: ConsentRecord) -> bytes:
    found = session.scalar(
        select(col(Identifier.suppression_token)).where(
            col(Identifier.subject) == request.subject,
            col(Identifier.namespace) == request.namespace,
            col(Identifier.token) == request.token,
        )
    )
    return found or b""


def _digest(session: Session, token: str) -> bytes:
    return vault.of(session).digest("confirm", token.encode())
