"""What sources say of a subject: the newest statement per name, in any order of arrival.

A value is sealed unless the policy gave its trait a slot and it fits there. Of sealed values that
the law's rules need, coarse parts stand beside them in the clear: birth year and day, countries.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Table, and_, or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from cdp import statements, vault
from cdp.db import is_sqlite
from cdp.policy.terms import Policy, TraitTerm
from cdp.profile import values
from cdp.profile.model import Trait

STATED_COUNTRY = "stated_country"
ADDRESS_COUNTRY = "address_country"
POSTAL_COUNTRY = "postal_country"
PHONE_COUNTRY = "phone_country"
BIRTH_YEAR = "birth_year"
BIRTH_DAY = "birth_day"

COARSE = (STATED_COUNTRY, ADDRESS_COUNTRY, POSTAL_COUNTRY, PHONE_COUNTRY, BIRTH_YEAR, BIRTH_DAY)
"""Names derived here; no source can state them."""

_TABLE: Table = Trait.__table__  # type: ignore[attr-defined]
_WORD = re.compile(r"(?!.*\d{5})[\w -]{1,32}")
"""What a text without declared values may be to stand in the clear: letters, digits, space, - and _; no long number."""


@dataclass(frozen=True, slots=True)
class Stated:
    """One trait as a source stated it, in its one spelling; None takes back what was stated before."""

    subject: int
    name: str
    value: Any = field(repr=False)
    at: datetime
    source: str
    ref: bytes = b""
    """Digest of the message: breaks ties, so that two statements of one instant have one winner."""

    @property
    def order(self) -> tuple[datetime, bytes]:
        return self.at, self.ref


def coarse(policy: Policy, stated: Iterable[Stated]) -> list[Stated]:
    """Derive what the law's rules may read in the clear from statements that will be sealed."""
    found: list[Stated] = []
    for one in stated:
        term = policy.traits.get(one.name)
        for name, value in _coarse_parts(term, one.value).items() if term else ():
            found.append(Stated(one.subject, name, value, one.at, one.source, one.ref))
    return found


def write(session: Session, policy: Policy, stated: Iterable[Stated], deks: Mapping[int, vault.Dek]) -> int:
    """Store statements that are newer than what is there; a subject without a key is left out.

    Returns how many statements were written or found older.
    """
    found = list(rows(policy, newest(stated), deks))
    upsert(session, found)
    return len(found)


def write_coarse(session: Session, stated: Iterable[Stated]) -> None:
    """Store derived parts in the clear; refuses any name but the coarse ones."""
    upsert(session, [coarse_row(one) for one in newest(stated)])


def newest(stated: Iterable[Stated]) -> list[Stated]:
    """Keep the newest statement per subject and name, in the order of the primary key."""
    found: dict[tuple[int, str], Stated] = {}
    for one in stated:
        key = (one.subject, one.name)
        if key not in found or found[key].order < one.order:
            found[key] = one
    return [found[key] for key in sorted(found)]


def upsert(session: Session, given: list[dict[str, Any]]) -> None:
    """Insert, or replace what is older by event time; both databases alike."""
    if not given:
        return
    statements.write(session, _newer(is_sqlite(session)), given)


@cache
def _newer(sqlite_: bool) -> Any:
    statement = sqlite.insert(_TABLE) if sqlite_ else postgresql.insert(_TABLE)
    new = statement.excluded
    newer = or_(_TABLE.c.at < new.at, and_(_TABLE.c.at == new.at, _TABLE.c.ref < new.ref))
    kept = {name: new[name] for name in ("clear", "sealed", "at", "source", "ref")}
    return statement.on_conflict_do_update(index_elements=["subject", "name"], set_=kept, where=newer)


def cell(subject: int, name: str, at: datetime) -> vault.Cell:
    """Return where a sealed trait stands."""
    return vault.Cell(subject, "trait", "sealed", name, version_of(at))


def version_of(at: datetime) -> int:
    """Return the version of a trait's cell: its event time in microseconds."""
    return int(at.timestamp() * 1e6)


def encode(value: Any) -> bytes:
    """Write a value as the JSON that is sealed; lone surrogates, which no encoding can hold, are escaped."""
    try:
        return _WRITE(value).encode()
    except UnicodeEncodeError:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str).encode()


_WRITE = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str).encode


def clear_value(term: TraitTerm, value: Any) -> str | None:
    """Return the value as its slot holds it; None for one that has no slot or does not fit."""
    if not term.slot or value is None:
        return None
    if term.slot.startswith("n"):
        return _clear_number(value)
    written = ("true" if value else "false") if isinstance(value, bool) else str(value)
    if isinstance(value, Mapping | list):
        return None
    coarse_enough = written in term.values if term.values else _WORD.fullmatch(written)
    return written if coarse_enough else None


def _clear_number(value: Any) -> str | None:
    return repr(float(value)) if isinstance(value, int | float) and math.isfinite(value) else None


def coarse_row(one: Stated) -> dict[str, Any]:
    """Return the row of a derived part, in the clear; refuses any name but the coarse ones."""
    assert one.name in COARSE
    return _row(one, None if one.value is None else str(one.value), None)


def rows(policy: Policy, stated: Iterable[Stated], deks: Mapping[int, vault.Dek]) -> Iterator[dict[str, Any]]:
    """Return the rows of statements as they are stored; what has no key or no term is left out."""
    for one in stated:
        term, dek = policy.traits.get(one.name), deks.get(one.subject)
        if term is None or dek is None:
            continue
        clear = clear_value(term, one.value)
        sealed = None if clear is not None else vault.seal(dek, encode(one.value), cell(one.subject, one.name, one.at))
        yield _row(one, clear, sealed)


def _row(one: Stated, clear: str | None, sealed: bytes | None) -> dict[str, Any]:
    return {
        "subject": one.subject,
        "name": one.name,
        "clear": clear,
        "sealed": sealed,
        "at": one.at,
        "source": one.source,
        "ref": one.ref,
    }


def _coarse_parts(term: TraitTerm, value: Any) -> dict[str, str | None]:
    if term.type == "birthday":
        return {BIRTH_YEAR: value[:4] if value else None, BIRTH_DAY: value[5:] if value else None}
    if term.name == "country":
        return {STATED_COUNTRY: value}
    if term.type == "address":
        parts = value if isinstance(value, Mapping) else {}
        named = values.stated_country(parts) or None
        return {ADDRESS_COUNTRY: named, POSTAL_COUNTRY: None if named else values.postal_country(parts) or None}
    return {}
