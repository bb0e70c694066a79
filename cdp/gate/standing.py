"""Loads what the rules need to know of people, set-based: a handful of queries whatever the number.

The result is a `Standing` (values, shared by everyone in the same situation) and, beside it, the
contact points behind its reaches and the instant at which time alone will change it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from cdp import consent, policy
from cdp.clock import FOREVER
from cdp.consent.model import Objection
from cdp.consent.rules import Said, as_written, effective
from cdp.db import chunked
from cdp.gate import neighbours
from cdp.gate.decide import OLDEST_AGE_OF_CONSENT
from cdp.gate.laws import laws_for
from cdp.gate.neighbours import Born
from cdp.gate.question import Consent, Reach, Standing
from cdp.identity.model import Identifier
from cdp.policy.terms import CONTACT_CHANNELS, Policy
from cdp.profile.model import Person, Subject

DEVICE_NAMESPACE = "anonymous_id"
_CONTACT_NAMESPACES = sorted({name for names in CONTACT_CHANNELS.values() for name in names} | {DEVICE_NAMESPACE})


class ContactPoint(NamedTuple):
    """One identifier of a person that a channel can reach; blind indexes only."""

    namespace: str
    token: bytes
    suppression_token: bytes
    subject: int
    verified: bool


@dataclass(frozen=True, slots=True)
class Situation:
    """One person's standing, what stands behind its reaches, and how long it holds by itself."""

    person: int
    subjects: tuple[int, ...]
    standing: Standing
    points: tuple[ContactPoint | None, ...]
    """Parallel to `standing.reaches`; None where the channel has no contact point."""
    changes_at: datetime


def load(
    session: Session, people: Iterable[int], at: datetime, channel: str = "", *, as_of: datetime | None = None
) -> dict[int, Situation]:
    """Load the situations of these people at the instant; people without subjects are absent.

    Every no that is written counts, also one whose instant is still to come: another host's clock may be
    ahead of this one's. With `as_of`, a past instant, only what was written by then. With `channel`, only
    the ways to reach them there: enough to decide one use.
    """
    channels = [channel] if channel else sorted({use.channel for use in policy.of(session).uses})
    found: dict[int, Situation] = {}
    for some in chunked(people):
        found.update((one.person, one) for one in _load(session, some, at, as_of, channels))
    return found


class _Profile(NamedTuple):
    """What the rules read of a person's row."""

    country: str
    customer_since: datetime | None
    born: Born


class _Rows(NamedTuple):
    subjects: dict[int, list[int]]
    profiles: dict[int, _Profile]
    aged: dict[int, Born]
    points: dict[int, list[ContactPoint]]
    said: dict[int, list[Said]]
    suppressed: dict[bytes, list[tuple[str, str]]]
    objections: dict[int, list[Objection]]
    erasing: set[int]


def _load(
    session: Session, people: Sequence[int], at: datetime, as_of: datetime | None, channels: Sequence[str]
) -> Iterator[Situation]:
    rows = _rows(session, people, at, as_of)
    terms = policy.of(session)
    for person in people:
        if rows.subjects.get(person):
            yield _situation(terms, rows, person, at, channels)


def _rows(session: Session, people: Sequence[int], at: datetime, as_of: datetime | None) -> _Rows:
    subjects: dict[int, list[int]] = defaultdict(list)
    owner: dict[int, int] = {}
    query = select(col(Subject.number), col(Subject.person)).where(col(Subject.person).in_(people))
    for number, person in session.execute(query.order_by(col(Subject.number))):
        subjects[person].append(number)
        owner[number] = person
    points = _points(session, owner)
    tokens = {point.suppression_token for some in points.values() for point in some}
    suppressed: dict[bytes, list[tuple[str, str]]] = defaultdict(list)
    for _, token, channel, reason in consent.in_force(session, tokens, as_of=as_of):
        suppressed[token].append((channel, reason))
    said: dict[int, list[Said]] = defaultdict(list)
    for number, records in consent.said_by(session, owner, as_of).items():
        said[owner[number]].extend(records)
    profiles = _profiles(session, people)
    return _Rows(
        subjects,
        profiles,
        _aged(session, profiles, points, at),
        points,
        said,
        suppressed,
        _objections(session, owner, as_of),
        _erasing(session, people),
    )


def _profiles(session: Session, people: Sequence[int]) -> dict[int, _Profile]:
    names = ("person", "country", "customer_since", "birth_year", "birth_day")
    query = select(*(col(getattr(Person, name)) for name in names)).where(col(Person.person).in_(people))
    return {
        person: _Profile(country, since, Born(year, day))
        for person, country, since, year, day in session.execute(query)
    }


def _aged(
    session: Session, profiles: dict[int, _Profile], points: dict[int, list[ContactPoint]], at: datetime
) -> dict[int, Born]:
    """Return which birth counts for each person: their own, else that of the youngest at their address."""
    known = {person: profile.born for person, profile in profiles.items() if profile.born.birth_year is not None}
    ageless = {
        person: [point.token for point in mine if point.namespace != DEVICE_NAMESPACE]
        for person, mine in points.items()
        if person not in known
    }
    return known | neighbours.youngest_at(session, ageless, at)


def _points(session: Session, owner: dict[int, int]) -> dict[int, list[ContactPoint]]:
    found: dict[int, dict[tuple[str, bytes], ContactPoint]] = defaultdict(dict)
    columns = (
        col(Identifier.namespace),
        col(Identifier.token),
        col(Identifier.suppression_token),
        col(Identifier.subject),
        col(Identifier.verified),
    )
    for some in chunked(owner):
        query = select(*columns).where(
            col(Identifier.subject).in_(some), col(Identifier.namespace).in_(_CONTACT_NAMESPACES)
        )
        # The newest subject that gave a contact point stands for it; verified wins.
        for row in session.execute(query.order_by(col(Identifier.verified), col(Identifier.subject))):
            point = ContactPoint(*row)
            # What a browser claimed to be somebody's address reaches nobody.
            if not point.verified and point.namespace != DEVICE_NAMESPACE:
                continue
            found[owner[point.subject]][(point.namespace, point.token)] = point
    return {person: sorted(points.values(), key=_preference) for person, points in found.items()}


