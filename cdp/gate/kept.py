"""What stays of whom, after an erasure, so that the record of a provision still says whose data it was (APPI 29).

Rule 20 wants the name or what else is enough to tell the person; until an erasure the number in the record is that,
after it the number leads to nobody. So two things may stay for the rest of the record's time. A keyed reference, for
everybody: who brings the identifier can be told, and nobody can be read off it (GDPR 17(3)(e)). And the name, sealed
under a key of its own class, only of whom the APPI alone protects, and only where its pack says so: a Japanese
duty to record is no ground under GDPR 17(3)(b).
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlmodel import Session, col

from cdp import ledger, policy, vault
from cdp.clock import months_later
from cdp.db import chunked, insert_ignoring
from cdp.gate import provision, records
from cdp.gate.given import Given
from cdp.gate.model import Permission, ProvisionPoint, ProvisionSubject
from cdp.gate.opened import open_words
from cdp.holders import Held
from cdp.identity.belonging import IS_THEIRS
from cdp.identity.model import Identifier
from cdp.ids import new_id
from cdp.policy.terms import CONTACT_CHANNELS, Law, Policy
from cdp.profile import traits
from cdp.profile.model import Trait
from cdp.vault.opening import open_sealed

NAMES = (("full_name",), ("family_name", "given_name"))
"""Traits that are enough to tell a person, the first that are held; else a proved contact point is."""

SWITCH = "keep_provision_record_after_erasure"
"""Value of the APPI's pack: whether the name stays for the rest of the record's time."""

TABLE, COLUMN = "provision_subject", "sealed"


@dataclass(frozen=True, slots=True)
class Kept:
    """What stays of one erased person."""

    subjects: tuple[int, ...]
    recipients: tuple[str, ...]
    provisions: int
    named: bool
    """The name stays, sealed; else only the keyed reference."""
    until: datetime


def keep(
    session: Session,
    person: int,
    subjects: Sequence[int],
    points: Iterable[tuple[str, bytes]],
    provisions: Sequence[Given],
    request: str,
) -> Kept | None:
    """Keep what the records of these provisions need of a person who is being erased; None where they need nothing.

    Before the keys go. `provisions` are those of these subjects; `points` the suppression tokens of their
    identifiers. May be done again.
    """
    if not provisions:
        return None
    until = expiry(policy.of(session), max(one.opened_at for one in provisions))
    name = _name(session, subjects) if _may_name(session, person) else None
    names = provision.consents(session, subjects, provisions).values()
    consents = " ".join(sorted(set(names)))
    insert_ignoring(
        session,
        ProvisionSubject,
        [
            {
                "erased": number,
                "request": request,
                "consents": consents,
                "sealed": _seal(session, number, name) if name else None,
                "until": until,
            }
            for number in sorted(subjects)
        ],
    )
    rows = [{"erased": one, "namespace": space, "token": token} for one in subjects for space, token in points]
    insert_ignoring(
        session, ProvisionPoint, sorted(rows, key=lambda row: (row["erased"], row["namespace"], row["token"]))
    )
    recipients = tuple(sorted({one.recipient for one in provisions}))
    return Kept(tuple(sorted(subjects)), recipients, len(provisions), name is not None, until)


def expiry(terms: Policy, at: datetime) -> datetime:
    """Return when the time of a record is over that was made at this instant."""
    day = months_later(at.date(), provision.months(terms))
    return datetime.combine(day, at.timetz()).astimezone(UTC)


def begin_of_time(terms: Policy, at: datetime) -> datetime:
    """Return since when a disclosure is still within its time on record at this instant."""
    return datetime.combine(months_later(at.date(), -provision.months(terms)), at.timetz()).astimezone(UTC)


def find(session: Session, points: Iterable[tuple[str, bytes]]) -> list[ProvisionSubject]:
    """Return the erased who had one of these identifiers, by its suppression token."""
    numbers: set[int] = set()
    for namespace, token in points:
        where = (col(ProvisionPoint.namespace) == namespace, col(ProvisionPoint.token) == token)
        numbers.update(session.scalars(select(col(ProvisionPoint.erased)).where(*where)))
    return of(session, numbers)


def of(session: Session, numbers: Iterable[int]) -> list[ProvisionSubject]:
    """Return what stays of these erased subjects."""
    found: list[ProvisionSubject] = []
    for some in chunked(sorted(set(numbers))):
        found += session.scalars(select(ProvisionSubject).where(col(ProvisionSubject.erased).in_(some)))
    return found


def open_names(session: Session, kept: Sequence[ProvisionSubject], at: datetime) -> dict[int, dict[str, Any]]:
    """Open the names that stay, for the authority that asks; a disclosure to staff, on record.

    Those of whom no name stays are absent.
    """
    named = [one for one in kept if one.sealed is not None and one.until > at]
    key, opened = vault.of(session).record_key(), {}
    for one in named:
        opened[one.erased] = json.loads(open_sealed(key, bytes(one.sealed or b""), _cell(one.erased)))
    if named:
        name = new_id()
        header = {"disclosure": name, "recipient": "staff", "purpose": "subject_rights", "people": len(named)}
        records.write(
            session,
            name=name,
            kind="provision",
            recipient="staff",
            purpose="subject_rights",
            channel="none",
            people=records.bitmap(one.erased for one in named),
            at=at,
            entry=ledger.note(session, "page.opened", header, at),
            fields="name",
            count=len(named),
        )
    return opened


def let_go(session: Session, at: datetime, limit: int) -> int:
    """Delete what stays of at most so many erased subjects whose records' time is over; returns how many."""
    query = select(col(ProvisionSubject.erased)).where(col(ProvisionSubject.until) <= at)
    over = list(session.scalars(query.order_by(col(ProvisionSubject.until)).limit(limit)))
    for some in chunked(over):
        session.execute(delete(ProvisionPoint).where(col(ProvisionPoint.erased).in_(some)))
        session.execute(delete(ProvisionSubject).where(col(ProvisionSubject.erased).in_(some)))
    return len(over)


