"""One thing that a deployment depends on, taken away and brought back: each strike is a context.

What is struck is real: the file is moved, the wire is cut, the disk takes no more. Nothing in the
deployment knows of it, and nobody restarts it afterwards.
"""

import fcntl
import resource
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from cdp import vault
from cdp.deployment import keyring_paths, ledger_folder
from tests.stories.faults.servers import Wire
from tests.stories.world import World


@dataclass
class Struck:
    """A running deployment, and what can be taken from it."""

    world: World
    wire: Wire | None
    admin: str = ""
    """Where PostgreSQL can be reached past the wire."""

    @property
    def keyring(self) -> Path:
        return keyring_paths(self.world.deployment.settings)[0]

    @property
    def mirror(self) -> Path:
        return keyring_paths(self.world.deployment.settings)[1]


Strike = Callable[[Struck], AbstractContextManager[None]]


@contextmanager
def database_gone(struck: Struck) -> Iterator[None]:
    if struck.wire:
        with _mended(struck.wire):
            struck.wire.cut()
            yield
        return
    home = struck.world.home
    with _moved(home / "cdp.db"):
        yield


@contextmanager
def database_silent(struck: Struck) -> Iterator[None]:
    """PostgreSQL: the wire carries nothing any more. SQLite: somebody else writes and does not stop."""
    if struck.wire:
        with _mended(struck.wire):
            struck.wire.stall()
            yield
        return
    with closing(sqlite3.connect(struck.world.home / "cdp.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def disk_full(struck: Struck) -> Iterator[None]:
    """SQLite: no file may grow. PostgreSQL: every write ends as its server ends one on a full disk (53100)."""
    if not struck.wire:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        return
    with psycopg.connect(struck.admin, autocommit=True) as session:
        session.execute(
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$"
        )
        for table in ("ledger_entry", "keyring_mark"):
            session.execute(f"CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION no_room()")
        try:
            yield
        finally:
            session.execute("DROP FUNCTION no_room() CASCADE")


@contextmanager
def keyring_missing(struck: Struck) -> Iterator[None]:
    with _moved(struck.keyring):
        yield


@contextmanager
def keyring_unreadable(struck: Struck) -> Iterator[None]:
    """Others may read it, so that we do not."""
    struck.keyring.chmod(0o644)
    with _replaced(struck.keyring, struck.keyring.read_bytes()):
        yield


@contextmanager
def keyring_damaged(struck: Struck) -> Iterator[None]:
    with _replaced(struck.keyring, struck.keyring.read_bytes()[:-40]):
        yield


@contextmanager
def keyring_old(struck: Struck) -> Iterator[None]:
    """An older copy in the place of the one that a puncture has made."""
    older = struck.keyring.read_bytes()
    vault.puncture(struck.world.deployment.vault, [10_000_000 + struck.world.deployment.vault.keyring.version])
    with _replaced(struck.keyring, older):
        yield


@contextmanager
def keyring_locked(struck: Struck) -> Iterator[None]:
    """Another process changes the keyring and does not come to an end."""
    with struck.keyring.with_name(struck.keyring.name + ".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def mirror_missing(struck: Struck) -> Iterator[None]:
    """The mirror's disk is not mounted."""
    with _moved(struck.mirror.parent):
        yield


@contextmanager
def ledger_folder_missing(struck: Struck) -> Iterator[None]:
    """The disk of the checkpoints outside the database is not mounted."""
    with _moved(ledger_folder(struck.world.deployment.settings)):
        yield


@contextmanager
def _moved(path: Path) -> Iterator[None]:
    aside = path.with_name(path.name + ".aside")
    path.rename(aside)
    try:
        yield
    finally:
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        aside.rename(path)


@contextmanager
def _replaced(path: Path, content: bytes) -> Iterator[None]:
    right = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(right)
        path.chmod(0o600)


@contextmanager
def _mended(wire: Wire) -> Iterator[None]:
    try:
        yield
    finally:
        wire.mend()
