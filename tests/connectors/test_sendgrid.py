"""SendGrid's event webhook, its signatures checked against the vendor's own library."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sendgrid.helpers.eventwebhook import EventWebhook

from cdp.connector.kit import Item
from cdp.errors import Problem, Refusal
from tests.connectors.desk import NOW, TYPES, configured, incoming, only, read

KEY = ec.generate_private_key(ec.SECP256R1())


def public(key: Any) -> str:
    return base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def sign(body: bytes, stamp: str, key: ec.EllipticCurvePrivateKey = KEY) -> str:
    return base64.b64encode(key.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()


SENDGRID = configured("sendgrid", public_key=public(KEY))
STAMP = str(int(NOW.timestamp()))


def event(kind: str, **more: Any) -> dict[str, Any]:
    return {
        "email": "ada@example.com",
        "event": kind,
        "timestamp": int(NOW.timestamp()) - 60,
        "sg_event_id": f"event-{kind}",
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001",
    } | more


def take(kind: str, **more: Any) -> Item:
    return only(read(SENDGRID, incoming([event(kind, **more)])))


def verify(body: bytes, signature: str, stamp: str, key: str = public(KEY)) -> Refusal | None:
    headers = {"x-twilio-email-event-webhook-signature": signature, "x-twilio-email-event-webhook-timestamp": stamp}
    return TYPES["sendgrid"].source.verify(incoming(body, **headers), {"public_key": key}, NOW)


def test_our_check_and_the_vendors_library_agree() -> None:
    theirs = EventWebhook(public(KEY))
    body = json.dumps([event("open")]) + "\r\n"
    good, bad = sign(body.encode(), STAMP), sign(b"another", STAMP)
    assert theirs.verify_signature(body, good, STAMP) and verify(body.encode(), good, STAMP) is None
    assert not theirs.verify_signature(body, bad, STAMP)
    assert verify(body.encode(), bad, STAMP) == Refusal("signature_wrong", "x-twilio-email-event-webhook-signature")


@pytest.mark.parametrize(
    "signature", ["AAAA", "!", "é", base64.b64encode(b"\x30\x06\x02\x01\x00\x02\x01\x00").decode()]
)
def test_what_is_no_signature_is_refused(signature: str) -> None:
    assert verify(b"[]", signature, STAMP) == Refusal("signature_wrong", "x-twilio-email-event-webhook-signature")


def test_a_missing_header_is_refused() -> None:
    assert verify(b"[]", "", STAMP) == verify(b"[]", sign(b"[]", STAMP), "")


@pytest.mark.parametrize(("seconds", "fresh"), [(0, True), (599, True), (-599, True), (601, False), (-601, False)])
def test_a_signature_is_good_for_ten_minutes(seconds: int, fresh: bool) -> None:
    stamp = str(int(NOW.timestamp()) - seconds)
    assert (verify(b"[]", sign(b"[]", stamp), stamp) is None) is fresh


@pytest.mark.parametrize("stamp", ["now", "-1", "1e9", "٣"])
def test_a_signed_time_that_is_none_is_stale(stamp: str) -> None:
    refusal = verify(b"[]", sign(b"[]", stamp), stamp)
    assert refusal is not None and refusal.reason == "timestamp_stale"


@pytest.mark.parametrize(
    "key",
    ["AAAA", public(ed25519.Ed25519PrivateKey.generate()), public(ec.generate_private_key(ec.SECP384R1()))],
    ids=["none", "ed25519", "another curve"],
)
def test_a_key_of_another_kind_verifies_nothing(key: str) -> None:
    assert verify(b"[]", sign(b"[]", STAMP), STAMP, key) is not None


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("delivered", "Email Delivered"),
        ("open", "Email Opened"),
        ("click", "Email Clicked"),
        ("dropped", "Email Dropped"),
        ("unsubscribe", "Email Unsubscribed"),
        ("group_unsubscribe", "Email Unsubscribed"),
        ("spamreport", "Email Reported Spam"),
        ("bounce", "Email Bounced"),
        ("processed", "processed"),
    ],
)
def test_each_event_has_its_name(kind: str, name: str) -> None:
    item = take(kind)
    assert (item.event, item.message_id, item.channel) == (name, f"event-{kind}", "email")
    assert [(claim.type, claim.value) for claim in item.claims] == [("email", "ada@example.com")]


@pytest.mark.parametrize(
    ("kind", "more", "silence", "withdraws"),
    [
        ("unsubscribe", {}, "unsubscribe", True),
        ("group_unsubscribe", {"asm_group_id": 1}, "unsubscribe", True),
        ("spamreport", {}, "complaint", True),
        ("bounce", {"type": "bounce"}, "bounce", False),
        ("bounce", {}, "bounce", False),
        ("bounce", {"type": "blocked"}, "", False),
        ("dropped", {"reason": "Bounced Address"}, "", False),
        ("group_resubscribe", {}, "", False),
        ("open", {}, "", False),
    ],
)
def test_whoever_leaves_or_cannot_be_reached_is_left_alone(
    kind: str, more: dict, silence: str, withdraws: bool
) -> None:
    item = take(kind, **more)
    assert [(one.channel, one.reason) for one in item.silences] == ([("email", silence)] if silence else [])
    assert [(one.purpose, one.status, one.act) for one in item.signals] == (
        [("email_marketing", "withdrawn", True)] if withdraws else []
    )


def test_the_address_is_in_no_property() -> None:
    assert "ada@example.com" not in str(take("click", url="https://shop.example.com").properties)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"email": ""}, "no_identifier"),
        ({"email": 3.5}, "identifier_malformed"),
        ({"event": None}, "event_name_missing"),
        ({"timestamp": None}, "timestamp_malformed"),
        ({"useragent": "x" * 40_000}, "too_large"),
    ],
)
def test_a_broken_event_is_refused_and_the_others_are_kept(wrong: dict[str, Any], reason: str) -> None:
    first, second = read(SENDGRID, incoming([event("open") | wrong, event("open")]))
    assert isinstance(first, Refusal) and first.reason == reason and first.where.startswith("/0")
    assert isinstance(second, Item)


def test_a_body_that_is_no_list_is_the_callers_mistake() -> None:
    with pytest.raises(Problem):
        read(SENDGRID, incoming({"events": []}))
