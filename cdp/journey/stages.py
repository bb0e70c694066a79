"""Each person's stage and moves, derived from facts: settled in the transaction that changes them.

Only differences are written, and a recomputation from facts always gives the same rows. Nothing is
recomputed for people whose processing is restricted (GDPR 18) or who are being erased.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Table, delete, exists, false, func, insert, or_, select
from sqlmodel import Session, col

from cdp import policy, statements
from cdp.db import chunked, is_sqlite
from cdp.gate.model import Permission
from cdp.journey.declared import journeys
from cdp.journey.model import Stage, Transition
from cdp.journey.rules import NOWHERE, Happened, Move, Path, walk
from cdp.profile.model import Fact, Person, Subject
from cdp.statements import one_of, pair_of

DEFAULT_JOURNEY = "standard"


_STAGES: Table = Stage.__table__  # type: ignore[attr-defined]
_TRANSITIONS: Table = Transition.__table__  # type: ignore[attr-defined]
_SUBJECTS: Table = Subject.__table__  # type: ignore[attr-defined]
_PEOPLE: Table = Person.__table__  # type: ignore[attr-defined]
_FACTS: Table = Fact.__table__  # type: ignore[attr-defined]
_PERMISSIONS: Table = Permission.__table__  # type: ignore[attr-defined]


class _Place(NamedTuple):
    """A `stage` row without its key."""

    stage: str
    since: datetime
    until: datetime | None
    cause: bytes | None


def settle(session: Session, people: Iterable[int], at: datetime) -> None:
    """Bring stages and moves of these people up to date; rows of people who no longer exist go.

    It locks each person first, so that two transactions never walk one person at once.
    """
    declared = journeys(policy.of(session))
    for some in chunked(sorted(people)):
        _lock(session, some)
        known = dict(statements.rows(session, _THERE, some=some))
        _forget(session, [person for person in some if person not in known])
        open_to = sorted(person for person, is_closed in known.items() if not is_closed)
        listening = [(journey, journey.events) for journey in declared]
        facts = _facts(session, open_to, frozenset().union(*(events for _, events in listening)))
        paths = {
            (person, journey.name): walk(journey, [fact for fact in heard if fact.kind in events], at)
            for person, heard in facts.items()
            for journey, events in listening
        }
        _write_places(session, open_to, paths)
        _write_moves(session, open_to, paths)


def _lock(session: Session, people: Sequence[int]) -> None:
    """Lock the person, not the subjects: each writer holds the one by which its facts came, and wants the other's."""
    if not is_sqlite(session):
        statements.rows(session, _LOCK, some=people)


def holds(at: datetime) -> ColumnElement[bool]:
    """Return the condition that a stage row may be believed: its time-out is still to come."""
    return or_(col(Stage.until).is_(None), col(Stage.until) > at)


def stage_of(session: Session, people: Iterable[int], at: datetime, journey: str = DEFAULT_JOURNEY) -> dict[int, str]:
    """Return each person's stage; absent is who is outside the journey, or timed out and not yet moved on."""
    found: dict[int, str] = {}
    for some in chunked(people):
        query = select(col(Stage.person), col(Stage.stage)).where(
            col(Stage.person).in_(some), col(Stage.journey) == journey, holds(at)
        )
        found.update(row._tuple() for row in session.execute(query))
    return found


def moves_of(session: Session, person: int, journey: str = DEFAULT_JOURNEY) -> list[Move]:
    """Return how a person came to the stage, oldest move first, each with its cause (GDPR 15(1)(h))."""
    return _moves(session, [person])[person, journey]


def due(session: Session, at: datetime, limit: int = 200) -> list[int]:
    """Return people whose stage has timed out, longest overdue first; the worker unsettles them."""
    closed = exists().where(col(Permission.person) == col(Stage.person), _is_closed())
    query = select(col(Stage.person)).where(col(Stage.until) <= at, ~closed).order_by(col(Stage.until)).limit(limit)
    return list(dict.fromkeys(session.scalars(query)))


def _is_closed() -> Any:
    return or_(col(Permission.restricted), col(Permission.erasing))


def _facts(session: Session, people: Sequence[int], events: frozenset[str]) -> dict[int, list[Happened]]:
    """Return each person's facts that any journey listens to, in the one order that both databases share."""
    found: dict[int, list[Happened]] = defaultdict(list)
    for person, *fact in statements.rows(session, _HAPPENED, some=people, kinds=sorted(events)) if people else ():
        found[person].append(Happened(*fact))
    for facts in found.values():
        facts.sort()
    return found


