"""After the whole suite: no address, login or device of a test person in any file that it left behind.

Databases, write-ahead logs, ledgers, keyrings, backups and logs of every test are read as bytes.
What a test wrote as somebody's input, or an operator asked for as an export, is not looked at.
"""

import re
from collections.abc import Iterator
from pathlib import Path

LEFT_BEHIND = {".db", ".db-wal", ".db-shm", ".sqlite", ".log", ".key", ""}
IDENTIFIER = re.compile(
    rb"(?i)(?:login|browser)-of-[a-z]+\d|[a-z0-9.]{2,}@(?:people\.example|example\.(?:com|org|net|jp))"
)


def scan(folder: Path) -> tuple[int, list[str]]:
    """Return how many files were read, and a line for each that holds an identifier (never the identifier)."""
    read, found = 0, []
    for path in _files(folder):
        read += 1
        hits = set(IDENTIFIER.findall(path.read_bytes()))
        if hits:
            found.append(f"{path.relative_to(folder)}: {len(hits)} identifiers in the clear")
    return read, found


def _files(folder: Path) -> Iterator[Path]:
    return (
        path for path in folder.rglob("*") if path.suffix in LEFT_BEHIND and path.is_file() and not path.is_symlink()
    )
