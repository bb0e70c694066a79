"""The person: what the rules may read without opening anything, rebuilt from the subjects' rows.

Nothing here is stated twice: a row can be deleted and settled again to the same content. Residence
is the first of trait or named address, postal address, phone prefix, source's default that says
anything; where that says two things, it is unknown, and every law applies (ruling R1). What comes
through a public key is nobody's word: it gives way to what does not, it makes nobody older and nobody
a customer, and settles no residence. What was said before the person had it put right counts no more,
also where it was said of a subject that joined them since; nor does the very value that was wrong.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Table, delete, select
from sqlmodel import Session

from cdp import policy, statements
from cdp.db import chunked, upsert
from cdp.policy.terms import Policy
from cdp.profile import corrections, facts, retention, traits
from cdp.profile.model import NUMBER_SLOTS, TEXT_SLOTS, Person, Subject, Trait
from cdp.statements import one_of

RESIDENCE = ((traits.STATED_COUNTRY, traits.ADDRESS_COUNTRY), (traits.POSTAL_COUNTRY,), (traits.PHONE_COUNTRY,))
"""Coarse traits that say where a person lives, strongest first."""

_BIRTHDAY = (traits.BIRTH_YEAR, traits.BIRTH_DAY)
_FROM_ADDRESSES = (traits.ADDRESS_COUNTRY, traits.POSTAL_COUNTRY, traits.PHONE_COUNTRY)

_COLUMNS = (
    *("person", "country", "birth_year", "birth_day", "customer_since", "first_at", "active_on"),
    *TEXT_SLOTS,
    *NUMBER_SLOTS,
)


class _Stated(NamedTuple):
    """One statement as the rebuild reads it; sorts by who wins."""

    vouched: bool
    """Not said through a public key."""
    at: datetime
    ref: bytes
    older_subject: int
    """The subject's number, negated: of two equal statements the lowest subject's wins."""
    clear: str | None


Statements = Mapping[str, Sequence[_Stated]]


def settle(session: Session, people: set[int], at: datetime) -> None:
    """Rebuild the rows of these people, and delete those of numbers that no subject has any more."""
    for some in chunked(sorted(people), 5000):
        subjects = _lock(session, some)
        stated = _stated(session, policy.of(session), some)
        active = facts.activity(session, some)
        rows = {
            person: _kept(
                policy.of(session),
                _row(policy.of(session), person, members, stated.get(person, {}), *active.get(person, (None, None))),
                at,
            )
            for person, members in sorted(subjects.items())
        }
        _store(session, some, rows)


def _kept(terms: Policy, row: dict[str, Any], at: datetime) -> dict[str, Any]:
    """Return the row without the slots of categories whose period is over: no rule selects by them any more."""
    since = row["active_on"] or row["first_at"].date()
    over, _ = retention.lapsed(terms, row["country"], since, at)
    emptied = (
        [term.slot for term in terms.traits.values() if term.slot in row and term.category in over] if over else []
    )
    return row | dict.fromkeys(emptied)


def active_months(session: Session, people: Iterable[int]) -> dict[int, date]:
    """Return the month of each person's last activity, as far as their row has it."""
    found: dict[int, date] = {}
    for some in chunked(people):
        found.update({row[0]: row[1] for row in statements.rows(session, _ACTIVE, some=some) if row[1] is not None})
    return found


def residence(stated: Statements, defaults: Iterable[str]) -> str:
    """Return the country of residence; empty when unknown, or when equally strong statements differ.

    A public statement that differs from the default makes it unknown: it may bring in a law, and never leave one out.
    """
    for names in RESIDENCE:
        # Each subject's own newest statement counts; a move is one subject's newer word.
        said = {one.clear for name in names for one in stated.get(name, ()) if one.clear and one.vouched}
        if said:
            return said.pop() if len(said) == 1 else ""
    fallback = set(defaults)
    claimed = {one.clear for names in RESIDENCE for name in names for one in stated.get(name, ()) if one.clear}
    return fallback.pop() if len(fallback) == 1 and claimed <= fallback else ""


def _lock(session: Session, people: Sequence[int]) -> dict[int, list["_Member"]]:
    """Lock the people's subjects in order, so that what is read next is what all others wrote before."""
    found: dict[int, list[_Member]] = defaultdict(list)
    for person, *member in statements.rows(session, _LOCK, some=people):
        found[person].append(_Member(*member))
    return found


def _stated(session: Session, terms: Policy, people: Sequence[int]) -> dict[int, dict[str, list[_Stated]]]:
    slotted = [term.name for term in terms.traits.values() if term.slot]
    found: dict[int, dict[str, list[_Stated]]] = defaultdict(lambda: defaultdict(list))
    names = [*traits.COARSE, *slotted]
    rows = [_Said(*row) for row in statements.rows(session, _SAID, some=people, names=names)]
    refuted = _refuted(rows, corrections.since(session, people))
    for row in rows:
        if (row.subject, row.name) in refuted:
            continue
        found[row.person][row.name].append(_Stated(not row.public, row.at, row.ref, -row.subject, row.clear))
    return found


