"""Permits: the gate's yes, for these people, this use and these fields, at this instant.

First a lease is recorded for whoever the rows say yes to; only when it has been committed is the permit asked
for, which decides each of them again. A no that the permit did not see was therefore committed after the lease,
and finds it: withdrawals, refusals, objections, restrictions and erasures of the API and the pages wait for it
before they are acknowledged. (What sources bring does not wait: a page that is under way may still arrive.)
Nobody holds a lock on people while somebody else reads them.

A permit is issued by this module only, opens once, and cannot be built, changed, copied or
pickled: an outbox that kept one would carry a yes past a withdrawal.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import chain
from typing import Any, NoReturn
from weakref import WeakSet

from sqlalchemy import select
from sqlmodel import Session, col

from cdp import ledger, policy, vault
from cdp.db import chunked, is_snapshot
from cdp.errors import Refusal
from cdp.gate import records
from cdp.gate.decide import allowed_fields, beyond_of, decide, laws_in, recipient_refusals
from cdp.gate.model import Disclosed, Permission
from cdp.gate.permission import permitted
from cdp.gate.question import Beyond, Reach, Standing
from cdp.gate.standing import DEVICE_NAMESPACE, ContactPoint, Situation, load
from cdp.ids import new_id
from cdp.policy.terms import Law, Policy, Use
from cdp.profile.model import Subject

_ISSUER = object()


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What a recipient asks for: a use, the fields wanted, and who asks."""

    use: Use
    fields: tuple[str, ...]
    client: str = ""
    kind: str = "page"
    audience: str = ""
    base_url: str = ""
    lease_seconds: float = 2.0
    vouched: bool = False
    """Only what a source vouches for: of what came through a public key alone nothing is opened."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One person in a permit, and the contact point that may be used (None where the channel has none)."""

    situation: Situation
    point: ContactPoint | None

    @property
    def is_for_device(self) -> bool:
        """Whether the yes binds one device only: then nothing of the person behind it is opened."""
        return self.point is not None and self.point.namespace == DEVICE_NAMESPACE


@dataclass(frozen=True, slots=True)
class Lease:
    """Who a page may hold, as it was recorded before anything is decided or opened.

    It allows nothing: `ask` believes the record alone, and only once it is committed.
    """

    id: str
    request: PageRequest
    denied: Law
    subjects: Mapping[int, frozenset[int]] = field(repr=False)
    """Person → the subjects recorded: a split would give a person another number, and a merge more subjects."""
    at: datetime
    deadline: datetime
    ends: float
    """The same by a clock that nobody sets: where the wall clock is put back, a lease grows no longer."""

    @property
    def people(self) -> bytes:
        """Everybody, as the record keeps them."""
        return records.bitmap(chain.from_iterable(self.subjects.values()))


class Permit:
    """The right to open these fields of these people once."""

    __slots__ = ("__weakref__", "at", "brand", "grants", "grown", "lease")

    lease: Lease
    brand: str
    """Of the purpose: what a link in these messages unsubscribes from."""
    grants: Mapping[int, Grant]
    grown: tuple[int, ...]
    """People of the lease who are others by now: somebody joined them, whose own no would not find this lease."""
    at: datetime

    def __init__(self, issuer: object, **what: Any) -> None:
        if issuer is not _ISSUER:
            raise TypeError("only the gate issues permits: call ask")
        for name, value in what.items():
            object.__setattr__(self, name, value)

    def __init_subclass__(cls) -> NoReturn:
        raise TypeError("a permit has no other kinds")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise TypeError("a permit cannot be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise TypeError("a permit cannot be changed")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a permit cannot be stored or copied: ask again when you send")

    def __repr__(self) -> str:
        use = self.lease.request.use
        return f"<Permit {self.lease.id}: {use.purpose} for {use.recipient}, {len(self.grants)} people>"


_unused: WeakSet[Permit] = WeakSet()


def redeem(permit: Permit) -> None:
    """Take a permit for its one opening; raises PermissionError for one that was not issued or was used."""
    if permit not in _unused:
        raise PermissionError("this permit was not issued here, or has been used")
    _unused.discard(permit)


def check_request(terms: Policy, request: PageRequest, at: datetime) -> Refusal | Law:
    """Judge what does not depend on a person: returns a Refusal, or the laws under which the recipient is refused.

    Refusals: `field_not_allowed`, and every reason of a recipient's contract, check or country.
    """
    allowed = allowed_fields(terms, request.use)
    beyond = [field for field in request.fields if field not in allowed]
    if beyond:
        return Refusal("field_not_allowed", beyond[0])
    refused = recipient_refusals(terms, request.use, at.date(), beyond_of(terms, request.audience))
    if refused and all(law in refused for law in terms.packs):
        return Refusal(next(iter(refused.values())).code)
    return laws_in(refused)


