"""Connections that end: how each kind of database is opened, how long it is waited for, and what is an outage.

A statement that is wrong stays the bug that it is. Whatever says that the database cannot be used
now (gone, silent, full, shutting down, every connection taken) becomes Unavailable: 503, never data.
"""

import sqlite3
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft

from cdp.errors import StartRefused, Unavailable

POOL_SECONDS = 3
"""How long a request waits for a free connection before it is told to come again."""

_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "temp_store=MEMORY",
    "cache_size=-65536",
    "secure_delete=ON",
)

_BROKEN_OFF = frozenset({"40P01", "40001"})
"""PostgreSQL: deadlock detected, serialization failure."""

_OUTAGES = ("08", "25006", "25P03", "40", "53", "55P03", "57", "58", "XX")
"""How an SQLSTATE begins: connection, read-only, idle too long, broken off, full, locked, shutdown, disk, damage."""


PREPARED = 1024
"""Statements that a connection to SQLite keeps prepared: those of a batch, in some lengths each."""


def open_sqlite(url: str, begin: str, patience: float) -> Engine:
    """Open the embedded database; its transactions begin as `begin` says."""
    path = make_url(url).database
    place = _Place(Path(path)) if path and path != ":memory:" else None
    waits = {"timeout": patience or 30, "check_same_thread": False, "cached_statements": PREPARED}
    engine = create_engine(url, hide_parameters=True, pool_timeout=POOL_SECONDS, connect_args=waits)

    @event.listens_for(engine, "do_connect")
    def _look(*_: Any) -> None:
        if place is not None:
            place.check()

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        if place is not None:
            place.check()
        connection.exec_driver_sql(begin)

    return engine


class _Place:
    """The file that was opened first. Another one in its place, or none, is not our database: what was
    written to a file that has lost its name would be acknowledged, and gone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: tuple[int, int] | None = None

    def check(self) -> None:
        try:
            status = self.path.stat()
        except OSError:
            if self.known is None:
                return
            raise Unavailable("database") from None
        found = status.st_dev, status.st_ino
        self.known = self.known or found
        if found != self.known:
            raise Unavailable("database")


def open_postgresql(url: str, pool_size: int, patience: float) -> Engine:
    """Open PostgreSQL, or another engine that speaks its dialect; raises StartRefused for what is none."""
    waits: dict[str, Any] = {"connect_timeout": max(2, round(patience / 3)), "tcp_user_timeout": round(patience * 1000)}
    try:
        engine = create_engine(
            url,
            hide_parameters=True,
            pool_pre_ping=True,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=POOL_SECONDS,
            connect_args=waits if patience else {},
        )
    except (ArgumentError, ImportError):
        raise StartRefused("CDP_DATABASE_URL is no database that this program knows: see README, Settings.") from None
    if patience and engine.driver == "psycopg":
        _bound(engine, patience)
    return engine


def _bound(engine: Engine, patience: float) -> None:
    """Bound every wait: the server ends what takes too long, and we give up a server that says nothing at all."""
    limits = {
        "statement_timeout": patience,
        "lock_timeout": patience / 2,
        "idle_in_transaction_session_timeout": patience * 3,
    }

    @event.listens_for(engine, "do_connect")
    def _connect(_: Any, __: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
        return Watched.connect(*arguments, **named)

    @event.listens_for(engine, "connect")
    def _limit(connection: Any, _: Any) -> None:
        connection.patience = patience + 1
        connection.autocommit = True
        connection.execute("; ".join(f"SET {name} = {round(value * 1000)}" for name, value in limits.items()))
        connection.autocommit = False


class Watched(psycopg.Connection[Any]):
    """A connection that is closed when its server falls silent: a stalled network knows no statement time-out."""

    patience = 0.0

    def wait(self, gen: Any, *args: Any, **named: Any) -> Any:
        return super().wait(self._watched(gen) if self.patience else gen, *args, **named)

    def _watched(self, gen: Any) -> Generator[Any, Any, Any]:
        ready, heard = None, time.monotonic()
        while True:
            try:
                wanted = gen.send(ready)
            except StopIteration as end:
                return end.value
            ready = yield wanted
            if ready:
                heard = time.monotonic()
            elif time.monotonic() - heard > self.patience:
                self.close()
                raise psycopg.OperationalError("the server has fallen silent")


@contextmanager
def available() -> Iterator[None]:
    """Turn an outage of the database into Unavailable; a wrong statement stays the bug that it is."""
    try:
        yield
    except NoConnectionLeft as error:
        raise Unavailable("database") from error
    except DBAPIError as error:
        if error.connection_invalidated or _is_outage(error):
            raise Unavailable("database") from error
        raise


def was_broken_off(error: Unavailable) -> bool:
    """Whether two transactions met and the database ended this one: begun again, it may well succeed."""
    return _state(error.__cause__) in _BROKEN_OFF


def _is_outage(error: DBAPIError) -> bool:
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        # SQLite calls a wrong statement operational too, and a damaged file it does not.
        damaged = code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
        return damaged or (isinstance(error, OperationalError) and code != sqlite3.SQLITE_ERROR)
    state = _state(error)
    if state:
        return state.startswith(_OUTAGES)
    return isinstance(error, OperationalError) or isinstance(error.orig, psycopg.InterfaceError)


def _state(error: BaseException | None) -> str:
    return getattr(getattr(error, "orig", None), "sqlstate", None) or ""
