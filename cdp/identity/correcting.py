"""Identifiers that a person had put right: which were not theirs, which are (GDPR 16, APPI 34).

What is removed is kept, sealed as it was, so that it can be taken back, and so that a source that still
brings it for this person joins nobody by it. What is added joins records only where it was proved to be
theirs. Consent stays with the contact point that it was given for. What an identifier is evidence of goes
and comes with it: with an address its mailbox.

Everybody who shares such a value is resolved with the change: what stood between two others may be gone.
Hold values still first (`places.hold_still`).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, delete, select, update
from sqlmodel import Session, col

from cdp import ledger, policy, statements, vault
from cdp.db import chunked, insert_ignoring
from cdp.identity import graph, marks, naming, places, resolution, sealed
from cdp.identity.holder import let_go_of
from cdp.identity.model import Aside, CorrectedIdentifier, Identifier, Override
from cdp.identity.normalise import VERSION, Canonical, derived, phone_country
from cdp.identity.rules import TokenKey
from cdp.identity.seeing import month_of
from cdp.profile import corrections, traits
from cdp.profile.model import Subject
from cdp.statements import one_of

DENIED, LAPSED = int(Aside.RETRACTED | Aside.LEFT), int(Aside.EXPIRED | Aside.HELD)
PHONES = vault.family("phone")
ACTOR = CAUSE = "rectification"
"""Who decides that records stay together whose common identifier was replaced."""


@dataclass(frozen=True, slots=True)
class Change:
    """One identifier that is wrong, the one that is right, or both."""

    remove: Canonical | None = field(default=None, repr=False)
    add: Canonical | None = field(default=None, repr=False)

    @property
    def names(self) -> list[Canonical]:
        return [name for name in (self.remove, self.add) if name]


def hold(session: Session, subjects: Iterable[int], changes: Iterable[Change]) -> None:
    """Lock the values of these changes, then these people and whoever the values may join, each in order."""
    names = [name for one in changes for name in one.names]
    while True:
        _lock(session, subjects, _keys(session, subjects, names))
        if not places.renew(session):
            return


def put_right(
    session: Session,
    subjects: Sequence[int],
    changes: Iterable[Change],
    request: str,
    at: datetime,
    kept_out: Collection[Canonical] = (),
) -> Counter[str]:
    """Change identifiers of one person; returns how many were changed, and how many not, by why.

    Counts `identifiers`, `unmatched` (to be removed, but nowhere), and what is not added: `kept_out`, and `set_aside`
    where staff said that it is not theirs and that word stands.
    """
    wanted = list(changes)
    names = [name for one in wanted for name in one.names]
    with _resolving(session, subjects, _keys(session, subjects, names), at):
        return Counter(_change(session, subjects, one, request, at, kept_out) for one in wanted)


def remove(session: Session, subjects: Sequence[int], name: Canonical, request: str, at: datetime) -> list[int]:
    """Take the identifier from these subjects; returns from which."""
    with _resolving(session, subjects, _keys(session, subjects, [name]), at):
        return _remove(session, subjects, name, request, at)


def add(session: Session, subjects: Sequence[int], name: Canonical, request: str, at: datetime) -> int:
    """Write the identifier on these subjects; returns how many did not have it."""
    with _resolving(session, subjects, _keys(session, subjects, [name]), at):
        return _add_all(session, subjects, name, request, at)


def revoke(session: Session, request: str, at: datetime, subjects: Iterable[int] = ()) -> list[int]:
    """Take back what a request changed of identifiers, and of these subjects' marks; returns whose identifiers."""
    known = select(col(CorrectedIdentifier.subject), col(CorrectedIdentifier.namespace), col(CorrectedIdentifier.token))
    touched = session.execute(known.where(col(CorrectedIdentifier.request) == request)).all()
    keys = {(row.namespace, bytes(row.token)) for row in touched}
    whose = {*subjects, *(row.subject for row in touched), *_bound(session, request)}
    with _resolving(session, whose, keys, at):
        marks.uncorrect(session, whose, request)
        session.execute(update(Override).where(*_of(request)).values(revoked_at=at))
        query = select(CorrectedIdentifier).where(col(CorrectedIdentifier.request) == request)
        rows = session.scalars(query.order_by(col(CorrectedIdentifier.id).desc())).all()
        for row in rows:
            _undo(session, row)
    return sorted({row.subject for row in rows})


