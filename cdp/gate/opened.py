"""Opening: the one place where sealed values of people become plain, always for a recipient.

Gathering (what to open) happens beside the deciding; opening happens in memory after it.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from cdp import consent, ledger, policy, vault
from cdp.db import chunked
from cdp.errors import KeyDestroyed
from cdp.gate import records
from cdp.gate.permit import Grant, Permit
from cdp.holders import Held
from cdp.identity.belonging import IS_THEIRS
from cdp.identity.model import Identifier
from cdp.ids import new_id
from cdp.policy.terms import CONTACT_CHANNELS, CONTACTS, Policy, Use
from cdp.profile.model import Subject, Trait
from cdp.vault.model import SubjectKey
from cdp.vault.opening import open_sealed

_ANSWERING = "subject_rights"
"""The declared purpose for which people are given what is held of them."""
_MARKETING = ("direct_marketing", "third_party_sharing", "personalisation")


@dataclass(frozen=True, slots=True)
class Sealed:
    """One sealed value and where it stands; or a value that stands in the clear."""

    cell: vault.Cell | None
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Material:
    """What a permit will open: sealed values and wrapped keys, nothing plain but coarse traits."""

    fields: Mapping[int, Mapping[str, Sealed]] = field(repr=False)
    keys: Mapping[int, SubjectKey] = field(repr=False)


def gather(session: Session, permit: Permit) -> Material:
    """Collect the sealed values of the permit's people for its fields, best one per field.

    Never what only a browser claimed or is not the person's any more, and for marketing never an address that must
    stay silent.
    """
    fields, use, grants = permit.lease.request.fields, permit.lease.request.use, permit.grants
    owner = _owners(session, grants)
    if permit.lease.request.vouched:
        owner = _vouched(session, owner)
    namespaces = [name for name in fields if name in policy.of(session).namespaces]
    traits = [name for name in fields if name not in namespaces]
    found: dict[int, dict[str, Sealed]] = defaultdict(dict)
    _gather_identifiers(session, grants, owner, namespaces, use, found)
    _gather_traits(session, owner, traits, found)
    _leave_out_lapsed(policy.of(session), permit, found)
    used = {sealed.cell.subject for some in found.values() for sealed in some.values() if sealed.cell}
    return Material(found, _keys(session, used))


def _leave_out_lapsed(terms: Policy, permit: Permit, found: dict[int, dict[str, Sealed]]) -> None:
    """Open nothing of a category whose period is over: it waits to be deleted (GDPR 5(1)(e), APPI 22)."""
    for person, grant in permit.grants.items():
        for name in [one for one in found[person] if terms.category_of(one) in grant.situation.standing.lapsed]:
            del found[person][name]


def open_fields(material: Material, person: int, keys: vault.Vault) -> dict[str, Any] | None:
    """Open one person's fields; None when a key was destroyed meanwhile."""
    opened: dict[str, Any] = {}
    for name, sealed in material.fields.get(person, {}).items():
        if sealed.cell is None:
            opened[name] = sealed.value.decode()
            continue
        row = material.keys.get(sealed.cell.subject)
        if row is None:
            return None
        try:
            key = keys.unwrap(row.subject, row.tree, row.wrapped)
        except KeyDestroyed:
            return None
        value = json.loads(open_sealed(key, sealed.value, sealed.cell))
        opened[name] = value["value"] if sealed.cell.table == "identifier" else value
    return opened


def open_for_subject(
    session: Session, person: int, held: Iterable[Held], at: datetime, client: str = ""
) -> list[tuple[Held, Any]]:
    """Open everything held of a person for that person (GDPR 15, APPI 33), and record the disclosure.

    Returns each held thing with its opened value: None for what has nothing sealed, and where the key was
    destroyed. `client` is who fetches it.
    """
    listed = list(held)
    keys, rows = vault.of(session), _keys(session, {one.subject for one in listed if one.sealed})
    opened = [(one, _open_held(one, rows, keys)) for one in listed]
    _record_export(session, {person, *(one.subject for one in listed)}, at, client)
    return opened


def open_words(session: Session, words: Held) -> Any:
    """Open what a person asked of us, for us to carry out; it leaves for nowhere. None when its key is gone."""
    return _open_held(words, _keys(session, [words.subject]), vault.of(session))


def _open_held(one: Held, rows: Mapping[int, SubjectKey], keys: vault.Vault) -> Any:
    row = rows.get(one.subject)
    if one.sealed is None or row is None:
        return None
    try:
        key = keys.unwrap(row.subject, row.tree, row.wrapped)
    except KeyDestroyed:
        return None
    value = open_sealed(key, one.sealed, vault.Cell(one.subject, one.table, one.column, one.row, one.version))
    try:
        return json.loads(value)
    except ValueError:
        return value.decode(errors="replace")


