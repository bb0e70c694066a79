"""The rows of a feed: who is in it, what of that is no longer so, and the next positions for what changed.

Positions are given under the lock of the feed's row, so readers see them in order and without gaps.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, except_, insert, literal, or_, select, union_all, update
from sqlmodel import Session, col

from cdp.db import chunked, insert_ignoring
from cdp.gate import listing
from cdp.gate.feed import causes
from cdp.gate.model import Feed, FeedMember
from cdp.gate.versions import policy_number
from cdp.ids import new_id
from cdp.policy.terms import Use
from cdp.profile.model import Person

TOLD_FOR = timedelta(days=30)
"""How long it is told that somebody left, and how long a feed is kept that nobody reads."""

FEW = 300
"""People whom one statement asks about by number; a rule names them once for each of its parts."""

Matching = Callable[[Session, datetime, "Sequence[int] | None", "datetime | None"], ColumnElement[bool]]
"""(session, at, only these people, known by) → the condition over `person` that the list's rule is."""


@dataclass(frozen=True, slots=True)
class List:
    """A list that can be followed: what it is called, whom it describes, and the fewest it may be read with."""

    name: str
    matching: Matching
    least: int = 0


def find(session: Session, name: str, use: Use) -> Feed | None:
    """Return the feed of this list and use, if anybody ever read it."""
    return session.scalars(_feed(name, use)).first()


def lock(session: Session, name: str, use: Use, at: datetime) -> Feed:
    """Return the feed, made if needed, and keep other readers and erasures out of it until the commit."""
    row = {
        "epoch": new_id(),
        "listed": name,
        "purpose": use.purpose,
        "recipient": use.recipient,
        "channel": use.channel,
        "position": 0,
        "pruned": 0,
        "filled": False,
        "policy": policy_number(session),
        "as_of": at,
        "read_at": at,
    }
    if find(session, name, use) is None:
        insert_ignoring(session, Feed, [row])
    locked = _feed(name, use).with_for_update().execution_options(populate_existing=True)
    found: Feed = session.scalars(locked).one()
    return found


def is_small(session: Session, followed: List, use: Use, at: datetime) -> bool:
    """Whether the list has too few people to be given out: then nobody is in it."""
    return followed.least > 1 and listing.is_fewer(
        session, followed.matching(session, at, None, None), use, at, followed.least, followed.name
    )


def differing(session: Session, feed: Feed | None, followed: List, use: Use, at: datetime, limit: int) -> list[int]:
    """Return up to `limit` people who are in the feed and not in the list, or the other way round; leavers first."""
    there = _present(feed)
    if is_small(session, followed, use, at):
        return list(session.scalars(there.limit(limit)))
    matching = followed.matching(session, at, None, None)
    wanted = listing.listed(session, matching, use, at, followed.name).cte("wanted")
    here = select(wanted.c.person)
    leaving, entering = except_(there, here).subquery(), except_(here, there).subquery()
    both = union_all(
        select(leaving.c.person, literal(0).label("side")), select(entering.c.person, literal(1).label("side"))
    ).subquery()
    return list(session.scalars(select(both.c.person).order_by(both.c.side, both.c.person).limit(limit)))


def settle(session: Session, feed: Feed, followed: List, use: Use, people: Iterable[int], at: datetime) -> None:
    """Bring the feed up to date for these people: what the list says of them now, and why it changed."""
    small = is_small(session, followed, use, at)
    asked = causes.Asked(session, feed, followed.matching, use, at)
    for some in chunked(sorted(set(people)), FEW):
        matching = followed.matching(session, at, some, None)
        query = listing.listed(session, matching, use, at, followed.name).where(_is_one_of(some))
        wanted = set() if small else set(session.scalars(query))
        present = _standing(session, feed, some)
        entering = [person for person in some if person in wanted and not present.get(person)]
        leaving = [person for person in some if person not in wanted and present.get(person)]
        _write(session, feed, causes.of_leaving(asked, leaving, small=small), False, at)
        _write(session, feed, causes.of_entering(asked, entering), True, at)


def leave(session: Session, feed: Feed, followed: List, use: Use, people: Sequence[int], at: datetime) -> None:
    """Take people out whom the gate has just refused."""
    asked = causes.Asked(session, feed, followed.matching, use, at)
    for some in chunked(people, FEW):
        _write(session, feed, causes.of_leaving(asked, some, small=False), False, at)


def after(session: Session, feed: Feed, position: int, start: int, limit: int) -> list[FeedMember]:
    """Return the changes after a position, in order; who left before `start` was never told to be there."""
    query = (
        select(FeedMember)
        .where(col(FeedMember.feed) == feed.id, col(FeedMember.position) > position)
        .where(or_(col(FeedMember.present), col(FeedMember.position) > start))
        .order_by(col(FeedMember.position))
        .limit(limit)
    )
    return list(session.scalars(query))


def note_told(session: Session, feed: Feed, people: Sequence[int]) -> None:
    """Keep that these people are about to be handed over as entered: from now on it is told when they leave."""
    for some in chunked(people):
        entered = (*_held(feed, some), col(FeedMember.told).is_(False))
        statement = update(FeedMember).where(*entered).values(told=True)
        session.execute(statement.execution_options(synchronize_session=False))


def _write(session: Session, feed: Feed, why: Mapping[int, str], present: bool, at: datetime) -> None:
    """Move these people to the next positions; of those who leave, whoever was never told to be there just goes."""
    told: set[int | None] = set()
    for some in chunked(why):
        known = select(col(FeedMember.person)).where(*_held(feed, some), col(FeedMember.told))
        told.update(session.scalars(known))
        session.execute(delete(FeedMember).where(*_held(feed, some)).execution_options(synchronize_session=False))
    kept = [person for person in why if present or person in told]
    same = {"feed": feed.id, "present": present, "at": at}
    rows = [
        {**same, "position": position, "person": person, "cause": why[person], "told": person in told}
        for position, person in enumerate(kept, feed.position + 1)
    ]
    if rows:
        session.execute(insert(FeedMember), rows)
    feed.position += len(rows)


def _held(feed: Feed, people: Sequence[int]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(FeedMember.feed) == feed.id, col(FeedMember.person).in_(people)


def _standing(session: Session, feed: Feed, people: Sequence[int]) -> dict[int, bool]:
    columns = select(col(FeedMember.person), col(FeedMember.present))
    found: Any = session.execute(columns.where(*_held(feed, people)))
    return dict(found.tuples().all())


def _is_one_of(people: Sequence[int]) -> ColumnElement[bool]:
    return col(Person.person).in_(people)


def _present(feed: Feed | None) -> Select[Any]:
    number = feed.id if feed is not None else 0
    return select(col(FeedMember.person)).where(col(FeedMember.feed) == number, col(FeedMember.present))


def _feed(name: str, use: Use) -> Select[Any]:
    return select(Feed).where(
        col(Feed.listed) == name,
        col(Feed.purpose) == use.purpose,
        col(Feed.recipient) == use.recipient,
        col(Feed.channel) == use.channel,
    )
