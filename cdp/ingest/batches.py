"""Takes what a source brings, a group per transaction: nothing is answered before it is durable.

Large calls go in groups of their own; a source's small ones that come at once share a transaction (`gathering`).
Two processes that meet may make the database break one of them off; the broken one begins its
group again. What was committed stays: a repeated call finds it received.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain, islice
from typing import NamedTuple

from sqlmodel import Session

from cdp.connector.kit import Item, SourceConfig
from cdp.db import Database, chunked
from cdp.errors import Refusal, Unavailable
from cdp.ingest import counting, steps
from cdp.ingest.batch import Context, Entry
from cdp.ingest.erased import Overtaken
from cdp.ingest.gathering import Gathering
from cdp.ingest.report import Outcome, Report, unread

GROUP = 500
"""Items in one transaction."""

FEW = 10
"""Items of a call that is small enough to share a transaction with others."""

ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Brought:
    """What one call brought."""

    source: SourceConfig
    items: Sequence[Item | Refusal]
    at: datetime


def take(
    database: Database, source: SourceConfig, items: Iterable[Item | Refusal], at: datetime, group: int = GROUP
) -> Report:
    """Take in what a source brought; a connector's own refusals among the items are counted and reported.

    Raises Unavailable when the database or the keys are out of reach, or too many calls wait; what was taken
    before is kept.
    """
    rest = iter(items)
    first = list(islice(rest, group))
    if len(first) < group and len(first) <= FEW and isinstance(database, Database):
        small = _Small(database, Brought(source, _pointed(first, 0), at))
        return _gatherings[source.name].take(small) if first else Report()
    report = Report()
    for number, some in enumerate(chain([first], chunked(rest, group))):
        (told,) = store(database, [Brought(source, _pointed(some, number * group), at)])
        report.outcomes += told.outcomes
        report.dropped += told.dropped
        report.entries += told.entries
    return report


def store(database: Database, brought: Sequence[Brought]) -> list[Report]:
    """Store what some calls brought in one transaction; returns the report of each."""
    for _ in range(ATTEMPTS):
        try:
            return database.attempt(partial(_store, brought))
        except Overtaken:
            continue
    raise Unavailable("database")


def _store(brought: Sequence[Brought], session: Session) -> list[Report]:
    entries = [[Entry(item) for item in one.items if isinstance(item, Item)] for one in brought]
    reports = [Report() for _ in brought]
    for some in _by_source(brought):
        noted = _run(session, [brought[n] for n in some], [entry for n in some for entry in entries[n]])
        for n in some:
            reports[n].add(brought[n].items, entries[n], noted)
    return reports


def _by_source(brought: Sequence[Brought]) -> list[list[int]]:
    """Put together the calls of one source in one configuration, which may have changed between two calls."""
    groups: list[list[int]] = []
    for n in sorted(range(len(brought)), key=lambda n: brought[n].source.name):
        if groups and brought[groups[-1][0]].source == brought[n].source:
            groups[-1].append(n)
        else:
            groups.append([n])
    return groups


def _run(session: Session, brought: Sequence[Brought], entries: Sequence[Entry]) -> str:
    """Take the items of one source through the steps; returns the ledger's entry about them."""
    context = Context(session, brought[0].source, max(one.at for one in brought), entries)
    if entries:
        steps.run(context)
    counting.add(session, context.source, context.at, unread([item for one in brought for item in one.items]))
    return context.noted


def _pointed(items: Sequence[Item | Refusal], first: int) -> list[Item | Refusal]:
    """Give every item without a pointer its place in what was brought."""
    return [
        replace(item, pointer=f"/{first + number}") if isinstance(item, Item) and not item.pointer else item
        for number, item in enumerate(items)
    ]


class _Small(NamedTuple):
    """A call that may share a transaction with others to the same database."""

    database: Database
    brought: Brought


def _store_small(calls: Sequence[_Small]) -> list[Report]:
    reports: dict[int, Report] = {}
    for database in dict.fromkeys(call.database for call in calls):
        which = [n for n, call in enumerate(calls) if call.database is database]
        reports |= zip(which, store(database, [calls[n].brought for n in which]), strict=True)
    return [reports[n] for n in range(len(calls))]


_gatherings: dict[str, Gathering[_Small, Report]] = defaultdict(lambda: Gathering(_store_small))
"""Where the small calls of a source come together: two sources in one transaction would lock in two orders."""


__all__ = ["FEW", "GROUP", "Brought", "Outcome", "Report", "store", "take"]
