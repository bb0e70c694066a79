"""What a source brought and was not taken: by day, name and reason; never a value."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from cdp.db import is_sqlite
from cdp.ingest.batch import Entry
from cdp.ingest.model import Dropped

MOST_NAMES = 500
"""Different names counted per source and day: names come from outside and may be endless."""

Drops = Mapping[tuple[str, str], int]
"""(what, reason) → count"""


def tally(entries: Sequence[Entry]) -> Counter[tuple[str, str]]:
    """Count what was dropped or refused; a replay is counted nowhere."""
    return Counter(drop for entry in entries if not entry.duplicate for drop in entry.drops)


def add(session: Session, source: str, at: datetime, drops: Drops) -> None:
    """Add to the counts of the day."""
    if not drops:
        return
    day = at.date()
    counted = _bounded(session, source, day, drops)
    rows = [
        {"source": source, "day": day, "what": what, "reason": reason, "count": count}
        for (what, reason), count in sorted(counted.items())
    ]
    insert = sqlite.insert(Dropped) if is_sqlite(session) else postgresql.insert(Dropped)
    summed = {"count": col(Dropped.count) + insert.excluded["count"]}
    keys = ["source", "day", "what", "reason"]
    session.execute(insert.on_conflict_do_update(index_elements=keys, set_=summed), rows)


def _bounded(session: Session, source: str, day: date, drops: Drops) -> Counter[tuple[str, str]]:
    """Count names beyond the bound as `*`."""
    query = select(col(Dropped.what), col(Dropped.reason)).where(col(Dropped.source) == source, col(Dropped.day) == day)
    known = {(row[0], row[1]) for row in session.execute(query)}
    counted: Counter[tuple[str, str]] = Counter()
    for (what, reason), count in sorted(drops.items()):
        if (what, reason) not in known and len(known) >= MOST_NAMES:
            what = what.partition(":")[0] + ":*"
        known.add((what, reason))
        counted[what, reason] += count
    return counted
