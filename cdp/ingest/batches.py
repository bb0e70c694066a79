"""Takes what a source brings, a group per transaction: nothing is answered before it is durable.

Two processes that meet may make the database break one of them off; the broken one begins its
group again. What was committed stays: a repeated call finds it received.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlmodel import Session

from cdp.connector.kit import Item, SourceConfig
from cdp.db import Database, chunked
from cdp.errors import Refusal, Unavailable
from cdp.ingest import counting, steps
from cdp.ingest.batch import Context, Entry
from cdp.ingest.erased import Overtaken

GROUP = 500
"""Items in one transaction."""

ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item."""

    pointer: str
    status: str
    """accepted | duplicate | refused"""
    reason: str = ""
    where: str = ""
    idempotent: bool = True
    """False for an item without a message id: sent again it counts again."""
    notes: tuple[Refusal, ...] = ()
    """What of an accepted item was refused."""


@dataclass(slots=True)
class Report:
    """What became of everything that was brought; names and reasons, never values."""

    outcomes: list[Outcome] = field(default_factory=list)
    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(what, reason) → how often."""
    entries: list[str] = field(default_factory=list)
    """The ledger's entries, one per transaction."""

    @property
    def accepted(self) -> int:
        return sum(outcome.status == "accepted" for outcome in self.outcomes)

    @property
    def duplicates(self) -> int:
        return sum(outcome.status == "duplicate" for outcome in self.outcomes)

    @property
    def refused(self) -> Counter[str]:
        return Counter(outcome.reason for outcome in self.outcomes if outcome.status == "refused")


def take(
    database: Database, source: SourceConfig, items: Iterable[Item | Refusal], at: datetime, group: int = GROUP
) -> Report:
    """Take in what a source brought; a connector's own refusals among the items are counted and reported.

    Raises Unavailable when the database or the keys are out of reach; what was taken before is kept.
    """
    report = Report()
    for number, some in enumerate(chunked(items, group)):
        _take(database, source, _pointed(some, number * group), at, report)
    return report


def _take(
    database: Database, source: SourceConfig, items: Sequence[Item | Refusal], at: datetime, report: Report
) -> None:
    for _ in range(ATTEMPTS):
        try:
            context = _once(database, source, [item for item in items if isinstance(item, Item)], at)
            break
        except Overtaken:
            continue
    else:
        raise Unavailable("database")
    _tell(report, context, items)
    refused = Counter(("item", item.reason) for item in items if isinstance(item, Refusal))
    if refused:
        report.dropped += refused
        with database.transaction() as session:
            counting.add(session, source, at, refused)


def _once(database: Database, source: SourceConfig, items: Sequence[Item], at: datetime) -> Context:
    def work(session: Session) -> Context:
        context = Context(session, source, at, [Entry(item) for item in items])
        if items:
            steps.run(context)
        return context

    return database.attempt(work)


def _tell(report: Report, context: Context, items: Sequence[Item | Refusal]) -> None:
    entries = iter(context.entries)
    for item in items:
        if isinstance(item, Refusal):
            report.outcomes.append(Outcome(item.where, "refused", item.reason, item.where))
        else:
            report.outcomes.append(_outcome(next(entries)))
    report.dropped += counting.tally(context.entries)
    if context.noted:
        report.entries.append(context.noted)


def _outcome(entry: Entry) -> Outcome:
    pointer, idempotent = entry.item.pointer, bool(entry.item.message_id)
    if entry.duplicate:
        return Outcome(pointer, "duplicate")
    if entry.refusal:
        return Outcome(pointer, "refused", entry.refusal.reason, entry.refusal.where, idempotent, tuple(entry.notes))
    return Outcome(pointer, "accepted", idempotent=idempotent, notes=tuple(entry.notes))


def _pointed(items: Sequence[Item | Refusal], first: int) -> list[Item | Refusal]:
    """Give every item without a pointer its place in what was brought."""
    return [
        replace(item, pointer=f"/{first + number}") if isinstance(item, Item) and not item.pointer else item
        for number, item in enumerate(items)
    ]
