"""What a person has had put right (GDPR 16, APPI 34), and how long it stands against what sources say.

A correction overwrites the statement that was wrong and keeps it, sealed as it was, so that it can be
taken back. It stands until the source that was wrong brings a third value: the same wrong value again,
nothing, or what was said before the correction, changes nothing, by whichever source it comes.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, Table, delete, select
from sqlmodel import Session, col

from cdp import policy, statements, vault
from cdp.db import chunked, unsettle, upsert
from cdp.profile import traits
from cdp.profile.model import Correction, Subject, Trait
from cdp.profile.traits import Stated
from cdp.statements import one_of

SOURCE = "rectification"
"""Stands as the source of a corrected value."""

_TICK = timedelta(microseconds=1)

Standing = Mapping[tuple[int, str], Row[Any]]
"""(subject, name) → the statement that is there."""


class Since(NamedTuple):
    """What is said before `at` counts no more, nor what was wrong when another record says it later."""

    at: datetime
    wrong: frozenset[str]
    """As it stood in the clear."""


def apply(session: Session, subjects: Sequence[int], wanted: Mapping[str, Any], request: str, at: datetime) -> int:
    """Put traits of one person's subjects right, None = delete; returns how many statements changed.

    Where none of them says anything of a trait, the lowest that no browser brought says it from now on.
    """
    deks, standing = vault.deks(session, subjects), _statements(session, subjects)
    home = _home(session, deks)
    ref = vault.of(session).digest("rectification", request.encode())
    written = [
        Stated(subject, name, value, _after(standing, subject, name, at), SOURCE, ref)
        for name, value in wanted.items()
        for subject in _wrong(session, standing, name, value, deks, home)
    ]
    _overwrite(session, written, standing, deks, request, at)
    return len(written)


def derive(session: Session, subject: int, name: str, value: str | None, request: str, at: datetime) -> None:
    """Put a coarse part right that follows from an identifier, as the country of a telephone number does."""
    standing = _statements(session, [subject])
    one = Stated(subject, name, value, _after(standing, subject, name, at), SOURCE)
    _replace(session, [one], [traits.coarse_row(one)], standing, request, at)


def revoke(session: Session, request: str) -> int:
    """Take back what a request had put right, where no source has spoken since; returns how many statements."""
    query = select(Correction).where(col(Correction.request) == request).order_by(col(Correction.id))
    rows: dict[tuple[int, str], list[Correction]] = defaultdict(list)
    for row in session.scalars(query):
        rows[row.subject, row.name].append(row)
    subjects = {subject for subject, _ in rows}
    standing = _statements(session, subjects)
    for key, some in sorted(rows.items()):
        current = standing.get(key)
        if current is not None and current.source == SOURCE and current.at == some[-1].corrected_to:
            _restore(session, some[0])
        else:
            _hand_on(session, some[0], some[-1])
        for row in some:
            session.delete(row)
    unsettle(session, _people(session, subjects))
    return len(rows)


def of_people(session: Session, people: Iterable[int]) -> dict[int, list[Correction]]:
    """Return what was ever put right of these people, whichever of their subjects had been wrong."""
    found: dict[int, list[Correction]] = defaultdict(list)
    corrected = {one for some in chunked(sorted(people)) for one in statements.column(session, _CORRECTED, some=some)}
    for some in chunked(sorted(corrected)):
        query = select(col(Subject.person), Correction).join(Correction, col(Correction.subject) == col(Subject.number))
        for person, row in session.execute(query.where(col(Subject.person).in_(some)).order_by(col(Correction.id))):
            found[person].append(row)
    return found


_TABLE: Table = Correction.__table__  # type: ignore[attr-defined]
_SUBJECTS: Table = Subject.__table__  # type: ignore[attr-defined]
_CORRECTED = (
    select(_SUBJECTS.c.person)
    .distinct()
    .join(_TABLE, _TABLE.c.subject == _SUBJECTS.c.number)
    .where(one_of(_SUBJECTS.c.person))
)
_IN_FORCE = (
    select(_SUBJECTS.c.person, _TABLE.c.name, _TABLE.c.at, _TABLE.c.clear)
    .join(_TABLE, _TABLE.c.subject == _SUBJECTS.c.number)
    .where(one_of(_SUBJECTS.c.person), _TABLE.c.ended_at.is_(None))
)


def since(session: Session, people: Sequence[int]) -> dict[tuple[int, str], Since]:
    """Return (person, trait) → since when a correction stands, and against which values."""
    found: dict[tuple[int, str], Since] = {}
    for person, name, at, clear in statements.rows(session, _IN_FORCE, some=people):
        earlier = found.get((person, name), Since(at, frozenset()))
        found[person, name] = Since(max(at, earlier.at), earlier.wrong | ({clear} - {None}))
    return found


def outweighs(session: Session, rows: Sequence[Correction], one: Stated, at: datetime) -> bool:
    """Say whether a correction of the person stands against this statement; ends those that it overtakes.

    `rows` are those of `of_people`.
    """
    about = [row for row in rows if row.name == one.name]
    in_force = [row for row in about if row.ended_at is None]
    overtook = {row.source for row in about} - {row.source for row in in_force}
    if not in_force or one.source in overtook:
        return False
    deks = vault.deks(session, {row.subject for row in in_force})
    if one.value is None or any(one.at <= row.at or _was(session, row, one.value, deks) for row in in_force):
        return True
    names = {one.name, *(part.name for part in traits.coarse(policy.of(session), [one]))}
    for row in rows:
        if (row.name in names and one.source == row.source) or (row.subject == one.subject and row.name in names):
            row.ended_at = row.ended_at or at
    return False


def _wrong(
    session: Session, standing: Standing, name: str, value: Any, deks: Mapping[int, vault.Dek], home: int | None
) -> Iterator[int]:
    """Yield the subjects whose statement of the trait is another, or the one that is to make the first."""
    stating = [row for (_, stated), row in standing.items() if stated == name]
    for row in stating:
        if row.subject in deks and not _says(session, row, value, deks):
            yield row.subject
    if not stating and value is not None and home is not None:
        yield home


def _overwrite(
    session: Session,
    written: Sequence[Stated],
    standing: Standing,
    deks: Mapping[int, vault.Dek],
    request: str,
    at: datetime,
) -> None:
    terms = policy.of(session)
    parts = [
        Stated(one.subject, one.name, one.value, _after(standing, one.subject, one.name, at), SOURCE, one.ref)
        for one in traits.coarse(terms, written)
    ]
    rows = [*traits.rows(terms, written, deks), *map(traits.coarse_row, parts)]
    _replace(session, [*written, *parts], rows, standing, request, at)


def _replace(
    session: Session,
    written: Sequence[Stated],
    rows: list[dict[str, Any]],
    standing: Standing,
    request: str,
    at: datetime,
) -> None:
    session.add_all(_kept(one, standing.get((one.subject, one.name)), request, at) for one in written)
    session.flush()
    upsert(session, Trait, sorted(rows, key=lambda row: (row["subject"], row["name"])))
    unsettle(session, _people(session, {one.subject for one in written}))


def _kept(one: Stated, before: Row[Any] | None, request: str, at: datetime) -> Correction:
    kept = Correction(subject=one.subject, name=one.name, request=request, at=at, corrected_to=one.at)
    if before is not None:
        kept.source, kept.was_at, kept.ref = before.source, before.at, before.ref
        kept.clear, kept.sealed = before.clear, before.sealed
    return kept


def _restore(session: Session, row: Correction) -> None:
    if row.was_at is None:
        session.execute(delete(Trait).where(col(Trait.subject) == row.subject, col(Trait.name) == row.name))
        return
    before = {name: getattr(row, name) for name in ("subject", "name", "clear", "sealed", "source", "ref")}
    upsert(session, Trait, [before | {"at": row.was_at}])


def _hand_on(session: Session, first: Correction, last: Correction) -> None:
    """Let a later correction of what this one said give back, from now on, what this one had replaced."""
    itself = (col(Correction.subject) == last.subject, col(Correction.name) == last.name)
    replaced = (col(Correction.source) == SOURCE, col(Correction.was_at) == last.corrected_to)
    for later in session.scalars(select(Correction).where(*itself, *replaced, col(Correction.request) != last.request)):
        for name in ("source", "was_at", "ref", "clear", "sealed"):
            setattr(later, name, getattr(first, name))


def _says(session: Session, row: Row[Any], value: Any, deks: Mapping[int, vault.Dek]) -> bool:
    """Whether a statement says exactly this; nothing is opened for it."""
    if row.sealed is not None:
        where = traits.cell(row.subject, row.name, row.at)
        return vault.matches(deks[row.subject], row.sealed, where, traits.encode(value))
    clear = traits.clear_value(policy.of(session).traits[row.name], value)
    return clear is not None and clear == row.clear


def _was(session: Session, row: Correction, value: Any, deks: Mapping[int, vault.Dek]) -> bool:
    """Whether this is the value that was put right."""
    if row.was_at is None:
        return False
    if row.sealed is not None:
        where = traits.cell(row.subject, row.name, row.was_at)
        return row.subject in deks and vault.matches(deks[row.subject], row.sealed, where, traits.encode(value))
    term = policy.of(session).traits.get(row.name)
    return term is not None and row.clear is not None and row.clear == traits.clear_value(term, value)


def _after(standing: Standing, subject: int, name: str, at: datetime) -> datetime:
    """Return the instant of a correction: later than what it corrects, whatever the source's clock had said."""
    before = standing.get((subject, name))
    return max(at, before.at + _TICK) if before is not None else at


def _home(session: Session, deks: Mapping[int, vault.Dek]) -> int | None:
    query = select(col(Subject.number)).where(col(Subject.number).in_(sorted(deks)))
    return session.scalars(query.order_by(col(Subject.public), col(Subject.number)).limit(1)).first()


def _statements(session: Session, subjects: Iterable[int]) -> Standing:
    columns = (Trait.subject, Trait.name, Trait.clear, Trait.sealed, Trait.at, Trait.source, Trait.ref)
    found: dict[tuple[int, str], Row[Any]] = {}
    for some in chunked(sorted(subjects)):
        query = select(*map(col, columns)).where(col(Trait.subject).in_(some))
        rows = session.execute(query.order_by(col(Trait.subject), col(Trait.name)))
        found.update(((row.subject, row.name), row) for row in rows)
    return found


def _people(session: Session, subjects: Iterable[int]) -> set[int]:
    found: set[int] = set()
    for some in chunked(sorted(subjects)):
        found.update(session.scalars(select(col(Subject.person)).where(col(Subject.number).in_(some))))
    return found