def _write_places(session: Session, people: Sequence[int], paths: dict[tuple[int, str], Path]) -> None:
    """Replace the stage rows that differ."""
    wanted = {key: place for key, path in paths.items() if (place := _place(path)) is not None}
    stored = _places(session, people)
    changed = [key for key in wanted.keys() | stored.keys() if wanted.get(key) != stored.get(key)]
    for some in chunked(sorted(key for key in changed if key in stored)):
        statements.change(session, _LEFT, pairs=some)
    rows = [{"person": key[0], "journey": key[1], **wanted[key]._asdict()} for key in sorted(changed) if key in wanted]
    statements.write(session, _NEW_STAGES, rows)


def _place(path: Path) -> _Place | None:
    if path.stage == NOWHERE:
        return None
    last = path.moves[-1]
    return _Place(last.to_stage, last.at, path.until, last.cause)


def _places(session: Session, people: Sequence[int]) -> dict[tuple[int, str], _Place]:
    rows = statements.rows(session, _PLACES, some=people) if people else []
    return {(person, journey): _Place(*place) for person, journey, *place in rows}


def _write_moves(session: Session, people: Sequence[int], paths: dict[tuple[int, str], Path]) -> None:
    """Add the new moves; where the past itself changed, write that person's journey anew."""
    stored = _moves(session, people)
    rewritten, rows = [], []
    for key in sorted(stored.keys() | paths.keys()):
        wanted, kept = paths[key].moves if key in paths else [], stored[key]
        if wanted[: len(kept)] != kept:
            rewritten.append(key)
            kept = []
        rows += [{"person": key[0], "journey": key[1], **move._asdict()} for move in wanted[len(kept) :]]
    for some in chunked(rewritten):
        statements.change(session, _UNDONE, pairs=some)
    statements.write(session, _NEW_TRANSITIONS, rows)


def _moves(session: Session, people: Sequence[int]) -> defaultdict[tuple[int, str], list[Move]]:
    found: defaultdict[tuple[int, str], list[Move]] = defaultdict(list)
    for person, journey, *move in statements.rows(session, _MOVES, some=people) if people else ():
        found[person, journey].append(Move(*move))
    return found


_MOVES = (
    select(*(_TRANSITIONS.c[name] for name in ("person", "journey", "from_stage", "to_stage", "at", "cause", "rule")))
    .where(one_of(_TRANSITIONS.c.person))
    .order_by(_TRANSITIONS.c.id)
)
_PLACES = select(*(_STAGES.c[name] for name in ("person", "journey", "stage", "since", "until", "cause"))).where(
    one_of(_STAGES.c.person)
)
_NEW_STAGES, _NEW_TRANSITIONS = insert(_STAGES), insert(_TRANSITIONS)
_LEFT = delete(_STAGES).where(pair_of(_STAGES.c.person, _STAGES.c.journey))
_UNDONE = delete(_TRANSITIONS).where(pair_of(_TRANSITIONS.c.person, _TRANSITIONS.c.journey))
_FORGOTTEN_STAGES = delete(_STAGES).where(one_of(_STAGES.c.person))
_FORGOTTEN_TRANSITIONS = delete(_TRANSITIONS).where(one_of(_TRANSITIONS.c.person))
_THERE = (
    select(_SUBJECTS.c.person, func.coalesce(or_(_PERMISSIONS.c.restricted, _PERMISSIONS.c.erasing), false()))
    .distinct()
    .outerjoin(_PERMISSIONS, _PERMISSIONS.c.person == _SUBJECTS.c.person)
    .where(one_of(_SUBJECTS.c.person))
)
_LOCK = select(_PEOPLE.c.person).where(one_of(_PEOPLE.c.person)).order_by(_PEOPLE.c.person).with_for_update()
_HAPPENED = (
    select(_SUBJECTS.c.person, _FACTS.c.at, _FACTS.c.ref, _FACTS.c.kind)
    .join(_FACTS, _FACTS.c.subject == _SUBJECTS.c.number)
    .where(one_of(_SUBJECTS.c.person), one_of(_FACTS.c.kind, "kinds"))
)


def _forget(session: Session, people: Sequence[int]) -> int:
    forgetting = (_FORGOTTEN_STAGES, _FORGOTTEN_TRANSITIONS)
    return sum(statements.change(session, one, some=some) for one in forgetting for some in chunked(people))
