"""The live world of the stories, once per kind of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import postgres_database
from tests.stories.town import Town
from tests.stories.world import World


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    """A running deployment with four sources and four clients, and nobody in it."""
    live = World(tmp_path / "home", database_url)
    yield live
    live.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world for all the tests of a file, which only look at it."""
    folder = tmp_path_factory.mktemp("shared")
    if request.param == "sqlite":
        urls: Iterator[str] = iter([f"sqlite:///{folder / 'cdp.db'}"])
    else:
        urls = postgres_database(request.getfixturevalue("postgres"))
    for url in urls:
        live = World(folder / "home", url)
        yield live
        live.close()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One server at the end of a rough road for all the stories of SDKs, each of which has a source there."""
    folder = tmp_path_factory.mktemp("town")
    if request.param == "sqlite":
        urls: Iterator[str] = iter([f"sqlite:///{folder / 'cdp.db'}"])
    else:
        urls = postgres_database(request.getfixturevalue("postgres"))
    for url in urls:
        live = Town(folder / "home", url)
        yield live
        live.close()
