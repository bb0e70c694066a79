"""What feeds keep of people, and for how long: leavers for `TOLD_FOR`, of the erased a pseudonym and no number."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, tuple_, update
from sqlmodel import Session, col

from cdp import vault
from cdp.db import chunked
from cdp.gate.feed.causes import ERASURE
from cdp.gate.feed.log import TOLD_FOR
from cdp.gate.model import Feed, FeedMember
from cdp.holders import Held
from cdp.ids import new_id


def forget(session: Session, subjects: Sequence[int], at: datetime) -> int:
    """Forget these people in every feed; where they were told to be in it, it will be told that they are erased."""
    rows = [row for some in chunked(subjects) for row in session.execute(_naming(some))]
    feeds = {feed.id: feed for feed in _locked(session, {row.feed for row in rows})}
    for row in sorted(rows):
        feed = feeds[row.feed]
        held = (col(FeedMember.feed) == row.feed, col(FeedMember.person) == row.person)
        if not row.told:
            session.execute(delete(FeedMember).where(*held).execution_options(synchronize_session=False))
            continue
        known = not row.present and row.cause == ERASURE
        feed.position += not known
        session.execute(
            update(FeedMember)
            .where(*held)
            .values(
                position=col(FeedMember.position) if known else feed.position,
                person=None,
                pseudonym=vault.of(session).pseudonym(feed.recipient, row.person),
                present=False,
                cause=ERASURE,
                at=at,
            )
            .execution_options(synchronize_session=False)
        )
    return len(rows)


def export(session: Session, subjects: Sequence[int]) -> list[Held]:
    """List which lists these people are in, or were until lately, and whom that was told."""
    held = []
    for some in chunked(subjects):
        query = select(FeedMember, Feed).join(Feed, col(Feed.id) == col(FeedMember.feed))
        for row, feed in session.execute(query.where(col(FeedMember.person).in_(some))):
            held.append(_membership(row, feed))
    return held


def prune(session: Session, at: datetime, limit: int) -> int:
    """Forget who left long ago, and feeds that nobody has read for as long; returns how many rows went."""
    return _prune_left(session, at, limit) or _prune_unread(session, at, limit)


def begin_anew(session: Session) -> None:
    """Make every position ever given worthless: after a restore, they may name what never was."""
    session.execute(update(Feed).values(epoch=new_id()).execution_options(synchronize_session=False))


def _prune_left(session: Session, at: datetime, limit: int) -> int:
    key = (col(FeedMember.feed), col(FeedMember.position))
    left = select(*key).where(col(FeedMember.present).is_(False), col(FeedMember.at) < at - TOLD_FOR)
    found = session.execute(left.order_by(col(FeedMember.at)).limit(limit)).tuples().all()
    feeds = {feed.id: feed for feed in _locked(session, {feed for feed, _ in found})}
    # Again, under the locks: somebody who left may have entered meanwhile.
    gone: Any = session.execute(left.where(tuple_(*key).in_(found))).tuples().all() if found else ()
    for number, position in gone:
        feeds[number].pruned = max(feeds[number].pruned, position)
    if gone:
        session.execute(delete(FeedMember).where(tuple_(*key).in_(gone)).execution_options(synchronize_session=False))
    return len(found)


def _prune_unread(session: Session, at: datetime, limit: int) -> int:
    """Take an unread feed down piece by piece; from the first piece on, no position continues it."""
    query = select(Feed).where(col(Feed.read_at) < at - TOLD_FOR).order_by(col(Feed.id)).limit(1).with_for_update()
    feed = session.scalars(query).first()
    if feed is None:
        return 0
    feed.epoch = new_id()
    key = (col(FeedMember.feed) == feed.id,)
    gone = list(session.scalars(select(col(FeedMember.position)).where(*key).limit(limit)))
    statement = delete(FeedMember).where(*key, col(FeedMember.position).in_(gone))
    session.execute(statement.execution_options(synchronize_session=False))
    if not gone:
        session.delete(feed)
    return len(gone)


def _naming(subjects: Sequence[int]) -> Any:
    states = (col(FeedMember.present), col(FeedMember.cause), col(FeedMember.told))
    return select(col(FeedMember.feed), col(FeedMember.person), *states).where(col(FeedMember.person).in_(subjects))


def _locked(session: Session, feeds: set[int]) -> list[Feed]:
    query = select(Feed).where(col(Feed.id).in_(sorted(feeds))).order_by(col(Feed.id)).with_for_update()
    return list(session.scalars(query.execution_options(populate_existing=True)))


def _membership(row: FeedMember, feed: Feed) -> Held:
    plain = {
        "list": feed.listed,
        "purpose": feed.purpose,
        "channel": feed.channel,
        "recipient": feed.recipient,
        "present": row.present,
        "cause": row.cause,
        "at": row.at.isoformat(),
    }
    return Held("membership in a list", row.person or 0, plain)
