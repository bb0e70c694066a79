"""Tokens: given to unmodified OAuth clients, and believed only when everything about them fits."""

import base64
import json
import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import ECKey, OKPKey
from werkzeug.serving import make_server

from cdp.web.auth.tokens import SECONDS, TokenRefused
from tests.web.conftest import Site


@pytest.fixture
def url(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The site on a real socket, for clients that bring their own HTTP."""
    monkeypatch.setitem(os.environ, "AUTHLIB_INSECURE_TRANSPORT", "1")
    server = make_server("127.0.0.1", 0, site.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(10)


def test_an_unmodified_client_gets_a_token_by_secret_and_uses_it(site: Site, url: str) -> None:
    client_id, secret = site.client()
    with OAuth2Session(client_id, secret, token_endpoint_auth_method="client_secret_basic") as session:
        token = session.fetch_token(f"{url}/oauth/token", grant_type="client_credentials")
        assert token["token_type"] == "Bearer"
        assert token["expires_in"] <= 300
        assert session.get(f"{url}/api/audiences").status_code == 200


@pytest.mark.parametrize(("key", "algorithm"), [(ECKey, "ES256"), (OKPKey, "EdDSA")], ids=["P-256", "Ed25519"])
def test_an_unmodified_client_gets_a_token_by_its_key(site: Site, url: str, key: Any, algorithm: str) -> None:
    own = key.generate_key({"ES256": "P-256", "EdDSA": "Ed25519"}[algorithm])
    client_id, secret = site.client(public_key=json.dumps(own.as_dict(private=False)))
    assert secret == ""
    endpoint = f"{site.deployment.settings.base_url}/oauth/token"
    with OAuth2Session(client_id, own, token_endpoint_auth_method="private_key_jwt") as session:
        session.register_client_auth_method(PrivateKeyJWT(endpoint, alg=algorithm))
        session.fetch_token(f"{url}/oauth/token", grant_type="client_credentials")
        assert session.get(f"{url}/api/audiences").status_code == 200


def test_a_client_registered_so_sends_its_secret_in_the_body(site: Site) -> None:
    client_id, secret = site.client(secret_in_body=True)
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    assert site.browser.post("/oauth/token", data=form).status_code == 200


@pytest.mark.parametrize("wrong", ["", "wrong", "\N{SNOWMAN}", "x" * 5000])
def test_a_wrong_secret_gives_nothing(site: Site, wrong: str) -> None:
    client_id, _ = site.client()
    answer = site.token(client_id, wrong)
    assert answer.status_code in (400, 401)
    assert "access_token" not in answer.get_data(as_text=True)


def test_a_basic_header_that_is_no_text_is_a_problem_and_not_a_fault(site: Site) -> None:
    header = {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode()}
    answer = site.browser.post("/oauth/token", data={"grant_type": "client_credentials"}, headers=header)
    assert answer.status_code == 400
    assert answer.get_json()["error"] == "invalid_request"


def test_a_client_may_ask_for_fewer_scopes_than_it_has(site: Site) -> None:
    credentials = site.client("audience:read", "journey:read")
    assert site.token(*credentials, scope="audience:read").get_json()["scope"] == "audience:read"


def test_a_token_says_what_rfc_9068_asks_for(site: Site) -> None:
    client_id, secret = site.client("audience:read", purposes=("email_marketing",))
    text = site.token(client_id, secret).get_json()["access_token"]
    header = json.loads(base64.urlsafe_b64decode(text.split(".")[0] + "=="))
    claims = site.tokens.read(text).claims
    assert (header["typ"], header["alg"]) == ("at+jwt", "ES256")
    assert claims["iss"] == site.deployment.settings.base_url
    assert claims["aud"] == f"{claims['iss']}/api"
    assert claims["client_id"] == claims["sub"] == client_id
    assert claims["scope"] == "audience:read"
    assert claims["cdp_purposes"] == ["email_marketing"]
    assert claims["exp"] - claims["iat"] <= SECONDS <= 300
    assert claims["jti"]


def test_a_token_ends_after_five_minutes(site: Site) -> None:
    header = site.bearer()
    site.clock.pass_(seconds=SECONDS - 1)
    assert site.browser.get("/api/audiences", headers=header).status_code == 200
    site.clock.pass_(seconds=2)
    assert site.browser.get("/api/audiences", headers=header).status_code == 401


def test_a_revoked_token_is_refused_at_once_and_only_its_owner_revokes_it(site: Site) -> None:
    mine, other = site.client(), site.client()
    text = site.token(*mine).get_json()["access_token"]
    header = {"Authorization": f"Bearer {text}"}
    site.browser.post("/oauth/revoke", data={"token": text}, auth=other)
    assert site.browser.get("/api/audiences", headers=header).status_code == 200
    assert site.browser.post("/oauth/revoke", data={"token": text}, auth=mine).status_code == 200
    assert site.browser.get("/api/audiences", headers=header).status_code == 401
    assert site.browser.post("/oauth/introspect", data={"token": text}, auth=mine).get_json() == {"active": False}


def test_introspection_tells_a_client_of_its_own_tokens_only(site: Site) -> None:
    mine, other, admin = site.client(), site.client(), site.client("admin:*")
    text = site.token(*mine).get_json()["access_token"]

    def is_active(credentials: tuple[str, str]) -> bool:
        return site.browser.post("/oauth/introspect", data={"token": text}, auth=credentials).get_json()["active"]

    assert [is_active(mine), is_active(other), is_active(admin)] == [True, False, True]


def test_a_rotated_key_still_verifies_what_it_signed(site: Site) -> None:
    from cdp.web.auth import keys
    from cdp.web.auth.tokens import Tokens

    home, base_url = site.deployment.settings.home, site.deployment.settings.base_url
    old = site.token(*site.client()).get_json()["access_token"]
    rotated = Tokens(keys.rotate(home), base_url, site.clock)
    assert rotated.read(old)
    assert rotated.keys.current.kid != site.tokens.keys.current.kid
    twice = Tokens(keys.rotate(home), base_url, site.clock)
    with pytest.raises(TokenRefused):
        twice.read(old)


def test_the_signing_keys_are_the_owners_alone_and_never_published(site: Site) -> None:
    path = site.deployment.settings.home / "oauth" / "keys.json"
    assert path.stat().st_mode & 0o077 == 0
    published = site.browser.get("/.well-known/jwks.json").get_json()["keys"]
    assert len(published) == 2
    assert not [key for key in published if "d" in key]


def test_the_metadata_names_what_there_is(site: Site) -> None:
    said = site.browser.get("/.well-known/oauth-authorization-server").get_json()
    assert said["issuer"] == site.deployment.settings.base_url
    for name in ("token_endpoint", "introspection_endpoint", "revocation_endpoint", "jwks_uri"):
        path = said[name].removeprefix(said["issuer"])
        assert any(rule.rule == path for rule in site.app.url_map.iter_rules())
    assert said["grant_types_supported"] == ["client_credentials"]


def test_no_secret_is_kept(site: Site) -> None:
    _, secret = site.client()
    with site.deployment.database.snapshot() as session:
        held = session.connection().exec_driver_sql("SELECT * FROM client").fetchall()
    assert secret not in str(held)
    assert secret.encode() not in b"".join(value for row in held for value in row if isinstance(value, bytes))