def _undo(session: Session, row: CorrectedIdentifier) -> None:
    """Take one change of a subject's identifier back, also from under later changes of the same.

    What was removed and added again is from now on what it was first; removed once more, so it is kept.
    """
    this = (row.subject, row.namespace, bytes(row.token))
    query = select(CorrectedIdentifier).where(col(CorrectedIdentifier.subject) == row.subject)
    query = query.where(graph.among(CorrectedIdentifier, [this[1:]])).order_by(col(CorrectedIdentifier.id))
    changes = list(session.scalars(query))
    place = changes.index(row)
    later = changes[place + 1 :]
    is_answered = bool(later) and later[0].removed != row.removed and (row.removed or place > 0)
    if is_answered:  # without this one, the next would have found nothing to do
        session.delete(later.pop(0))
    if later and row.removed:
        for name in _COLUMNS:
            setattr(later[0], name, getattr(row, name))
    if not later and (is_answered or not row.removed):
        _delete(session, [this])
    if not later and row.removed:
        insert_ignoring(session, Identifier, [_identifier(row)])
    session.delete(row)
    session.flush()


@contextmanager
def _resolving(session: Session, subjects: Iterable[int], keys: Collection[TokenKey], at: datetime) -> Iterator[None]:
    """Resolve these subjects, and whomever these values joined or may join again, once their evidence is another."""
    walked = _lock(session, subjects, keys)
    joined = graph.load_locked(session, graph.holders(session, walked)).subjects
    yield
    let_go_of(session, keys)
    back = graph.holders(session, resolution.reconsider(session, keys, at))
    resolution.resolve(session, {*subjects, *joined, *back}, at, CAUSE)


def _lock(session: Session, subjects: Iterable[int], keys: Iterable[TokenKey]) -> list[TokenKey]:
    """Lock values, then subjects with their people and whoever the values may join; returns the values that may."""
    states = graph.lock_tokens(session, keys)
    graph.hold(session, subjects, states)
    return [key for key, state in states.items() if state not in graph.UNWALKED]


def _keys(session: Session, subjects: Iterable[int], names: Iterable[Canonical]) -> set[TokenKey]:
    """Return the values that changing these identifiers touches, under each key that they have or stand under here."""
    known = naming.evidence(session, names)
    found = {
        (namespace, token)
        for name in known
        for token in naming.tokens(session, name).values()
        for namespace in vault.family(name.namespace)
    }
    silences = sorted({naming.silence_token(session, name) for name in known})
    stands = select(col(Identifier.namespace), col(Identifier.token))
    for some in chunked(sorted(subjects)):
        here = (col(Identifier.subject).in_(some), col(Identifier.suppression_token).in_(silences))
        found.update((row.namespace, bytes(row.token)) for row in session.execute(stands.where(*here)))
    return found


def _change(
    session: Session,
    subjects: Sequence[int],
    change: Change,
    request: str,
    at: datetime,
    kept_out: Collection[Canonical],
) -> str:
    """Change one identifier; returns what became of it, by the name that it is counted under."""
    homes = _home(session, subjects)
    if change.remove:
        homes = _remove(session, subjects, change.remove, request, at)
        if not homes:
            return "unmatched"
    if change.remove and change.add:
        # Replaced, not denied: she stays one, with every no that she said, also where the new one joins nothing.
        _keep_together(session, homes, request, at)
    if change.add in kept_out:
        return "kept_out"
    if change.add and not _add_all(session, homes, change.add, request, at) and _denied(session, homes, change.add):
        return "set_aside"
    return "identifiers"


