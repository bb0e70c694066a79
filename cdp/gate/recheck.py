"""People who must be decided again because of what is known of their source, not of them."""

from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import Session, col

from cdp.gate.model import Permission
from cdp.profile.model import Subject


def people_of_source(session: Session, source: str, at: datetime) -> int:
    """Let no permission hold for whoever has a subject of this source until it is decided again, by the worker.

    Returns how many people that are.
    """
    people = select(col(Subject.person)).where(col(Subject.source) == source)
    changed = update(Permission).where(col(Permission.person).in_(people)).values(holds_until=at, next_change_at=at)
    return int(session.execute(changed).rowcount)  # type: ignore[attr-defined]
