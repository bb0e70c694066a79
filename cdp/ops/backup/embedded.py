"""Copies SQLite's one file while others write to it, and puts a copy back in its place."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from cdp.errors import StartRefused
from cdp.ops.backup.manifest import facts_of, write
from cdp.settings import Settings

FILE = "database.sqlite"


def copy_out(settings: Settings, target: Path) -> dict[str, Any]:
    path = path_of(settings)
    if not path.exists():
        raise StartRefused(f"There is no database at {path}: run `cdp init`.")
    copy = target / FILE
    write(copy, b"")
    with closing(sqlite3.connect(path)) as here, closing(sqlite3.connect(copy)) as there:
        here.backup(there, pages=2000)
        there.execute("PRAGMA journal_mode=DELETE")
        return facts_of(lambda query: there.execute(query).fetchone())


def put_back(settings: Settings, source: Path) -> None:
    path = path_of(settings)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".restored")
    shutil.copyfile(source / FILE, fresh)
    fresh.chmod(0o600)
    with fresh.open("rb+") as file:
        os.fsync(file.fileno())
    for beside in ("-wal", "-shm"):
        path.with_name(path.name + beside).unlink(missing_ok=True)
    fresh.replace(path)


def path_of(settings: Settings) -> Path:
    return Path(settings.url.removeprefix("sqlite:///"))