def _preference(point: ContactPoint) -> tuple[bool, int, bytes]:
    return (not point.verified, -point.subject, point.token)


def _objections(session: Session, owner: dict[int, int], as_of: datetime | None) -> dict[int, list[Objection]]:
    found: dict[int, list[Objection]] = defaultdict(list)
    holds: ColumnElement[bool] = col(Objection.lifted_at).is_(None)
    if as_of is not None:
        holds = (col(Objection.at) <= as_of) & (holds | (col(Objection.lifted_at) > as_of))
    for some in chunked(owner):
        for row in session.scalars(select(Objection).where(col(Objection.subject).in_(some), holds)):
            found[owner[row.subject]].append(row)
    return found


def _erasing(session: Session, people: Sequence[int]) -> set[int]:
    """Return the people of whom any subject is being erased, whatever number they have by now."""
    query = select(col(Subject.person)).where(col(Subject.person).in_(people), col(Subject.erasing))
    return set(session.scalars(query))


def _situation(terms: Policy, rows: _Rows, person: int, at: datetime, channels: Sequence[str]) -> Situation:
    profile = rows.profiles.get(person)
    country = profile.country if profile else ""
    age, birthday = _age(rows.aged.get(person), at, terms)
    said = rows.said.get(person, [])
    reaches = list(_reaches(terms, rows, person, said, at, channels))
    objections = rows.objections.get(person, [])
    standing = Standing(
        laws=laws_for(terms, country),
        country=country,
        age=age,
        customer=bool(profile and profile.customer_since and profile.customer_since <= at),
        restricted=any(one.kind == "restriction" for one in objections),
        erasing=person in rows.erasing,
        objections=tuple(sorted({_objection(one) for one in objections if one.kind != "restriction"})),
        gpc=_gpc(said, at),
        reaches=tuple(reach for reach, _, _ in reaches),
    )
    ends = [until for _, _, until in reaches if until is not None] + ([birthday] if birthday else [])
    ends += [one.at for one in said if one.at > at and not one.says_no]
    return Situation(
        person,
        tuple(rows.subjects[person]),
        standing,
        tuple(point for _, point, _ in reaches),
        min(ends, default=FOREVER),
    )


def _objection(row: Objection) -> str:
    return row.kind if row.kind == "direct_marketing" else f"{row.kind}:{row.purpose}"


def _reaches(
    terms: Policy, rows: _Rows, person: int, said: list[Said], at: datetime, channels: Sequence[str]
) -> Iterator[tuple[Reach, ContactPoint | None, datetime | None]]:
    points = rows.points.get(person, [])
    devices = {one.token for one in said if one.token}
    for channel in channels:
        if channel in CONTACT_CHANNELS:
            ways: list[ContactPoint | None] = [p for p in points if p.namespace in CONTACT_CHANNELS[channel]]
        else:
            ways = [None, *(p for p in points if p.namespace == DEVICE_NAMESPACE and p.token in devices)]
        for point in ways:
            yield _reach(terms, rows, channel, point, said, at)


def _reach(
    terms: Policy, rows: _Rows, channel: str, point: ContactPoint | None, said: list[Said], at: datetime
) -> tuple[Reach, ContactPoint | None, datetime | None]:
    consents: list[Consent] = []
    until: datetime | None = None
    for purpose in terms.purposes.values() if said else ():
        if channel not in purpose.channels:
            continue
        holds = effective(said, purpose.name, channel, point.token if point else b"", at)
        if holds is None:
            continue
        consents.append(
            Consent(purpose.name, holds.status, holds.notice, holds.notice_version, holds.explicit, holds.by_guardian)
        )
        if holds.valid_until is not None and holds.valid_until > at:
            until = min(until or holds.valid_until, holds.valid_until)
    silent = rows.suppressed.get(point.suppression_token, []) if point else []
    reasons = tuple(sorted({why for where, why in silent if where in (channel, "*")}))
    return Reach(channel, tuple(sorted(consents)), reasons), point, until


def _gpc(said: list[Said], at: datetime) -> bool:
    answering = [one for one in said if one.says_yes and one.act and one.verified and one.at <= at]
    heard = as_written([one for one in said if one.method == "gpc" and one.says_no] + answering)
    signals = [one.at for one in heard if one.says_no]
    if not signals:
        return False
    answers = [one.at for one in answering]
    return not answers or max(answers) <= max(signals)


def _age(born: Born | None, at: datetime, terms: Policy) -> tuple[int | None, datetime | None]:
    """Return the age in full years and, while age may matter, when it changes next.

    A year without a day counts as born on its last day: the younger reading protects.
    """
    if born is None or born.birth_year is None:
        return None, None
    zone = ZoneInfo(terms.controller.time_zone)
    today = at.astimezone(zone).date()
    month, day = (int(part) for part in (born.birth_day or "12-31").split("-"))
    had_birthday = (today.month, today.day) >= (month, day)
    age = today.year - born.birth_year - (0 if had_birthday else 1)
    if age >= OLDEST_AGE_OF_CONSENT:
        return age, None
    year = today.year + (1 if had_birthday else 0)
    if (month, day) == (2, 29):
        month, day = 3, 1
    return age, datetime(year, month, day, tzinfo=zone).astimezone(UTC)
