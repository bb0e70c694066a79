"""LINE's webhook, signed by the vendor's own library."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from linebot.v3.webhook import SignatureValidator, WebhookParser

from cdp.connector.kit import Claim, Item
from cdp.errors import Problem, Refusal
from tests.connectors.desk import NOW, TYPES, configured, incoming, only, read

SECRET = {"channel_secret": "the channel's secret"}
LINE = configured("line", provider_id="provider-1", **SECRET)
UID = "U" + "0123456789abcdef" * 2
STAMP = int(NOW.timestamp() * 1000) - 60_000


def event(type: str, **more: Any) -> dict[str, Any]:
    return {
        "type": type,
        "mode": "active",
        "timestamp": STAMP,
        "source": {"type": "user", "userId": UID},
        "webhookEventId": f"01FZ74A0TDDPYRVKNK77XKC3Z{type[0].upper()}",
        "deliveryContext": {"isRedelivery": False},
        "replyToken": "r" * 32,
    } | more


def delivered(*events: dict[str, Any]) -> dict[str, Any]:
    return {"destination": "U" + "f" * 32, "events": list(events)}


def take(type: str, config: Any = LINE, **more: Any) -> Item:
    return only(read(config, incoming(delivered(event(type, **more)))))


def signature(body: bytes, secret: str = SECRET["channel_secret"]) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def verify(body: bytes, given: str | None, **credentials: str) -> Refusal | None:
    headers = {} if given is None else {"x_line_signature": given}
    return TYPES["line"].source.verify(incoming(body, **headers), SECRET | credentials, NOW)


def test_what_lines_own_library_accepts_is_accepted() -> None:
    body = json.dumps(delivered(event("follow", follow={"isUnblocked": False})), ensure_ascii=False)
    given = signature(body.encode())
    assert SignatureValidator(SECRET["channel_secret"]).validate(body, given)
    parsed = WebhookParser(SECRET["channel_secret"]).parse(body, given)
    assert verify(body.encode(), given) is None
    assert parsed[0].source.user_id == only(read(LINE, incoming(body.encode()))).claims[0].value


@pytest.mark.parametrize("given", ["", "AAAA", "é", "=" * 44, signature(b"another body")])
def test_what_was_not_signed_by_line_is_refused(given: str) -> None:
    refusal = verify(b'{"events":[]}', given)
    assert refusal is not None and refusal.reason in ("signature_wrong", "signature_missing")
    assert verify(b"{}", None) == Refusal("signature_missing", "X-Line-Signature")


def test_a_secret_can_be_changed_without_losing_deliveries() -> None:
    assert verify(b"{}", signature(b"{}", "the old one"), previous_channel_secret="the old one") is None
    assert verify(b"{}", signature(b"{}", "the old one")) is not None
    assert verify(b"{}", signature(b"{}", ""), previous_channel_secret="") is not None


def test_the_verification_call_brings_nothing() -> None:
    assert read(LINE, incoming(delivered())) == []


def test_following_is_a_fact_and_no_consent() -> None:
    item = take("follow", follow={"isUnblocked": False})
    assert item.event == "Line Followed"
    assert item.claims == (Claim("line_uid", UID, "provider-1", True),)
    assert item.signals == ()


def test_following_under_a_declared_notice_is_consent_to_it() -> None:
    shown = configured("line", **SECRET, notice="line_friends", notice_version="2", language="ja")
    (signal,) = take("follow", shown, follow={"isUnblocked": False}).signals
    assert (signal.purpose, signal.channel, signal.status, signal.act) == ("line_marketing", "line", "given", True)
    assert (signal.notice, signal.notice_version, signal.language, signal.evidence) == (
        "line_friends",
        "2",
        "ja",
        "full",
    )
    assert take("follow", shown, follow={"isUnblocked": True}).signals == ()


def test_unfollowing_is_a_withdrawal_for_that_account() -> None:
    item = take("unfollow")
    (signal,) = item.signals
    assert item.event == "Line Unfollowed"
    assert (signal.purpose, signal.channel, signal.status, signal.act) == ("line_marketing", "line", "withdrawn", True)
    assert signal.contact == item.claims[0]


def test_a_messages_text_is_not_among_the_declared_fields() -> None:
    item = take("message", message={"id": "325708", "type": "text", "text": "private", "quoteToken": "q"})
    assert item.event == "Line Message Received"
    assert LINE.events[item.event].fields == ("message_type",)
    assert item.properties["message_type"] == "text"


def test_unsend_takes_back_exactly_the_message_it_names() -> None:
    message = take("message", message={"id": "325708", "type": "sticker"})
    unsent = take("unsend", unsend={"messageId": "325708"})
    assert unsent.retracts == message.message_id
    assert (unsent.event, unsent.properties) == ("", {})


def test_a_redelivery_has_the_same_name() -> None:
    first = take("message", message={"id": "325708", "type": "text", "text": "a"})
    again = take(
        "message", message={"id": "325708", "type": "text", "text": "a"}, deliveryContext={"isRedelivery": True}
    )
    assert first.message_id == again.message_id != ""
    assert take("follow").message_id == event("follow")["webhookEventId"]


def test_the_ids_of_unlike_events_never_meet() -> None:
    assert (
        take("message", message={"id": event("follow")["webhookEventId"], "type": "text"}).message_id
        != take("follow").message_id
    )


def test_linking_an_account_is_a_fact_without_its_nonce() -> None:
    item = take("accountLink", link={"result": "ok", "nonce": "n" * 20})
    assert (item.event, item.properties) == ("Line Account Linked", {"result": "ok"})


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"source": {"type": "group", "groupId": "C1"}}, "no_identifier"),
        ({"source": {"type": "user", "userId": ["U"]}}, "identifier_malformed"),
        ({"timestamp": "now"}, "timestamp_malformed"),
        ({"timestamp": 10**30}, "timestamp_malformed"),
        ({"type": None}, "unknown_type"),
        ({"postback": {"data": "x" * 40_000}}, "too_large"),
    ],
)
def test_a_broken_event_is_refused_and_the_others_are_kept(wrong: dict[str, Any], reason: str) -> None:
    first, second = read(LINE, incoming(delivered(event("follow") | wrong, event("follow"))))
    assert isinstance(first, Refusal) and first.reason == reason and first.where.startswith("/events/0")
    assert isinstance(second, Item)


def test_an_undeclared_event_keeps_its_vendors_name_for_the_count() -> None:
    assert take("videoPlayComplete", videoPlayComplete={"trackingId": "t"}).event == "videoPlayComplete"


def test_no_events_at_all_is_the_callers_mistake() -> None:
    with pytest.raises(Problem):
        read(LINE, incoming({"destination": "U"}))
