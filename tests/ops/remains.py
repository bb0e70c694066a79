"""What a run may have left: every file it touched, every cell of every table, every temporary table."""

import re
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import text
from sqlmodel import SQLModel

from cdp.db import Database
from cdp.settings import Settings

_DIGITS = re.compile(rb"-?[0-9]{12,20}")
_POLICIES = "policies"


def tokens(rows: list[dict[str, Any]]) -> set[int]:
    """Return every token of these rows."""
    return {
        number
        for row in rows
        for column, value in row.items()
        if column != "cluster" and not column.endswith("_writings")
        for number in (value if isinstance(value, list) else [value])
        if number is not None
    }


def has_token(content: bytes, wanted: set[int]) -> bool:
    """Whether a token is in it at any place, in either order of its bytes or in digits."""
    if any(int(found) in wanted for found in _DIGITS.findall(content)):
        return True
    sorted_ = np.array(sorted(wanted), dtype="<i8")
    for start in range(min(8, len(content))):
        numbers = np.frombuffer(content, dtype="<i8", count=(len(content) - start) // 8, offset=start)
        numbers = np.unique(numbers)
        if np.isin(numbers, sorted_).any() or np.isin(numbers.byteswap(), sorted_).any():
            return True
    return False


def files(folder: Path, settings: Settings, since: float) -> list[tuple[str, bytes]]:
    """Return every file of a test's folder, of the keys', and what of PostgreSQL's own files changed since."""
    keys = [Path(uri.removeprefix("file:")).parent for uri in (settings.keyring_uri, settings.keyring_mirror)]
    ours = [path for place in (folder, *keys) for path in place.rglob("*") if path.is_file()]
    ours = [path for path in ours if _POLICIES not in path.parts]
    return [(path.name, path.read_bytes()) for path in (*ours, *_served(settings, since))]


def cells(database: Database) -> list[tuple[str, bytes]]:
    """Return every row of every table, in the clear as the database gives it."""
    found = []
    with database.snapshot() as session:
        for name, table in sorted(SQLModel.metadata.tables.items()):
            rows = [_written(row) for row in session.execute(table.select())]
            found.append((name, b"\n".join(rows)))
    return found


def temporary_tables(database: Database) -> list[str]:
    """Return the temporary tables of every connection."""
    query = "SELECT name FROM sqlite_temp_master"
    if not database.is_sqlite:
        query = "SELECT relname FROM pg_class WHERE relpersistence = 't'"
    with database.snapshot() as session:
        return list(session.scalars(text(query)))


def _served(settings: Settings, since: float) -> list[Path]:
    if settings.url.startswith("sqlite"):
        return []
    database = Database(settings.url)
    with database.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))
        folder = Path(connection.execute(text("SHOW data_directory")).scalar_one())
    database.dispose()
    found = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_mtime >= since]
    assert any("pg_wal" in path.parts for path in found)
    return found


def _written(row: Any) -> bytes:
    return b"\0".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
