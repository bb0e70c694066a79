"""Finds or makes the subject of every arrival.

A token hit joins nothing until the sealed value behind it was compared.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Table, bindparam, func, insert, select, update
from sqlmodel import Session, col

from cdp import statements, vault
from cdp.db import chunked, is_sqlite
from cdp.identity import aside, breaker, decisions, graph, marks, naming, places, resolution, sealed, seeing
from cdp.identity.marks import Stated
from cdp.identity.model import Aside, Identifier, IdentityCase, Override, OverrideValue
from cdp.identity.normalise import VERSION, Canonical, phone_country
from cdp.identity.rules import TokenKey
from cdp.identity.seeing import month_of
from cdp.profile import traits
from cdp.profile.model import Subject
from cdp.statements import one_of, pair_of
from cdp.vault.model import SubjectKey

_SUBJECTS: Table = Subject.__table__  # type: ignore[attr-defined]
_IDENTIFIERS: Table = Identifier.__table__  # type: ignore[attr-defined]
_WORDS: Table = Override.__table__  # type: ignore[attr-defined]
_SCOPES: Table = OverrideValue.__table__  # type: ignore[attr-defined]
_KEYS: Table = SubjectKey.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A set of identifiers that a source brought together."""

    source: str
    names: tuple[Canonical, ...]
    """As they were brought; what they are evidence of is written beside them, and makes no other subject."""
    residence_default: str = ""
    public: bool = False
    """Came through a browser or app key: nothing it states may protect a person less."""
    at: datetime | None = None
    """When it happened, by the source's clock; without it, when it came."""
    marks: tuple[Stated, ...] = ()
    """What it says of birth date and name, as `marks` keeps it; the subject is not known yet."""


@dataclass(slots=True)
class Attached:
    """The subjects of a batch of arrivals."""

    subjects: list[int]
    """Parallel to the arrivals."""
    made: dict[int, vault.Dek]
    """New subjects and their keys."""
    mismatches: int = 0
    """Token hits whose sealed value was another: they joined nothing."""
    people: Mapping[int, int] = field(default_factory=dict)
    """Subject → person, of these and of whoever they concern."""


def attach(session: Session, arrivals: Sequence[Arrival], at: datetime) -> Attached:
    """Find or make the subject of each arrival, join and part people as the rules say, and settle them later.

    Locks tokens, then subjects, each in order. Every arrival needs at least one identifier.
    """
    prints = [fingerprint(session, arrival) for arrival in arrivals]
    by_print: dict[bytes, Arrival] = {}
    for name, one in zip(prints, arrivals, strict=True):
        same = by_print.get(name)
        by_print[name] = _together(same, one) if same else one
    named = {name: _named(session, one.names) for name, one in by_print.items()}
    on_hold = breaker.held(session, {one.source for one in arrivals})
    times = {name: one.at or at for name, one in by_print.items()}
    met = _meet(session, named, {name for name, one in by_print.items() if one.source not in on_hold}, times)
    _let_go_of_prints(session, met.over)
    made = _make(session, {name: one for name, one in by_print.items() if name not in met.known}, at)
    fresh = {made[name]: by_print[name] for name in made}
    numbers = met.known | made
    attached = Attached([numbers[name] for name in prints], _mint(session, fresh))
    evidence = [(made[print_], name) for print_ in made for name in named[print_]]
    attached.mismatches = _write_identifiers(session, fresh, evidence, attached.made, at, on_hold)
    _write_phone_countries(session, fresh, at)
    _verify(session, met.vouched)
    marks.begin(session, [replace(one, subject=made[name]) for name in made for one in by_print[name].marks])
    touched = {*fresh, *(number for number, _, _ in met.vouched)}
    # What a source on hold confirms or vouches for has to be said again once it is released.
    seen = {met.known[name]: times[name] for name in met.known if by_print[name].source not in on_hold}
    touched |= seeing.see_again(session, seen)
    resolved = resolution.resolve(session, touched, at, "arrival", met.held | fresh.keys(), met.vouched)
    people = resolved.people
    for source in sorted({one.source for one in arrivals}):
        case = breaker.count(session, source, len(arrivals), resolved.joins, at, on_hold)
        if case is not None:
            subjects = {number for name, number in numbers.items() if by_print[name].source == source}
            people |= _hold_back(session, case, subjects, fresh, met.vouched, at)
    attached.people = people | resolution.people_of(session, set(attached.subjects) - people.keys())
    return attached


