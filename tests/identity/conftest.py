"""A small shop on both databases."""

from pathlib import Path

import pytest

from cdp.db import Database
from tests.ingest.ground import furnish


@pytest.fixture
def shop(empty_database: Database, tmp_path: Path) -> Database:
    return furnish(empty_database, tmp_path)
