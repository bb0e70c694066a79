"""Who must be decided again, and deciding them: time passed, a source speaks otherwise, or the policy is another.

Whoever waits here is refused meanwhile. Each batch is a transaction of its own, so whoever decides may be killed
between any two instructions and another goes on. On PostgreSQL several decide at once: each takes a share of the
people for its transaction, by a lock that it never waits for.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, text, update
from sqlmodel import Session, col

from cdp.db import Database, is_sqlite, unsettle
from cdp.gate import versions
from cdp.gate.model import Permission
from cdp.gate.permission import settle
from cdp.profile.model import Subject

SHARES = 16
"""How many parts the people are dealt into, so that several processes never decide the same ones."""

_LOCK = 0x5E_15_40
"""Names our advisory locks among those of others in the same database."""


def register_policy(database: Database) -> int:
    """Number the policy in force, once; returns how many people must be decided again because of it."""
    with database.transaction() as session:
        number = versions.register(session).answers
        versions.describe(session)
        return session.scalar(select(func.count()).select_from(Permission).where(col(Permission.policy) != number)) or 0


def take_up(database: Database) -> None:
    """Say that everybody is to be decided under this policy: who runs an older one decides nobody back."""
    database.attempt(versions.take_up)


def waiting(session: Session, at: datetime) -> int:
    """Return how many people are refused because they wait to be decided again."""
    stale = or_(col(Permission.next_change_at) <= at, col(Permission.policy) != versions.answers_number(session))
    return session.scalar(select(func.count()).select_from(Permission).where(stale)) or 0


def overdue(session: Session, before: datetime) -> int:
    """Return how many people have waited since before this instant: a worker would have decided them.

    Needs no policy: it goes by the one that a worker took up last.
    """
    late = col(Permission.next_change_at) < before
    number = versions.answers_since(session, before)
    stale = late if number is None else or_(late, col(Permission.policy) != number)
    return session.scalar(select(func.count()).select_from(Permission).where(stale)) or 0


def due(session: Session, at: datetime, limit: int = 200) -> dict[int, int]:
    """Return people whose rows no longer hold, each with the number of the policy that it was decided under."""
    found: dict[int, int] = {}
    for mine in _shares(session):
        for condition in _stale(session, at):
            query = select(col(Permission.person), col(Permission.policy)).where(condition, *mine)
            rows = session.execute(query.order_by(col(Permission.policy), col(Permission.person)).limit(limit))
            found.update((row.person, row.policy) for row in rows if len(found) < limit)
        if len(found) >= limit:
            break
    return found


def settle_due(database: Database, limit: int = 200) -> int:
    """Decide one batch of due people again; returns how many there were."""

    def work(session: Session) -> int:
        if _nobody(session, database.clock.now()):
            return 0
        people = due(session, database.clock.now(), limit)
        _decide(session, people, database.clock.now())
        return len(people)

    return database.attempt(work)


def expire_source(session: Session, source: str) -> int:
    """Believe no permission of a source's people until it is decided again: what the source declares has changed.

    Returns how many people that are.
    """
    now = session.info["clock"].now()
    theirs = select(col(Subject.person)).where(col(Subject.source) == source)
    changed = update(Permission).where(col(Permission.person).in_(theirs)).values(holds_until=now, next_change_at=now)
    return int(session.execute(changed).rowcount)  # type: ignore[attr-defined]


def _decide(session: Session, people: dict[int, int], at: datetime) -> None:
    """Bring up to date of these people what changed: the permission always, the rest where time or its policy did."""
    by_policy: dict[int, list[int]] = defaultdict(list)
    for person, number in people.items():
        by_policy[number].append(person)
    alone: list[int] = []
    for number, some in by_policy.items():
        changed = versions.differing(session, number)
        if "traits" in changed or not changed:
            unsettle(session, some)
        elif "journeys" in changed:
            unsettle(session, some, first="gate")
        else:
            alone += some
    if alone:
        settle(session, alone, at)


def _nobody(session: Session, at: datetime) -> bool:
    """Whether nobody is due: asked each second, and nearly always so."""
    return not any(
        session.scalar(select(col(Permission.person)).where(condition).limit(1)) for condition in _stale(session, at)
    )


def _stale(session: Session, at: datetime) -> Iterator[ColumnElement[bool]]:
    """Yield what makes a row stale, each a walk along an index: together they would be none."""
    yield col(Permission.next_change_at) <= at
    if not versions.is_overtaken(session):
        number = versions.answers_number(session)
        yield col(Permission.policy) < number
        yield col(Permission.policy) > number


def _shares(session: Session) -> Iterator[Iterable[ColumnElement[bool]]]:
    """Yield the shares of the people that this transaction may decide, each as conditions."""
    if is_sqlite(session):
        yield ()
        return
    first = random.randrange(SHARES)  # noqa: S311 - spreads processes, guards nothing
    for share in ((first + n) % SHARES for n in range(SHARES)):
        taken = text("SELECT pg_try_advisory_xact_lock(:kind, :share)")
        if session.scalar(taken, {"kind": _LOCK, "share": share}):
            yield (col(Permission.person) % SHARES == share,)
