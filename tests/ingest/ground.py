"""A small shop: its policy, its sources, and what they bring. Ada consented, Ben withdrew, Cleo was never asked."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from cdp import gate, profile
from cdp.connector.kit import Claim, EventTerm, Item, SourceConfig
from cdp.db import Database
from cdp.policy.terms import Basis, Controller, Law, Namespace, Pack, Policy, Purpose, Recipient, TraitTerm, Use
from cdp.profile.model import Subject
from cdp.vault import Keyring, Vault

NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

NAMESPACES = {
    "crm_id": Namespace("crm_id", "link", 1, limit=1, per_scope=True, unique=True, verified_only=True),
    "user_id": Namespace("user_id", "link", 1, limit=1, unique=True, verified_only=True),
    "line_uid": Namespace("line_uid", "link", 2, limit=1, per_scope=True, unique=True, verified_only=True),
    "email": Namespace("email", "link", 3, limit=5, max_degree=6, verified_only=True),
    "phone": Namespace("phone", "link", 5, limit=3, max_degree=20, verified_only=True),
    "anonymous_id": Namespace("anonymous_id", "link", 9, limit=50, max_degree=60),
    "note": Namespace("note", "attribute", 9),
}

TRAITS = {
    term.name: term
    for term in (
        TraitTerm("tier", "membership", "text", "t03", ("regular", "gold")),
        TraitTerm("loyalty_points", "membership", "number", "n01"),
        TraitTerm("country", "region", "country"),
        TraitTerm("full_name", "name", "text"),
        TraitTerm("birthday", "birth", "birthday"),
        TraitTerm("address", "address", "address"),
    )
}

BLOCKED = (r"^[\s\W0_]*$", "^(anonymous|unknown)$", "^test@")

SITE = SourceConfig(
    name="site",
    events={
        "Product Viewed": EventTerm(("sku",), ("analytics",), "web"),
        "Order Completed": EventTerm(
            ("order_id", "total", "currency", "products.sku"), ("service_delivery", "analytics"), "web"
        ),
        "Order Refunded": EventTerm(("order_id", "total", "currency"), ("service_delivery",), "web"),
        "Newsletter Subscribed": EventTerm((), ("email_marketing",), "web"),
    },
    traits=tuple(TRAITS),
    purposes=("service_delivery",),
    residence_default="JP",
    notice="banner",
    notice_version="1",
    language="ja",
    method="banner",
)
CRM = replace(SITE, name="crm", readmits=False)
SHOP = replace(SITE, name="shop", readmits=True)
BROWSER = replace(SITE, name="browser", public=True)


def make_policy(**changed: Any) -> Policy:
    """Build the shop's policy: one purpose that needs no consent, and two that do."""
    uses = tuple(Use(number, one.name, "staff", one.channels[0]) for number, one in enumerate(PURPOSES.values()))
    values: dict[str, Any] = {
        "digest": "shop",
        "controller": Controller("店", "Shop", "", "", "", ("JP",)),
        "purposes": PURPOSES,
        "recipients": {"staff": Recipient("staff", "internal", "JP", ())},
        "notices": {},
        "categories": {term.category: {"gdpr_class": "ordinary", "appi_class": "ordinary"} for term in TRAITS.values()},
        "traits": TRAITS,
        "namespaces": NAMESPACES,
        "blocked_values": BLOCKED,
        "packs": {
            Law.GDPR: Pack(Law.GDPR, frozenset({"DE"}), (), 16, frozenset({"JP"}), (("JP", date.min, date.max),)),
            Law.APPI: Pack(Law.APPI, frozenset({"JP"}), (), 16, frozenset()),
        },
        "uses": uses,
        "audiences": {},
        "journeys": {},
    }
    return Policy(**{**values, **changed})


def _purpose(name: str, kind: str, gdpr: str, appi: str, channels: tuple[str, ...]) -> Purpose:
    bases = ((Law.GDPR, Basis(gdpr)), (Law.APPI, Basis(appi)))
    return Purpose(name, kind, channels, (), ("staff",), "", bases)


PURPOSES = {
    purpose.name: purpose
    for purpose in (
        _purpose("service_delivery", "essential", "contract", "contract", ("email",)),
        _purpose("analytics", "analytics", "consent", "notified_purpose", ("web",)),
        _purpose("email_marketing", "direct_marketing", "consent", "consent", ("email",)),
    )
}


def furnish(database: Database, folder: Path) -> Database:
    """Give a database a vault, the shop's policy, and who settles."""
    database.context["vault"] = Vault(Keyring.create(f"file:{folder / 'keys' / 'keyring.json'}", ""))
    database.context["policy"] = make_policy()
    database.settlers = [("profile", profile.settle), ("gate", gate.settle)]
    gate.register_policy(database)
    return database


def email(value: str, verified: bool = True) -> Claim:
    return Claim("email", value, "", verified)


def claims(**values: str) -> tuple[Claim, ...]:
    return tuple(Claim(name, value, verified=True) for name, value in values.items())


def item(*named: Claim, event: str = "", message: str = "", at: datetime = NOW - 60 * MINUTE, **more: Any) -> Item:
    return Item(at=at, claims=named, message_id=message, event=event, **more)


def viewed(*named: Claim, message: str = "", sku: str = "SKU-1", **more: Any) -> Item:
    return item(*named, event="Product Viewed", message=message, properties={"sku": sku}, **more)


def ordered(*named: Claim, message: str = "", total: Any = 1200, **more: Any) -> Item:
    properties = {"total": total, "currency": "JPY", "products": [{"sku": "SKU-1", "name": "not declared"}]}
    return item(*named, event="Order Completed", message=message, properties=properties, **more)


def partition(session: Session) -> set[frozenset[bytes]]:
    """Return who is one person, by the fingerprints of the subjects: the same in every order of arrival."""
    people: dict[int, set[bytes]] = {}
    for person, name in session.execute(select(col(Subject.person), col(Subject.fingerprint))):
        people.setdefault(person, set()).add(bytes(name))
    return {frozenset(names) for names in people.values()}


def rows(session: Session, table: Any, *order: Any) -> list[Any]:
    return list(session.scalars(select(table).order_by(*order)))
