"""What a backup says of itself: which files it has, and of which database, keyring, ledger and policy they are."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from cdp.errors import StartRefused

FORM = "sekisho.backup/1"
MANIFEST = "manifest.json"

BLOCK = 1 << 20
"""Bytes that are copied at once."""


class Mismatch(StartRefused):
    """The backup is not what its manifest says."""


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
        if Path(name).name != name or not path.is_file() or described(path) != said:
            raise Mismatch(f"The file {name} of the backup is missing or damaged: take another backup.")
    return manifest


def facts_of(ask: Callable[[str], Any]) -> dict[str, Any]:
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


def described(path: Path) -> dict[str, Any]:
    digest = hashlib.sha256()
    for block in _blocks(path):
        digest.update(block)
    return {"sha256": digest.hexdigest(), "bytes": path.stat().st_size}


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


def write(path: Path, content: bytes) -> None:
    with new_file(path) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def new_file(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
