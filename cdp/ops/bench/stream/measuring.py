"""Takes the feed in, in small batches, and measures it beside its floor, round by round on the same machine."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import func, select, text
from sqlmodel import SQLModel, col

from cdp import gate, journey, profile
from cdp.connector.kit import Item
from cdp.db import Database, chunked
from cdp.identity.normalise import canonical, with_derived
from cdp.identity.rules import TokenKey
from cdp.ingest.batches import Brought, store
from cdp.ops.bench.stream import floor
from cdp.ops.bench.stream.brought import COLLECTOR, items
from cdp.ops.bench.stream.stopwatch import timed_sealing
from cdp.policy.terms import Policy
from cdp.profile.model import Subject
from cdp.vault import Keyring, Vault

Told = Callable[[str, int, int], None]

_BEGAN = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)


class _Ticking:
    """A clock that moves on by a second with each batch: what a batch left can be told by its time."""

    def __init__(self) -> None:
        self.instant = _BEGAN

    def now(self) -> datetime:
        return self.instant


@dataclass(frozen=True, slots=True)
class Round:
    """One ingest of everything, and its floor."""

    whole: float
    sealing: float
    """Of it, the seconds spent in the vault."""
    floor: float
    cpu: float
    """Seconds of this process's processors in the ingest; what PostgreSQL takes is not in it."""

    @property
    def unsealed(self) -> float:
        return self.whole - self.sealing


@dataclass(frozen=True, slots=True)
class Measured:
    """Some rounds over fresh tables."""

    records: int
    accepted: int
    subjects: int
    people: int
    rows: int
    rounds: tuple[Round, ...]

    def pace(self, of: Callable[[Round], float]) -> float:
        """Return the records a second of the median round."""
        return self.records / median(map(of, self.rounds))

    @property
    def ratio(self) -> float:
        """Return the median of what a round reaches of its floor, the sealing aside."""
        return median(one.floor / one.unsealed for one in self.rounds)


def measure(
    database: Database, terms: Policy, folder: Path, records: int, batch: int, rounds: int, told: Told
) -> Measured:
    """Take so many records in and write their rows again, so many times; the tables are emptied in between."""
    clock = _Ticking()
    database.clock = clock
    brought = items(records)
    # A feed in order of time joins many people: the breaker counts and asks as ever, and never breaks.
    database.context["policy"] = replace(terms, breaker=replace(terms.breaker, share=1.0))
    database.context["vault"] = keys = Vault(Keyring.create(f"file:{folder / 'keys' / 'keyring.json'}"))
    asked = [_tokens(database.context["policy"], keys, some) for some in chunked(brought, batch)]
    found: list[Round] = []
    for _ in range(rounds):
        whole, sealing, cpu, lasts, times, accepted = _ingest(database, clock, brought, batch, told)
        copies = floor.rows_of(database, lasts, times)
        people, subjects = _counted(database)
        _empty(database)
        database.settlers = []
        told("floor", 0, records)
        found.append(Round(whole, sealing, floor.write(database, copies, asked), cpu))
    rows = sum(len(some) for one in copies for some in one.values())
    return Measured(records, accepted, subjects, people, rows, tuple(found))


def _ingest(
    database: Database, clock: _Ticking, brought: Sequence[Item], batch: int, told: Told
) -> tuple[float, float, float, list[int], list[datetime], int]:
    _empty(database)
    database.settlers = [("profile", profile.settle), ("gate", gate.settle), ("journey", journey.settle)]
    gate.register_policy(database)
    lasts: list[int] = []
    times: list[datetime] = []
    whole = cpu = 0.0
    accepted = 0
    with timed_sealing() as watch:
        for some in chunked(brought, batch):
            clock.instant += timedelta(seconds=1)
            began, spent = time.perf_counter(), time.process_time()
            (report,) = store(database, [Brought(COLLECTOR, some, clock.instant)])
            whole, cpu = whole + time.perf_counter() - began, cpu + time.process_time() - spent
            accepted += report.accepted
            lasts.append(_last(database))
            times.append(clock.instant)
            told("stream", len(times) * batch, len(brought))
        return whole, watch.seconds, cpu, lasts, times, accepted


def _tokens(terms: Policy, keys: Vault, some: Sequence[Item]) -> set[TokenKey]:
    names = (
        canonical(terms, one.type, one.value, one.scope, COLLECTOR.region, one.verified)
        for item in some
        for one in item.claims
    )
    return {
        (name.namespace, keys.token(name.namespace, name.scope, name.value))
        for name in with_derived(terms, [one for one in names if one])
    }


def _last(database: Database) -> int:
    with database.snapshot() as session:
        return session.scalar(select(func.max(col(Subject.number)))) or 0


def _counted(database: Database) -> tuple[int, int]:
    with database.snapshot() as session:
        people = select(func.count(func.distinct(col(Subject.person))), func.count())
        row = session.execute(people.select_from(Subject)).one()
        return row[0], row[1]


def _empty(database: Database) -> None:
    """Make the tables anew."""
    SQLModel.metadata.drop_all(database.writer)
    SQLModel.metadata.create_all(database.writer)
    if database.is_sqlite:
        with database.writer.connect() as connection:
            connection.execute(text("COMMIT"))
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
