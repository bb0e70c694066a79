"""Resolves everybody from all the evidence: as a check, as a rehearsal that changes nothing, or for good.

Nothing is kept of how far it came but what was done: killed and begun again, it goes on with who still differs.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from sqlmodel import Session

from cdp import identity, policy
from cdp.db import Database, chunked
from cdp.gate.model import Permission
from cdp.identity import config, rebuild
from cdp.identity.rebuild import Difference, Lost
from cdp.policy.terms import Namespace

Told = Callable[[str, int, int], None]
"""Hears what is being done, how many, of how many (0: nobody knows)."""

ROUNDS = 5
"""Times that everybody is compared again, since sources go on bringing records meanwhile."""

REHEARSED = 5000
"""Most subjects whose consents a rehearsal follows: it keeps others from writing while it lasts."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a comparison found."""

    subjects: int
    people: int
    components: int
    difficult: int
    difference: Difference
    lost: tuple[Lost, ...]
    """Decisions in force that the evidence does not show."""

    @property
    def is_right(self) -> bool:
        return self.difference.is_none and not self.lost


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a rebuild would do."""

    found: Found
    narrowed: tuple[tuple[int, int], ...]
    """(person now, its person then) where at least one use would be refused that is permitted now."""
    followed: bool
    """Whether consents were followed; not where too many people would change."""
    examples: tuple[tuple[int, int, int], ...] = ()
    """(subject, its person now, its person then), some of them."""


class _RolledBack(Exception):
    """Ends a rehearsal."""


def check(database: Database, told: Told) -> Found:
    """Compare what is stored with what all the evidence says, under the configuration in force."""
    with database.snapshot() as session:
        return _compare(session, dict(config.namespaces(session)), told)


def rehearse(database: Database, told: Told) -> Rehearsal:
    """Say what the policy's own configuration would change; nothing is changed."""
    with database.snapshot() as session:
        found = _compare(session, dict(policy.of(session).namespaces), told)
        people = identity.people_of(session, found.difference.subjects[:20])
    if len(found.difference.touched) > REHEARSED:
        return Rehearsal(found, (), False)
    narrowed, then = tuple[tuple[int, int], ...](), dict[int, int]()

    def work(session: Session) -> None:
        nonlocal narrowed, then
        config.take_up(session, session.info["clock"].now())
        narrowed = _narrowed(database, session, found.difference)
        then = identity.people_of(session, people)
        raise _RolledBack

    with suppress(_RolledBack):
        database.attempt(work)
    examples = tuple((subject, person, then[subject]) for subject, person in sorted(people.items()))
    return Rehearsal(found, narrowed, True, examples)


def run(database: Database, told: Told) -> Found:
    """Take up the policy's configuration and bring everybody to it; returns what is left, which should be nothing."""
    database.attempt(lambda session: config.take_up(session, session.info["clock"].now()))
    for _ in range(ROUNDS):
        found = check(database, told)
        if found.is_right:
            break
        rebuild.apply(database, found.difference, found.lost, lambda done, total: told("settling", done, total))
    else:
        found = check(database, told)
    if found.is_right:
        database.attempt(_finish)
    return found


def _finish(session: Session) -> None:
    row = config.current(session)
    if row is not None and row.rebuilt_at is None:
        row.rebuilt_at = session.info["clock"].now()


def _compare(session: Session, namespaces: dict[str, Namespace], told: Told) -> Found:
    graph = rebuild.read(session, lambda rows: told("reading", rows, 0))
    computed = rebuild.compute(graph, namespaces, lambda done, total: told("resolving", done, total))
    people = len(set(computed.people.tolist()))
    difference, lost = rebuild.compare(graph, computed), tuple(rebuild.lost(session))
    return Found(len(graph.subjects), people, computed.components, computed.difficult, difference, lost)


def _narrowed(database: Database, session: Session, difference: Difference) -> tuple[tuple[int, int], ...]:
    """Resolve whoever differs in this transaction, and tell which people of now may be used for less then.

    Whoever keeps their number and gains or loses records is asked like those who get another.
    """
    before = identity.people_of(session, difference.touched)
    allowed = {person: _allowed(session, person) for person in set(before.values())}
    for keys in chunked(difference.generic):
        rebuild.turn(keys, session)
    rebuild.settle(difference.subjects, session)
    database.settle(session)
    now = identity.people_of(session, difference.touched)
    after = {person: _allowed(session, person) for person in set(now.values())}
    became = {(person, now[subject]) for subject, person in before.items()}
    return tuple(sorted((one, then) for one, then in became if allowed[one] - after[then]))


def _allowed(session: Session, person: int) -> set[int]:
    """Return the uses that a person's row permits."""
    row = session.get(Permission, person, populate_existing=True)
    return {use for use, code in enumerate(row.codes) if code == 0} if row is not None else set()
