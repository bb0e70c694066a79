"""What this package holds of subjects: exported whole, forgotten whole."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlmodel import Session, col

from cdp.db import chunked, unsettle
from cdp.holders import Held, Holder
from cdp.profile import facts, traits
from cdp.profile.model import Correction, Fact, Person, Subject, Trait


def forget(session: Session, subjects: Sequence[int]) -> int:
    """Delete subjects, traits, facts, and the rows of people that go with them; returns how many went.

    Locks the subjects first: who is just storing a fact of one of them commits before, and loses it.
    """
    gone = 0
    for some in chunked(sorted(set(subjects))):
        locked = select(col(Subject.person)).where(col(Subject.number).in_(some)).order_by(col(Subject.number))
        people = set(session.scalars(locked.with_for_update()))
        unsettle(session, people)
        for column in (
            col(Fact.subject),
            col(Trait.subject),
            col(Correction.subject),
            col(Subject.number),
            col(Person.person),
        ):
            gone += session.execute(delete(column.class_).where(column.in_(some))).rowcount  # type: ignore[attr-defined]
    return gone


_COLUMNS = (col(Fact.subject), col(Trait.subject), col(Correction.subject), col(Subject.number), col(Person.person))


def export(session: Session, subjects: Sequence[int]) -> list[Held]:
    """List what is held: subjects, traits, facts, and the person's derived row."""
    found: list[Held] = []
    for some in chunked(sorted(set(subjects))):
        found += [_subject(row) for row in _rows(session, Subject, col(Subject.number), some)]
        found += [_trait(row) for row in _rows(session, Trait, col(Trait.subject), some)]
        found += [_correction(row) for row in _rows(session, Correction, col(Correction.subject), some)]
        found += [_fact(row) for row in _rows(session, Fact, col(Fact.subject), some)]
        found += [_person(row) for row in _rows(session, Person, col(Person.person), some)]
    return found


def _rows(session: Session, table: Any, column: Any, subjects: Sequence[int]) -> Sequence[Any]:
    return session.scalars(select(table).where(column.in_(subjects)).order_by(column)).all()


def _subject(row: Subject) -> Held:
    assert row.number is not None
    return Held("subject", row.number, {"source": row.source, "first_at": row.first_at, "person": row.person})


def _trait(row: Trait) -> Held:
    plain = {"name": row.name, "at": row.at, "source": row.source, "value": row.clear}
    cell = traits.cell(row.subject, row.name, row.at)
    return Held("trait", row.subject, plain, row.sealed, cell.table, cell.column, cell.row, cell.version)


def _correction(row: Correction) -> Held:
    """List what stood there before it was put right."""
    names = ("name", "source", "request", "at", "ended_at")
    plain = {name: getattr(row, name) for name in names} | {"value": row.clear}
    cell = traits.cell(row.subject, row.name, row.was_at or row.at)
    return Held("corrected", row.subject, plain, row.sealed, cell.table, cell.column, cell.row, cell.version)


def _fact(row: Fact) -> Held:
    names = ("kind", "at", "received_at", "source", "channel", "amount", "currency", "item")
    cell = facts.cell(row.subject, bytes(row.ref))
    plain = {name: getattr(row, name) for name in names}
    return Held("fact", row.subject, plain, row.sealed, cell.table, cell.column, cell.row, cell.version)


def _person(row: Person) -> Held:
    return Held("person", row.person, row.model_dump(exclude_none=True, exclude={"person"}))


holder = Holder("profile", ("subject", "trait", "correction", "fact", "person"), forget=forget, export=export)
