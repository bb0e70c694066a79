"""Backups of the database alone, and their return.

A backup never holds the keyring, the ledger's key or the keys that sign tokens: whoever finds it
finds noise. What comes back is erased again by `erasures.log` before any door opens.
"""

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from cdp import __version__, deployment, migrations, policy
from cdp.clock import Clock, SystemClock
from cdp.db import Database
from cdp.errors import StartRefused
from cdp.policy import PolicyError
from cdp.rights.replay import Progress, highest_number, reserve_numbers
from cdp.settings import Settings

FORM = "sekisho.backup/1"
MANIFEST = "manifest.json"
SQLITE_FILE = "database.sqlite"

RESTORED = "restored.json"
"""In the home: when which backup was put back, for the doctor."""

MISSING = (
    "Withdrawals, unsubscribes, objections and restrictions made after {since} are not in this backup: "
    "send nothing before they are brought back (docs/restoring.md)."
)

NUMBERS_SKIPPED = 1_000_000
"""Numbers given after the backup was made are unknown to it, and must never be given twice: skip as many."""

_COPIED = 1 << 20


class Mismatch(StartRefused):
    """The backup is not what its manifest says."""


def backup(settings: Settings, target: Path, clock: Clock | None = None) -> dict[str, Any]:
    """Write a consistent copy of the database into a new folder; returns its manifest.

    Others may go on writing meanwhile. Works on an older revision too. Raises StartRefused where
    the folder is not empty.
    """
    if target.exists() and any(target.iterdir()):
        raise StartRefused(f"The folder {target} is not empty: name a new one for the backup.")
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = "sqlite" if settings.url.startswith("sqlite") else "postgresql"
    facts = _copy_sqlite(settings, target) if engine == "sqlite" else _copy_postgresql(settings, target)
    manifest = {
        "form": FORM,
        "made_at": (clock or SystemClock()).now().isoformat(),
        "program": __version__,
        "engine": engine,
        "policy": _policy_digest(settings),
        **facts,
        "files": {path.name: _described(path) for path in sorted(target.iterdir())},
    }
    _write(target / MANIFEST, json.dumps(manifest, indent=1).encode())
    return manifest


def read_manifest(source: Path) -> dict[str, Any]:
    """Read a backup's manifest and verify every file of it; raises Mismatch."""
    try:
        manifest: dict[str, Any] = json.loads((source / MANIFEST).read_bytes())
        wanted = dict(manifest["files"])
        if manifest["form"] != FORM:
            raise Mismatch(f"{source} is not a backup of this kind.")
    except (OSError, ValueError, KeyError, TypeError):
        raise Mismatch(f"{source} is no backup: its manifest is missing or damaged.") from None
    for name, said in wanted.items():
        path = source / name
        if Path(name).name != name or not path.is_file() or _described(path) != said:
            raise Mismatch(f"The file {name} of the backup is missing or damaged: take another backup.")
    return manifest


def restore(
    settings: Settings,
    source: Path,
    *,
    replace: bool = False,
    clock: Clock | None = None,
    progress: Progress = lambda done, total: None,
) -> dict[str, Any]:
    """Put a backup in the place of the database, then erase again everyone who was erased since.

    Stop web and worker first. Raises StartRefused for a target with content (unless `replace`), a
    keyring that is not the backup's, another kind of database, or a damaged backup.
    """
    manifest = read_manifest(source)
    _check_target(settings, manifest, replace)
    given = _highest_given(settings)
    if manifest["engine"] == "sqlite":
        _return_sqlite(settings, source)
    else:
        _return_postgresql(settings, source, manifest)
    database = Database(settings.url)
    try:
        migrations.upgrade(database.writer)
        with database.transaction() as session:
            reserve_numbers(session, max(given, highest_number(session)) + NUMBERS_SKIPPED)
    finally:
        database.dispose()
    said = {"made_at": manifest["made_at"], "restored_at": (clock or SystemClock()).now().isoformat()}
    _write(settings.home / RESTORED, json.dumps(said).encode())
    deployment.assemble(settings, clock, progress).close()
    return manifest


def _check_target(settings: Settings, manifest: dict[str, Any], replace: bool) -> None:
    engine = "sqlite" if settings.url.startswith("sqlite") else "postgresql"
    if engine != manifest["engine"]:
        raise StartRefused(f"The backup is of {manifest['engine']}, and this deployment uses {engine}.")
    keyring = deployment.load_keyring(settings)
    if manifest["keyring"] not in ("", keyring.id):
        raise StartRefused("The backup was made with another keyring: bring that one back, this one opens nothing.")
    if manifest["revision"] not in migrations.known():
        raise StartRefused(migrations.NEWER)
    if not replace and _has_tables(settings):
        raise StartRefused("There is a database already: pass --yes to put the backup in its place.")


def _has_tables(settings: Settings) -> bool:
    if settings.url.startswith("sqlite") and not _sqlite_path(settings).exists():
        return False
    database = Database(settings.url)
    try:
        return migrations.shape(database.writer) != "empty"
    finally:
        database.dispose()


