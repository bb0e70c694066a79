"""What is told of everything that was brought: names and reasons, never values."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from cdp.connector.kit import Item
from cdp.errors import Refusal
from cdp.ingest import counting
from cdp.ingest.batch import Entry


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
    """What became of everything that was brought."""

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

    def add(self, items: Sequence[Item | Refusal], entries: Sequence[Entry], noted: str) -> None:
        """Add what became of some items, whose entries the steps have filled in, in one transaction."""
        taken = iter(entries)
        for item in items:
            if isinstance(item, Refusal):
                self.outcomes.append(Outcome(item.where, "refused", item.reason, item.where))
            else:
                self.outcomes.append(_outcome(next(taken)))
        self.dropped += counting.tally(entries)
        self.dropped += unread(items)
        if noted:
            self.entries.append(noted)


def unread(items: Sequence[Item | Refusal]) -> Counter[tuple[str, str]]:
    """Count what the connector itself refused."""
    return Counter(("item", item.reason) for item in items if isinstance(item, Refusal))


def _outcome(entry: Entry) -> Outcome:
    pointer, idempotent = entry.item.pointer, bool(entry.item.message_id)
    if entry.duplicate:
        return Outcome(pointer, "duplicate")
    if entry.refusal:
        return Outcome(pointer, "refused", entry.refusal.reason, entry.refusal.where, idempotent, tuple(entry.notes))
    return Outcome(pointer, "accepted", idempotent=idempotent, notes=tuple(entry.notes))
