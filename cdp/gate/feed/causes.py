"""Why somebody entered a list or left it, in one word, for few people at a time.

Of several causes the one that binds most is told: what became of the person, then what may be done with
their data, then what they did, then the clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlmodel import Session, col

from cdp.consent.model import ConsentRecord
from cdp.gate import listing, reasons
from cdp.gate.model import Feed, Permission
from cdp.gate.permission import code_of
from cdp.gate.versions import answers_number, policy_number
from cdp.identity.model import Alias
from cdp.policy.terms import Law, Use
from cdp.profile.model import Person, Subject

START, RULE, TIME, POLICY = "start", "rule", "time", "policy"
MERGE, SPLIT, ERASURE = "merge", "split", "erasure"
CONSENT, WITHDRAWAL, OBJECTION, RESTRICTION = "consent", "withdrawal", "objection", "restriction"
PERMISSION, SMALL, OTHER = "permission", "small_audience", "other"

_BY_REASON: Mapping[str, str] = {
    "erasing": ERASURE,
    "erased": ERASURE,
    "restricted": RESTRICTION,
    "withdrawn": WITHDRAWAL,
    "refused": WITHDRAWAL,
    "unsubscribed": WITHDRAWAL,
    "complaint": WITHDRAWAL,
    "objected": OBJECTION,
    "interests_objected": OBJECTION,
    "contact_objected": OBJECTION,
    "gpc": OBJECTION,
    "expired": TIME,
}

_TOLD_TO_ANYONE = frozenset({START, MERGE, SPLIT, ERASURE, RESTRICTION, SMALL})


@dataclass(frozen=True, slots=True)
class Asked:
    """A feed that is brought up to date at an instant."""

    session: Session
    feed: Feed
    matching: Any
    use: Use
    at: datetime

    @property
    def since(self) -> datetime:
        return self.feed.as_of

    @property
    def is_new_policy(self) -> bool:
        return self.feed.policy != policy_number(self.session)


def told_to(role: str, cause: str) -> str:
    """Return the cause as a recipient hears it: what somebody did or said is no business of a third party.

    That they were erased or restricted is (GDPR 19).
    """
    return cause if role != "third_party" or cause in _TOLD_TO_ANYONE else OTHER


def of_leaving(asked: Asked, people: Sequence[int], *, small: bool) -> dict[int, str]:
    """Return why each of these people is in the list no more."""
    if not people:
        return {}
    why = dict.fromkeys(people, SMALL) if small else _by_rule(asked, people, entering=False)
    return why | _forbidden(asked, people) | _gone(asked, people)


def of_entering(asked: Asked, people: Sequence[int]) -> dict[int, str]:
    """Return why each of these people is in the list from now on."""
    if not people or not asked.feed.filled:
        return dict.fromkeys(people, START)
    return _by_rule(asked, people, entering=True)


def _by_rule(asked: Asked, people: Sequence[int], *, entering: bool) -> dict[int, str]:
    """Tell by what the rule said before, and what it would say now if nothing had been heard since."""
    before = _matching(asked, people, asked.since)
    unheard = _matching(asked, people, asked.at)
    by_time = unheard - before if entering else before - unheard
    regrouped = _regrouped(asked, people)
    fallback = dict.fromkeys(people, POLICY if asked.is_new_policy else RULE)
    if entering:
        fallback |= _newly_permitted(asked, before)
    return fallback | regrouped | dict.fromkeys(sorted(by_time - set(regrouped)), TIME)


def _matching(asked: Asked, people: Sequence[int], at: datetime) -> set[int]:
    condition = asked.matching(asked.session, at, people, asked.since)
    return set(asked.session.scalars(select(col(Person.person)).where(col(Person.person).in_(people), condition)))


def _regrouped(asked: Asked, people: Sequence[int]) -> dict[int, str]:
    """Return who was joined with somebody, or parted from somebody, since."""
    moved = select(Alias).where(
        or_(col(Alias.person).in_(people), col(Alias.old_person).in_(people)),
        or_(col(Alias.from_at) > asked.since, col(Alias.to_at) > asked.since),
    )
    found: dict[int, str] = {}
    for alias in asked.session.scalars(moved.order_by(col(Alias.id))):
        word = MERGE if alias.to_at is None else SPLIT
        found |= {person: word for person in (alias.person, alias.old_person) if person in set(people)}
    return found


def _newly_permitted(asked: Asked, described_before: set[int]) -> dict[int, str]:
    """Return why those enter whom the rule described already: it is the permission that is new."""
    known = select(col(Subject.person)).where(
        col(Subject.person).in_(described_before), col(Subject.first_at) <= asked.since
    )
    agreed = (
        select(col(Subject.person))
        .join(ConsentRecord, col(ConsentRecord.subject) == col(Subject.number))
        .where(col(Subject.person).in_(described_before), col(ConsentRecord.status) == "given")
        .where(col(ConsentRecord.received_time) > asked.since)
    )
    waiting = dict.fromkeys(asked.session.scalars(known), POLICY if asked.is_new_policy else PERMISSION)
    return waiting | dict.fromkeys(asked.session.scalars(agreed), CONSENT)


def _forbidden(asked: Asked, people: Sequence[int]) -> dict[int, str]:
    """Return whom the gate refuses now, and why."""
    columns = (col(Permission.person), col(Permission.policy), col(Permission.holds_until), col(Permission.laws))
    states = (col(Permission.restricted), col(Permission.erasing), code_of(asked.use).label("code"))
    query = select(*columns, *states).where(col(Permission.person).in_(people))
    denied = listing.refused_laws(asked.session, asked.use, asked.at, asked.feed.listed)
    rows = {row.person: row for row in asked.session.execute(query)}
    words = ((person, _word(asked, row, denied)) for person, row in rows.items())
    return {person: word for person, word in words if word}


def _word(asked: Asked, row: Any, denied: Law) -> str:
    if row.erasing:
        return ERASURE
    if row.restricted:
        return RESTRICTION
    if row.policy != answers_number(asked.session):
        return POLICY
    if row.code != b"\0":
        return _BY_REASON.get(reasons.CODES.get(row.code[0], "") if row.code else "", PERMISSION)
    if row.holds_until <= asked.at:
        return TIME
    return POLICY if row.laws & int(denied) else ""


def _gone(asked: Asked, people: Sequence[int]) -> dict[int, str]:
    """Return which numbers are nobody's any more: joined to somebody, or erased."""
    query = select(col(Subject.number), col(Subject.person)).where(col(Subject.number).in_(people))
    found: Any = asked.session.execute(query)
    owners = dict(found.tuples().all())
    return {person: MERGE if person in owners else ERASURE for person in people if owners.get(person) != person}
