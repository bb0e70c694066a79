"""A page of people is a lease: recorded, then decided and opened, then handed over before its deadline.

T1 records the lease, `open`, for whoever the rows say yes to, and commits. What is read after that decides each
person again; values are opened in memory. T2 marks the page closed, and only then is it handed over. A withdrawal
commits first and is acknowledged once no open, unexpired lease holds the person; an expired lease counts as
disclosed. So no page that is asked for after the acknowledgement holds the person, and no `handed_over_at` of
a page that does follows it: either the withdrawal sees the lease, and waits, or the deciding, which reads after
the lease was committed, sees the withdrawal. Neither holds the other up with a lock.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pyroaring import BitMap64
from sqlalchemy import select, update
from sqlmodel import Session, col

from cdp import ledger, policy, vault
from cdp.consent import Point, unsubscribe_token
from cdp.db import Database, chunked
from cdp.errors import Refusal, Unavailable
from cdp.gate.model import Disclosed
from cdp.gate.opened import Material, gather, open_fields
from cdp.gate.permit import Grant, Lease, PageRequest, Permit, ask, everyone, record, redeem
from cdp.profile.model import Subject

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.001, 0.016  # seconds


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What one recipient may know of one person: the only thing a serialiser takes."""

    pseudonym: str
    person: int = field(repr=False)
    fields: dict[str, Any] = field(repr=False)
    links: dict[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Page:
    """Opened people under one lease; call `hand_over` as the last thing before the page leaves."""

    lease: Lease
    rows: tuple[Disclosure, ...]
    use_by: datetime
    database: Database = field(repr=False)

    @property
    def id(self) -> str:
        """The name of the disclosure."""
        return self.lease.id

    @property
    def refused(self) -> list[int]:
        """The people of the lease whom this page does not hold: who said no, or moved, while it was made."""
        return sorted(self.lease.subjects.keys() - {row.person for row in self.rows})

    def hand_over(self) -> None:
        """Close the lease; raises Unavailable if its time ran out, and then the page must not leave."""
        now = self.database.clock.now()
        if self._holds(now):
            self.database.attempt(lambda session: self._close(session, now))
        if not self._holds(self.database.clock.now()):
            raise Unavailable("lease")

    def _holds(self, now: datetime) -> bool:
        return now < self.lease.deadline and time.monotonic() < self.lease.ends

    def _close(self, session: Session, now: datetime) -> None:
        session.execute(
            update(Disclosed)
            .where(col(Disclosed.id) == self.id, col(Disclosed.state) == "open")
            .values(state="closed", handed_over_at=now, **self._narrowed(session, now))
        )

    def _narrowed(self, session: Session, now: datetime) -> dict[str, Any]:
        """Return whom the record holds instead of everybody of the lease, where somebody is left out."""
        if not self.refused:
            return {}
        people = everyone(self.lease.subjects[row.person] for row in self.rows)
        digest = vault.of(session).digest("ledger.people", people).hex()
        ledger.note(session, "page.narrowed", {"disclosure": self.id, "people": len(self.rows), "digest": digest}, now)
        return {"people": people, "count": len(self.rows)}


Choose = Callable[[Session, datetime], Iterable[int]]
"""Says which people a page is about, within the transaction that records them."""


def read_page(database: Database, request: PageRequest, choose: Choose) -> Page | Refusal:
    """Record, decide and open one page; refusals are those of `record`, all independent of a person."""

    def begin(session: Session) -> Lease | Refusal:
        at = database.clock.now()
        return record(session, request, choose(session, at), at)

    lease = database.attempt(begin)
    return lease if isinstance(lease, Refusal) else open_page(database, lease)


def open_page(database: Database, lease: Lease) -> Page:
    """Decide and open what a committed lease was recorded for."""
    with database.snapshot() as session:
        permit = ask(session, lease, database.clock.now())
        material = gather(session, permit)
        max_age = policy.of(session).recipients[lease.request.use.recipient].max_age_seconds
    rows = tuple(disclose(permit, material, database.context["vault"]))
    return Page(lease, rows, _use_by(permit, max_age), database)


def disclose(permit: Permit, material: Material, keys: vault.Vault) -> list[Disclosure]:
    """Open what the permit covers, once; people whose key is destroyed meanwhile are left out."""
    redeem(permit)
    request, found = permit.lease.request, []
    for person, grant in permit.grants.items():
        opened = open_fields(material, person, keys)
        if opened is None:
            continue
        pseudonym = keys.pseudonym(request.use.recipient, person)
        found.append(Disclosure(pseudonym, person, opened, _links(request, grant, keys)))
    return found


def wait_until_clear(database: Database, people: Iterable[int]) -> datetime:
    """Wait until no open, unexpired lease holds any of these people; returns the instant it holds from.

    Call it after the withdrawal has committed. Takes at most the length of a lease.
    """
    began, wanted = time.monotonic(), _numbers_of(database, people)
    pause = _SHORTEST_PAUSE
    while wanted and time.monotonic() - began < _longest_lease(database, wanted):
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
    return database.clock.now()


def _numbers_of(database: Database, people: Iterable[int]) -> BitMap64:
    """Every number these people may stand under in a lease: it names subjects, which no merge or split renames."""
    numbers = BitMap64(people)
    with database.snapshot() as session:
        for some in chunked(sorted(numbers)):
            numbers.update(session.scalars(select(col(Subject.number)).where(col(Subject.person).in_(some))))
    return numbers


def _longest_lease(database: Database, people: BitMap64) -> float:
    """Return the seconds that the longest open, unexpired lease of any of them was given; 0 without one.

    A wall clock that was put back keeps a lease open in the table; nobody hands it over after its seconds.
    """
    with database.snapshot() as session:
        query = select(col(Disclosed.people), col(Disclosed.opened_at), col(Disclosed.deadline)).where(
            col(Disclosed.state) == "open", col(Disclosed.deadline) > database.clock.now()
        )
        leases = [end - begin for blob, begin, end in session.execute(query) if people & BitMap64.deserialize(blob)]
    return max(leases, default=timedelta()).total_seconds()


def _use_by(permit: Permit, max_age_seconds: int) -> datetime:
    ends = [grant.situation.changes_at for grant in permit.grants.values()]
    return min([permit.at + timedelta(seconds=max_age_seconds), *ends])


def _links(request: PageRequest, grant: Grant, keys: vault.Vault) -> dict[str, str]:
    links = {"preferences": f"{request.base_url}/privacy"}
    if grant.point is not None and not grant.is_for_device:
        point = Point(grant.point.namespace, grant.point.token, grant.point.suppression_token)
        token = unsubscribe_token(keys, point, request.use.channel)
        links["unsubscribe"] = f"{request.base_url}/privacy/unsubscribe/{token}"
    return links
