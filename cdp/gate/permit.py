"""Permits: the gate's yes, for these people, this use and these fields, at this instant.

A permit is issued by this module only, opens once, and cannot be built, changed, copied or
pickled: an outbox that kept one would carry a yes past a withdrawal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NoReturn

from pyroaring import BitMap64
from sqlalchemy import insert, select
from sqlmodel import Session, col

from cdp import ledger, policy, vault
from cdp.db import for_share
from cdp.errors import Refusal
from cdp.gate.decide import allowed_fields, decide, laws_in, recipient_refusals
from cdp.gate.model import Disclosed, Permission
from cdp.gate.permission import permitted, policy_number
from cdp.gate.question import Reach, Standing
from cdp.gate.standing import DEVICE_NAMESPACE, ContactPoint, Situation, load
from cdp.ids import new_id
from cdp.policy.terms import Law, Policy, Use

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


@dataclass(frozen=True, slots=True)
class Grant:
    """One person in a permit, and the contact point that may be used (None where the channel has none)."""

    situation: Situation
    point: ContactPoint | None

    @property
    def is_for_device(self) -> bool:
        """Whether the yes binds one device only: then nothing of the person behind it is opened."""
        return self.point is not None and self.point.namespace == DEVICE_NAMESPACE


class Permit:
    """The right to open these fields of these people once, before the deadline."""

    __slots__ = ("at", "deadline", "grants", "id", "request")

    id: str
    request: PageRequest
    grants: Mapping[int, Grant]
    at: datetime
    deadline: datetime

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
        use = self.request.use
        return f"<Permit {self.id}: {use.purpose} for {use.recipient}, {len(self.grants)} people>"


_unused: set[str] = set()


def redeem(permit: Permit) -> None:
    """Take a permit for its one opening; raises PermissionError for one that was not issued or was used."""
    try:
        _unused.remove(permit.id)
    except KeyError:
        raise PermissionError("this permit was not issued here, or has been used") from None


def check_request(terms: Policy, request: PageRequest, at: datetime) -> Refusal | Law:
    """Judge what does not depend on a person: returns a Refusal, or the laws under which the recipient is refused.

    Refusals: `field_not_allowed`, and every reason of a recipient's contract, check or country.
    """
    allowed = allowed_fields(terms, request.use)
    beyond = [field for field in request.fields if field not in allowed]
    if beyond:
        return Refusal("field_not_allowed", beyond[0])
    refused = recipient_refusals(terms, request.use, at.date())
    if refused and all(law in refused for law in terms.packs):
        return Refusal(next(iter(refused.values())).code)
    return laws_in(refused)


def ask(session: Session, request: PageRequest, people: Sequence[int], at: datetime) -> Permit | Refusal:
    """Ask for these people: locks their rows, decides each again, and writes the disclosure as an open lease.

    People who are refused are not in the permit. Refusals: see `check_request`.
    """
    terms = policy.of(session)
    denied = check_request(terms, request, at)
    if isinstance(denied, Refusal):
        return denied
    allowed = _lock(session, request.use, denied, people, at)
    grants = {
        person: grant
        for person, situation in load(session, allowed, at, request.use.channel).items()
        if (grant := _grant(terms, request.use, situation, at)) is not None
    }
    permit = Permit(
        _ISSUER,
        id=new_id(),
        request=request,
        grants=grants,
        at=at,
        deadline=at + timedelta(seconds=request.lease_seconds),
    )
    _open_lease(session, permit)
    _unused.add(permit.id)
    return permit


def _lock(session: Session, use: Use, denied: Law, people: Sequence[int], at: datetime) -> list[int]:
    query = (
        select(col(Permission.person))
        .where(col(Permission.person).in_(people), permitted(session, use, denied, at))
        .order_by(col(Permission.person))
    )
    return list(session.scalars(for_share(query)))


def _grant(terms: Policy, use: Use, situation: Situation, at: datetime) -> Grant | None:
    standing = situation.standing
    for reach, point in zip(standing.reaches, situation.points, strict=True):
        if _allows(terms, use, standing, reach, at.date()):
            return Grant(situation, point)
    return None


@lru_cache(maxsize=50_000)
def _allows(terms: Policy, use: Use, standing: Standing, reach: Reach, on: date) -> bool:
    return decide(terms, use, standing, reach, on).allow


def _open_lease(session: Session, permit: Permit) -> None:
    request, use = permit.request, permit.request.use
    # All subjects, not the person's number alone: a split would give the person another one.
    people = BitMap64(n for grant in permit.grants.values() for n in grant.situation.subjects).serialize()
    header = {
        "disclosure": permit.id,
        "recipient": use.recipient,
        "purpose": use.purpose,
        "channel": use.channel,
        "client": request.client,
        "fields": list(request.fields),
        "people": len(permit.grants),
        "digest": vault.of(session).digest("ledger.people", people).hex(),
        "policy": policy.of(session).digest,
    }
    row = {
        "id": permit.id,
        "recipient": use.recipient,
        "client": request.client,
        "purpose": use.purpose,
        "channel": use.channel,
        "fields": " ".join(request.fields),
        "kind": request.kind,
        "audience": request.audience,
        "policy": policy_number(session),
        "people": people,
        "count": len(permit.grants),
        "opened_at": permit.at,
        "deadline": permit.deadline,
        "state": "open",
        "handed_over_at": None,
        "entry": ledger.note(session, "page.opened", header, permit.at),
    }
    session.execute(insert(Disclosed), row)