def _home(session: Session, subjects: Sequence[int]) -> list[int]:
    """Return where something is added that was nowhere: the lowest subject that no browser brought."""
    query = select(col(Subject.number)).where(col(Subject.number).in_(subjects))
    return list(session.scalars(query.order_by(col(Subject.public), col(Subject.number)).limit(1)))


def _remove(session: Session, subjects: Sequence[int], name: Canonical, request: str, at: datetime) -> list[int]:
    rows = _held(session, name, subjects)
    touched = sorted({row.subject for row in rows})
    for also in derived(policy.of(session), name) if touched else ():
        rows += _held(session, also, touched)
    session.add_all(_kept(row, request, at, removed=True) for row in rows)
    session.flush()
    _delete(session, [(row.subject, row.namespace, bytes(row.token)) for row in rows])
    for subject in touched if name.namespace in PHONES else ():
        corrections.derive(session, subject, traits.PHONE_COUNTRY, None, request, at)
    return touched


def _add_all(session: Session, subjects: Sequence[int], name: Canonical, request: str, at: datetime) -> int:
    for also in derived(policy.of(session), name):
        _add(session, subjects, also, request, at)
    return _add(session, subjects, name, request, at)


def _add(session: Session, subjects: Sequence[int], name: Canonical, request: str, at: datetime) -> int:
    deks, keys = vault.deks(session, subjects), vault.of(session)
    standing = _held(session, name, subjects)
    stale = [
        row for row in standing if name.verified and not row.aside & DENIED and (row.aside & LAPSED or not row.verified)
    ]
    had = {row.subject for row in standing} - {row.subject for row in stale}
    session.add_all(_kept(row, request, at, removed=True) for row in stale)  # proved anew: not what it was any more
    session.flush()
    _delete(session, [(row.subject, row.namespace, bytes(row.token)) for row in stale])
    epoch, token = places.find(session, [name])[name]
    rows = [
        {
            "subject": subject,
            "namespace": name.namespace,
            "token": token,
            "scope": name.scope,
            "epoch": epoch,
            "suppression_token": keys.suppression_token(name.namespace, name.scope, name.value),
            "sealed": vault.seal(deks[subject], sealed.plaintext(name), sealed.cell(subject, name.namespace, token)),
            "verified": name.verified,
            "normaliser": VERSION,
            "first_at": at,
            "seen": month_of(at),
            "aside": naming.aside(session, name),
        }
        for subject in sorted(set(deks) - had)
    ]
    insert_ignoring(session, Identifier, rows)
    session.add_all(_kept(row, request, at, removed=False) for row in map(_Fields, rows))
    session.flush()
    country = phone_country(name.value) if name.namespace in PHONES else ""
    for subject in sorted(set(deks) - had) if country else ():
        corrections.derive(session, subject, traits.PHONE_COUNTRY, country, request, at)
    return len(set(deks) - had)


def _denied(session: Session, subjects: Sequence[int], name: Canonical) -> bool:
    """Whether staff's word that one of these subjects has it not stands: the person's is another decision's to take."""
    return any(row.aside & DENIED for row in _held(session, name, subjects))


def _keep_together(session: Session, subjects: Iterable[int], request: str, at: datetime) -> None:
    """Have these subjects stay the people that they are now, whatever becomes of the identifiers that joined them.

    It is a decision as staff take one, until the request is taken back.
    """
    people = resolution.people_of(session, subjects)
    for subject, person in sorted(people.items()):
        first = min(other for other, same in people.items() if same == person)
        if subject == first:
            continue
        row = Override(kind="must", subject=first, other_subject=subject, reason=request, actor=ACTOR, at=at)
        session.add(row)
        session.flush()
        ledger.note(session, "identity.decided", {"decision": row.id, "kind": "must", "actor": ACTOR}, at)


def _of(request: str) -> tuple[ColumnElement[bool], ...]:
    """Match what binds subjects for this request."""
    return col(Override.actor) == ACTOR, col(Override.reason) == request, col(Override.revoked_at).is_(None)


