"""A page of people is a lease: recorded, then decided and opened, then handed over before its deadline.

T1 records the lease, `open`, for whoever the rows say yes to, and commits. What is read after that decides each
person again; values are opened in memory. T2 marks the page closed, and only then is it handed over. A withdrawal
commits first and is acknowledged once no open, unexpired lease holds the person; an expired lease counts as
disclosed. So no page that is asked for after the acknowledgement holds the person, and no `handed_over_at` of
a page that does follows it: either the withdrawal sees the lease, and waits, or the deciding, which reads after
the lease was committed, sees the withdrawal. Neither holds the other up with a lock.
"""

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pyroaring import BitMap64
from sqlalchemy import or_, select, update
from sqlmodel import Session, col

from cdp import ledger, policy, vault
from cdp.consent import Point, unsubscribe_token
from cdp.db import Database
from cdp.errors import Refusal, Unavailable
from cdp.gate import records
from cdp.gate.model import Disclosed
from cdp.gate.opened import Material, gather, open_fields
from cdp.gate.permit import Grant, Lease, PageRequest, Permit, ask, record, redeem

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.001, 0.016  # seconds

_TRIES = 3
"""How often a page is recorded anew because somebody on it was joined by others meanwhile."""

_CLOCKS_APART = timedelta(minutes=1)
"""How long after its deadline a lease still counts: the clock of the host that gave it may be behind ours."""


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
    grown: tuple[int, ...]
    """People left out only because others joined them while the page was made: recorded anew they may be told."""
    database: Database = field(repr=False)

    @property
    def id(self) -> str:
        """The name of the disclosure."""
        return self.lease.id

    @property
    def left_out(self) -> list[int]:
        """The people of the lease whom this page does not hold: who said no, joined others or went meanwhile."""
        return sorted(self.lease.subjects.keys() - {row.person for row in self.rows})

    def hand_over(self) -> None:
        """Close the lease; raises Unavailable if its time ran out, and then the page must not leave."""
        now = self.database.clock.now()
        if self._holds(now):
            self._close([row.person for row in self.rows], now, now)
        if not self._holds(self.database.clock.now()):
            raise Unavailable("lease")

    def discard(self) -> None:
        """Close the lease of a page that goes to nobody."""
        self._close((), None, self.database.clock.now())

    def _holds(self, now: datetime) -> bool:
        return now < self.lease.deadline and time.monotonic() < self.lease.ends

    def _close(self, people: Collection[int], handed_over_at: datetime | None, at: datetime) -> None:
        self.database.attempt(lambda session: _close(session, self.lease, people, handed_over_at, at))


def _close(
    session: Session, lease: Lease, people: Collection[int], handed_over_at: datetime | None, at: datetime
) -> None:
    """Make the record say whom the page really holds; raises Unavailable where it is closed already."""
    values: dict[str, Any] = {"state": "closed", "handed_over_at": handed_over_at}
    if len(people) < len(lease.subjects):
        narrowed = records.bitmap(number for person in people for number in lease.subjects[person])
        digest = vault.of(session).digest("ledger.people", narrowed).hex()
        ledger.note(session, "page.narrowed", {"disclosure": lease.id, "people": len(people), "digest": digest}, at)
        values |= {"people": narrowed, "count": len(people)}
    is_open = (col(Disclosed.id) == lease.id, col(Disclosed.state) == "open")
    closed: Any = session.execute(update(Disclosed).where(*is_open).values(**values))
    if closed.rowcount != 1:
        raise Unavailable("lease")


Choose = Callable[[Session, datetime], Iterable[int]]
"""Says which people a page is about, within the transaction that records them."""


def read_page(database: Database, request: PageRequest, choose: Choose) -> Page | Refusal:
    """Record, decide and open one page; refusals are those of `record`, all independent of a person.

    Raises Unavailable where people were joined by others again and again while the page was made.
    """

    def begin(session: Session) -> Lease | Refusal:
        at = database.clock.now()
        return record(session, request, choose(session, at), at)

    for _ in range(_TRIES):
        lease = database.attempt(begin)
        if isinstance(lease, Refusal):
            return lease
        page = open_page(database, lease)
        if not page.grown:
            return page
        page.discard()
    raise Unavailable("lease")


