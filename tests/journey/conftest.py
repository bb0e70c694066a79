"""A database with the small policy of `tests.audience.world`, whose transactions settle journeys."""

import pytest

from cdp import journey
from cdp.db import Database
from tests.audience.world import make_policy


@pytest.fixture
def shop(empty_database: Database) -> Database:
    empty_database.context["policy"] = make_policy()
    empty_database.settlers.append(("journey", journey.settle))
    return empty_database
