"""What of a database's errors is an outage: 503 and come again; what is wrong stays a fault."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from cdp.db import Database
from cdp.errors import Unavailable

PASSING = [
    "08006",
    "25006",
    "40001",
    "40P01",
    "53100",
    "53200",
    "53300",
    "55P03",
    "57014",
    "57P01",
    "57P02",
    "57P03",
    "58000",
    "58030",
    "XX001",
]


@pytest.fixture
def bounded(empty_database: Database, database_url: str) -> Iterator[Database]:
    """The same database, opened with a second of patience and two connections."""
    database = Database(database_url, pool_size=1, patience=1)
    yield database
    database.dispose()


def raises(database: Database, state: str) -> None:
    statement = f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$"
    with database.transaction() as session:
        session.execute(text(statement))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("state", PASSING)
def test_a_state_that_passes_is_an_outage(bounded: Database, state: str) -> None:
    with pytest.raises(Unavailable):
        raises(bounded, state)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("state", ["42P01", "42601", "22P02", "23505"])
def test_a_statement_that_is_wrong_is_no_outage(bounded: Database, state: str) -> None:
    with pytest.raises(DatabaseError):
        raises(bounded, state)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_what_takes_too_long_is_ended(bounded: Database) -> None:
    with pytest.raises(Unavailable), bounded.transaction() as session:
        session.execute(text("SELECT pg_sleep(20)"))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_that_was_ended_is_an_outage_once(bounded: Database, database_url: str) -> None:
    with pytest.raises(Unavailable), bounded.transaction() as session:
        number = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [number])
        session.execute(text("SELECT 1"))
    with bounded.transaction() as session:
        assert session.execute(text("SELECT 1")).scalar_one() == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_who_finds_no_connection_left_is_told_to_come_again(bounded: Database) -> None:
    held = [bounded.writer.connect() for _ in range(2)]
    with pytest.raises(Unavailable), bounded.snapshot() as session:
        session.execute(text("SELECT 1"))
    for one in held:
        one.close()
    with bounded.snapshot() as session:
        assert session.execute(text("SELECT 1")).scalar_one() == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_writer_that_does_not_end_holds_others_up_for_their_patience_only(bounded: Database) -> None:
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with bounded.transaction():
            entered.set()
            leave.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    entered.wait(30)
    with pytest.raises(Unavailable), bounded.transaction():
        pass
    leave.set()
    thread.join(30)
    with bounded.transaction():
        pass


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("harm", ["gone", "another"])
def test_nothing_is_written_to_a_file_that_has_lost_its_name(bounded: Database, tmp_path: Path, harm: str) -> None:
    with bounded.transaction() as session:
        session.execute(text("SELECT 1"))
    path = Path(bounded.writer.url.database or "")
    path.rename(tmp_path / "aside")
    if harm == "another":
        sqlite3.connect(path).close()
        path.touch()
    with pytest.raises(Unavailable), bounded.transaction() as session:
        session.execute(text("CREATE TABLE written (one INTEGER)"))
    path.unlink(missing_ok=True)
    (tmp_path / "aside").rename(path)
    with bounded.transaction() as session:
        session.execute(text("CREATE TABLE written (one INTEGER)"))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_transaction_left_idle_is_ended_by_the_server(bounded: Database) -> None:
    with pytest.raises(Unavailable), bounded.transaction() as session:
        session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 100"))
        time.sleep(0.5)
        session.execute(text("SELECT 1"))
