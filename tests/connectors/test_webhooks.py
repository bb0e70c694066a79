"""Vendors' webhooks at the real door: signed, twice, out of order, and forged."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlmodel import select
from werkzeug.test import TestResponse

from cdp.consent.model import ConsentRecord, Suppression
from tests.connectors.conftest import Shop

SECRET = "the channel's secret"
UID = "U" + "0123456789abcdef" * 2
KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = base64.b64encode(KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def line(shop: Shop, *events: dict[str, Any], secret: str = SECRET, name: str = "line") -> TestResponse:
    body = json.dumps({"destination": "U" + "f" * 32, "events": events}).encode()
    signature = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    return shop.post(f"/hooks/{name}", body, headers={"X-Line-Signature": signature})


def event(shop: Shop, type: str, place: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "type": type,
        "mode": "active",
        "timestamp": int(shop.clock.now().timestamp() * 1000) - 60_000 + place,
        "source": {"type": "user", "userId": UID},
        "webhookEventId": f"01F{type}{place}",
        "deliveryContext": {"isRedelivery": False},
    } | more


def mail(shop: Shop, *events: dict[str, Any], late: int = 0) -> TestResponse:
    body, stamp = json.dumps(events).encode(), str(int(shop.clock.now().timestamp()) - late)
    signature = base64.b64encode(KEY.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
    names = "X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp"
    return shop.post("/hooks/mail", body, headers=dict(zip(names, (signature, stamp), strict=True)))


@pytest.fixture
def line_shop(shop: Shop) -> Shop:
    shop.add("line", "line", channel_secret=SECRET, provider_id="provider-1")
    return shop


def said(shop: Shop) -> list[tuple[str, str, str]]:
    with shop.database.snapshot() as session:
        return [(one.purpose, one.channel, one.status) for one in session.exec(select(ConsentRecord))]


def test_the_address_told_is_the_one_that_answers(line_shop: Shop) -> None:
    assert line_shop.told["line"] == {"webhook_url": "https://cdp.example.com/hooks/line"}
    assert line(line_shop).status_code == 200


def test_a_delivery_counts_once_and_a_message_unsent_is_gone_in_any_order(line_shop: Shop) -> None:
    follow = event(line_shop, "follow")
    message = event(line_shop, "message", 1, message={"id": "m-1", "type": "text", "text": "secret words"})
    unsend = event(line_shop, "unsend", 2, unsend={"messageId": "m-1"})
    again = follow | {"deliveryContext": {"isRedelivery": True}}
    assert line(line_shop, follow, message).status_code == 200
    assert line_shop.facts() == ["Line Followed", "Line Message Received"]
    assert line(line_shop, again, unsend).status_code == 200
    assert line_shop.facts() == ["Line Followed"]
    assert line(line_shop, message).status_code == 200
    assert line_shop.facts() == ["Line Followed"]
    late = event(line_shop, "message", 3, message={"id": "m-2", "type": "text", "text": "x"})
    line(line_shop, event(line_shop, "unsend", 4, unsend={"messageId": "m-2"}))
    line(line_shop, late)
    assert line_shop.facts() == ["Line Followed"]


def test_following_says_nothing_and_unfollowing_says_no(line_shop: Shop) -> None:
    line(line_shop, event(line_shop, "follow"))
    assert said(line_shop) == []
    line(line_shop, event(line_shop, "unfollow", 1))
    assert said(line_shop) == [("line_marketing", "line", "withdrawn")]


def test_a_forged_delivery_gets_401_and_brings_nothing(line_shop: Shop) -> None:
    assert line(line_shop, event(line_shop, "follow"), secret="guess").status_code == 401
    assert line_shop.post("/hooks/line", {"events": []}).status_code == 401
    assert line_shop.post("/hooks/line/anything", {"events": []}).status_code == 404
    assert line_shop.app.test_client().get("/hooks/line").status_code == 405
    assert line_shop.facts() == []


def test_a_signed_delivery_that_is_no_delivery_is_the_vendors_mistake(line_shop: Shop) -> None:
    body = b"[]"
    signature = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
    assert line_shop.post("/hooks/line", body, headers={"X-Line-Signature": signature}).status_code == 400


def test_a_source_that_is_written_to_by_key_has_no_hook(line_shop: Shop) -> None:
    line_shop.add("site", "segment")
    assert line_shop.post("/hooks/site", {}).status_code == 404


def test_who_unsubscribes_complains_or_bounces_is_left_alone(shop: Shop) -> None:
    shop.add("mail", "sendgrid", public_key=PUBLIC)
    stamp = int(shop.clock.now().timestamp()) - 60
    events = [
        {
            "email": f"{kind}@example.com",
            "event": kind,
            "timestamp": stamp,
            "sg_event_id": f"e-{kind}",
            "type": "bounce",
        }
        for kind in ("delivered", "unsubscribe", "spamreport", "bounce")
    ]
    assert mail(shop, *events).status_code == 200
    assert mail(shop, *events[::-1]).status_code == 200
    with shop.database.snapshot() as session:
        silenced = [(one.channel, one.reason) for one in session.exec(select(Suppression))]
    assert sorted(silenced) == [("email", "bounce"), ("email", "complaint"), ("email", "unsubscribe")]
    assert said(shop) == [("email_marketing", "email", "withdrawn")] * 2
    assert mail(shop, *events, late=601).status_code == 401
