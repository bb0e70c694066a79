"""Identifiers that a person had put right: which were not theirs, which are (GDPR 16, APPI 34).

What is removed is kept, sealed as it was, so that it can be taken back, and so that a source that still
brings it for this person joins nobody by it. What is added joins records only where it was proved to be
theirs. Consent stays with the contact point that it was given for. What an identifier is evidence of goes
and comes with it: with an address its mailbox.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Table, delete, select, update
from sqlmodel import Session, col

from cdp import ledger, policy, statements, vault
from cdp.db import chunked, insert_ignoring
from cdp.identity import graph, naming, places, resolution
from cdp.identity.holder import let_go_of
from cdp.identity.model import CorrectedIdentifier, Identifier, Override
from cdp.identity.normalise import VERSION, Canonical, derived, phone_country, with_derived
from cdp.identity.rules import TokenKey
from cdp.identity.seeing import month_of
from cdp.profile import corrections, traits
from cdp.profile.model import Subject
from cdp.statements import one_of

PHONES = vault.family("phone")
ACTOR = "rectification"
"""Who decides that records stay together whose common identifier was replaced."""


def remove(session: Session, subjects: Sequence[int], name: Canonical, request: str, at: datetime) -> list[int]:
    """Take the identifier from these subjects; returns from which. Resolve them when all is changed.

    Hold values still first (`places.hold_still`), here as in `add` and `revoke`.
    """
    rows = _held(session, name, subjects)
    touched = sorted({row.subject for row in rows})
    for also in derived(policy.of(session), name) if touched else ():
        rows += _held(session, also, touched)
    keys = {(row.namespace, bytes(row.token)) for row in rows}
    graph.lock_tokens(session, keys)
    session.add_all(_kept(row, request, at, removed=True) for row in rows)
    session.flush()
    _delete(session, [(row.subject, row.namespace, bytes(row.token)) for row in rows])
    let_go_of(session, keys)
    for subject in touched if name.namespace in PHONES else ():
        corrections.derive(session, subject, traits.PHONE_COUNTRY, None, request, at)
    return touched


def add(session: Session, subjects: Sequence[int], name: Canonical, request: str, at: datetime) -> int:
    """Write the identifier on these subjects; returns how many did not have it."""
    for also in derived(policy.of(session), name):
        _add(session, subjects, also, request, at)
    return _add(session, subjects, name, request, at)


def keys_of(session: Session, names: Iterable[Canonical]) -> set[TokenKey]:
    """Return the tokens that removing or adding these identifiers touches: lock them first."""
    return {
        (namespace, token)
        for name in with_derived(policy.of(session), names)
        for token in vault.of(session).tokens(name.namespace, name.scope, name.value).values()
        for namespace in vault.family(name.namespace)
    }


def _add(session: Session, subjects: Sequence[int], name: Canonical, request: str, at: datetime) -> int:
    deks, keys = vault.deks(session, subjects), vault.of(session)
    had = {row.subject for row in _held(session, name, subjects)}
    graph.lock_tokens(session, {(name.namespace, token) for token in naming.tokens(session, name).values()})
    epoch, token = places.find(session, [name])[name]
    rows = [
        {
            "subject": subject,
            "namespace": name.namespace,
            "token": token,
            "scope": name.scope,
            "epoch": epoch,
            "suppression_token": keys.suppression_token(name.namespace, name.scope, name.value),
            "sealed": vault.seal(
                deks[subject], resolution.sealed_value(name), resolution.cell(subject, name.namespace, token)
            ),
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


def keep_together(session: Session, subjects: Iterable[int], request: str, at: datetime) -> None:
    """Have these subjects stay the people that they are now, whatever becomes of the identifiers that joined them.

    Resolve them when all is changed. It is a decision as staff take one, until the request is taken back.
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


def revoke(session: Session, request: str, at: datetime) -> list[int]:
    """Take back what a request changed of identifiers; returns whose."""
    bound = (col(Override.actor) == ACTOR, col(Override.reason) == request, col(Override.revoked_at).is_(None))
    session.execute(update(Override).where(*bound).values(revoked_at=at))
    rows = session.scalars(select(CorrectedIdentifier).where(col(CorrectedIdentifier.request) == request)).all()
    keys = {(row.namespace, bytes(row.token)) for row in rows}
    graph.lock_tokens(session, keys)
    _delete(session, [(row.subject, row.namespace, bytes(row.token)) for row in rows if not row.removed])
    insert_ignoring(session, Identifier, [_identifier(row) for row in rows if row.removed])
    for row in rows:
        session.delete(row)
    session.flush()
    let_go_of(session, keys)
    return sorted({row.subject for row in rows})


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
    where = {id(row): resolution.cell(row.subject, row.namespace, bytes(row.token)) for row in found}
    return [
        row
        for row in found
        if row.subject in deks and resolution.is_same(deks[row.subject], bytes(row.sealed), where[id(row)], name)
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
