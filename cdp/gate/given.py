"""Who got what: every disclosure of a person, found by subject number, which no merge or split renames.

A page names its people by a bitmap. Looking for a person reads that column alone, a few hundred rows
at a time, whatever the number of pages; only the pages that hold the person are read whole.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest

from pyroaring import BitMap64
from sqlalchemy import select
from sqlmodel import Session, col

from cdp import vault
from cdp.db import chunked
from cdp.gate.model import Disclosed
from cdp.profile.model import Subject

AT_ONCE = 500
"""Bitmaps in memory at one time."""


@dataclass(frozen=True, slots=True)
class Given:
    """One disclosure of a person to one recipient."""

    id: str
    subject: int
    """The lowest of the subjects asked about that were on the page."""
    recipient: str
    client: str
    purpose: str
    channel: str
    fields: tuple[str, ...]
    """Field names; `*` = everything that was held."""
    kind: str
    policy: int
    """Number of the policy version that it was given under."""
    opened_at: datetime
    handed_over_at: datetime | None
    """None: never reported as handed over, which counts as disclosed."""
    entry: str

    @property
    def at(self) -> datetime:
        return self.handed_over_at or self.opened_at


def given(session: Session, subjects: Sequence[int], since: datetime | None = None) -> list[Given]:
    """Return every disclosure of these subjects, oldest first; with `since`, those opened at or after it."""
    found: list[Given] = []
    concerned = dict(_pages(session, BitMap64(subjects), since))
    for some in chunked(sorted(concerned)):
        rows = session.scalars(select(Disclosed).where(col(Disclosed.id).in_(some)))
        found += [_given(row, concerned[row.id]) for row in rows]
    return sorted(found, key=lambda one: (one.opened_at, one.id))


def find_by_pseudonym(session: Session, recipient: str, pseudonym: str) -> int | None:
    """Return the person whom this recipient was given under this pseudonym, or None.

    Pseudonyms cannot be turned back: they are compared with those of whom the recipient got, the latest first.
    """
    keys, wanted = vault.of(session), pseudonym.encode("utf-8", "replace")
    with closing(_told(session, recipient)) as told:
        for subject in told:
            if compare_digest(keys.pseudonym(recipient, subject).encode(), wanted):
                return session.scalar(select(col(Subject.person)).where(col(Subject.number) == subject))
    return None


def _told(session: Session, recipient: str) -> Generator[int, None, None]:
    """Yield each subject that the recipient ever got, once, as it reads the pages."""
    query = select(col(Disclosed.people)).where(col(Disclosed.recipient) == recipient)
    latest = query.order_by(col(Disclosed.opened_at).desc()).execution_options(yield_per=AT_ONCE)
    seen = BitMap64()
    with session.scalars(latest) as pages:
        for blob in pages:
            fresh = BitMap64.deserialize(blob) - seen
            yield from fresh
            seen |= fresh


def _pages(session: Session, wanted: BitMap64, since: datetime | None) -> Iterator[tuple[str, int]]:
    """Yield the id of each page with one of them on it, and the lowest that is."""
    query = select(col(Disclosed.id), col(Disclosed.people))
    if since is not None:
        query = query.where(col(Disclosed.opened_at) >= since)
    for page, people in session.execute(query.execution_options(yield_per=AT_ONCE)) if wanted else ():
        there = wanted & BitMap64.deserialize(people)
        if there:
            yield page, there.min()


def _given(row: Disclosed, subject: int) -> Given:
    return Given(
        id=row.id,
        subject=subject,
        recipient=row.recipient,
        client=row.client,
        purpose=row.purpose,
        channel=row.channel,
        fields=tuple(row.fields.split()),
        kind=row.kind,
        policy=row.policy,
        opened_at=row.opened_at,
        handed_over_at=row.handed_over_at,
        entry=row.entry,
    )
