"""Keyrings on a disk of their own, and databases with a vault."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cdp.db import Database
from cdp.vault import Keyring, Vault


class Disks:
    """Two disks, for the keyring and for its mirror."""

    def __init__(self, folder: Path) -> None:
        self.keyring = folder / "keys" / "keyring.json"
        self.mirror = folder / "mirror" / "keyring.json"
        self.uris = f"file:{self.keyring}", f"file:{self.mirror}"

    def create(self) -> Keyring:
        return Keyring.create(*self.uris)

    def load(self, on_step: Callable[[str], None] | None = None) -> Keyring:
        return Keyring.load(*self.uris, on_step=on_step)


@pytest.fixture
def disks(tmp_path: Path) -> Disks:
    return Disks(tmp_path)


@pytest.fixture
def keyring(disks: Disks) -> Keyring:
    return disks.create()


@pytest.fixture
def vaulted(empty_database: Database, keyring: Keyring) -> Database:
    empty_database.context["vault"] = Vault(keyring)
    return empty_database