def record(session: Session, request: PageRequest, people: Iterable[int], at: datetime) -> Lease | Refusal:
    """Record an open lease for those of these people whose rows say yes; refusals as `check_request`.

    Commit before `ask`.
    """
    ends = time.monotonic() + request.lease_seconds
    denied = check_request(policy.of(session), request, at)
    if isinstance(denied, Refusal):
        return denied
    allowed = permitted_of(session, request.use, denied, people, at)
    deadline = at + timedelta(seconds=request.lease_seconds)
    lease = Lease(new_id(), request, denied, _subjects(session, allowed), at, deadline, ends)
    _write(session, lease)
    return lease


def ask(session: Session, lease: Lease, at: datetime) -> Permit:
    """Decide each person of a lease again; people who are refused by now are not in the permit.

    Raises PermissionError for a lease that is not on record, not committed, or over.
    """
    _check(session, lease)
    terms, use = policy.of(session), lease.request.use
    allowed = permitted_of(session, use, lease.denied, lease.subjects, at)
    situations = load(session, allowed, at, use.channel)
    grown = {one for one, situation in situations.items() if not lease.subjects[one].issuperset(situation.subjects)}
    grants = {
        person: grant
        for person, situation in situations.items()
        if person not in grown and (grant := _grant(terms, lease.request, situation, at)) is not None
    }
    brand = terms.purposes[use.purpose].brand
    permit = Permit(_ISSUER, lease=lease, brand=brand, grants=grants, grown=tuple(sorted(grown)), at=at)
    _unused.add(permit)
    return permit


def _check(session: Session, lease: Lease) -> None:
    """Believe the record alone, read by a transaction that could not have written it."""
    query = select(col(Disclosed.people)).where(col(Disclosed.id) == lease.id, col(Disclosed.state) == "open")
    if not is_snapshot(session) or session.scalar(query) != lease.people:
        raise PermissionError("this lease is not on record, or is over")


def permitted_of(session: Session, use: Use, denied: Law, people: Iterable[int], at: datetime) -> list[int]:
    """Return those of these people whose rows say yes to a use, in id order; `denied` as `check_request` returns it."""
    found: list[int] = []
    for some in chunked(people):
        query = select(col(Permission.person)).where(col(Permission.person).in_(some))
        query = query.where(permitted(session, use, denied, at)).order_by(col(Permission.person))
        found.extend(session.scalars(query))
    return found


def _subjects(session: Session, people: Sequence[int]) -> dict[int, frozenset[int]]:
    members: dict[int, set[int]] = defaultdict(set)
    for some in chunked(people):
        query = select(col(Subject.person), col(Subject.number)).where(col(Subject.person).in_(some))
        for person, number in session.execute(query):
            members[person].add(number)
    return {person: frozenset(numbers) for person, numbers in members.items()}


def _grant(terms: Policy, request: PageRequest, situation: Situation, at: datetime) -> Grant | None:
    standing, beyond = situation.standing, beyond_of(terms, request.audience)
    for reach, point in zip(standing.reaches, situation.points, strict=True):
        if _allows(terms, request.use, standing, reach, at.date(), beyond):
            return Grant(situation, point)
    return None


@lru_cache(maxsize=50_000)
def _allows(terms: Policy, use: Use, standing: Standing, reach: Reach, on: date, beyond: Beyond) -> bool:
    return decide(terms, use, standing, reach, on, beyond).allow


def _write(session: Session, lease: Lease) -> None:
    request, use = lease.request, lease.request.use
    header = {
        "disclosure": lease.id,
        "recipient": use.recipient,
        "purpose": use.purpose,
        "channel": use.channel,
        "client": request.client,
        "fields": list(request.fields),
        "people": len(lease.subjects),
        "digest": vault.of(session).digest("ledger.people", lease.people).hex(),
        "policy": policy.of(session).digest,
    }
    records.write(
        session,
        name=lease.id,
        kind=request.kind,
        recipient=use.recipient,
        purpose=use.purpose,
        channel=use.channel,
        people=lease.people,
        at=lease.at,
        entry=ledger.note(session, "page.opened", header, lease.at),
        client=request.client,
        fields=" ".join(request.fields),
        audience=request.audience,
        count=len(lease.subjects),
        deadline=lease.deadline,
    )
