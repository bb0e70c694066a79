"""What a source brought and was not taken: by day, name and reason; never a value.

Names come from outside: they are few a day, kept for a quarter, and through a public key, where
anybody may write a name in anybody's place, only such as programmers give.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from cdp.connector.kit import SourceConfig
from cdp.db import is_sqlite
from cdp.ingest.batch import Entry
from cdp.ingest.model import Dropped

MOST_NAMES = 500
"""Different names counted per source and day: names come from outside and may be endless."""

MOST_PUBLIC_NAMES = 100

KEPT = timedelta(days=92)

_IDENTIFIER = re.compile(r"(field:[A-Za-z_$][\w$.\[\]-]{0,59}|event:[A-Za-z_$][\w$.:/ -]{0,59})", re.ASCII)

Drops = Mapping[tuple[str, str], int]
"""(what, reason) → count"""


def tally(entries: Sequence[Entry]) -> Counter[tuple[str, str]]:
    """Count what was dropped or refused; a replay is counted nowhere."""
    return Counter(drop for entry in entries if not entry.duplicate for drop in entry.drops)


def add(session: Session, source: SourceConfig, at: datetime, drops: Drops) -> None:
    """Add to the counts of the day."""
    if not drops:
        return
    day = at.date()
    counted = _bounded(session, source, day, _discreet(drops) if source.public else drops)
    rows = [
        {"source": source.name, "day": day, "what": what, "reason": reason, "count": count}
        for (what, reason), count in sorted(counted.items())
    ]
    insert = sqlite.insert(Dropped) if is_sqlite(session) else postgresql.insert(Dropped)
    summed = {"count": col(Dropped.count) + insert.excluded["count"]}
    keys = ["source", "day", "what", "reason"]
    session.execute(insert.on_conflict_do_update(index_elements=keys, set_=summed), rows)


def _discreet(drops: Drops) -> Drops:
    """Count names that are no identifiers as `*`."""
    counted: Counter[tuple[str, str]] = Counter()
    for (what, reason), count in drops.items():
        kind, named, _ = what.partition(":")
        counted[what if not named or _IDENTIFIER.fullmatch(what) else f"{kind}:*", reason] += count
    return counted


def _bounded(session: Session, source: SourceConfig, day: date, drops: Drops) -> Counter[tuple[str, str]]:
    """Count names beyond the bound as `*`; a new day lets go of the oldest."""
    mine = col(Dropped.source) == source.name
    query = select(col(Dropped.what), col(Dropped.reason)).where(mine, col(Dropped.day) == day)
    known = {(row[0], row[1]) for row in session.execute(query)}
    if not known:
        session.execute(delete(Dropped).where(mine, col(Dropped.day) < day - KEPT))
    most = MOST_PUBLIC_NAMES if source.public else MOST_NAMES
    counted: Counter[tuple[str, str]] = Counter()
    for (what, reason), count in sorted(drops.items()):
        if (what, reason) not in known and len(known) >= most:
            what = what.partition(":")[0] + ":*"
        known.add((what, reason))
        counted[what, reason] += count
    return counted