def over(session: Session, at: datetime) -> int:
    """Count the erased subjects whose records' time is over."""
    query = select(func.count()).select_from(ProvisionSubject).where(col(ProvisionSubject.until) <= at)
    return session.scalar(query) or 0


def _may_name(session: Session, person: int) -> bool:
    """Whether the name may stay: the APPI alone protects the person, and its pack says so; unknown is no."""
    laws = session.scalar(select(col(Permission.laws)).where(col(Permission.person) == person))
    pack = policy.of(session).packs.get(Law.APPI)
    return laws == int(Law.APPI) and pack is not None and pack.values.get(SWITCH) is True


def _name(session: Session, subjects: Sequence[int]) -> dict[str, Any] | None:
    """Return the least that tells the person: a name, else a proved contact point; None where neither is held."""
    held = _traits(session, subjects)
    for names in NAMES:
        found = {name: value for name in names if (value := _opened_trait(session, held.get(name)))}
        if len(found) == len(names):
            return found
    return _contact(session, subjects)


def _traits(session: Session, subjects: Sequence[int]) -> dict[str, Trait]:
    names = [name for some in NAMES for name in some]
    query = select(Trait).where(col(Trait.subject).in_(list(subjects)), col(Trait.name).in_(names))
    return {row.name: row for row in session.scalars(query.order_by(col(Trait.at), col(Trait.subject).desc()))}


def _opened_trait(session: Session, row: Trait | None) -> Any:
    if row is None or row.sealed is None:
        return row.clear if row else None
    cell = traits.cell(row.subject, row.name, row.at)
    return open_words(
        session, Held("name", row.subject, {}, row.sealed, cell.table, cell.column, cell.row, cell.version)
    )


def _contact(session: Session, subjects: Sequence[int]) -> dict[str, Any] | None:
    spaces = [name for names in CONTACT_CHANNELS.values() for name in names]
    where = (col(Identifier.subject).in_(list(subjects)), col(Identifier.namespace).in_(spaces))
    query = select(Identifier).where(*where, col(Identifier.verified), IS_THEIRS)
    row = session.scalars(query.order_by(col(Identifier.namespace), col(Identifier.suppression_token)).limit(1)).first()
    if row is None:
        return None
    place = row.namespace.encode() + b":" + row.token
    opened = open_words(session, Held("contact", row.subject, {}, row.sealed, "identifier", "sealed", place))
    return {row.namespace: opened["value"]} if opened else None


def _seal(session: Session, number: int, name: dict[str, Any]) -> bytes:
    content = json.dumps(name, ensure_ascii=False).encode()
    return vault.seal(vault.of(session).record_key(), content, _cell(number))


def _cell(number: int) -> vault.Cell:
    return vault.Cell(0, TABLE, COLUMN, str(number))
