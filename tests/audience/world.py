"""A small policy and rows put straight into tables: what audiences and journeys read, without a door to come in by."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert
from sqlmodel import Session

from cdp.gate.model import Permission, PolicyVersion
from cdp.journey.model import Stage, Transition
from cdp.policy.terms import Basis, Controller, Law, Notice, Pack, Policy, Purpose, Recipient, TraitTerm, Use
from cdp.profile.model import Fact, Person, Subject

NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
ADA, BEN, CLEO, DEV, EVE = 1, 2, 3, 4, 5
VIEWED, ADDED, ORDERED, REFUNDED, SUPPORT = (
    "Product Viewed",
    "Product Added",
    "Order Completed",
    "Order Refunded",
    "Support Asked",
)

STANDARD = {
    "journey": "standard",
    "title": {"ja": "標準", "en": "Standard"},
    "stages": [
        {"key": key, "ja": key, "en": key} for key in ("awareness", "consideration", "purchase", "usage", "loyalty")
    ],
    "enter": {
        "rules": [
            {"to": "loyalty", "on": [ORDERED], "from": "any", "when": {"nth": 2}},
            {"to": "purchase", "on": [ORDERED], "from": "any"},
            {"to": "usage", "on": [SUPPORT], "from": ["purchase", "usage"]},
            {"to": "consideration", "on": [ADDED], "from": ["awareness", "consideration"]},
            {"to": "awareness", "on": [VIEWED], "from": ["awareness"]},
            {"to": "awareness", "on": [VIEWED, ADDED], "from": []},
        ]
    },
    "timeouts": [
        {"from": "consideration", "after": "P30D", "to": "awareness"},
        {"from": "purchase", "after": "P90D", "to": "usage"},
        {"from": "loyalty", "after": "P365D", "to": "usage"},
    ],
}

EMAIL = Use(0, "email_marketing", "staff", "email")
ABROAD = Use(1, "ads_sharing", "ad_platform", "ads")
SERVICE = Use(2, "service_delivery", "ad_platform", "email")


def make_policy(**changed: Any) -> Policy:
    """Build a policy of a few traits, one journey and three uses."""
    traits = [
        TraitTerm("plan", "account", "text", "t01", ("free", "pro")),
        TraitTerm("city", "account", "text", "t02"),
        TraitTerm("member", "account", "boolean", "t03"),
        TraitTerm("joined", "account", "date", "t04"),
        TraitTerm("points", "account", "number", "n01"),
        TraitTerm("country", "account", "country", ""),
        TraitTerm("phone", "contact", "text", ""),
    ]
    values: dict[str, Any] = {
        "digest": "test-policy",
        "controller": Controller("店", "Shop", "", "", "", ("JP",)),
        "purposes": {use.purpose: _purpose(use) for use in (EMAIL, ABROAD, SERVICE)},
        "recipients": {
            "staff": Recipient("staff", "internal", "JP", ()),
            "ad_platform": Recipient("ad_platform", "third_party", "US", ()),
        },
        "notices": {("privacy", "1", "ja"): _notice()},
        "categories": {},
        "traits": {term.name: term for term in traits},
        "namespaces": {},
        "blocked_values": (),
        "packs": {
            Law.GDPR: Pack(Law.GDPR, frozenset({"DE"}), (), 16, frozenset({"JP"}), (("JP", date.min, date.max),)),
            Law.APPI: Pack(Law.APPI, frozenset({"JP"}), (), 16, frozenset()),
        },
        "uses": (EMAIL, ABROAD, SERVICE),
        "audiences": {"everyone": {"name": "everyone", "purpose": "email_marketing", "rule": {"everyone": True}}},
        "journeys": {"standard": STANDARD},
        "events": {name: {} for name in (VIEWED, ADDED, ORDERED, REFUNDED, SUPPORT)},
    }
    return Policy(**{**values, **changed})


def _notice() -> Notice:
    told = tuple(use.purpose for use in (EMAIL, ABROAD, SERVICE))
    return Notice("privacy", "1", "ja", "", True, date(2020, 1, 1), told, ("ad_platform",))


def _purpose(use: Use) -> Purpose:
    kind = {"email_marketing": "direct_marketing", "ads_sharing": "third_party_sharing"}.get(use.purpose, "essential")
    bases = ((Law.GDPR, Basis("consent")), (Law.APPI, Basis("consent")))
    return Purpose(use.purpose, kind, (use.channel,), (), (use.recipient,), "", bases)


@dataclass
class Row:
    """One person of a test: subjects, slots, facts, and what the gate would have written."""

    person: int
    subjects: tuple[int, ...] = ()
    slots: Mapping[str, Any] = field(default_factory=dict)
    facts: list[dict[str, Any]] = field(default_factory=list)
    code: int | None = 0
    """The gate's byte for every use; None = nobody has decided."""
    laws: Law = Law.APPI
    gate: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.subjects = self.subjects or (self.person,)


def happened(kind: str, ago: timedelta = DAY, subject: int | None = None, **more: Any) -> dict[str, Any]:
    """Describe one fact so long before `NOW`."""
    return {"kind": kind, "at": NOW - ago, "subject": subject, **more}


def ordered(amount: int, currency: str = "JPY", ago: timedelta = DAY, **more: Any) -> dict[str, Any]:
    return happened(ORDERED, ago, amount=amount, currency=currency, **more)


def fill(session: Session, rows: Iterable[Row]) -> None:
    """Put these people, and nobody else, into the tables."""
    for table in (Stage, Transition, Permission, Fact, Person, Subject, PolicyVersion):
        session.execute(delete(table))
    session.info.pop("policy_versions", None)
    session.execute(insert(PolicyVersion), {"id": 1, "digest": session.info["policy"].digest, "at": NOW})
    for row in rows:
        add(session, row)


def add(session: Session, row: Row) -> None:
    """Put one person into the tables."""
    for number in row.subjects:
        session.execute(insert(Subject), _subject(number, row.person))
    session.execute(insert(Person), {"person": row.person, "first_at": NOW, **row.slots})
    for fact in row.facts:
        add_fact(session, {**fact, "subject": fact["subject"] or row.subjects[-1]})
    if row.code is not None:
        session.execute(insert(Permission), _permission(row))


_facts_made = 0


def add_fact(session: Session, fact: Mapping[str, Any]) -> bytes:
    """Store one fact; returns its reference."""
    global _facts_made
    _facts_made += 1
    ref = fact.get("ref") or _facts_made.to_bytes(16, "big")
    stored = {"ref": ref, "source": "shop", "received_at": NOW, "sealed": b"x", "channel": "web", **fact}
    session.execute(insert(Fact), {**stored, "ref": ref})
    return ref


def _subject(number: int, person: int) -> dict[str, Any]:
    return {
        "number": number,
        "person": person,
        "source": "shop",
        "fingerprint": number.to_bytes(16, "big"),
        "first_at": NOW,
        "residence_default": "",
    }


def _permission(row: Row) -> dict[str, Any]:
    return {
        "person": row.person,
        "policy": 1,
        "laws": int(row.laws),
        "restricted": False,
        "erasing": False,
        "codes": bytes([row.code or 0] * 3),
        "holds_until": NOW + DAY,
        "next_change_at": NOW + DAY,
        "settled_at": NOW,
        **row.gate,
    }