def _record_export(session: Session, subjects: Iterable[int], at: datetime, client: str) -> None:
    name = new_id()
    header = {"disclosure": name, "recipient": "subject", "client": client, "purpose": _ANSWERING, "people": 1}
    records.write(
        session,
        name=name,
        kind="export",
        recipient="subject",
        purpose=_ANSWERING,
        channel="none",
        people=records.bitmap(subjects),
        at=at,
        entry=ledger.note(session, "page.opened", header, at),
        client=client,
        fields="*",
    )


def _owners(session: Session, grants: Mapping[int, Grant]) -> dict[int, int]:
    """Return whose subject is whose, leaving out what a device's own grant does not reach (ruling R2)."""
    owner = {subject: person for person, grant in grants.items() for subject in grant.situation.subjects}
    devices = {one.point.token: person for person, one in grants.items() if one.is_for_device and one.point}
    bound = {person for person, one in grants.items() if one.is_for_device}
    seen: set[int] = set()
    for some in chunked(sorted(devices)):
        with_it = select(col(Identifier.subject)).where(col(Identifier.token).in_(some), IS_THEIRS)
        seen.update(session.scalars(with_it))
    return {subject: person for subject, person in owner.items() if person not in bound or subject in seen}


def _vouched(session: Session, owner: Mapping[int, int]) -> dict[int, int]:
    claimed: set[int] = set()
    for some in chunked(owner):
        query = select(col(Subject.number)).where(col(Subject.number).in_(some), col(Subject.public))
        claimed.update(session.scalars(query))
    return {subject: person for subject, person in owner.items() if subject not in claimed}


def _gather_identifiers(
    session: Session,
    grants: Mapping[int, Grant],
    owner: Mapping[int, int],
    namespaces: Sequence[str],
    use: Use,
    found: dict[int, dict[str, Sealed]],
) -> None:
    reached = CONTACT_CHANNELS.get(use.channel, ())
    for some in chunked(owner if namespaces else ()):
        query = (
            select(Identifier)
            .where(col(Identifier.subject).in_(some), col(Identifier.namespace).in_(namespaces))
            .where(col(Identifier.verified), IS_THEIRS)
            .order_by(col(Identifier.subject), col(Identifier.suppression_token))
        )
        rows = list(session.scalars(query))
        silent = _silent(session, use, rows)
        for row in rows:
            person = owner[row.subject]
            point = grants[person].point
            if grants[person].is_for_device and row.namespace in CONTACTS:
                continue
            # Where the use reaches a contact point, that very point is given and no other.
            if row.namespace in reached and (point is None or point.suppression_token != row.suppression_token):
                continue
            if row.namespace not in reached and row.suppression_token in silent:
                continue
            cell = vault.Cell(row.subject, "identifier", "sealed", row.namespace.encode() + b":" + row.token)
            found[person][row.namespace] = Sealed(cell, row.sealed)


def _silent(session: Session, use: Use, rows: Sequence[Identifier]) -> set[bytes]:
    if policy.of(session).purposes[use.purpose].kind not in _MARKETING:
        return set()
    return {silent.token for silent in consent.in_force(session, {row.suppression_token for row in rows})}


def _gather_traits(
    session: Session, owner: Mapping[int, int], names: Sequence[str], found: dict[int, dict[str, Sealed]]
) -> None:
    for some in chunked(owner if names else ()):
        query = (
            select(Trait)
            .where(col(Trait.subject).in_(some), col(Trait.name).in_(names))
            .order_by(col(Trait.at), col(Trait.subject).desc())
        )
        for row in session.scalars(query):
            found[owner[row.subject]][row.name] = _sealed_trait(row)


def _sealed_trait(row: Trait) -> Sealed:
    if row.sealed is None:
        return Sealed(None, (row.clear or "").encode())
    cell = vault.Cell(row.subject, "trait", "sealed", row.name, int(row.at.timestamp() * 1e6))
    return Sealed(cell, row.sealed)


def _keys(session: Session, subjects: Iterable[int]) -> dict[int, SubjectKey]:
    found: dict[int, SubjectKey] = {}
    for some in chunked(sorted(subjects)):
        rows = session.scalars(select(SubjectKey).where(col(SubjectKey.subject).in_(some)))
        found.update((row.subject, row) for row in rows)
    return found
