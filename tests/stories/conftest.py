"""The live world of the stories, once per kind of database."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import chromium, packages
from tests.browser.chromium import Visitor
from tests.browser.site import Site
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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, and the SDKs for its pages; skips where there is none."""
    if why := chromium.missing() or packages.missing():
        pytest.skip(why)
    with chromium.running() as started:
        yield started


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """The shop's own web site, on another origin than the server."""
    served = Site()
    yield served
    served.close()


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Callable[..., Visitor]]:
    """Begins a visit with a fresh profile; in the end no script has failed and no other host was sought."""
    visitors: list[Visitor] = []

    def begin(headers: dict[str, str] | None = None) -> Visitor:
        visitors.append(Visitor(browser, site.url, headers))
        return visitors[-1]

    yield begin
    for visitor in visitors:
        visitor.close()
    assert [problem for visitor in visitors for problem in (*visitor.strayed, *visitor.wrong)] == []
