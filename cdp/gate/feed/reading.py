"""Reads a feed: brings it up to date, leases whoever entered, and tells who left.

A look without locks says whether anything changed; only then is the feed locked and written. Whom the gate
refuses at the last instant, also while the page is opened, is moved to the end as having left: a reader who
goes on will hear of it, if any reading ever told that they were there. It refuses positions that it can no
longer continue from (410 `feed_position_too_old`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlmodel import Session

from cdp import ledger, policy, vault
from cdp.db import Database
from cdp.errors import Problem, Refusal
from cdp.gate.disclosure import Disclosure, Page, open_page
from cdp.gate.feed import causes, log
from cdp.gate.model import Feed, FeedMember
from cdp.gate.permit import Lease, PageRequest, check_request, record
from cdp.gate.versions import policy_number

MOST = 10_000
"""Changes that one reading writes down; what is more waits for the next."""

_DAY = timedelta(days=1)


class Place(NamedTuple):
    """Where a reader stands in a feed."""

    epoch: str
    position: int
    start: int
    """The feed's position when the reader began: who had left by then was never told."""


@dataclass(frozen=True, slots=True)
class Change:
    """Somebody entered or left, at the position where it was noticed."""

    pseudonym: str
    cause: str
    at: datetime
    entered: Disclosure | None = field(default=None, repr=False)
    """What the recipient may know of who entered; None of who left."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Some changes in order; hand `page` over, where there is one, as the last thing before they leave."""

    changes: tuple[Change, ...]
    place: Place
    has_more: bool
    page: Page | None = None


Beside = Callable[[Session, Sequence[int], datetime], None]
"""Looks up what else is told of those who entered, within the transaction that records them."""


