"""The floor: the very rows that an ingest left, written again in the same batches, and the same values looked up.

Nothing else is done: no rule, no key, no lock, no row is ever changed. Core's executemany writes, as the product does.
"""

import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, insert, select
from sqlmodel import SQLModel, col

from cdp.db import Database
from cdp.identity import graph
from cdp.identity.model import Identifier, Token
from cdp.identity.rules import TokenKey

Row = dict[str, Any]
Batch = dict[str, list[Row]]
"""Table → its rows."""

_BY_SUBJECT = ("number", "subject", "person")
_BY_TIME = ("received_at", "at", "settled_at", "opened_at")


def rows_of(database: Database, lasts: Sequence[int], times: Sequence[datetime]) -> list[Batch]:
    """Return all rows by the batch that brought them; `lasts` are the highest subjects, `times` the batches' own."""
    batches: list[Batch] = [defaultdict(list) for _ in lasts]
    owner = _owners(database, lasts)
    with database.snapshot() as session:
        for table in SQLModel.metadata.sorted_tables:
            place = _Places(table, lasts, times, owner)
            for row in session.execute(select(table)).mappings():
                batches[place.of(row)][table.name].append(dict(row))
    return batches


def _owners(database: Database, lasts: Sequence[int]) -> dict[TokenKey, int]:
    """Return the batch that first brought each value."""
    found: dict[TokenKey, int] = {}
    with database.snapshot() as session:
        query = select(col(Identifier.namespace), col(Identifier.token), col(Identifier.subject))
        for namespace, token, subject in session.execute(query.order_by(col(Identifier.subject))):
            found.setdefault((namespace, bytes(token)), _bounded(lasts, subject))
    return found


class _Places:
    """Which batch the rows of a table came with."""

    def __init__(
        self, table: Table, lasts: Sequence[int], times: Sequence[datetime], owner: Mapping[TokenKey, int]
    ) -> None:
        self.is_token = table is Token.__table__  # type: ignore[attr-defined]
        self.time = next((name for name in _BY_TIME if name in table.c), "")
        self.subject = next((name for name in _BY_SUBJECT if name in table.c), "")
        self.lasts, self.times, self.owner = lasts, times, owner

    def of(self, row: Mapping[Any, Any]) -> int:
        if self.is_token:
            return self.owner.get((row["namespace"], bytes(row["token"])), 0)
        if self.time and (place := _bounded(self.times, row[self.time])) and self.times[place] == row[self.time]:
            return place
        return _bounded(self.lasts, row[self.subject]) if self.subject else 0


def _bounded(bounds: Sequence[Any], value: Any) -> int:
    return min(bisect_left(bounds, value), len(bounds) - 1)


def write(database: Database, batches: Sequence[Batch], asked: Sequence[Iterable[TokenKey]]) -> float:
    """Write these rows and look these values up, a transaction to a batch; returns the seconds."""
    tables = [(table, insert(table)) for table in SQLModel.metadata.sorted_tables]
    began = time.perf_counter()
    for batch, keys in zip(batches, asked, strict=True):
        with database.transaction() as session:
            query = select(col(Identifier.namespace), col(Identifier.token), col(Identifier.subject))
            session.execute(query.where(graph.among(Identifier, keys))).all()
            for table, statement in tables:
                if rows := batch.get(table.name):
                    session.execute(statement, rows)
    return time.perf_counter() - began
