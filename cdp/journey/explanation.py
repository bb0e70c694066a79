"""Why a person is where the person is: every move in words that the person may read (GDPR 15(1)(h))."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from cdp.db import chunked
from cdp.journey.model import Transition
from cdp.profile.model import Fact

TIME = "time"


@dataclass(frozen=True, slots=True)
class Explained:
    """One move, and what moved the person: the name of an event, or time."""

    journey: str
    from_stage: str
    to_stage: str
    at: datetime
    because: str
    rule: str


def explain(session: Session, person: int) -> list[Explained]:
    """Return every move of a person in every journey, oldest first."""
    query = select(Transition).where(col(Transition.person) == person)
    rows = session.scalars(query.order_by(col(Transition.journey), col(Transition.id))).all()
    kinds = causes(session, (row.cause for row in rows))
    return [Explained(row.journey, row.from_stage, row.to_stage, row.at, kinds[row.cause], row.rule) for row in rows]


def causes(session: Session, refs: Iterable[bytes | None]) -> dict[bytes | None, str]:
    """Return what each cause is called: the fact's event, `time` where there is no fact."""
    wanted = {ref for ref in refs if ref is not None}
    found: dict[bytes | None, str] = {None: TIME, **dict.fromkeys(wanted, "")}
    for some in chunked(sorted(wanted)):
        query = select(col(Fact.ref), col(Fact.kind)).where(col(Fact.ref).in_(some))
        found.update({bytes(row[0]): row[1] for row in session.execute(query)})
    return found
