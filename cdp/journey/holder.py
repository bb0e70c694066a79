"""What journeys keep of people: their stages and moves, which are theirs to see and go with them."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlmodel import Session, col

from cdp.db import chunked, unsettle
from cdp.holders import Held, Holder
from cdp.journey.explanation import TIME, causes
from cdp.journey.model import Stage, Transition
from cdp.profile.model import Subject


def _forget(session: Session, subjects: Sequence[int]) -> int:
    """Delete every row of the people behind these subjects; whoever remains is walked again before commit."""
    gone = 0
    people = _people(session, subjects)
    for some in chunked(people):
        for table in (Stage, Transition):
            gone += session.execute(delete(table).where(col(table.person).in_(some))).rowcount  # type: ignore[attr-defined]
    unsettle(session, people)
    return gone


def _export(session: Session, subjects: Sequence[int]) -> list[Held]:
    held = []
    for some in chunked(_people(session, subjects)):
        query = select(Stage).where(col(Stage.person).in_(some)).order_by(col(Stage.person), col(Stage.journey))
        places = session.scalars(query).all()
        moves = session.scalars(
            select(Transition).where(col(Transition.person).in_(some)).order_by(col(Transition.id))
        ).all()
        kinds = causes(session, [*(row.cause for row in places), *(row.cause for row in moves)])
        held += [_place(row, kinds[row.cause]) for row in places]
        held += [_move(row, kinds[row.cause]) for row in moves]
    return held


def _people(session: Session, subjects: Sequence[int]) -> list[int]:
    """Return the people behind the subjects, also when another holder has already deleted the subjects.

    A person is named by a subject's number, so the numbers themselves are looked for too.
    """
    people = set(subjects)
    for some in chunked(subjects):
        people.update(session.scalars(select(col(Subject.person)).where(col(Subject.number).in_(some))))
    return sorted(people)


def _place(row: Stage, because: str) -> Held:
    plain = {
        "journey": row.journey,
        "stage": row.stage,
        "since": row.since.isoformat(),
        "until": row.until.isoformat() if row.until else None,
        "because": because,
        "cause": _cause(row.cause),
    }
    return Held("stage", row.person, plain)


def _move(row: Transition, because: str) -> Held:
    plain = {
        "journey": row.journey,
        "from": row.from_stage,
        "to": row.to_stage,
        "at": row.at.isoformat(),
        "because": because,
        "cause": _cause(row.cause),
        "rule": row.rule,
    }
    return Held("transition", row.person, plain)


def _cause(ref: bytes | None) -> str:
    return TIME if ref is None else ref.hex()


holder = Holder("journey", ("stage", "transition"), forget=_forget, export=_export)
