"""Which rows of a file belong together: they share an identifier, or somebody in the database joins them.

What becomes of a row hangs on those alone, so that a rehearsal may look at the others apart. The blind indexes are
sorted in a private file of the system's temporary folder, gone with the process: memory holds only the rows that
share something.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cdp.ingest.rows import Read

MOST_HELD = 20_000
"""Rows that are held back until the last of theirs has come."""


class Sharing:
    """Finds rows that share an index with another row."""

    def __init__(self) -> None:
        self._sorter = sqlite3.connect("")  # a nameless file, which SQLite spills to and deletes
        self._sorter.execute("CREATE TABLE shared (key BLOB, row INTEGER)")

    def add(self, row: int, keys: Iterable[bytes]) -> None:
        """Remember which indexes lead to a row."""
        values = [(key, row) for key in keys]
        self._sorter.executemany("INSERT INTO shared VALUES (?, ?)", values)

    def groups(self) -> "Groups":
        """Return which rows belong together, and forget the rest."""
        self._sorter.execute("CREATE INDEX by_key ON shared (key, row)")
        several = "SELECT key FROM shared GROUP BY key HAVING MIN(row) <> MAX(row)"
        groups = Groups()
        before: tuple[bytes, int] | None = None
        for key, row in self._sorter.execute(f"SELECT key, row FROM shared WHERE key IN ({several}) ORDER BY key, row"):  # noqa: S608
            if before is not None and before[0] == key:
                groups.join(before[1], row)
            before = (key, row)
        self._sorter.close()
        groups.close()
        return groups


@dataclass(slots=True)
class Groups:
    """Rows that belong together: each by the lowest of its group, and the last row of every group."""

    _lower: dict[int, int] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)

    def join(self, one: int, other: int) -> None:
        first, second = sorted((self.of(one), self.of(other)))
        self._lower[second] = first
        self._lower.setdefault(first, first)

    def of(self, row: int) -> int:
        """Return the lowest row of the row's group; itself where it shares nothing."""
        path = []
        while (lower := self._lower.get(row, row)) != row:
            path.append(row)
            row = lower
        for one in path:
            self._lower[one] = row
        return row

    def close(self) -> None:
        """Work out the last row of every group."""
        for row in self._lower:
            lowest = self.of(row)
            self.last[lowest] = max(row, self.last.get(lowest, 0))


@dataclass(slots=True)
class Ordering:
    """Rows in an order in which no group is parted, but for those too many to hold."""

    groups: Groups
    size: int
    most_held: int = MOST_HELD
    apart: int = 0
    """Rows that were parted from others of theirs."""
    _ready: list[Read] = field(default_factory=list)
    _held: dict[int, list[Read]] = field(default_factory=dict)
    _holding: int = 0

    def arrange(self, pieces: Iterable[list[Read]]) -> Iterator[list[Read]]:
        """Yield lists of about `size` rows; what belongs together stands in one list."""
        for rows in pieces:
            for one in rows:
                self._take(one)
                if len(self._ready) >= self.size:
                    yield self._flush()
            if self._holding > self.most_held:
                yield from self._let_go()
        yield from filter(None, [self._flush()])

    def _take(self, one: Read) -> None:
        number = one[0].number
        lowest = self.groups.of(number)
        last = self.groups.last.get(lowest, number)
        if last == number:
            held = self._held.pop(lowest, [])
            self._holding -= len(held)
            self._ready += [*held, one]
        else:
            self._held.setdefault(lowest, []).append(one)
            self._holding += 1

    def _flush(self) -> list[Read]:
        ready, self._ready = self._ready, []
        return ready

    def _let_go(self) -> Iterator[list[Read]]:
        """Look at what is held without what is still to come of theirs."""
        for held in self._held.values():
            self.apart += len(held)
            self._ready += held
            if len(self._ready) >= self.size:
                yield self._flush()
        self._held, self._holding = {}, 0
