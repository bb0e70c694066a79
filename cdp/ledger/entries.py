"""Entries: what was done, written in the transaction that did it, without lock or order.

Refuses numbers that JSON cannot say. No person's value goes into a header: people appear as the
commitment of their key or as a keyed digest, so that an erased person's entries still verify.
Until an entry is sealed, its MAC finds an edit; only sealing finds its disappearance.
"""

import hmac
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Table, insert, select
from sqlmodel import Session, col

from cdp import statements, vault
from cdp.ids import new_id
from cdp.ledger.model import LedgerEntry
from cdp.ledger.tree import leaf_hash

_LAST = 100
"""Entries that may have been written out of the order of their instants, by transactions side by side."""

Act = tuple[str, Mapping[str, Any]]
_TABLE: Table = LedgerEntry.__table__  # type: ignore[attr-defined]
_NEW = insert(_TABLE)


def note(session: Session, act: str, header: Mapping[str, Any], at: datetime) -> str:
    """Write one entry; returns its id, which an answer may hand out as a receipt."""
    return note_all(session, [(act, header)], at)[0]


def note_all(session: Session, acts: Iterable[Act], at: datetime) -> list[str]:
    """Write many entries of one instant; returns their ids in order."""
    keys = vault.of(session)
    rows = [_row(keys, act, header, at) for act, header in acts]
    statements.write(session, _NEW, rows)
    return [str(row["entry"]) for row in rows]


def newest_instant(session: Session) -> datetime | None:
    """Return the latest instant among the last entries; None while nothing was done."""
    last = select(col(LedgerEntry.at)).order_by(col(LedgerEntry.id).desc()).limit(_LAST)
    return max(session.scalars(last), default=None)


def canonical(entry: str, act: str, header: Mapping[str, Any], at: datetime) -> str:
    """Write an entry as the one text that is hashed: sorted keys, no spaces, ASCII, UTC."""
    whole = {"entry": entry, "act": act, "at": instant(at), "header": header}
    return json.dumps(whole, sort_keys=True, separators=(",", ":"), allow_nan=False)


def instant(at: datetime) -> str:
    """Write an instant in UTC to the microsecond."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _row(keys: vault.Vault, act: str, header: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    entry = new_id()
    text = canonical(entry, act, header, at)
    leaf = leaf_hash(text.encode())
    return {"entry": entry, "at": at, "act": act, "header": text, "leaf": leaf, "mac": keys.ledger_mac(text.encode())}


def mac_holds(keys: vault.Vault, entry: LedgerEntry) -> bool:
    """Whether the entry's text is the one that was noted."""
    return hmac.compare_digest(keys.ledger_mac(entry.header.encode()), bytes(entry.mac))


def columns_hold(entry: LedgerEntry) -> bool:
    """Whether the columns beside the text say what the text says."""
    try:
        whole = json.loads(entry.header)
        said = (whole["entry"], whole["act"], whole["at"])
    except (ValueError, KeyError, TypeError):
        return False
    return said == (entry.entry, entry.act, instant(entry.at)) and leaf_hash(entry.header.encode()) == bytes(entry.leaf)
