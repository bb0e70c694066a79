"""A whole deployment with the shipped policies behind a test client, and clients that may call it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cdp import deployment as deploying
from cdp.deployment import Deployment
from cdp.settings import Settings
from cdp.web.app import create_app
from cdp.web.auth import clients
from cdp.web.auth.caller import DEFAULT_SCOPES
from cdp.web.auth.tokens import Tokens
from tests.conftest import StandingClock, initialise

ALL_SCOPES = (*DEFAULT_SCOPES, "consent:write", "decision:read")
PURPOSES = ("email_marketing", "service_delivery", "analytics")
NOTICE = {"notice": "newsletter", "notice_version": "2", "language": "ja"}


@dataclass
class Site:
    """The web of one deployment."""

    deployment: Deployment
    app: Flask
    clock: StandingClock
    made: int = 0

    @property
    def browser(self) -> FlaskClient:
        return self.app.test_client()

    def client(
        self, *scopes: str, purposes: tuple[str, ...] = PURPOSES, recipient: str = "ma_tool", **how: Any
    ) -> tuple[str, str]:
        """Register a client; returns its id and secret."""
        self.made += 1
        with self.deployment.database.transaction() as session:
            client_id, secret = clients.create(
                session,
                f"client {self.made}",
                recipient,
                purposes,
                scopes or ALL_SCOPES,
                at=self.clock.now(),
                **how,
            )
        return client_id, secret or ""

    def token(self, client_id: str, secret: str, **more: str) -> TestResponse:
        """Ask for an access token."""
        form = {"grant_type": "client_credentials", **more}
        return self.browser.post("/oauth/token", data=form, auth=(client_id, secret))

    def bearer(self, *scopes: str, **how: Any) -> dict[str, str]:
        """Register a client and return the header that calls as it."""
        answer = self.token(*self.client(*scopes, **how))
        return {"Authorization": f"Bearer {answer.get_json()['access_token']}"}

    @property
    def tokens(self) -> Tokens:
        return self.app.extensions["sekisho_tokens"]


@pytest.fixture
def site(tmp_path: Path, file_of_tables: Path) -> Iterator[Site]:
    """A fresh deployment on the embedded database."""
    yield from opened(tmp_path, "", file_of_tables)


@pytest.fixture
def site_on_each_database(tmp_path: Path, with_tables: None, database_url: str) -> Iterator[Site]:
    """A fresh deployment on each kind of database."""
    yield from opened(tmp_path, database_url)


def opened(folder: Path, database_url: str, file_of_tables: Path | None = None) -> Iterator[Site]:
    """Assemble a deployment whose time stands at the machine's, since real clients sign with that."""
    connectors = folder / "connectors"
    connectors.mkdir()
    settings = Settings(home=folder / "home", connectors=connectors, database_url=database_url)
    initialise(settings, file_of_tables)
    clock = StandingClock(datetime.now(UTC))
    deployment = deploying.assemble(settings, clock)
    yield Site(deployment, create_app(deployment), clock)
    deployment.close()


def consent_for(email: str, **more: Any) -> dict[str, Any]:
    """The body that records a newsletter form."""
    return {
        "identifier": {"type": "email", "value": email},
        "purpose": "email_marketing",
        "status": "given",
        **NOTICE,
        "method": "checkbox",
        "evidence": {"form": "newsletter"},
        **more,
    }
