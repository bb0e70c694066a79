"""A circuit breaker per source: who suddenly makes many people one is put on hold until somebody has looked.

What a source on hold brings is taken in and joins nobody; released, it counts as if there had been no hold.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Table, bindparam, delete, func, insert, select
from sqlmodel import Session, col

from cdp import ledger, policy, statements
from cdp.clock import EARLIEST
from cdp.db import chunked
from cdp.identity.model import Aside, IdentityCase, JoinRate, SourceHold
from cdp.statements import one_of

HELD = Aside.HELD
KEPT = timedelta(days=1)
"""How long the counts are kept."""

_RATES: Table = JoinRate.__table__  # type: ignore[attr-defined]
_HOLDS: Table = SourceHold.__table__  # type: ignore[attr-defined]
_COUNTED = insert(_RATES)
_ON_HOLD = select(_HOLDS.c.source).where(one_of(_HOLDS.c.source), _HOLDS.c.released_at.is_(None))
_TOTALS = select(func.sum(_RATES.c.records), func.sum(_RATES.c.joins)).where(
    _RATES.c.source == bindparam("of"), _RATES.c.at > bindparam("since")
)


def held(session: Session, sources: Iterable[str]) -> set[str]:
    """Return which of these sources are on hold."""
    found: set[str] = set()
    for some in chunked(sorted(set(sources))):
        found.update(statements.column(session, _ON_HOLD, some=some))
    return found


def count(session: Session, source: str, records: int, joins: int, at: datetime) -> bool:
    """Count a batch of a source, and put the source on hold where it joins too many; returns whether it did."""
    statements.write(session, _COUNTED, [{"source": source, "at": at, "records": records, "joins": joins}])
    bounds = policy.of(session).breaker
    if not joins or not bounds.records or held(session, [source]):
        return False
    since = max(at - timedelta(minutes=bounds.minutes), _released_at(session, source) or EARLIEST)
    ((brought, joined),) = statements.rows(session, _TOTALS, of=source, since=since)
    if brought < bounds.records or joined <= bounds.share * brought:
        return False
    _hold(session, source, f"{joined} people joined by {brought} records in {bounds.minutes} minutes", at)
    return True


def _released_at(session: Session, source: str) -> datetime | None:
    """Return when somebody let the source go on: what was looked at is not counted against it again."""
    query = select(func.max(col(SourceHold.released_at))).where(col(SourceHold.source) == source)
    found: datetime | None = session.scalar(query)
    return found


def forget_counts(session: Session, at: datetime) -> None:
    """Delete counts that nothing asks for any more."""
    session.execute(delete(JoinRate).where(col(JoinRate.at) < at - KEPT))


def _hold(session: Session, source: str, reason: str, at: datetime) -> None:
    hold = SourceHold(source=source, since=at, reason=reason)
    session.add(hold)
    session.flush()
    case = IdentityCase(rule="breaker", severity="alarm", source=source, hold_id=hold.id, state="open", opened_at=at)
    session.add(case)
    session.flush()
    ledger.note(session, "identity.held", {"source": source, "reason": reason}, at)
