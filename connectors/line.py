"""LINE's Messaging API webhook: who follows, who left, who wrote; what was written only if declared.

Following is no consent to advertising unless the source declares the notice shown where people
follow; unfollowing is a withdrawal. `unsend` takes the message's fact back, as LINE demands.
"""

import base64
import hmac
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from cdp.connector.kit import Claim, Incoming, Item, Signal, SourceConfig, SourceType
from cdp.connector.mapping import at_path
from cdp.connector.reading import Malformed, as_list, as_object, as_text, flaw, read_json, size
from cdp.errors import Problem, Refusal

PURPOSE, CHANNEL = "line_marketing", "line"


class Line(SourceType):
    """A LINE official account."""

    def verify(self, incoming: Incoming, credentials: Mapping[str, str], at: datetime) -> Refusal | None:
        given = incoming.headers.get("x-line-signature", "")
        if not given:
            return Refusal("signature_missing", "X-Line-Signature")
        secrets = [credentials[name] for name in ("channel_secret", "previous_channel_secret") if credentials.get(name)]
        if any(
            hmac.compare_digest(sign(secret, incoming.body), given.encode("utf-8", "replace")) for secret in secrets
        ):
            return None
        return Refusal("signature_wrong", "X-Line-Signature")

    def welcome(self, config: SourceConfig) -> list[tuple[str, str]]:
        return [("webhook_url", "{webhook_url}")]

    def read(self, incoming: Incoming, config: SourceConfig) -> Iterator[Item | Refusal]:
        events = as_object(read_json(incoming.body)).get("events")
        if not isinstance(events, list):
            raise Problem(400, "events_missing", "The body must be a JSON object with a list `events`.")
        for number, event in enumerate(events):
            pointer = f"/events/{number}"
            try:
                yield _item(as_object(event), pointer, incoming, config)
            except Malformed as error:
                yield Refusal(error.reason, pointer + error.field)


def sign(secret: str, body: bytes) -> bytes:
    """Return the X-Line-Signature of the body: base64 of HMAC-SHA256 under the channel secret."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256"))


def _item(event: Mapping[str, Any], pointer: str, incoming: Incoming, config: SourceConfig) -> Item:
    if found := flaw(event):
        raise Malformed(found)
    if size(event) > incoming.event_limit:
        raise Malformed("too_large")
    kind = as_text(event.get("type"), "/type", "unknown_type")
    if not kind:
        raise Malformed("unknown_type", "/type")
    who = _claim(event, config)
    retracts = _message_key(at_path(event, "unsend.messageId")) if kind == "unsend" else ""
    return Item(
        at=min(_instant(event), incoming.at),
        claims=(who,),
        message_id=_message_key(at_path(event, "message.id"))
        or as_text(event.get("webhookEventId"), "/webhookEventId"),
        event="" if retracts else config.declared(kind),
        channel="none" if retracts else CHANNEL,
        properties={} if retracts else _properties(event),
        signals=tuple(_signals(kind, event, who, config)),
        retracts=retracts,
        pointer=pointer,
    )


def _message_key(number: Any) -> str:
    """Messages are keyed by their own id, since that is what `unsend` names; a redelivery has the same."""
    return f"message:{text}" if (text := as_text(number, "/message/id")) else ""


def _claim(event: Mapping[str, Any], config: SourceConfig) -> Claim:
    for term in config.identifiers:
        if value := as_text(at_path(event, term.field), "/source/userId"):
            return Claim(term.namespace, value, term.scope, term.verified)
    raise Malformed("no_identifier", "/source/userId")


def _instant(event: Mapping[str, Any]) -> datetime:
    stamp = event.get("timestamp")
    if isinstance(stamp, bool) or not isinstance(stamp, int) or not 0 < stamp < 2**43:
        raise Malformed("timestamp_malformed", "/timestamp")
    return datetime.fromtimestamp(stamp / 1000, UTC)


def _properties(event: Mapping[str, Any]) -> dict[str, Any]:
    """Flatten what a fact may keep; ingest keeps of it what the event declares, by default no text."""
    message = as_object(event.get("message"))
    flat = {f"message_{name}": message[name] for name in ("type", "text") if name in message}
    return {
        **flat,
        **{name: value for name, value in as_object(event.get("follow")).items() if name == "isUnblocked"},
        **{name: value for name, value in as_object(event.get("link")).items() if name == "result"},
        **({"emojis": len(as_list(message.get("emojis")))} if "emojis" in message else {}),
    }


def _signals(kind: str, event: Mapping[str, Any], who: Claim, config: SourceConfig) -> Iterator[Signal]:
    words = (config.notice, config.notice_version, config.language)
    if kind == "unfollow":
        yield Signal(PURPOSE, CHANNEL, "withdrawn", True, "unfollow", contact=who)
    # Whoever unblocks sees no notice again: only a first follow is an act under it.
    elif kind == "follow" and all(words) and at_path(event, "follow.isUnblocked") is not True:
        notice, version, language = words
        yield Signal(PURPOSE, CHANNEL, "given", True, config.method or "follow", notice, version, language, "full", who)
