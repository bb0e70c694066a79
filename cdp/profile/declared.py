"""What each source declares of the people it brings: told when a source is added or changed, read by the gate."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Table, delete, select
from sqlmodel import Session, col

from cdp import statements
from cdp.db import is_snapshot, upsert
from cdp.profile.model import SourceTerms


class Declared(NamedTuple):
    """What a source declares, as `SourceTerms` keeps it."""

    source: str = ""
    establishment: str = ""
    offers_to: str = ""
    collected_for: str = ""
    addresses: str = ""
    employees: bool = False
    from_opt_out: bool = False
    eu_adequacy: bool = False
    quarantined: bool = False


UNDECLARED = Declared()
"""Of a source that declares nothing."""


def tell(session: Session, source: str, declared: Mapping[str, Any]) -> bool:
    """Keep what a source declares, by the names of `SourceTerms`; returns whether that is something new."""
    row = UNDECLARED._asdict() | dict(declared) | {"source": source}
    kept = session.get(SourceTerms, source, populate_existing=True)
    if kept is not None and kept.model_dump() == row:
        return False
    upsert(session, SourceTerms, [row])
    return kept is not None or row != UNDECLARED._asdict() | {"source": source}


def known(session: Session) -> dict[str, Declared]:
    """Return what every source declares; one that is absent declares nothing.

    In a writing transaction it stays so until the commit: who is decided by it is decided before it changes.
    """
    rows = statements.rows(session, _ALL if is_snapshot(session) else _ALL_HELD)
    return {row[0]: Declared(*row) for row in rows}


_TABLE: Table = SourceTerms.__table__  # type: ignore[attr-defined]
_ALL = select(*(_TABLE.c[name] for name in Declared._fields)).order_by(_TABLE.c.source)
_ALL_HELD = _ALL.with_for_update(read=True)


def forget(session: Session, source: str) -> None:
    """Forget what a source declared."""
    session.execute(delete(SourceTerms).where(col(SourceTerms.source) == source))


__all__ = ["UNDECLARED", "Declared", "forget", "known", "tell"]
