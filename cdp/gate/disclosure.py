"""A page of people is a lease: decided and recorded, then opened, then handed over before its deadline.

T1 locks the page's permission rows shared, decides, records the disclosure as `open`, commits.
The values are opened in memory, without a lock. T2 marks the page closed, and only then is it
handed over. A withdrawal commits first and is acknowledged once no open, unexpired lease holds
the person; an expired lease counts as disclosed. So no page that is asked for after the
acknowledgement holds the person, and no `handed_over_at` follows it.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pyroaring import BitMap64
from sqlalchemy import select, update
from sqlmodel import Session, col

from cdp import policy, vault
from cdp.consent import Point, unsubscribe_token
from cdp.db import Database, chunked
from cdp.errors import Refusal, Unavailable
from cdp.gate.model import Disclosed
from cdp.gate.opened import Material, gather, open_fields
from cdp.gate.permit import Grant, PageRequest, Permit, ask, redeem
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

    id: str
    rows: tuple[Disclosure, ...]
    use_by: datetime
    deadline: datetime
    ends: float
    """The same by a clock that nobody sets: where the wall clock is put back, a lease grows no longer."""
    database: Database = field(repr=False)

    def hand_over(self) -> None:
        """Close the lease; raises Unavailable if its time ran out, and then the page must not leave."""
        now = self.database.clock.now()
        if self._holds(now):
            self.database.attempt(lambda session: self._close(session, now))
        if not self._holds(self.database.clock.now()):
            raise Unavailable("lease")

    def _holds(self, now: datetime) -> bool:
        return now < self.deadline and time.monotonic() < self.ends

    def _close(self, session: Session, now: datetime) -> None:
        session.execute(
            update(Disclosed)
            .where(col(Disclosed.id) == self.id, col(Disclosed.state) == "open")
            .values(state="closed", handed_over_at=now)
        )


Choose = Callable[[Session, datetime], Iterable[int]]
"""Says which people a page is about, within the transaction that decides on them."""


@dataclass(frozen=True, slots=True)
class Leased:
    """People decided and recorded, and what will be opened of them once the deciding transaction has committed."""

    permit: Permit
    material: Material = field(repr=False)
    keys: vault.Vault = field(repr=False)
    max_age_seconds: int
    ends: float

    def open(self, database: Database) -> Page:
        """Open the page, in memory and without a lock."""
        rows = tuple(disclose(self.permit, self.material, self.keys))
        use_by = _use_by(self.permit, self.max_age_seconds)
        return Page(self.permit.id, rows, use_by, self.permit.deadline, self.ends, database)


def read_page(database: Database, request: PageRequest, choose: Choose) -> Page | Refusal:
    """Decide, record and open one page; refusals are those of `ask`, all independent of a person."""

    def decide(session: Session) -> Leased | Refusal:
        at = database.clock.now()
        return lease(session, request, choose(session, at), at)

    leased = database.attempt(decide)
    return leased if isinstance(leased, Refusal) else leased.open(database)


def lease(session: Session, request: PageRequest, people: Iterable[int], at: datetime) -> Leased | Refusal:
    """Decide on these people and record who is permitted, within the caller's transaction; refusals as `ask`."""
    ends = time.monotonic() + request.lease_seconds
    permit = ask(session, request, list(people), at)
    if isinstance(permit, Refusal):
        return permit
    material = gather(session, permit.grants, request.fields, request.use)
    max_age = policy.of(session).recipients[request.use.recipient].max_age_seconds
    return Leased(permit, material, vault.of(session), max_age, ends)


def disclose(permit: Permit, material: Material, keys: vault.Vault) -> list[Disclosure]:
    """Open what the permit covers, once; people whose key is destroyed meanwhile are left out."""
    redeem(permit)
    found = []
    for person, grant in permit.grants.items():
        opened = open_fields(material, person, keys)
        if opened is None:
            continue
        pseudonym = keys.pseudonym(permit.request.use.recipient, person)
        found.append(Disclosure(pseudonym, person, opened, _links(permit.request, grant, keys)))
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