@dataclass(frozen=True, slots=True)
class _Reader:
    """Who reads which list, from where."""

    followed: log.List
    request: PageRequest
    since: Place | None
    limit: int
    beside: Beside


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look without locks found to do."""

    people: tuple[int, ...]
    """In the next page, or in the feed and not in the list, or the other way round."""
    is_all: bool
    """There are no other differences."""
    at: datetime


@dataclass(frozen=True, slots=True)
class _Noted:
    """What a transaction wrote down, to be opened after it."""

    rows: list[FeedMember]
    place: Place
    has_more: bool
    lease: Lease | None


def read(
    database: Database,
    followed: log.List,
    request: PageRequest,
    since: Place | None,
    limit: int,
    beside: Beside = lambda session, people, at: None,
) -> Changes | Refusal:
    """Return up to `limit` changes since a place; without one, everybody who is in the list enters.

    Refusals: those of `check_request`; `small_audience` for a list to begin with that is too small.
    Raises Problem 410 `feed_position_too_old`.
    """
    reader = _Reader(followed, request, since, limit, beside)
    seen = _look(database, reader)
    if not isinstance(seen, _Seen):
        return seen
    noted = database.attempt(lambda session: _advance(session, reader, seen))
    return noted if isinstance(noted, Refusal) else _opened(database, reader, noted)


def _look(database: Database, reader: _Reader) -> _Seen | Changes | Refusal:
    """Return what there is to write down; where there is nothing, the answer."""
    with database.snapshot() as session:
        at, use = database.clock.now(), reader.request.use
        refused = check_request(policy.of(session), reader.request, at)
        if isinstance(refused, Refusal):
            return refused
        if reader.since is None and log.is_small(session, reader.followed, use, at):
            return Refusal(causes.SMALL)
        feed = log.find(session, reader.followed.name, use)
        rows = [] if feed is None else _rows(session, feed, reader)
        is_full = len(rows) >= reader.limit
        differing = [] if is_full else log.differing(session, feed, reader.followed, use, at, MOST)
        if feed is not None and feed.filled and not rows and not differing and at - feed.read_at < _DAY:
            return Changes((), _continue(feed, reader.since), False)
        there = [row.person for row in rows if row.present and row.person is not None]
        return _Seen((*there, *differing), not is_full and len(differing) < MOST, at)


def _rows(session: Session, feed: Feed, reader: _Reader) -> list[FeedMember]:
    position, start = (reader.since.position, reader.since.start) if reader.since else (0, feed.position)
    return log.after(session, feed, position, start, reader.limit)


def _advance(session: Session, reader: _Reader, seen: _Seen) -> _Noted | Refusal:
    """Write down what changed, and record who is about to be told as entered."""
    use, clock = reader.request.use, session.info["clock"]
    feed = log.lock(session, reader.followed.name, use, clock.now())
    at = clock.now()
    place = _continue(feed, reader.since)
    log.settle(session, feed, reader.followed, use, seen.people, at)
    if reader.since is None:
        place = place._replace(start=feed.position)
    if seen.is_all:
        feed.filled, feed.as_of, feed.policy = True, seen.at, policy_number(session)
    feed.read_at = at if at - feed.read_at >= _DAY else feed.read_at
    rows = log.after(session, feed, place.position, place.start, reader.limit + 1)
    told, written = rows[: reader.limit], feed.position
    lease = _record(session, reader, feed, told, at)
    if isinstance(lease, Refusal):
        return lease
    _note_leavers(session, reader, told, at)
    end = told[-1].position if len(rows) > len(told) else written
    has_more = len(rows) > len(told) or not seen.is_all or feed.position > written
    return _Noted(told, place._replace(position=end), has_more, lease)


def _continue(feed: Feed, since: Place | None) -> Place:
    """Return the place to go on from; raises Problem 410 where leavers since then were forgotten, or never known."""
    if since is None:
        return Place(feed.epoch, 0, feed.position)
    if since.epoch != feed.epoch or since.position > feed.position or max(since.position, since.start) < feed.pruned:
        raise Problem(410, "feed_position_too_old", "This position is too old: start again without `since`.")
    return since


def _record(
    session: Session, reader: _Reader, feed: Feed, told: list[FeedMember], at: datetime
) -> Lease | Refusal | None:
    entered = [row.person for row in told if row.present and row.person is not None]
    if not entered:
        return None
    reader.beside(session, entered, at)
    lease = record(session, reader.request, entered, at)
    if isinstance(lease, Lease):
        refused = [person for person in entered if person not in lease.subjects]
        log.leave(session, feed, reader.followed, reader.request.use, refused, at)
        log.note_told(session, feed, sorted(lease.subjects))
    return lease


def _note_leavers(session: Session, reader: _Reader, told: list[FeedMember], at: datetime) -> None:
    """Keep a proof that the recipient was told who left: of erasures and restrictions it must be (GDPR 19)."""
    left = sum(not row.present for row in told)
    if left:
        use = reader.request.use
        header = {"list": reader.followed.name, "purpose": use.purpose, "recipient": use.recipient}
        header |= {"channel": use.channel, "client": reader.request.client}
        ledger.note(session, "feed.left", {**header, "people": left, "through": told[-1].position}, at)


def _opened(database: Database, reader: _Reader, noted: _Noted) -> Changes:
    page = _open(database, reader, noted.lease) if noted.lease else None
    disclosed = {one.person: one for one in page.rows} if page else {}
    told = tuple(
        change
        for row in noted.rows
        if (change := _change(database, reader.request.use.recipient, row, disclosed)) is not None
    )
    return Changes(told, noted.place, noted.has_more or bool(page and page.left_out), page)


def _open(database: Database, reader: _Reader, lease: Lease) -> Page:
    """Open the page; who is not in it after all has left, and enters anew if they may."""
    page = open_page(database, lease)

    def leave(session: Session) -> None:
        at = database.clock.now()
        feed = log.lock(session, reader.followed.name, reader.request.use, at)
        log.leave(session, feed, reader.followed, reader.request.use, page.left_out, at)

    if page.left_out:
        database.attempt(leave)
    return page


def _change(database: Database, recipient: str, row: FeedMember, disclosed: dict[int, Disclosure]) -> Change | None:
    """Return the change as it is told; None for who was refused or erased meanwhile, which is told next."""
    cause = causes.told_to(database.context["policy"].recipients[recipient].role, row.cause)
    if row.present:
        entered = disclosed.get(row.person or 0)
        return None if entered is None else Change(entered.pseudonym, cause, row.at, entered)
    keys: vault.Vault = database.context["vault"]
    return Change(row.pseudonym or keys.pseudonym(recipient, row.person or 0), cause, row.at)
