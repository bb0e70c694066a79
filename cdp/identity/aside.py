"""Evidence that does not count for a time: over, or of a source on hold. Whom it joined is resolved with the change."""

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import select
from sqlmodel import Session, col

from cdp.db import chunked
from cdp.identity import graph, places, resolution, seeing
from cdp.identity.model import Aside, Identifier, SourceHold
from cdp.identity.rules import TokenKey
from cdp.profile.model import Subject


def expire(session: Session, on: date, at: datetime, limit: int = 500) -> int:
    """Set aside evidence that was not seen for too long by this day; returns how many rows, at most `limit`."""
    places.hold_still(session)
    over = seeing.overdue(session, on, limit)
    for key, subjects in sorted(over.items()):
        _change(session, {key}, subjects, Aside.EXPIRED, True, at, "expiry")
    return sum(map(len, over.values()))


def count_released(session: Session, at: datetime, limit: int = 500) -> int:
    """Let what released sources brought while on hold count; returns of how many subjects, at most `limit`."""
    places.hold_still(session)
    on_hold = select(col(SourceHold.source)).where(col(SourceHold.released_at).is_(None))
    waiting = (
        select(col(Identifier.subject))
        .join(Subject, col(Subject.number) == col(Identifier.subject))
        .where(col(Identifier.aside).op("&")(int(Aside.HELD)) > 0, col(Subject.source).not_in(on_hold))
    )
    subjects = sorted(session.scalars(waiting.distinct().order_by(col(Identifier.subject)).limit(limit)))
    _change_all(session, subjects, False, at, "release")
    return len(subjects)


def hold_again(session: Session, hold_id: int, at: datetime) -> None:
    """Put a source back on hold as it was: what it brought since then joins nobody."""
    places.hold_still(session)
    hold = session.get_one(SourceHold, hold_id)
    hold.released_at, hold.released_by = None, ""
    session.flush()
    since = (col(Subject.source) == hold.source, col(Subject.first_at) > hold.since)
    brought = select(col(Subject.number)).where(*since)
    for some in chunked(sorted(int(number) for number in session.scalars(brought) if number), 500):
        _change_all(session, some, True, at, "hold")


def _change_all(session: Session, subjects: list[int], held: bool, at: datetime, cause: str) -> None:
    if subjects:
        _change(session, graph.keys_of(session, subjects), subjects, Aside.HELD, held, at, cause)


def _change(
    session: Session, keys: set[TokenKey], subjects: Iterable[int], why: Aside, sets: bool, at: datetime, cause: str
) -> None:
    whose = set(subjects)
    graph.lock_tokens(session, keys)
    before = graph.load_locked(session, whose).subjects
    change = seeing.set_aside if sets else seeing.take_back
    change(session, keys, why, whose)
    back = graph.holders(session, resolution.reconsider(session, keys, at))
    resolution.resolve(session, before | back, at, cause)
