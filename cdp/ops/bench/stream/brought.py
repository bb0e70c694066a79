"""The feed as one source brings it: a collector that forwards what every system of the shop says, in order of time."""

from collections.abc import Iterable, Mapping
from typing import Any

from cdp.connector.kit import Claim, EventTerm, Item, SourceConfig
from cdp.identity import normalise
from cdp.ops.bench.matching.feed import feed
from cdp.ops.bench.matching.record import Identifier, Record

_TRAITS = {
    "family": "family_name",
    "given": "given_name",
    "family_kana": "family_name_kana",
    "given_kana": "given_name_kana",
    "birth_date": "birthday",
}
_EVENTS = {"web": "Product Viewed", "app": "Screen Viewed", "email": "Email Clicked", "kiosk": "Signed In"}
"""What a record of each system tells; those of all others state traits alone, or nothing but identifiers."""
RECORDS_EACH = 5
"""Records that a person leaves, at least: of a larger feed the first part, by time, would hold most people once."""

COLLECTOR = SourceConfig(
    name="collector",
    events={name: EventTerm(("sku", "page"), ("service_delivery",), "web") for name in _EVENTS.values()},
    traits=(*_TRAITS.values(), "address"),
    purposes=("service_delivery",),
    residence_default="JP",
    actor="subject",
)


def items(records: int, seed: int = 1) -> list[Item]:
    """Return so many records of the feed as items, oldest first."""
    drawn = sorted(feed(round(records / RECORDS_EACH) + 5, seed), key=lambda one: (one.at, one.key))
    return [_item(one) for one in drawn[:records]]


def _item(record: Record) -> Item:
    return Item(
        at=record.at,
        claims=tuple(_claims(record.identifiers, record.region)),
        message_id=record.key,
        event=_EVENTS.get(record.source, ""),
        properties={"sku": f"SKU-{len(record.key)}", "page": "/item"} if record.source in _EVENTS else {},
        traits=_traits(record.attributes),
    )


def _claims(identifiers: Iterable[Identifier], region: str) -> Iterable[Claim]:
    for one in identifiers:
        # One source reads numbers in one region: those of other countries it sends in the international spelling.
        value = normalise(one.namespace, one.value, region) if one.namespace == "phone" else None
        yield Claim(one.namespace, value or one.value, one.scope, one.verified)


def _traits(attributes: Mapping[str, str]) -> dict[str, Any]:
    said: dict[str, Any] = {name: attributes[key] for key, name in _TRAITS.items() if attributes.get(key)}
    if attributes.get("postal"):
        said["address"] = {"postal_code": attributes["postal"], "street": attributes.get("address", "")}
    return said
