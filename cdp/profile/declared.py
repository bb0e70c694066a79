"""What each source declares of the people it brings: told when a source is added or changed, read by the gate."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlmodel import Session, col

from cdp.db import is_snapshot, upsert
from cdp.profile.model import SourceTerms

UNDECLARED = SourceTerms(source="")
"""Of a source that declares nothing."""


def tell(session: Session, source: str, declared: Mapping[str, Any]) -> bool:
    """Keep what a source declares, by the names of `SourceTerms`; returns whether that is something new."""
    row = UNDECLARED.model_dump() | dict(declared) | {"source": source}
    kept = session.get(SourceTerms, source, populate_existing=True)
    if kept is not None and kept.model_dump() == row:
        return False
    upsert(session, SourceTerms, [row])
    return kept is not None or row != UNDECLARED.model_dump() | {"source": source}


def known(session: Session) -> dict[str, SourceTerms]:
    """Return what every source declares; one that is absent declares nothing.

    In a writing transaction it stays so until the commit: who is decided by it is decided before it changes.
    """
    query = select(SourceTerms).order_by(col(SourceTerms.source)).execution_options(populate_existing=True)
    rows = session.scalars(query if is_snapshot(session) else query.with_for_update(read=True))
    return {row.source: row for row in rows}


def forget(session: Session, source: str) -> None:
    """Forget what a source declared."""
    session.execute(delete(SourceTerms).where(col(SourceTerms.source) == source))


__all__ = ["UNDECLARED", "forget", "known", "tell"]
