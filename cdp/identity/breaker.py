"""A circuit breaker per source: who suddenly makes many people one is put on hold until somebody has looked.

What a source on hold brings is taken in and joins nobody; released, it counts as if there had been no hold.
"""

from collections.abc import Collection, Iterable, Set
from datetime import datetime, timedelta

from sqlalchemy import Table, and_, bindparam, delete, func, insert, or_, select
from sqlmodel import Session, col

from cdp import ledger, policy, statements
from cdp.db import chunked
from cdp.identity import decisions
from cdp.identity.decisions import Scope
from cdp.identity.model import Aside, IdentityCase, JoinRate, Override, SourceHold
from cdp.statements import one_of

HELD = Aside.HELD
ACTOR = "breaker"
"""Who decides that what a source brings is held."""

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


def count(
    session: Session, source: str, records: int, joins: int, at: datetime, on_hold: Set[str]
) -> IdentityCase | None:
    """Count a batch of a source, and put the source on hold where it joins too many; returns the case of that.

    `on_hold` are the sources that were so when the batch was written. What tripped it is to be held back as well.
    """
    statements.write(session, _COUNTED, [{"source": source, "at": at, "records": records, "joins": joins}])
    bounds = policy.of(session).breaker
    if not joins or not bounds.records or source in on_hold:
        return None
    since = at - timedelta(minutes=bounds.minutes)
    ((brought, joined),) = statements.rows(session, _TOTALS, of=source, since=since)
    if (brought or 0) < bounds.records or joined <= bounds.share * brought:
        return None
    # Perhaps a batch that was counted while this one waited put it on hold: its case is this one's, too.
    reason = f"{joined} people joined by {brought} records in {bounds.minutes} minutes"
    return _case_of(session, source) or hold(session, source, reason, at)


def forget_counts(session: Session, at: datetime) -> None:
    """Delete counts that nothing asks for any more."""
    session.execute(delete(JoinRate).where(col(JoinRate.at) < at - KEPT))


def hold(session: Session, source: str, reason: str, at: datetime) -> IdentityCase:
    """Put a source on hold from now on; returns the case that asks for somebody."""
    row = SourceHold(source=source, since=at, reason=reason)
    session.add(row)
    session.flush()
    case = IdentityCase(rule="breaker", severity="alarm", source=source, hold_id=row.id, state="open", opened_at=at)
    session.add(case)
    session.flush()
    session.add(Override(kind="hold", case_id=case.id, reason=reason, actor=ACTOR, at=at))
    session.flush()
    ledger.note(session, "identity.held", {"source": source, "reason": reason}, at)
    return case


def _case_of(session: Session, source: str) -> IdentityCase | None:
    """Return the case of a source that is on hold."""
    standing = select(col(SourceHold.id)).where(col(SourceHold.source) == source, col(SourceHold.released_at).is_(None))
    cases = select(IdentityCase).where(col(IdentityCase.hold_id).in_(standing))
    return session.scalars(cases.order_by(col(IdentityCase.id).desc()).limit(1)).first()


def keep(session: Session, source: str, scope: Collection[Scope]) -> None:
    """Write down what a source on hold brought, so that it can be held again once it was released."""
    of_case = (col(IdentityCase.id) == col(Override.case_id), col(IdentityCase.source) == source)
    words = select(func.max(col(Override.id))).join(IdentityCase, and_(*of_case))
    in_force = words.where(col(Override.kind) == "hold", col(Override.revoked_at).is_(None))
    word = session.scalar(in_force) if scope else None
    if word is not None:
        decisions.keep(session, word, scope)


def word_of(session: Session, case: IdentityCase) -> int:
    """Return the number of the decision that keeps what the hold of a case holds, released or not."""
    words = select(col(Override.id)).where(col(Override.kind) == "hold", col(Override.case_id) == case.id)
    return session.scalar(words) or 0
