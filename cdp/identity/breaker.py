"""A circuit breaker per source: who suddenly makes many people one is put on hold until somebody has looked.

What a source on hold brings is taken in and joins nobody; released, it counts as if there had been no hold.
"""

from collections.abc import Iterable, Set
from datetime import datetime, timedelta

from sqlalchemy import Table, bindparam, delete, func, insert, or_, select
from sqlmodel import Session, col

from cdp import ledger, policy, statements
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
_RELEASED = select(func.max(_HOLDS.c.released_at)).where(_HOLDS.c.source == bindparam("of")).scalar_subquery()
_TOTALS = select(func.sum(_RATES.c.records), func.sum(_RATES.c.joins)).where(
    _RATES.c.source == bindparam("of"),
    _RATES.c.at > bindparam("since"),
    # What somebody looked at when they let the source go on is not counted against it again.
    or_(_RELEASED.is_(None), _RATES.c.at > _RELEASED),
)


def held(session: Session, sources: Iterable[str]) -> set[str]:
    """Return which of these sources are on hold."""
    found: set[str] = set()
    for some in chunked(sorted(set(sources))):
        found.update(statements.column(session, _ON_HOLD, some=some))
    return found


def count(session: Session, source: str, records: int, joins: int, at: datetime, on_hold: Set[str]) -> bool:
    """Count a batch of a source, and put the source on hold where it joins too many; returns whether it did.

    `on_hold` are the sources that are so already.
    """
    statements.write(session, _COUNTED, [{"source": source, "at": at, "records": records, "joins": joins}])
    bounds = policy.of(session).breaker
    if not joins or not bounds.records or source in on_hold:
        return False
    since = at - timedelta(minutes=bounds.minutes)
    ((brought, joined),) = statements.rows(session, _TOTALS, of=source, since=since)
    if (brought or 0) < bounds.records or joined <= bounds.share * brought:
        return False
    if held(session, [source]):  # by a batch that was counted while this one waited
        return False
    _hold(session, source, f"{joined} people joined by {brought} records in {bounds.minutes} minutes", at)
    return True


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