def _bound(session: Session, request: str) -> set[int]:
    query = select(col(Override.subject), col(Override.other_subject)).where(*_of(request))
    return {subject for row in session.execute(query) for subject in row}


_CORRECTED: Table = CorrectedIdentifier.__table__  # type: ignore[attr-defined]
_SUBJECTS: Table = Subject.__table__  # type: ignore[attr-defined]
_DONE = (
    select(_CORRECTED.c.suppression_token, _SUBJECTS.c.person, _CORRECTED.c.removed)
    .join(_SUBJECTS, _SUBJECTS.c.number == _CORRECTED.c.subject)
    .where(one_of(_CORRECTED.c.suppression_token))
    .order_by(_CORRECTED.c.id)
)


def removed(session: Session, points: Iterable[bytes]) -> dict[bytes, set[int]]:
    """Return suppression token → people who had this identifier removed, not added since, and do not have it again."""
    last: dict[tuple[bytes, int], bool] = {}
    for some in chunked(sorted(points)):
        for point, person, gone in statements.rows(session, _DONE, some=some):
            last[point, person] = gone
    found: dict[bytes, set[int]] = {}
    for (point, person), gone in last.items():
        if gone:
            found.setdefault(point, set()).add(person)
    for point, people in holders(session, found).items():
        found[point] -= people
    return {point: people for point, people in found.items() if people}


def holders(session: Session, points: Iterable[bytes]) -> dict[bytes, set[int]]:
    """Return suppression token → people who hold the identifier with proof, or as their device."""
    found: dict[bytes, set[int]] = {}
    devices = [name for name, term in policy.of(session).namespaces.items() if not term.verified_only]
    for some in chunked(sorted(points)):
        query = (
            select(col(Identifier.suppression_token), col(Subject.person))
            .join(Subject, col(Subject.number) == col(Identifier.subject))
            .where(col(Identifier.suppression_token).in_(some))
            .where(col(Identifier.verified) | col(Identifier.namespace).in_(devices))
        )
        for point, person in session.execute(query):
            found.setdefault(bytes(point), set()).add(person)
    return found


class _Fields:
    """A row to be written, read by attribute as a stored one is."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)


_COLUMNS = (
    "subject",
    "namespace",
    "token",
    "scope",
    "epoch",
    "suppression_token",
    "sealed",
    "verified",
    "normaliser",
    "first_at",
    "seen",
    "aside",
)


def _held(session: Session, name: Canonical, subjects: Sequence[int]) -> list[Row[Any]]:
    """Return the evidence of this identifier on these subjects, under any key; a token finds, the value decides."""
    deks = vault.deks(session, subjects)
    found: list[Row[Any]] = []
    for some in chunked(subjects):
        query = select(*(col(getattr(Identifier, column)) for column in _COLUMNS)).where(
            col(Identifier.subject).in_(some),
            col(Identifier.namespace).in_(vault.family(name.namespace)),
            col(Identifier.suppression_token) == naming.silence_token(session, name),
        )
        found += session.execute(query).all()
    where = {id(row): sealed.cell(row.subject, row.namespace, bytes(row.token)) for row in found}
    return [
        row
        for row in found
        if row.subject in deks and sealed.is_same(deks[row.subject], bytes(row.sealed), where[id(row)], name)
    ]


def _kept(row: Row[Any] | _Fields, request: str, at: datetime, removed: bool) -> CorrectedIdentifier:
    values = {name: getattr(row, name) for name in _COLUMNS}
    return CorrectedIdentifier(request=request, at=at, removed=removed, **values)


def _identifier(row: CorrectedIdentifier) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _COLUMNS}


def _delete(session: Session, rows: Iterable[tuple[int, str, bytes]]) -> None:
    for subject, namespace, token in rows:
        this = (
            col(Identifier.subject) == subject,
            col(Identifier.namespace) == namespace,
            col(Identifier.token) == token,
        )
        session.execute(delete(Identifier).where(*this))
