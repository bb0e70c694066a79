"""A whole deployment with the shipped policies and connectors, behind a test client or a real socket."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlmodel import col, select
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from cdp import deployment as deploying
from cdp.db import Database
from cdp.deployment import Deployment
from cdp.ingest import sources
from cdp.ingest.model import Dropped
from cdp.profile.model import Fact
from cdp.settings import Settings
from cdp.web.app import create_app
from tests.conftest import StandingClock, initialise
from tests.connectors.desk import FOLDER


@dataclass
class Shop:
    """One deployment with sources."""

    deployment: Deployment
    app: Flask
    clock: StandingClock
    told: dict[str, dict[str, str]] = field(default_factory=dict)
    """What adding a source said, by source."""

    @property
    def key(self) -> str:
        """The write key of `site`."""
        return self.told["site"]["write_key"]

    @property
    def database(self) -> Database:
        return self.deployment.database

    def add(self, name: str, type: str, **settings: str) -> dict[str, str]:
        with self.database.transaction() as session:
            base_url = "https://cdp.example.com"
            self.told[name] = dict(sources.add(session, name, type, settings, self.clock.now(), base_url))
        return self.told[name]

    def post(self, path: str, body: Any, key: str = "", **how: Any) -> TestResponse:
        """Post JSON, or bytes as they are, with the write key as Basic user name."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        how.setdefault("content_type", "application/json")
        return self.app.test_client().post(path, data=raw, auth=(key, "") if key else None, **how)

    def told_of(self, path: str, body: Any, key: str = "") -> dict[str, Any]:
        """Post and ask for the report."""
        answer = self.post(path, body, key, headers={"Prefer": "return=representation"})
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    def facts(self) -> list[str]:
        with self.database.snapshot() as session:
            return sorted(session.exec(select(Fact.kind)))

    def drops(self) -> Mapping[tuple[str, str], int]:
        with self.database.snapshot() as session:
            return {
                (one.what, one.reason): one.count for one in session.exec(select(Dropped).order_by(col(Dropped.what)))
            }


@pytest.fixture
def shop(with_tables: None, database_url: str, tmp_path: Path) -> Iterator[Shop]:
    settings = Settings(home=tmp_path / "home", database_url=database_url, connectors=FOLDER)
    yield from opened(settings)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory, file_of_tables: Path) -> Iterator[Shop]:
    """One shop for all tests of a file that ask only how the door answers."""
    home = tmp_path_factory.mktemp("door")
    for shop in opened(Settings(home=home / "home", connectors=FOLDER), file_of_tables):
        shop.add("site", "segment", key="server", residence_default="JP")
        yield shop


@pytest.fixture
def open_shop(tmp_path: Path, file_of_tables: Path) -> Iterator[Callable[[Path], Shop]]:
    """A deployment with a folder of connectors of one's own."""
    running: list[Shop] = []

    def make(folder: Path) -> Shop:
        shop = next(opened(Settings(home=tmp_path / "other", connectors=folder), file_of_tables))
        running.append(shop)
        return shop

    yield make
    for shop in running:
        shop.deployment.close()


def opened(settings: Settings, file_of_tables: Path | None = None) -> Iterator[Shop]:
    initialise(settings, file_of_tables)
    clock = StandingClock(datetime.now(UTC))
    deployment = deploying.assemble(settings, clock)
    yield Shop(deployment, create_app(deployment), clock)
    deployment.close()


@pytest.fixture
def live(shop: Shop) -> Iterator[str]:
    """The shop's doors on a real socket; yields their address."""
    server = make_server("127.0.0.1", 0, shop.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(10)
