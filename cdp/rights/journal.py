"""Empties SQLite's write-ahead log: what was deleted stands there until the next writers overwrite it."""

import sqlite3
import time
from contextlib import closing

from cdp.db import Database

TRIES = 20
PAUSE = 0.05  # seconds
PATIENCE = 0.1
"""Seconds that one try waits for readers: writers wait as long."""


def empty(database: Database) -> bool | None:
    """Move everything into the database file and cut the log; False while readers hold it, None without such a log."""
    path = database.writer.url.database
    if not database.is_sqlite or not path:
        return None
    with closing(sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)) as connection:
        return any(_emptied(connection) for _ in range(TRIES))


def _emptied(connection: sqlite3.Connection) -> bool:
    try:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError:
        busy = True
    if busy:
        time.sleep(PAUSE)
    return not busy
