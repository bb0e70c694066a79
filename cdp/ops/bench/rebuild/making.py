"""A graph of the feed's shape, made straight in a SQLite file: tokens are drawn, nothing is sealed, nobody is resolved.

One household after the other, as the benchmark's feed has them: identifiers of several systems, shared mailboxes and
devices, members with two numbers, birth dates that differ, values on too many. `person` is as the stream would have
left it where nothing stands in the way: each record's own.
"""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

from sqlmodel import SQLModel

from cdp.db import Database

Told = Callable[[int, int], None]

_LOT = 20_000
_SUBJECT = (
    "INSERT INTO subject (number, person, source, fingerprint, first_at, residence_default, public, erasing)"
    " VALUES (?, ?, 'feed', ?, '2026-06-01 00:00:00.000000', '', 0, 0)"
)
_IDENTIFIER = (
    "INSERT INTO identifier (subject, namespace, scope, token, epoch, suppression_token, sealed, verified, normaliser,"
    " first_at, seen, aside) VALUES (?, ?, ?, ?, 1, x'', x'00', ?, 2, '2026-06-01 00:00:00.000000', ?, 0)"
)
_MARK = (
    "INSERT INTO identity_mark (subject, namespace, value, at, ref) VALUES (?, ?, ?, '2026-06-01 00:00:00.000000', x'')"
)
_MONTHS = tuple(737425 + 30 * n for n in range(78))
_NAMES = ("kana_name", "kanji_name", "latin_name")


class _Row(NamedTuple):
    subject: int
    namespace: str
    scope: str
    token: bytes
    verified: bool
    seen: int


def make(path: Path, records: int, told: Told = lambda done, total: None, seed: int = 1) -> int:
    """Fill a new file with so many records; returns how many rows of evidence they have."""
    database = Database(f"sqlite:///{path}")
    SQLModel.metadata.create_all(database.writer)
    database.dispose()
    crowd, evidence = _Crowd(Random(seed)), 0  # noqa: S311 - draws a graph, guards nothing
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        while crowd.number < records:
            rows, marks, first = crowd.lot(min(records, crowd.number + _LOT))
            connection.execute("BEGIN")
            subjects = [(n, n, n.to_bytes(16, "big")) for n in range(first + 1, crowd.number + 1)]
            connection.executemany(_SUBJECT, subjects)
            connection.executemany(_IDENTIFIER, rows)
            connection.executemany(_MARK, marks)
            connection.execute("COMMIT")
            evidence += len(rows)
            told(crowd.number, records)
    connection.close()
    return evidence


class _Crowd:
    """People, one after the other."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.number = 0
        self.kiosks = [self._token() for _ in range(3)]
        self.kiosk_left = 3 * 55
        self.mailbox = self.tablet = self._token()

    def lot(self, last: int) -> tuple[list[_Row], list[tuple[int, str, int]], int]:
        """Return rows and marks of the next records up to this number, and the number before them."""
        first, rows, marks = self.number, list[_Row](), list[tuple[int, str, int]]()
        while self.number < last:
            for row, born, names in self._records():
                if self.number == last:
                    break
                self.number += 1
                rows += [_Row(self.number, *one) for one in row]
                marks += [(self.number, "birth_date", born)] if born else []
                marks += [(self.number, name, names) for name in _NAMES if names]
        return rows, marks, first

    def _token(self) -> bytes:
        return self.chance.randbytes(16)

    def _records(self) -> Iterator[tuple[list[tuple[str, str, bytes, bool, int]], int, int]]:
        """Yield what the systems hold of one person: identifiers, birth date, name."""
        chance = self.chance
        if chance.random() < 0.7:  # a new household
            self.mailbox, self.tablet = self._token(), self._token()
        mail = self.mailbox if chance.random() < 0.03 else self._token()
        browser = self.tablet if chance.random() < 0.06 else self._token()
        user, phone, born, name = self._token(), self._token(), chance.getrandbits(32) or 1, chance.randrange(1, 256)
        seen = chance.choice(_MONTHS)
        for system, share in (("shop", 0.53), ("store", 0.38)):
            for _ in range((chance.random() < share) * (1 + (chance.random() < 0.05))):
                ids = [("crm_id", system, self._token(), True, seen), ("phone", "", phone, True, seen)]
                ids += [("email", "", mail, True, seen)] if chance.random() < 0.75 else []
                ids += [("user_id", "", user, True, seen)] if chance.random() < 0.3 else []
                yield ids, born if chance.random() < 0.98 else born ^ 1, name if chance.random() < 0.9 else 0
        for _ in range(chance.choice((0, 1, 2, 2, 3, 4))):
            signed_in = chance.random() < 0.6
            ids = [("anonymous_id", "", browser, signed_in, seen)]
            ids += [("user_id", "", user, True, seen)] if signed_in else []
            ids += [("email", "", mail, True, seen)] if signed_in and chance.random() < 0.6 else []
            yield ids, 0, 0
        for _ in range(chance.choice((0, 1, 1, 2))):
            yield [("email", "", mail, True, seen), ("device_id", "", self._device(browser), True, seen)], 0, 0

    def _device(self, own: bytes) -> bytes:
        return self.chance.choice(self.kiosks) if self.chance.random() < 0.0005 else own