def _hold_back(
    session: Session,
    case: IdentityCase,
    subjects: Set[int],
    fresh: Iterable[int],
    vouched: Iterable[tuple[int, str, bytes]],
    at: datetime,
) -> dict[int, int]:
    """Hold what a source just brought, which put it on hold; returns the people of whom that concerns."""
    scope = {(namespace, token, number) for number, namespace, token in vouched if number in subjects}
    for some in chunked(sorted(subjects & set(fresh)), 500):
        scope |= decisions.seen_with(session, graph.keys_of(session, some), some)
    return aside.hold_back(session, case, scope, at).people if scope else {}


def keep_marks(session: Session, stated: Sequence[Stated], fresh: Iterable[int], at: datetime) -> None:
    """Keep what may be kept of birth dates and names, and join and part people as that asks.

    Of `fresh`, subjects that this transaction made, whatever is not stated here is deleted.
    """
    changed = marks.keep(session, stated, frozenset(fresh))
    if changed:
        resolution.resolve(session, resolution.company(session, changed), at, "mark", fresh)


def is_known(session: Session, arrival: Arrival) -> bool:
    """Whether this very set of identifiers came from this source before: then it is no new evidence."""
    query = select(col(Subject.number)).where(col(Subject.fingerprint) == fingerprint(session, arrival))
    return session.scalar(query) is not None


def fingerprint(session: Session, arrival: Arrival) -> bytes:
    """Return the digest of source and identifiers: the same set from the same source is the same subject.

    What comes through a public key is never the subject of what does not, also when the source changed its key.
    A number is the same one whichever kind of line it is taken for.
    """
    names = sorted({(vault.family(name.namespace)[0], name.scope, name.value) for name in arrival.names})
    return vault.namer(session).digest(
        "fingerprint", json.dumps([arrival.source, names, *(["public"] if arrival.public else [])]).encode()
    )


def _together(one: Arrival, other: Arrival) -> Arrival:
    """Return one arrival for the same identifiers twice: what either vouches for is vouched for."""
    times = [arrival.at for arrival in (one, other) if arrival.at]
    return replace(
        other, names=one.names + other.names, marks=one.marks + other.marks, at=max(times) if times else None
    )


def _named(session: Session, names: Iterable[Canonical]) -> list[Canonical]:
    """Return these identifiers with all that they are evidence of; said twice, once as verified, each is verified."""
    once: dict[Canonical, Canonical] = {}
    for name in naming.evidence(session, names):
        if name not in once or name.verified:
            once[name] = name
    return list(once.values())


class _Met(NamedTuple):
    """What arrivals meet, locked."""

    known: dict[bytes, int]
    """Fingerprint → the subject that is there: an erasure of it waits for us."""
    over: dict[bytes, int]
    """Fingerprint → the subject whose evidence passed on: it is another's from now on."""
    vouched: set[tuple[int, str, bytes]]
    """Identifiers of known subjects that arrive verified for the first time."""
    held: set[int]


def _meet(
    session: Session,
    named: Mapping[bytes, Sequence[Canonical]],
    vouching: Set[bytes],
    times: Mapping[bytes, datetime],
) -> _Met:
    """Lock what these arrivals may change: tokens first, then every subject, each in one order for all.

    Nothing is believed that a source on hold vouches for, and so is not among `vouching`. Whoever was made by others
    while we waited for a token is known, whoever was erased is new.
    """
    believed = {print_: [name for name in named[print_] if name.verified] for print_ in vouching}
    while True:
        known, over = _known(session, named, times)
        vouched = _vouched(session, known, believed)
        keys = {(namespace, token) for _, namespace, token in vouched}
        keys |= {
            (name.namespace, token)
            for print_, names in named.items()
            if print_ not in known
            for name in names
            for token in naming.tokens(session, name).values()
        }
        states = graph.lock_tokens(session, keys)
        if places.renew(session):
            continue
        late: dict[bytes, int] = {}
        if keys and not is_sqlite(session):
            late, over = _known(session, named.keys() - known.keys(), times)
        vouched |= _vouched(session, late, believed)
        known |= late
        held = graph.hold(session, known.values(), states)
        if places.renew(session):  # from here on nobody moves a value of theirs
            continue
        moved = places.is_rotating(session) and vouched != _vouched(session, known, believed)
        if held.issuperset(known.values()) and not moved:
            return _Met(known, over, vouched, held)


def _known(
    session: Session, prints: Iterable[bytes], times: Mapping[bytes, datetime]
) -> tuple[dict[bytes, int], dict[bytes, int]]:
    """Return the subjects of these fingerprints, and apart those of whom nothing but what passed on is left."""
    found: dict[bytes, int] = {}
    for some in chunked(sorted(prints), graph.MANY):
        found.update(statements.rows(session, _KNOWN, some=some))
    over = _over(session, {number: times[print_] for print_, number in found.items()})
    apart = {print_: number for print_, number in found.items() if number in over}
    return {print_: number for print_, number in found.items() if number not in over}, apart


