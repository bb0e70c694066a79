"""Tokens: given to unmodified OAuth clients, and believed only when everything about them fits."""

import base64
import json
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey
from joserfc.jws import JWSRegistry
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


def assertion(site: Site, client_id: str, key: Any, header: dict[str, Any] | None = None, **changed: Any) -> str:
    now = int(site.clock.now().timestamp())
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": f"{site.deployment.settings.base_url}/oauth/token",
        "jti": "once",
        "iat": now,
        "exp": now + 60,
        **changed,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    head = {"alg": "ES256", **(header or {})}
    return jwt.encode(head, claims, key, algorithms=[head["alg"]])


def by_assertion(site: Site, text: str) -> int:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": text,
    }
    answer = site.browser.post("/oauth/token", data=form)
    assert answer.status_code == 200 or answer.get_json()["error"] == "invalid_client"
    return answer.status_code


def test_an_assertion_gives_one_token(site: Site) -> None:
    own = ECKey.generate_key("P-256")
    client_id, _ = site.client(public_key=own.as_pem(private=False).decode())
    text = assertion(site, client_id, own)
    assert by_assertion(site, text) == 200
    assert by_assertion(site, text) == 401


@pytest.mark.parametrize(
    ("header", "changed"),
    [
        ({}, {"aud": "https://another.example"}),
        ({}, {"iss": "somebody else"}),
        ({}, {"sub": "nobody"}),
        ({}, {"jti": None}),
        ({}, {"jti": ""}),
        ({}, {"jti": 7}),
        ({}, {"exp": None}),
        ({}, {"exp": 1}),
        ({}, {"exp": 9_999_999_999}),
        ({"crit": ["b64"], "b64": True}, {}),
        ({"jku": "https://another.example/jwks"}, {}),
    ],
    ids=lambda what: json.dumps(what),
)
def test_a_doubtful_assertion_gives_none(site: Site, header: dict[str, Any], changed: dict[str, Any]) -> None:
    own = ECKey.generate_key("P-256")
    client_id, _ = site.client(public_key=own.as_pem(private=False).decode())
    assert by_assertion(site, assertion(site, client_id, own, header, **changed)) == 401


def test_an_assertion_of_another_key_gives_none(site: Site) -> None:
    own, other = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
    client_id, _ = site.client(public_key=own.as_pem(private=False).decode())
    assert by_assertion(site, assertion(site, client_id, other)) == 401
    confused = OctKey.import_key(own.as_pem(private=False).replace(b"-----", b"=====").ljust(64))
    assert by_assertion(site, assertion(site, client_id, confused, {"alg": "HS256"})) == 401


def test_a_secret_in_the_body_counts_only_for_a_client_registered_so(site: Site) -> None:
    for in_body, status in ((True, 200), (False, 401)):
        client_id, secret = site.client(secret_in_body=in_body)
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        assert site.browser.post("/oauth/token", data=form).status_code == status


def test_a_secret_in_the_address_counts_for_nobody(site: Site) -> None:
    client_id, secret = site.client(secret_in_body=True)
    address = f"/oauth/token?grant_type=client_credentials&client_id={client_id}&client_secret={secret}"
    assert site.browser.post(address, data={"grant_type": "client_credentials"}).status_code == 401


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


def test_a_scope_that_the_client_does_not_have_is_refused(site: Site) -> None:
    credentials = site.client("audience:read")
    assert site.token(*credentials, scope="admin:*").get_json()["error"] == "invalid_scope"
    assert site.token(*credentials, scope="audience:read").get_json()["scope"] == "audience:read"


def test_the_only_grant_is_client_credentials(site: Site) -> None:
    credentials = site.client()
    for grant in ("password", "authorization_code", "refresh_token", ""):
        assert site.token(*credentials, grant_type=grant).get_json()["error"] == "unsupported_grant_type"


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


