"""Whom a request reaches beside the person: whoever holds the same identifier without proof.

A browser in which an address was typed is a person of its own until somebody proves that it is
theirs. It goes with whose address it is. Somebody else's person, who can be proved by another
identifier, stays: of that one only the unproved address goes. Who holds it with proof is never touched.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

from sqlalchemy import delete, select
from sqlmodel import Session, col

from cdp import identity, policy
from cdp.clock import Clock
from cdp.db import chunked
from cdp.identity import graph
from cdp.identity.model import Aside, CorrectedIdentifier, Identifier
from cdp.policy.terms import DERIVED
from cdp.profile.model import Subject

Points = set[tuple[str, bytes]]
"""(namespace, suppression token)."""


class Held(NamedTuple):
    """One row of evidence, as far as it matters here."""

    subject: int
    person: int
    namespace: str
    point: bytes
    token: bytes
    verified: bool
    is_role: bool
    """An office's address: whoever gives it is not known by it."""


def points_of(session: Session, subjects: Collection[int]) -> Points:
    """Return the suppression tokens of every identifier of the subjects, also of those that they had removed.

    One that they merely claim, or had removed, and somebody else has proof of is somebody else's, and is left out.
    """
    points: Points = set()
    claimed: Points = set()
    for some in chunked(subjects):
        query = select(col(Identifier.namespace), col(Identifier.suppression_token), col(Identifier.verified))
        for namespace, point, verified in session.execute(query.where(col(Identifier.subject).in_(some))):
            (points if verified else claimed).add((namespace, bytes(point)))
        claimed |= _removed(session, some)
    others = _held(session, claimed - points, subjects)
    theirs = {row.point for row in others if row.verified}
    return points | {(namespace, point) for namespace, point in claimed if point not in theirs}


def unproved(session: Session, points: Points, besides: Collection[int]) -> set[int]:
    """Return every subject of the people who hold one of the points without proof and cannot be proved otherwise.

    Who typed an office's address is somebody of the office, and not whoever asks.
    """
    rows = _held(session, points, besides)
    people = {row.person for row in rows if not row.is_role} - {row.person for row in rows if row.verified}
    return _subjects(session, people - _proved_otherwise(session, people, points)) - set(besides)


def holding(session: Session, points: Points) -> set[int]:
    """Return every subject that holds one of the points, with proof or without."""
    return {row.subject for row in _held(session, points, ())}


def owners(session: Session, points: Points) -> set[int]:
    """Return the people who hold one of the points with proof."""
    return {row.person for row in _held(session, points, ()) if row.verified}


def sever(session: Session, points: Points, besides: Collection[int]) -> int:
    """Delete unproved evidence with these points of any others and resolve those anew; returns how many rows went."""
    rows = [row for row in _held(session, points, besides) if not row.verified]
    rows += _other_spellings(session, rows)
    if not rows:
        return 0
    graph.lock_tokens(session, {(row.namespace, row.token) for row in rows})
    neighbours = graph.load_locked(session, {row.subject for row in rows}).subjects
    for row in rows:
        this = (
            col(Identifier.subject) == row.subject,
            col(Identifier.namespace) == row.namespace,
            col(Identifier.suppression_token)
            == row.point,  # a rotation of the index may have moved the value meanwhile
            col(Identifier.verified).is_(False),
        )
        session.execute(delete(Identifier).where(*this))
    clock: Clock = session.info["clock"]
    identity.resolve(session, neighbours - set(besides), clock.now(), "erasure")
    return len(rows)


def _other_spellings(session: Session, rows: Iterable[Held]) -> list[Held]:
    """Return the unproved addresses that these mailboxes were derived from, where a subject has but one address."""
    mailboxes = {row.subject: DERIVED[row.namespace] for row in rows if row.namespace in DERIVED}
    named = {(row.subject, row.token) for row in rows}
    found: dict[int, list[Held]] = defaultdict(list)
    for some in chunked(sorted(mailboxes)):
        for row in map(_read, session.execute(_EVIDENCE.where(col(Identifier.subject).in_(some)))):
            if row.namespace == mailboxes[row.subject]:
                found[row.subject].append(row)
    alone = (held for held in found.values() if len({row.point for row in held}) == 1)
    return [row for held in alone for row in held if not row.verified and (row.subject, row.token) not in named]


def _removed(session: Session, subjects: Collection[int]) -> Points:
    """Return what these subjects had removed: a source that still brings it would bring the person back."""
    query = select(col(CorrectedIdentifier.namespace), col(CorrectedIdentifier.suppression_token))
    where = (col(CorrectedIdentifier.subject).in_(subjects), col(CorrectedIdentifier.removed))
    return {(row[0], bytes(row[1])) for row in session.execute(query.where(*where))}


def _held(session: Session, points: Points, besides: Collection[int]) -> list[Held]:
    left_out = set(besides)
    return [row for row in _rows(session, points) if row.subject not in left_out]


def _rows(session: Session, points: Points) -> Iterator[Held]:
    for some in chunked(sorted({point for _, point in points})):
        for row in session.execute(_EVIDENCE.where(col(Identifier.suppression_token).in_(some))):
            yield _read(row)


def _proved_otherwise(session: Session, people: Iterable[int], points: Points) -> set[int]:
    """Return those of the people who have proof of a contact point, login or customer number beside these points."""
    found: set[int] = set()
    devices = {name for name, term in policy.of(session).namespaces.items() if not term.verified_only}
    asked = {point for _, point in points}
    for some in chunked(sorted(people)):
        rows = map(_read, session.execute(_EVIDENCE.where(col(Subject.person).in_(some), col(Identifier.verified))))
        found.update(row.person for row in rows if row.namespace not in devices and row.point not in asked)
    return found


def _subjects(session: Session, people: Iterable[int]) -> set[int]:
    found: set[int] = set()
    for some in chunked(sorted(people)):
        found.update(session.scalars(select(col(Subject.number)).where(col(Subject.person).in_(some))))
    return found


def _read(row: Any) -> Held:
    return Held(row[0], row[1], row[2], bytes(row[3]), bytes(row[4]), *row[5:])


_EVIDENCE = select(
    col(Identifier.subject),
    col(Subject.person),
    col(Identifier.namespace),
    col(Identifier.suppression_token),
    col(Identifier.token),
    col(Identifier.verified),
    col(Identifier.aside).op("&")(int(Aside.ROLE)) > 0,
).join(Subject, col(Subject.number) == col(Identifier.subject))
