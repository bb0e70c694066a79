"""Which subject went from whom to whom, and when: enough to tell who was who at any instant of the past."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Table, func, insert, select
from sqlmodel import Session, col

from cdp import statements
from cdp.db import among, chunked
from cdp.identity.model import Move
from cdp.profile.model import Subject

_TABLE: Table = Move.__table__  # type: ignore[attr-defined]
_NEW = insert(_TABLE)


def write(session: Session, before: Mapping[int, int], people: Mapping[int, int], at: datetime, cause: str) -> None:
    """Remember every subject whose person is another now; `before` knows those that had one."""
    rows = [
        {"at": at, "subject": subject, "before": person, "after": people[subject], "cause": cause}
        for subject, person in sorted(before.items())
        if people[subject] != person
    ]
    statements.write(session, _NEW, rows)


def people_at(session: Session, subjects: Iterable[int], at: datetime) -> dict[int, int]:
    """Return subject → person as of an instant, of those that were there.

    A subject went with the first move after the instant from where it was then; without one it is still there.
    """
    found: dict[int, int] = {}
    for some in chunked(sorted(set(subjects))):
        query = select(col(Subject.number), col(Subject.person))
        rows = session.execute(query.where(among(session, col(Subject.number), some), col(Subject.first_at) <= at))
        found.update({row[0]: row[1] for row in rows})
        first = select(func.min(col(Move.seq))).where(among(session, col(Move.subject), some), col(Move.at) > at)
        moved = select(col(Move.subject), col(Move.before)).where(
            col(Move.seq).in_(first.group_by(col(Move.subject)).scalar_subquery())
        )
        found.update({row[0]: row[1] for row in session.execute(moved) if row[0] in found})
    return found