def forged(site: Site, key: Any = None, header: dict[str, Any] | None = None, **changed: Any) -> str:
    """A token of ours, signed by us, but for what is changed; None leaves a claim or header out."""
    client_id, secret = site.client()
    good = site.tokens.read(site.token(client_id, secret).get_json()["access_token"]).claims
    own = site.tokens.keys.current
    head = {"alg": "ES256", "typ": "at+jwt", "kid": own.kid, **(header or {})}
    claims = {name: value for name, value in {**good, **changed}.items() if value is not None}
    head = {name: value for name, value in head.items() if value is not None}
    return jwt.encode(head, claims, key or own, algorithms=[head["alg"]], default_type=None)


def signed(site: Site, more: dict[str, Any]) -> str:
    """A token of ours with headers that no library would write, signed by us all the same."""
    header, payload, _ = forged(site).split(".")
    head = {**json.loads(base64.urlsafe_b64decode(header + "==")), **more}
    text = f"{base64.urlsafe_b64encode(json.dumps(head).encode()).decode().rstrip('=')}.{payload}"
    signature = JWSRegistry.algorithms["ES256"].sign(text.encode(), site.tokens.keys.current)
    return f"{text}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def unsigned(site: Site) -> str:
    parts = forged(site).split(".")
    header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt","kid":"%s"}' % parts_kid(site)).rstrip(b"=")
    return f"{header.decode()}.{parts[1]}."


def parts_kid(site: Site) -> bytes:
    return str(site.tokens.keys.current.kid).encode()


def confused(site: Site) -> str:
    public = json.dumps(site.tokens.keys.published()["keys"][0]).encode()
    return forged(site, OctKey.import_key(public), {"alg": "HS256"})


def with_own_key(site: Site) -> str:
    stranger = ECKey.generate_key("P-256")
    return forged(site, stranger, {"jwk": stranger.as_dict(private=False)})


FORGED: dict[str, Callable[[Site], str]] = {
    "alg none": unsigned,
    "HS256 with the public key": confused,
    "a key in the header": with_own_key,
    "a stranger's signature": lambda site: forged(site, ECKey.generate_key("P-256")),
    "an unknown kid": lambda site: forged(site, header={"kid": "another"}),
    "no kid": lambda site: forged(site, header={"kid": None}),
    "a jku": lambda site: forged(site, header={"jku": "https://another.example"}),
    "an unknown crit": lambda site: signed(site, {"crit": ["exp"], "exp": 1}),
    "a known header that we never write": lambda site: signed(site, {"cty": "JWT"}),
    "an ID token's type": lambda site: forged(site, header={"typ": "JWT"}),
    "no type": lambda site: forged(site, header={"typ": None}),
    "another issuer": lambda site: forged(site, iss="https://another.example"),
    "another audience": lambda site: forged(site, aud="https://another.example"),
    "no audience": lambda site: forged(site, aud=None),
    "no end": lambda site: forged(site, exp=None),
    "an end in the past": lambda site: forged(site, exp=1),
    "an end of text": lambda site: forged(site, exp="tomorrow"),
    "no jti": lambda site: forged(site, jti=None),
    "a client who does not exist": lambda site: forged(site, client_id="nobody"),
    "scopes that are no text": lambda site: forged(site, scope=["admin:*"]),
    "purposes that are a text": lambda site: forged(site, cdp_purposes=7),
    "nothing but dots": lambda site: "..",
    "not ASCII": lambda site: "é.é.é",
    "a very long text": lambda site: "a" * 20_000,
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_token_opens_nothing(site: Site, kind: str) -> None:
    text = FORGED[kind](site)
    answer = site.browser.get("/api/audiences", headers={"Authorization": f"Bearer {text}".encode().decode("latin-1")})
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_the_unchanged_token_of_the_forger_is_good(site: Site) -> None:
    header = {"Authorization": f"Bearer {forged(site)}"}
    assert site.browser.get("/api/audiences", headers=header).status_code == 200


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


def test_a_revoked_client_is_refused_with_the_tokens_that_it_has(site: Site) -> None:
    from cdp.web.auth import clients

    client_id, secret = site.client()
    header = {"Authorization": f"Bearer {site.token(client_id, secret).get_json()['access_token']}"}
    with site.deployment.database.transaction() as session:
        assert clients.revoke(session, client_id, site.clock.now())
    assert site.browser.get("/api/audiences", headers=header).status_code == 401
    assert site.token(client_id, secret).status_code == 401


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