def _over(session: Session, seen: Mapping[int, datetime]) -> set[int]:
    """Return the subjects of whom nothing counts any more, and whose evidence comes again later.

    A number is given to others: where nothing else says whose it is now, it is not taken for the person before.
    """
    passed: set[int] = set()
    for some in chunked(sorted(seen), graph.MANY):
        passed.update(statements.column(session, _PASSED_ON, some=some))
    if not passed:
        return set()
    left: dict[int, datetime] = {}
    for some in chunked(sorted(passed), graph.MANY):
        left.update(statements.rows(session, _LEFT, some=some))
    again, counting = set[int](), set[int]()
    for some in chunked(sorted(passed), graph.MANY):
        for subject, month, why in statements.rows(session, _SEEN, some=some):
            if not why:
                counting.add(subject)
            elif why & Aside.LEFT:
                again |= {subject} if subject in left and left[subject] < seen[subject] else set()
            elif why & Aside.EXPIRED and month < month_of(seen[subject]):
                again.add(subject)
    return again - counting


def _vouched(
    session: Session, known: Mapping[bytes, int], believed: Mapping[bytes, Sequence[Canonical]]
) -> set[tuple[int, str, bytes]]:
    """Return the identifiers (subject, namespace, token) that are vouched for now, and were only claimed so far."""
    verified = {
        (number, namespace, token)
        for print_, number in known.items()
        for name in believed.get(print_, ())
        for token in naming.tokens(session, name).values()
        for namespace in vault.family(name.namespace)
    }
    found: set[tuple[int, str, bytes]] = set()
    for some in chunked(sorted({number for number, _, _ in verified}), graph.MANY):
        found |= verified.intersection(statements.rows(session, _CLAIMED, some=some))
    return found


def _make(session: Session, new: Mapping[bytes, Arrival], at: datetime) -> dict[bytes, int]:
    """Insert subjects in the order of their fingerprints: nobody else makes one, without its tokens."""
    if not new:
        return {}
    rows = [
        {
            "person": 0,
            "source": one.source,
            "fingerprint": name,
            "first_at": at,
            "residence_default": one.residence_default,
            "public": one.public,
        }
        for name, one in sorted(new.items())
    ]
    return dict(statements.insert(session, _NEW_SUBJECTS, rows))


def _let_go_of_prints(session: Session, over: Mapping[bytes, int]) -> None:
    """Let subjects whose evidence passed on be found by it no more: it is the next one's."""
    digest = vault.namer(session).digest
    rows = [
        {"of": number, "another": digest("fingerprint.over", print_ + str(number).encode())}
        for print_, number in sorted(over.items())
    ]
    statements.write(session, _LET_GO, rows)


def _mint(session: Session, fresh: Iterable[int]) -> dict[int, vault.Dek]:
    minted = {number: vault.of(session).mint(number) for number in sorted(fresh)}
    if minted:
        statements.write(session, _NEW_KEYS, [row for _, row in minted.values()])
    return {number: dek for number, (dek, _) in minted.items()}


def _write_identifiers(
    session: Session,
    fresh: Mapping[int, Arrival],
    evidence: Sequence[tuple[int, Canonical]],
    deks: Mapping[int, vault.Dek],
    at: datetime,
    on_hold: Set[str],
) -> int:
    """Write the evidence of new subjects where each value stands; returns how many token hits did not match."""
    place = places.find(session, {name for _, name in evidence})
    found = [(number, name, place[name].epoch, (name.namespace, place[name].token)) for number, name in evidence]
    wrong = _mismatches(session, found)
    months = {number: month_of(one.at or at) for number, one in fresh.items()}
    rows = [
        {
            "subject": number,
            "namespace": name.namespace,
            "token": key[1],
            "scope": name.scope,
            "epoch": epoch,
            "suppression_token": naming.silence_token(session, name),
            "sealed": vault.seal(deks[number], sealed.plaintext(name), sealed.cell(number, *key)),
            "verified": name.verified,
            "normaliser": VERSION,
            "first_at": at,
            "seen": months[number],
            "aside": naming.aside(session, name) | (int(Aside.HELD) if fresh[number].source in on_hold else 0),
        }
        for number, name, epoch, key in found
        if (key, name.value) not in wrong
    ]
    if rows:
        statements.write(session, _NEW_IDENTIFIERS, rows)
    for source in sorted(on_hold):
        brought = [(number, name, key) for number, name, _, key in found if fresh[number].source == source]
        breaker.keep(session, source, {(*key, one) for one, name, key in brought if (key, name.value) not in wrong})
    return len(found) - len(rows)


