"""Evidence that does not count for a time: over, or of a source on hold. Whom it joined is resolved with the change."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any

from sqlalchemy import Select, select, union, update
from sqlmodel import Session, col

from cdp.db import chunked
from cdp.identity import breaker, decisions, graph, places, resolution, seeing
from cdp.identity.decisions import Scope
from cdp.identity.model import Aside, CorrectedIdentifier, Identifier, IdentityCase, Override, OverrideValue, SourceHold
from cdp.identity.rules import TokenKey
from cdp.profile.model import Subject


def expire(session: Session, on: date, at: datetime, limit: int = 500) -> int:
    """Set aside evidence that was not seen for too long by this day; returns how many rows, at most `limit`."""
    places.hold_still(session)
    over = seeing.overdue(session, on, limit)
    for key, subjects in sorted(over.items()):
        change(
            session, {key}, subjects, partial(seeing.set_aside, session, {key}, Aside.EXPIRED, subjects), at, "expiry"
        )
    return sum(map(len, over.values()))


def count_released(session: Session, at: datetime, limit: int = 500) -> int:
    """Let what released sources brought while on hold count; returns of how many subjects, at most `limit`."""
    places.hold_still(session)
    waiting = union(_waiting(Identifier), _waiting(CorrectedIdentifier)).order_by("subject")
    subjects: list[int] = sorted(session.scalars(waiting.limit(limit)))
    if subjects:
        keys = graph.keys_of(session, subjects)
        change(session, keys, subjects, partial(seeing.take_back, session, keys, Aside.HELD, subjects), at, "release")
    return len(subjects)


def _waiting(table: type[Identifier | CorrectedIdentifier]) -> Select[Any]:
    """Select the subjects of sources that are not on hold of whom something is held still."""
    on_hold = select(col(SourceHold.source)).where(col(SourceHold.released_at).is_(None))
    query = select(col(table.subject)).join(Subject, col(Subject.number) == col(table.subject))
    return query.where(col(table.aside).op("&")(int(Aside.HELD)) > 0, col(Subject.source).not_in(on_hold))


def release(session: Session, case: IdentityCase, actor: str, at: datetime) -> None:
    """Let what a source brought count from now on: some at once, the worker goes on; nobody waits for thousands."""
    _follow(session, case, released_at=at, released_by=actor)
    count_released(session, at)


def hold_again(session: Session, case: IdentityCase, at: datetime) -> None:
    """Put a source back on hold as it was: what it had brought while on hold joins nobody, all else goes on."""
    places.hold_still(session)
    _follow(session, case, released_at=None, released_by="")
    said = select(col(OverrideValue.subject)).where(col(OverrideValue.override) == breaker.word_of(session, case))
    for some in chunked(sorted(session.scalars(said.distinct())), 500):
        _hold(session, case, graph.keys_of(session, some), some, at)


def hold_back(session: Session, case: IdentityCase, scope: Collection[Scope], at: datetime) -> resolution.Resolved:
    """Let this evidence of a source that is on hold join nobody, as if it had come a moment later."""
    decisions.keep(session, breaker.word_of(session, case), scope)
    keys = {(namespace, token) for namespace, token, _ in scope}
    return _hold(session, case, keys, sorted({subject for _, _, subject in scope}), at)


def _hold(
    session: Session, case: IdentityCase, keys: set[TokenKey], subjects: Sequence[int], at: datetime
) -> resolution.Resolved:
    """Let what the hold was said of join nobody, on these subjects."""
    word = breaker.word_of(session, case)
    return change(
        session, keys, subjects, partial(seeing.set_aside_by, session, word, Aside.HELD, subjects), at, "hold"
    )


def _follow(session: Session, case: IdentityCase, released_at: datetime | None, released_by: str) -> None:
    """Let the hold of a case, and the decision that keeps what it held, be released or not."""
    said = update(Override).where(col(Override.case_id) == case.id, col(Override.kind) == "hold")
    session.execute(said.values(revoked_at=released_at))
    released = update(SourceHold).where(col(SourceHold.id) == case.hold_id)
    session.execute(released.values(released_at=released_at, released_by=released_by))


def change(
    session: Session, keys: set[TokenKey], subjects: Iterable[int], act: Callable[[], None], at: datetime, cause: str
) -> resolution.Resolved:
    """Change whether evidence of these values counts on these subjects, and resolve whom it joined or may join."""
    graph.lock_tokens(session, keys)
    before = graph.load_locked(session, set(subjects)).subjects
    act()
    back = graph.holders(session, resolution.reconsider(session, keys, at))
    return resolution.resolve(session, before | back, at, cause)
