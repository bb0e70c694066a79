"""Processes whose clocks differ: what one of them takes for ended still holds for the others, and stays refused."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from joserfc.jwk import ECKey

from cdp import deployment as deploying
from cdp.deployment import Deployment
from cdp.ops import worker
from cdp.web.app import create_app
from tests.conftest import StandingClock
from tests.web.conftest import Site
from tests.web.forging import ASSERTION_TYPE, by_key, jws

AHEAD = timedelta(hours=2)


@pytest.fixture
def ahead(site_on_each_database: Site) -> Iterator[Deployment]:
    """The same deployment in another process, whose clock is two hours ahead."""
    site = site_on_each_database
    other = deploying.assemble(site.deployment.settings, StandingClock(site.clock.now() + AHEAD))
    yield other
    other.close()


def forget(ahead: Deployment, how: str) -> None:
    """Let the process ahead clear up: its worker, or its web when it takes an assertion or a token back."""
    if how == "worker":
        worker.run_once(ahead)
        return
    elsewhere = Site(ahead, create_app(ahead), StandingClock(ahead.clock.now()), made=100)
    signer = Signer(elsewhere)
    token = signer.exchange(elsewhere.browser, "its own").get_json()["access_token"]
    assert revoke(elsewhere.browser, signer.authenticated("its own again"), token) == 200


class Signer:
    """A client that signs its assertions."""

    def __init__(self, site: Site) -> None:
        self.site, self.key = site, ECKey.generate_key("P-256")
        self.client_id, _ = site.client(public_key=json.dumps(self.key.as_dict(private=False)))

    def authenticated(self, jti: str) -> dict[str, str]:
        end = int((self.site.clock.now() + timedelta(minutes=5)).timestamp())
        issuer = self.site.tokens.issuer
        claims = {"iss": self.client_id, "sub": self.client_id, "aud": issuer, "exp": end, "jti": jti}
        signed = jws({"alg": "ES256"}, claims, by_key(self.key))
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}

    def exchange(self, browser: FlaskClient, jti: str) -> Any:
        form = {"grant_type": "client_credentials", **self.authenticated(jti)}
        return browser.post("/oauth/token", data=form)


def revoke(browser: FlaskClient, authenticated: dict[str, str], token: str) -> int:
    return browser.post("/oauth/revoke", data={"token": token, **authenticated}).status_code


@pytest.mark.parametrize("how", ["worker", "web"])
def test_a_revoked_token_stays_revoked_when_a_process_ahead_clears_up(
    site_on_each_database: Site, ahead: Deployment, how: str
) -> None:
    site = site_on_each_database
    signer = Signer(site)
    token = signer.exchange(site.browser, "first").get_json()["access_token"]
    header = {"Authorization": f"Bearer {token}"}
    assert site.browser.get("/api/audiences", headers=header).status_code == 200
    assert revoke(site.browser, signer.authenticated("second"), token) == 200
    forget(ahead, how)
    assert site.browser.get("/api/audiences", headers=header).status_code == 401


@pytest.mark.parametrize("how", ["worker", "web"])
def test_a_used_assertion_stays_used_when_a_process_ahead_clears_up(
    site_on_each_database: Site, ahead: Deployment, how: str
) -> None:
    site = site_on_each_database
    signer = Signer(site)
    assert signer.exchange(site.browser, "once").status_code == 200
    forget(ahead, how)
    assert signer.exchange(site.browser, "once").status_code == 401
