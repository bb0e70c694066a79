"""What happened: one sealed payload per fact, and the few pseudonymous columns that measures need."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from sqlalchemy import Table, case, delete, func, select
from sqlmodel import Session, col

from cdp import statements, vault
from cdp.db import chunked, insert_ignoring
from cdp.profile.model import Fact, Subject
from cdp.statements import one_of

ORDER_COMPLETED = "Order Completed"
REFUNDS = frozenset({"Order Refunded"})
AMOUNT_FIELDS = ("total", "revenue", "value")
ITEM_FIELDS = ("sku", "product_id", "id")

_WITHOUT_MINOR_UNITS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_WITH_THOUSANDTHS = "BHD IQD JOD KWD LYD OMR TND"

_TABLE: Table = Fact.__table__  # type: ignore[attr-defined]
_CURRENCY = re.compile(r"[A-Z]{3}")
_ARTICLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}")
_PHONE_LIKE = re.compile(r"(?<!\d)0\d{9,10}(?!\d)|(?=[\d._:/-]*\d[._:/-]+\d)\d(?:[._:/-]*\d){8}")
"""A Japanese number written together, or nine digits and more with something between them; not a bar code."""


def cell(subject: int, ref: bytes) -> vault.Cell:
    """Return where a sealed payload stands."""
    return vault.Cell(subject, "fact", "sealed", ref)


def amount(kind: str, properties: Mapping[str, Any], default_currency: str = "") -> tuple[int | None, str | None]:
    """Return (minor units, currency) of a fact; refunds are negative; (None, None) without both."""
    given = next((properties[name] for name in AMOUNT_FIELDS if properties.get(name) not in (None, "")), None)
    currency = str(properties.get("currency") or default_currency).strip().upper()
    if given is None or isinstance(given, bool) or not _CURRENCY.fullmatch(currency):
        return None, None
    try:
        value = Decimal(str(given).replace(",", "")).scaleb(exponent(currency))
        minor = int(value.to_integral_value(ROUND_HALF_UP))
    except (InvalidOperation, ValueError, OverflowError):
        return None, None
    if abs(minor) > 2**62:
        return None, None
    return (-abs(minor) if kind in REFUNDS else minor), currency


def exponent(currency: str) -> int:
    """Return how many decimals a currency's minor unit is (ISO 4217)."""
    if currency in _WITHOUT_MINOR_UNITS:
        return 0
    return 3 if currency in _WITH_THOUSANDTHS else 2


def item(properties: Mapping[str, Any]) -> str | None:
    """Return the first article that a fact names, as its shop numbers it; None for what may be a person's value."""
    products = properties.get("products")
    first = products[0] if isinstance(products, list) and products and isinstance(products[0], Mapping) else properties
    named = next((first[name] for name in ITEM_FIELDS if isinstance(first.get(name), str | int)), None)
    written = str(named).strip() if named is not None and not isinstance(named, bool) else ""
    return written if _ARTICLE.fullmatch(written) and not _PHONE_LIKE.search(written) else None


def write(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Store facts; one whose reference is there already changes nothing."""
    insert_ignoring(session, _TABLE, sorted(rows, key=lambda row: bytes(row["ref"])))


def retract(session: Session, refs: Iterable[bytes]) -> set[int]:
    """Delete facts by reference; returns the subjects that had them."""
    subjects: set[int] = set()
    for some in chunked(sorted(set(refs))):
        subjects.update(statements.column(session, _SUBJECTS_OF, some=some))
        session.execute(delete(Fact).where(col(Fact.ref).in_(some)))
    return subjects


def activity(session: Session, people: Sequence[int]) -> dict[int, tuple[datetime | None, datetime]]:
    """Return when each of these people completed their first order, and when they last did anything recorded.

    An order that a browser claims is none.
    """
    return {person: (first, last) for person, first, last in statements.rows(session, _ACTIVITY, some=people)}


_SUBJECTS: Table = Subject.__table__  # type: ignore[attr-defined]
_SUBJECTS_OF = select(_TABLE.c.subject).where(one_of(_TABLE.c.ref))
_ORDERED = case(((_TABLE.c.kind == ORDER_COMPLETED) & ~_SUBJECTS.c.public, _TABLE.c.at))
_ACTIVITY = (
    select(_SUBJECTS.c.person, func.min(_ORDERED), func.max(_TABLE.c.at))
    .join(_TABLE, _TABLE.c.subject == _SUBJECTS.c.number)
    .where(one_of(_SUBJECTS.c.person))
    .group_by(_SUBJECTS.c.person)
)