def _refuted(rows: Sequence["_Said"], corrected: Mapping[tuple[int, str], corrections.Since]) -> set[tuple[int, str]]:
    """Return (subject, trait) of statements that a correction stands against: older, or the same wrong value again.

    A birthday is the same only as a whole. Countries of addresses and telephones are only older: another address
    may lie in the same one.
    """
    old, again = set(), set()
    for row in rows if corrected else ():
        stands = corrected.get((row.person, row.name))
        if stands is not None and row.at < stands.at:
            old.add((row.subject, row.name))
        elif stands is not None and row.source != corrections.SOURCE and row.clear in stands.wrong:
            again.add((row.subject, row.name))
    for subject, name in list(again):
        whole = _BIRTHDAY if name in _BIRTHDAY else (name,)
        if name in _FROM_ADDRESSES or not again.issuperset((subject, part) for part in whole):
            again.discard((subject, name))
    return old | again


def _row(
    terms: Policy,
    person: int,
    members: Sequence[Any],
    stated: Statements,
    ordered: datetime | None,
    last: datetime | None,
) -> dict[str, Any]:
    year, day = _birth(stated)
    row: dict[str, Any] = dict.fromkeys(_COLUMNS)
    row |= {
        "person": person,
        "country": residence(stated, _defaults(members)),
        "birth_year": year,
        "birth_day": day,
        "customer_since": ordered,
        "first_at": min(member.first_at for member in members),
        "active_on": _month(last),
    }
    for term in terms.traits.values():
        if term.slot in row and (clear := _winner(stated, term.name)) is not None:
            row[term.slot] = clear if term.slot in TEXT_SLOTS else _number(clear)
    return row


def _month(last: datetime | None) -> date | None:
    """Return the first day of the month of the last fact: so a row changes once a month."""
    return last.date().replace(day=1) if last else None


def _winner(stated: Statements, name: str) -> str | None:
    """Return the newest vouched statement of any subject, else the newest; also when it says nothing any more."""
    said = stated.get(name)
    return max(said, key=lambda one: one[:4]).clear if said else None


def _birth(stated: Statements) -> tuple[int | None, str | None]:
    """Return birth year and day: of what is vouched for and what a browser says, the younger."""
    said: list[tuple[int, str]] = []
    for vouched in (True, False):
        one = {name: [each for each in many if each.vouched == vouched] for name, many in stated.items()}
        if year := _winner(one, traits.BIRTH_YEAR):
            said.append((int(year), _winner(one, traits.BIRTH_DAY) or ""))
    return (max(said)[0], max(said)[1] or None) if said else (None, None)


def _defaults(members: Sequence[Any]) -> set[str]:
    """Return the residences that sources assume; a browser's source says so only where no other knows the person."""
    vouched = [member for member in members if not member.public]
    return {member.residence_default for member in vouched or members if member.residence_default}


def _number(clear: str) -> float | None:
    try:
        return float(clear)
    except ValueError:
        return None


def _store(session: Session, people: Sequence[int], rows: Mapping[int, dict[str, Any]]) -> None:
    """Write only rows that differ: most facts change nothing here."""
    standing = {row[0]: row for row in statements.rows(session, _ROWS, some=people)}
    gone = sorted(set(standing) - set(rows))
    for some in chunked(gone):
        statements.change(session, _GONE, some=some)
    changed = [row for person, row in rows.items() if standing.get(person) != tuple(map(row.__getitem__, _COLUMNS))]
    upsert(session, _PEOPLE, changed)


class _Member(NamedTuple):
    """A subject, as far as the person's row rests on it."""

    number: int
    first_at: datetime
    residence_default: str
    public: bool


class _Said(NamedTuple):
    """A statement as it is stored."""

    person: int
    public: bool
    subject: int
    name: str
    clear: str | None
    at: datetime
    ref: bytes
    source: str


_PEOPLE: Table = Person.__table__  # type: ignore[attr-defined]
_SUBJECTS: Table = Subject.__table__  # type: ignore[attr-defined]
_TRAITS: Table = Trait.__table__  # type: ignore[attr-defined]
_GONE = delete(_PEOPLE).where(one_of(_PEOPLE.c.person))
_ACTIVE = select(_PEOPLE.c.person, _PEOPLE.c.active_on).where(one_of(_PEOPLE.c.person))
_ROWS = select(*(_PEOPLE.c[name] for name in _COLUMNS)).where(one_of(_PEOPLE.c.person))
_LOCK = (
    select(_SUBJECTS.c.person, *(_SUBJECTS.c[name] for name in _Member._fields))
    .where(one_of(_SUBJECTS.c.person))
    .order_by(_SUBJECTS.c.number)
    .with_for_update()
)
_SAID = (
    select(_SUBJECTS.c.person, _SUBJECTS.c.public, *(_TRAITS.c[name] for name in _Said._fields if name in _TRAITS.c))
    .join(_TRAITS, _TRAITS.c.subject == _SUBJECTS.c.number)
    .where(one_of(_SUBJECTS.c.person), one_of(_TRAITS.c.name, "names"))
)
