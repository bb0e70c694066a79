"""A database with the small policy of `world`, on both databases."""

import pytest

from cdp.db import Database
from tests.audience.world import make_policy


@pytest.fixture
def shop(empty_database: Database) -> Database:
    empty_database.context["policy"] = make_policy()
    return empty_database
