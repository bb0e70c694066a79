"""Which keys still exist where we know of: a certificate that hid an old copy would not be true.

Looks in the folders of the keyring for older copies of it, and for the marks that `cdp keys escrow`
leaves for copies that were carried away.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cdp.rights.grounds import Grounds
from cdp.vault.state import Damaged, decode

MARK = ".mark"
"""Ending of a file that says which version of which keyring was carried away."""

_LARGEST = 100_000_000


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of a keyring that is not the one in force."""

    path: Path
    keyring: str
    version: int
    written_at: datetime


def of(grounds: Grounds) -> dict[str, Any]:
    """Return, for a certificate: the version in force, how many copies it has, older ones, and live index epochs."""
    state = grounds.vault.keyring.state()
    folders = {log.parent for log in grounds.erasures}
    older = [copy for folder in sorted(folders) for copy in copies_in(folder)]
    return {
        "id": state.id,
        "version": state.version,
        "copies": len(grounds.erasures),
        "older_copies": [
            {"version": copy.version, "written_at": copy.written_at.isoformat()}
            for copy in older
            if copy.keyring == state.id and copy.version < state.version
        ],
        "index_epochs": sorted(state.index),
    }


def copies_in(folder: Path) -> Iterator[Copy]:
    """Find every keyring, and every mark of one, in the folder."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        try:
            status = path.stat()
            if not path.is_file() or status.st_size > _LARGEST:
                continue
            keyring, version = _read(path)
        except (OSError, ValueError, KeyError, TypeError, Damaged):
            continue
        yield Copy(path, keyring, version, datetime.fromtimestamp(status.st_mtime, UTC))


def write_mark(folder: Path, keyring: str, version: int) -> None:
    """Remember that a copy of this version was carried away; removed by hand when that copy is destroyed."""
    (folder / f"escrow-{version}{MARK}").write_text(json.dumps({"id": keyring, "version": version}))


def _read(path: Path) -> tuple[str, int]:
    content = path.read_bytes()
    if path.suffix == MARK:
        said = json.loads(content)
        return str(said["id"]), int(said["version"])
    state = decode(content)
    return state.id, state.version
