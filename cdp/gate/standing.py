"""Loads what the rules need to know of people, set-based: a handful of queries whatever the number.

The result is a `Standing` (values, shared by everyone in the same situation) and, beside it, the
contact points behind its reaches and the instant at which time alone will change it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Table, bindparam, or_, select
from sqlmodel import Session

from cdp import consent, policy, statements
from cdp.clock import FOREVER
from cdp.consent.model import Objection
from cdp.consent.rules import Said, as_written
from cdp.db import chunked
from cdp.gate import neighbours, situating
from cdp.gate.neighbours import Born
from cdp.gate.question import Consent, Reach, Standing, unasked
from cdp.gate.situating import Lives
from cdp.identity.belonging import IS_THEIRS
from cdp.identity.model import Identifier
from cdp.policy.terms import CONTACT_CHANNELS, CONTACTS, Policy, Purpose
from cdp.profile import declared as declarations
from cdp.profile import retention
from cdp.profile.declared import Declared
from cdp.profile.model import Person, Subject
from cdp.statements import one_of

DEVICE_NAMESPACE = "anonymous_id"
_CONTACT_NAMESPACES = sorted({*CONTACTS, DEVICE_NAMESPACE})


class ContactPoint(NamedTuple):
    """One identifier of a person that a channel can reach; blind indexes only."""

    namespace: str
    token: bytes
    suppression_token: bytes
    subject: int
    verified: bool
    is_theirs: bool = True
    """Whether it reaches the person still: what it is silent for counts all the same."""
    kind: str = ""
    """How it was come by, where its sources say so: see `Reach.address`."""


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
    active_on: date | None
    first_at: datetime
    born: Born


class _Objected(NamedTuple):
    """An objection, or a state of a person that is none."""

    kind: str
    purpose: str


class _Rows(NamedTuple):
    subjects: dict[int, list[int]]
    origins: dict[int, tuple[Declared, ...]]
    employers: frozenset[str]
    profiles: dict[int, _Profile]
    aged: dict[int, Born]
    points: dict[int, list[ContactPoint]]
    said: dict[int, list[Said]]
    noes: dict[bytes, list[Said]]
    """Contact point → every no that was said at it, by whomever."""
    suppressed: dict[bytes, list[tuple[str, str]]]
    objections: dict[int, list[_Objected]]
    erasing: set[int]
    """People of whom any subject is being erased."""


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
    declared = declarations.known(session)
    origin: dict[int, Declared] = {}
    erasing: set[int] = set()
    for number, person, source, is_erased in statements.rows(session, _SUBJECTS_OF, some=people):
        subjects[person].append(number)
        owner[number] = person
        origin[number] = declared.get(source, declarations.UNDECLARED)
        if is_erased:
            erasing.add(person)
    points = _points(session, owner, origin)
    tokens = {point.suppression_token for some in points.values() for point in some}
    suppressed: dict[bytes, list[tuple[str, str]]] = defaultdict(list)
    for silence in consent.in_force(session, tokens, as_of=as_of):
        suppressed[silence.token].append((silence.channel, silence.said))
    said: dict[int, list[Said]] = defaultdict(list)
    for number, records in consent.said_by(session, owner, as_of).items():
        said[owner[number]].extend(records)
    profiles = _profiles(session, people)
    return _Rows(
        subjects,
        {person: tuple(dict.fromkeys(origin[number] for number in numbers)) for person, numbers in subjects.items()},
        frozenset(name for name, one in declared.items() if one.employees),
        profiles,
        _aged(session, profiles, points, at),
        points,
        said,
        consent.noes_at(session, {(one.namespace, one.token) for one in _contacts(points)}, as_of),
        suppressed,
        _objections(session, owner, as_of),
        erasing,
    )


def _profiles(session: Session, people: Sequence[int]) -> dict[int, _Profile]:
    return {
        person: _Profile(country, since, active, first, Born(year, day))
        for person, country, since, active, first, year, day in statements.rows(session, _PROFILES, some=people)
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


def _points(session: Session, owner: dict[int, int], origin: dict[int, Declared]) -> dict[int, list[ContactPoint]]:
    found: dict[int, dict[tuple[str, bytes], ContactPoint]] = defaultdict(dict)
    for some in chunked(owner):
        # The newest subject that gave a contact point stands for it; verified wins, and first of all whose it is still.
        for row in statements.rows(session, _POINTS, some=some, within=_CONTACT_NAMESPACES):
            point = ContactPoint._make((*row, origin[row[3]].addresses))
            # What a browser claimed to be somebody's address reaches nobody.
            if not point.verified and point.namespace != DEVICE_NAMESPACE:
                continue
            mine, key = found[owner[point.subject]], (point.namespace, point.token)
            kind = _kind(point.kind, mine[key].kind) if key in mine else point.kind
            mine[key] = point if kind == point.kind else point._replace(kind=kind)
    return {person: sorted(points.values(), key=_preference) for person, points in found.items()}


def _contacts(points: dict[int, list[ContactPoint]]) -> Iterator[ContactPoint]:
    return (point for mine in points.values() for point in mine if point.namespace != DEVICE_NAMESPACE)


def _kind(one: str, other: str) -> str:
    """Return how an address was come by that two sources brought: a refusal published with it counts, else neither."""
    if "published_no_ads" in (one, other):
        return "published_no_ads"
    return one if one == other else ""


def _preference(point: ContactPoint) -> tuple[bool, int, bytes]:
    return (not point.verified, -point.subject, point.suppression_token)


def _objections(session: Session, owner: dict[int, int], as_of: datetime | None) -> dict[int, list[_Objected]]:
    found: dict[int, list[_Objected]] = defaultdict(list)
    for some in chunked(owner):
        if as_of is None:
            rows = statements.rows(session, _OBJECTING, some=some)
        else:
            rows = statements.rows(session, _OBJECTING_THEN, some=some, then=as_of)
        for subject, *row in rows:
            found[owner[subject]].append(_Objected(*row))
    return found


_SUBJECTS: Table = Subject.__table__  # type: ignore[attr-defined]
_PEOPLE: Table = Person.__table__  # type: ignore[attr-defined]
_NAMES: Table = Identifier.__table__  # type: ignore[attr-defined]
_OBJECTIONS: Table = Objection.__table__  # type: ignore[attr-defined]
_SAID_BY = select(*(_OBJECTIONS.c[name] for name in ("subject", *_Objected._fields))).where(
    one_of(_OBJECTIONS.c.subject)
)
_OBJECTING = _SAID_BY.where(_OBJECTIONS.c.lifted_at.is_(None))
_OBJECTING_THEN = _SAID_BY.where(
    _OBJECTIONS.c.at <= bindparam("then"),
    or_(_OBJECTIONS.c.lifted_at.is_(None), _OBJECTIONS.c.lifted_at > bindparam("then")),
)
_SUBJECTS_OF = (
    select(_SUBJECTS.c.number, _SUBJECTS.c.person, _SUBJECTS.c.source, _SUBJECTS.c.erasing)
    .where(one_of(_SUBJECTS.c.person))
    .order_by(_SUBJECTS.c.number)
)
_PROFILES = select(
    *(
        _PEOPLE.c[name]
        for name in ("person", "country", "customer_since", "active_on", "first_at", "birth_year", "birth_day")
    )
).where(one_of(_PEOPLE.c.person))
_POINTS = (
    select(*(_NAMES.c[name] for name in ContactPoint._fields[:-2]), IS_THEIRS)
    .where(one_of(_NAMES.c.subject), one_of(_NAMES.c.namespace, "within"))
    .order_by(IS_THEIRS, _NAMES.c.verified, _NAMES.c.subject)
)


def _situation(terms: Policy, rows: _Rows, person: int, at: datetime, channels: Sequence[str]) -> Situation:
    profile = rows.profiles.get(person)
    lives = Lives(terms, at, rows.aged.get(person), rows.employers)
    said = rows.said.get(person, [])
    reaches = list(_reaches(terms, rows, person, lives, channels))
    objections = rows.objections.get(person, [])
    states = {one.kind for one in objections}
    country = profile.country if profile else ""
    agreed = [one.at.date().replace(day=1) for one in said if one.says_yes and one.is_first_hand and one.at <= at]
    active = max([profile.active_on or profile.first_at.date(), *agreed]) if profile else None
    lapsed, lapses = retention.lapsed(terms, country, active, at)
    age, birthday = lives.age()
    standing = Standing(
        **_declared_by(terms, country, rows.origins[person]),
        country=country,
        age=age,
        customer=bool(profile and profile.customer_since and profile.customer_since <= at),
        restricted="restriction" in states,
        erasing=person in rows.erasing,
        objections=tuple(sorted({_objection(one) for one in objections if one.kind not in situating.STATES})),
        gpc=_gpc(said, at),
        reaches=tuple(reach for reach, _, _ in reaches),
        deceased="deceased" in states,
        held="legal_hold" in states,
        provision_stopped="provision" in states,
        lapsed=lapsed,
    )
    ends = [until for _, _, until in reaches if until is not None]
    ends += [one for one in (birthday, lapses) if one is not None]
    ends += [one.at for one in said if one.at > at and not one.says_no]
    return Situation(
        person,
        tuple(rows.subjects[person]),
        standing,
        tuple(point for _, point, _ in reaches),
        min(ends, default=FOREVER),
    )


@lru_cache(maxsize=1 << 10)
def _declared_by(terms: Policy, country: str, sources: tuple[Declared, ...]) -> dict[str, Any]:
    return situating.declared_by(terms, country, sources)


def _objection(row: _Objected) -> str:
    return row.kind if row.kind == "direct_marketing" else f"{row.kind}:{row.purpose}"


def _reaches(
    terms: Policy, rows: _Rows, person: int, lives: Lives, channels: Sequence[str]
) -> Iterator[tuple[Reach, ContactPoint | None, datetime | None]]:
    points = [point for point in rows.points.get(person, []) if point.is_theirs]
    said, mine = rows.said.get(person, []), set(rows.subjects[person])
    devices = {one.token for one in said if one.token}
    heard = _by_purpose(terms, said)
    for channel in channels:
        if channel in CONTACT_CHANNELS:
            ways: list[ContactPoint | None] = [p for p in points if p.namespace in CONTACT_CHANNELS[channel]]
        else:
            ways = [None, *(p for p in points if p.namespace == DEVICE_NAMESPACE and p.token in devices)]
        for point in ways:
            # Who shares a mailbox cannot be told apart by what is sent to it: a no there is everybody's who has it.
            others = [one for one in rows.noes.get(point.token, ()) if one.subject not in mine] if point else []
            there = _by_purpose(terms, said + others) if others else heard
            yield _reach(terms, rows, person, channel, point, there, lives)


def _by_purpose(terms: Policy, said: list[Said]) -> list[tuple[Purpose, list[Said]]]:
    """Return the purposes that anything was said of, each with all that was said of it."""
    about = {one.purpose for one in said}
    spoken = terms.purposes.values() if "*" in about else (terms.purposes[n] for n in about if n in terms.purposes)
    return [(purpose, [one for one in said if one.purpose in (purpose.name, "*")]) for purpose in spoken]


def _reach(
    terms: Policy,
    rows: _Rows,
    person: int,
    channel: str,
    point: ContactPoint | None,
    heard: list[tuple[Purpose, list[Said]]],
    lives: Lives,
) -> tuple[Reach, ContactPoint | None, datetime | None]:
    consents: list[Consent] = []
    until: datetime | None = None
    for purpose, said in heard:
        if channel not in purpose.channels:
            continue
        found = lives.consent(said, purpose, channel, point.token if point else b"")
        if found is None:
            continue
        consents.append(found.consent)
        if found.until is not None and found.until > lives.at:
            until = min(until or found.until, found.until)
    if point is None:  # a letter reaches no contact point of ours: what any of them is silent for there counts
        silent = [
            one for mine in rows.points.get(person, []) for one in rows.suppressed.get(mine.suppression_token, [])
        ]
        reasons = tuple(sorted({why for where, why in silent if where == channel}))
    else:
        silent = rows.suppressed.get(point.suppression_token, [])
        reasons = tuple(sorted({why for where, why in silent if where in (channel, "*")}))
    kind = point.kind if point else ""
    reach = Reach(channel, tuple(sorted(consents)), reasons, kind) if consents else unasked(channel, reasons, kind)
    return reach, point, until


def _gpc(said: list[Said], at: datetime) -> bool:
    answering = [one for one in said if one.says_yes and one.is_first_hand and one.verified and one.at <= at]
    heard = as_written([one for one in said if one.method == "gpc" and one.says_no] + answering)
    signals = [one.at for one in heard if one.says_no]
    if not signals:
        return False
    answers = [one.at for one in answering]
    return not answers or max(answers) <= max(signals)