def _highest_given(settings: Settings) -> int:
    """Return the highest number of the database that is about to go, 0 where there is none."""
    if not _has_tables(settings):
        return 0
    database = Database(settings.url)
    try:
        with database.snapshot() as session:
            return highest_number(session)
    finally:
        database.dispose()


def _copy_sqlite(settings: Settings, target: Path) -> dict[str, Any]:
    path = _sqlite_path(settings)
    if not path.exists():
        raise StartRefused(f"There is no database at {path}: run `cdp init`.")
    copy = target / SQLITE_FILE
    _write(copy, b"")
    with closing(sqlite3.connect(path)) as here, closing(sqlite3.connect(copy)) as there:
        here.backup(there, pages=2000)
        there.execute("PRAGMA journal_mode=DELETE")
        return _facts(lambda query: there.execute(query).fetchone())


def _return_sqlite(settings: Settings, source: Path) -> None:
    path = _sqlite_path(settings)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".restored")
    shutil.copyfile(source / SQLITE_FILE, fresh)
    fresh.chmod(0o600)
    with fresh.open("rb+") as file:
        os.fsync(file.fileno())
    for beside in ("-wal", "-shm"):
        path.with_name(path.name + beside).unlink(missing_ok=True)
    fresh.replace(path)


def _copy_postgresql(settings: Settings, target: Path) -> dict[str, Any]:
    with psycopg.connect(_dsn(settings)) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for table in _tables(connection):
            columns = _columns(connection, table)
            names = sql.SQL(", ").join(map(sql.Identifier, columns))
            query = sql.SQL("COPY {} ({}) TO STDOUT").format(sql.Identifier(table), names)
            with _new_file(target / f"{table}.copy") as file, connection.cursor().copy(query) as rows:
                file.write((json.dumps(columns) + "\n").encode())
                for block in rows:
                    file.write(block)
        return _facts(lambda query: connection.execute(query.encode()).fetchone())


def _return_postgresql(settings: Settings, source: Path, manifest: dict[str, Any]) -> None:
    with psycopg.connect(_dsn(settings)) as connection:
        for table in _tables(connection):
            connection.execute(sql.SQL("DROP TABLE {} CASCADE").format(sql.Identifier(table)))
    database = Database(settings.url)
    try:
        migrations.upgrade(database.writer, manifest["revision"])
    finally:
        database.dispose()
    with psycopg.connect(_dsn(settings)) as connection:
        for name in manifest["files"]:
            _load_table(connection, source / name)


def _load_table(connection: psycopg.Connection[Any], path: Path) -> None:
    table = path.name.removesuffix(".copy")
    with path.open("rb") as file:
        columns = json.loads(file.readline())
        connection.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(table)))
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        query = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
        with connection.cursor().copy(query) as rows:
            while block := file.read(_COPIED):
                rows.write(block)
    for column in columns:
        _advance_sequence(connection, table, column)


def _advance_sequence(connection: psycopg.Connection[Any], table: str, column: str) -> None:
    found = connection.execute("SELECT pg_get_serial_sequence(%s, %s)", [table, column]).fetchone()
    if found and found[0]:
        highest = sql.SQL("SELECT setval(%s, greatest((SELECT max({}) FROM {}), 1))")
        connection.execute(highest.format(sql.Identifier(column), sql.Identifier(table)), [found[0]])


def _tables(connection: psycopg.Connection[Any]) -> list[str]:
    query = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
    return [row[0] for row in connection.execute(query)]


def _columns(connection: psycopg.Connection[Any], table: str) -> list[str]:
    query = (
        "SELECT column_name FROM information_schema.columns "
        "WHERE table_schema = current_schema() AND table_name = %s ORDER BY ordinal_position"
    )
    return [row[0] for row in connection.execute(query, [table])]


def _facts(ask: Any) -> dict[str, Any]:
    """Read what the copy itself says of its revision, its keyring and its ledger."""
    revision = ask("SELECT version_num FROM alembic_version")
    keyring = ask("SELECT keyring, version FROM keyring_mark ORDER BY version DESC LIMIT 1")
    head = ask("SELECT origin, size, root FROM ledger_checkpoint ORDER BY size DESC LIMIT 1")
    return {
        "revision": revision[0] if revision else "",
        "keyring": keyring[0] if keyring else "",
        "keyring_version": keyring[1] if keyring else 0,
        "ledger": {"origin": head[0], "size": head[1], "root": bytes(head[2]).hex()} if head else None,
    }


def _policy_digest(settings: Settings) -> str:
    try:
        return policy.load(settings.policies_path).digest
    except (PolicyError, StartRefused):
        return ""


def _described(path: Path) -> dict[str, Any]:
    digest = hashlib.sha256()
    for block in _blocks(path):
        digest.update(block)
    return {"sha256": digest.hexdigest(), "bytes": path.stat().st_size}


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_COPIED):
            yield block


def _write(path: Path, content: bytes) -> None:
    with _new_file(path) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _new_file(path: Path) -> Any:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _sqlite_path(settings: Settings) -> Path:
    return Path(settings.url.removeprefix("sqlite:///"))


def _dsn(settings: Settings) -> str:
    return make_url(settings.url).set(drivername="postgresql").render_as_string(hide_password=False)