def open_page(database: Database, lease: Lease) -> Page:
    """Decide and open what a committed lease was recorded for."""
    with database.snapshot() as session:
        permit = ask(session, lease, database.clock.now())
        material = gather(session, permit)
        max_age = policy.of(session).recipients[lease.request.use.recipient].max_age_seconds
    rows = tuple(disclose(permit, material, database.context["vault"]))
    return Page(lease, rows, _use_by(permit, max_age), permit.grown, database)


def disclose(permit: Permit, material: Material, keys: vault.Vault) -> list[Disclosure]:
    """Open what the permit covers, once; people whose key is destroyed meanwhile are left out."""
    redeem(permit)
    request, found = permit.lease.request, []
    for person, grant in permit.grants.items():
        opened = open_fields(material, person, keys)
        if opened is None:
            continue
        pseudonym = keys.pseudonym(request.use.recipient, person)
        found.append(Disclosure(pseudonym, person, opened, _links(request, grant, keys, permit.brand)))
    return found


def wait_until_clear(database: Database, subjects: Iterable[int]) -> datetime:
    """Wait until no open lease holds any of these subjects; returns the instant it holds from.

    Call it after the no has committed, with every subject that it was written for: a lease names subjects, which no
    merge or split renames. Takes at most the length of a lease.
    """
    began, wanted = time.monotonic(), BitMap64(subjects)
    waited: set[str] = set()
    pause = _SHORTEST_PAUSE
    while wanted and time.monotonic() - began < _longest_lease(database, wanted, waited):
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
    return max([database.clock.now(), *_handed_over(database, wanted, waited)])


def _longest_lease(database: Database, subjects: BitMap64, waited: set[str]) -> float:
    """Return the seconds that the longest open lease of any of them was given, 0 without one; notes whose they are.

    A wall clock that was put back keeps a lease open in the table, and one that is ahead lets it end too early;
    nobody hands it over after its seconds.
    """
    found = timedelta()
    with database.snapshot() as session:
        columns = select(col(Disclosed.id), col(Disclosed.people), col(Disclosed.opened_at), col(Disclosed.deadline))
        since = database.clock.now() - _CLOCKS_APART
        is_open = (col(Disclosed.state) == "open", col(Disclosed.deadline) > since)
        for name, people, begin, end in session.execute(columns.where(*is_open)):
            if subjects & BitMap64.deserialize(people):
                waited.add(name)
                found = max(found, end - begin)
    return found.total_seconds()


def _handed_over(database: Database, subjects: BitMap64, waited: Collection[str]) -> list[datetime]:
    """Return when pages that hold them were handed over by their hosts' clocks, as far as it may be after our now."""
    if not subjects:
        return []
    with database.snapshot() as session:
        columns = select(col(Disclosed.people), col(Disclosed.handed_over_at)).where(col(Disclosed.state) == "closed")
        recent = col(Disclosed.deadline) > database.clock.now()
        return [
            handed_over_at
            for people, handed_over_at in session.execute(columns.where(or_(recent, col(Disclosed.id).in_(waited))))
            if handed_over_at is not None and subjects & BitMap64.deserialize(people)
        ]


def _use_by(permit: Permit, max_age_seconds: int) -> datetime:
    ends = [grant.situation.changes_at for grant in permit.grants.values()]
    return min([permit.at + timedelta(seconds=max_age_seconds), *ends])


def _links(request: PageRequest, grant: Grant, keys: vault.Vault, brand: str) -> dict[str, str]:
    links = {"preferences": f"{request.base_url}/privacy"}
    if grant.point is not None and not grant.is_for_device:
        point = Point(grant.point.namespace, grant.point.token, grant.point.suppression_token)
        token = unsubscribe_token(keys, point, request.use.channel, brand)
        links["unsubscribe"] = f"{request.base_url}/privacy/unsubscribe/{token}"
    return links
