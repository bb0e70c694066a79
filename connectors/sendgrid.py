"""SendGrid's Event Webhook: what became of mails, and who must be left alone.

Refuses what is not signed by the account's key (ECDSA P-256, SHA-256 over timestamp and body)
or was signed more than ten minutes away from now. A resubscription there is no consent here.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from cdp.connector.kit import Claim, Incoming, Item, Signal, Silence, SourceConfig, SourceType
from cdp.connector.mapping import at_path
from cdp.connector.reading import Malformed, as_object, as_text, flaw, read_json, size
from cdp.errors import Problem, Refusal

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
WINDOW = timedelta(minutes=10)
CHANNEL = "email"
SILENCES = {"unsubscribe": "unsubscribe", "group_unsubscribe": "unsubscribe", "spamreport": "complaint"}


class SendGrid(SourceType):
    """A SendGrid account that reports on the mails it sent."""

    def verify(self, incoming: Incoming, credentials: Mapping[str, str], at: datetime) -> Refusal | None:
        signature, stamp = incoming.headers.get(SIGNATURE, ""), incoming.headers.get(TIMESTAMP, "")
        if not signature or not stamp:
            return Refusal("signature_missing", SIGNATURE)
        if not _is_signed(credentials["public_key"], signature, stamp.encode("utf-8", "replace") + incoming.body):
            return Refusal("signature_wrong", SIGNATURE)
        if not stamp.isascii() or not stamp.isdigit() or abs(at.timestamp() - int(stamp[:12])) > WINDOW.total_seconds():
            return Refusal("timestamp_stale", TIMESTAMP)
        return None

    def welcome(self, config: SourceConfig) -> list[tuple[str, str]]:
        return [("webhook_url", "{webhook_url}")]

    def read(self, incoming: Incoming, config: SourceConfig) -> Iterator[Item | Refusal]:
        events = read_json(incoming.body)
        if not isinstance(events, list):
            raise Problem(400, "events_missing", "The body must be a JSON list of events.")
        for number, event in enumerate(events):
            try:
                yield _item(as_object(event), f"/{number}", incoming, config)
            except Malformed as error:
                yield Refusal(error.reason, f"/{number}{error.field}")


def _is_signed(public_key: str, signature: str, message: bytes) -> bool:
    try:
        key = load_der_public_key(base64.b64decode(public_key))
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            return False
        key.verify(base64.b64decode(signature, validate=True), message, ec.ECDSA(SHA256()))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _item(event: Mapping[str, Any], pointer: str, incoming: Incoming, config: SourceConfig) -> Item:
    if found := flaw(event):
        raise Malformed(found)
    if size(event) > incoming.event_limit:
        raise Malformed("too_large")
    kind = as_text(event.get("event"), "/event", "event_name_missing")
    if not kind:
        raise Malformed("event_name_missing", "/event")
    claims = tuple(_claims(event, config))
    mailbox = next((claim for claim in claims if claim.type == "email"), None)
    if mailbox is None:
        raise Malformed("no_identifier", "/email")
    return Item(
        at=min(_instant(event), incoming.at),
        claims=claims,
        message_id=as_text(event.get("sg_event_id"), "/sg_event_id"),
        event=config.declared(kind),
        channel=CHANNEL,
        properties={
            name: value for name, value in event.items() if name not in ("email", "event", "timestamp", "sg_event_id")
        },
        signals=tuple(_signals(kind, mailbox, config)),
        silences=tuple(_silences(kind, event, mailbox)),
        pointer=pointer,
    )


def _claims(event: Mapping[str, Any], config: SourceConfig) -> Iterator[Claim]:
    for term in config.identifiers:
        if value := as_text(at_path(event, term.field), f"/{term.field}"):
            yield Claim(term.namespace, value, term.scope, term.verified)


def _instant(event: Mapping[str, Any]) -> datetime:
    stamp = event.get("timestamp")
    if isinstance(stamp, bool) or not isinstance(stamp, int) or not 0 < stamp < 2**33:
        raise Malformed("timestamp_malformed", "/timestamp")
    return datetime.fromtimestamp(stamp, UTC)


def _signals(kind: str, mailbox: Claim, config: SourceConfig) -> Iterator[Signal]:
    if kind in SILENCES:
        yield Signal(config.settings["purpose"], CHANNEL, "withdrawn", True, kind, contact=mailbox)


def _silences(kind: str, event: Mapping[str, Any], mailbox: Claim) -> Iterator[Silence]:
    if kind in SILENCES:
        yield Silence(mailbox, CHANNEL, SILENCES[kind])
    elif kind == "bounce" and event.get("type", "bounce") == "bounce":  # `blocked` passes with time
        yield Silence(mailbox, CHANNEL, "bounce")
