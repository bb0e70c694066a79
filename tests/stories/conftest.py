"""The live world of the stories, once per kind of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.world import World


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    """A running deployment with four sources and four clients, and nobody in it."""
    live = World(tmp_path / "home", database_url)
    yield live
    live.close()
