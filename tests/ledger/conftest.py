"""A database with a vault, and a signing key on a disk of its own."""

from pathlib import Path

import pytest

from cdp import ledger
from cdp.db import Database
from cdp.vault import Keyring, Vault


@pytest.fixture
def signer(tmp_path: Path) -> ledger.Signer:
    return ledger.Signer.create(tmp_path / "ledger")


@pytest.fixture
def books(empty_database: Database, tmp_path: Path) -> Database:
    """A database that can note things."""
    empty_database.context["vault"] = Vault(Keyring.create(f"file:{tmp_path / 'keys' / 'keyring.json'}"))
    return empty_database