def _mismatches(session: Session, found: Iterable[tuple[int, Canonical, int, TokenKey]]) -> set[tuple[TokenKey, str]]:
    """Compare each value with what is sealed behind its token; returns those that differ (never yet seen)."""
    values: dict[TokenKey, dict[str, Canonical]] = defaultdict(dict)
    for _, name, _, key in found:
        values[key][name.value] = name
    behind = _first_behind(session, values)
    deks = vault.deks(session, {subject for subject, _ in behind.values()})
    wrong = set()
    for key, names in values.items():
        subject, seal = behind.get(key, (0, b""))
        for value, name in names.items():
            if not subject and len(names) == 1:
                continue
            if subject not in deks or not sealed.is_same(deks[subject], seal, sealed.cell(subject, *key), name):
                wrong.add((key, value))
    return wrong


def _first_behind(session: Session, keys: Iterable[TokenKey]) -> dict[TokenKey, tuple[int, bytes]]:
    found: dict[TokenKey, tuple[int, bytes]] = {}
    for some in chunked(sorted(keys), graph.MANY):
        for namespace, token, subject, seal in statements.rows(session, _FIRST_BEHIND, pairs=some):
            found[namespace, token] = (subject, seal)
    return found


def _write_phone_countries(session: Session, fresh: Mapping[int, Arrival], at: datetime) -> None:
    stated = [
        traits.Stated(number, traits.PHONE_COUNTRY, country, at, arrival.source)
        for number, arrival in fresh.items()
        for name in arrival.names
        if name.namespace in vault.family("phone") and (country := phone_country(name.value))
    ]
    traits.write_coarse(session, stated)


def _verify(session: Session, vouched: Iterable[tuple[int, str, bytes]]) -> None:
    rows = [{"of": number, "within": namespace, "named": token} for number, namespace, token in sorted(vouched)]
    if rows:
        where = (
            _IDENTIFIERS.c.subject == bindparam("of"),
            _IDENTIFIERS.c.namespace == bindparam("within"),
            _IDENTIFIERS.c.token == bindparam("named"),
        )
        session.connection().execute(update(_IDENTIFIERS).where(*where).values(verified=True), rows)


_KNOWN = select(_SUBJECTS.c.fingerprint, _SUBJECTS.c.number).where(one_of(_SUBJECTS.c.fingerprint))
_LET_GO = update(_SUBJECTS).where(_SUBJECTS.c.number == bindparam("of")).values(fingerprint=bindparam("another"))
_PASSED_ON = (
    select(_IDENTIFIERS.c.subject)
    .distinct()
    .where(one_of(_IDENTIFIERS.c.subject), _IDENTIFIERS.c.aside.op("&")(int(Aside.EXPIRED | Aside.LEFT)) > 0)
)
_SEEN = select(_IDENTIFIERS.c.subject, _IDENTIFIERS.c.seen, _IDENTIFIERS.c.aside).where(one_of(_IDENTIFIERS.c.subject))
_LEFT = (
    select(_SCOPES.c.subject, func.max(_WORDS.c.at))
    .join(_WORDS, _WORDS.c.id == _SCOPES.c.override)
    .where(one_of(_SCOPES.c.subject), _WORDS.c.kind == "expire", _WORDS.c.revoked_at.is_(None))
    .group_by(_SCOPES.c.subject)
)
_CLAIMED = select(_IDENTIFIERS.c.subject, _IDENTIFIERS.c.namespace, _IDENTIFIERS.c.token).where(
    one_of(_IDENTIFIERS.c.subject), ~_IDENTIFIERS.c.verified
)
_NEW_SUBJECTS = insert(_SUBJECTS).returning(_SUBJECTS.c.fingerprint, _SUBJECTS.c.number)
_NEW_KEYS, _NEW_IDENTIFIERS = insert(_KEYS), insert(_IDENTIFIERS)
_FIRSTS = (
    select(_IDENTIFIERS.c.namespace, _IDENTIFIERS.c.token, func.min(_IDENTIFIERS.c.subject).label("subject"))
    .where(pair_of(_IDENTIFIERS.c.namespace, _IDENTIFIERS.c.token))
    .group_by(_IDENTIFIERS.c.namespace, _IDENTIFIERS.c.token)
    .subquery()
)
_FIRST_BEHIND = select(
    _IDENTIFIERS.c.namespace, _IDENTIFIERS.c.token, _IDENTIFIERS.c.subject, _IDENTIFIERS.c.sealed
).join(
    _FIRSTS,
    (_IDENTIFIERS.c.subject == _FIRSTS.c.subject)
    & (_IDENTIFIERS.c.namespace == _FIRSTS.c.namespace)
    & (_IDENTIFIERS.c.token == _FIRSTS.c.token),
)
