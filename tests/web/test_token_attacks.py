"""Attacks on tokens and assertions, one by one: each is refused, opens nothing, and is noted once.

Everything is tried at both doors: an access token at the API, a client's assertion at the token endpoint.
"""

import ast
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey
from sqlmodel import select
from werkzeug.test import TestResponse

from cdp.web.auth import clients
from cdp.web.auth import keys as keys_of_tokens
from cdp.web.auth.model import Client
from cdp.web.auth.tokens import SECONDS, Tokens
from tests.web import conftest
from tests.web.forging import ASSERTION_TYPE, LEFT_OUT, Signer, Token, b64, by_hmac, by_key, by_nobody, jws, segment

EVERYTHING = "admin:*"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[conftest.Site]:
    """One deployment for all attacks: none of them may change anything."""
    yield from conftest.opened(tmp_path_factory.mktemp("attacked"), "")


@pytest.fixture(scope="module")
def token(site: conftest.Site) -> Token:
    return Token(site, "audience:read")


@pytest.fixture(scope="module")
def signer(site: conftest.Site) -> Signer:
    return Signer(site)


Attacked = Token | Signer


@pytest.fixture(params=["token", "assertion"])
def attacked(request: pytest.FixtureRequest, token: Token, signer: Signer) -> Attacked:
    return token if request.param == "token" else signer


@pytest.fixture(autouse=True)
def noted(capsys: pytest.CaptureFixture[str]) -> None:
    """Begin every test with an empty log."""
    capsys.readouterr()


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Any:
    """Check that an attempt is refused as a problem document, gives nothing, and is noted once."""

    def check(answer: TestResponse, *statuses: int) -> None:
        assert answer.status_code in (statuses or (401,)), answer.get_data(as_text=True)
        assert answer.content_type == "application/problem+json"
        assert "access_token" not in answer.get_data(as_text=True)
        if answer.request.path.startswith("/oauth"):
            assert answer.get_json()["error"] in {"invalid_client", "invalid_request"}
        else:
            assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
        events = [json.loads(line) for line in capsys.readouterr().err.splitlines() if '"access_refused"' in line]
        assert [event["status"] for event in events] == [answer.status_code]

    return check


def test_what_nobody_forged_is_good(token: Token, signer: Signer, capsys: pytest.CaptureFixture[str]) -> None:
    """Or every test below would pass for the wrong reason."""
    assert token.opens().status_code == 200
    assert token.opens(token.changed()).status_code == 200
    assert signer.opens(signer.changed()).status_code == 200
    assert signer.opens(signer.changed(), client_id=signer.client_id).status_code == 200
    assert "access_refused" not in capsys.readouterr().err


@pytest.mark.parametrize("spelled", ["none", "None", "NONE", "nOnE", "", None, 0])
def test_cve_2026_28802_no_algorithm_is_no_signature(attacked: Attacked, refused: Any, spelled: Any) -> None:
    refused(attacked.opens(attacked.changed({"alg": spelled}, by_nobody)))
    refused(attacked.opens(attacked.changed({"alg": spelled})))


def test_cve_2026_27962_a_key_in_the_header_verifies_nothing(attacked: Attacked, refused: Any) -> None:
    stranger = ECKey.generate_key("P-256")
    public = stranger.as_dict(private=False)
    for header in (
        {"jwk": public},
        {"jwk": {**public, "kid": "another"}, "kid": "another"},
        {"jku": "https://attacker.example/jwks.json"},
        {"x5u": "https://attacker.example/chain.pem"},
        {"x5c": [b64(b"a certificate")]},
        {"x5t": b64(b"a thumbprint")},
    ):
        refused(attacked.opens(attacked.changed(header, by_key(stranger))))
        refused(attacked.opens(attacked.changed(header)))


@pytest.mark.parametrize(
    "kid",
    ["../../../../dev/null", "/dev/null", "' OR 1=1 --", "\x00", "", None, 7, ["a"], {"a": 1}, "x" * 5000],
    ids=lambda kid: repr(kid)[:20],
)
def test_a_key_id_is_a_name_and_no_path_query_or_command(token: Token, refused: Any, kid: Any) -> None:
    for secret in (b"", b"\x00", b"1"):
        refused(token.opens(token.changed({"alg": "HS256", "kid": kid}, by_hmac(secret))))
    refused(token.opens(token.changed({"kid": kid})))


def test_cve_2026_96760_only_the_compact_serialisation_is_read(attacked: Attacked, refused: Any) -> None:
    good = attacked.changed()
    header, payload, signature = good.split(".")
    stranger = ECKey.generate_key("P-256").as_dict(private=False)
    for document in (
        {"payload": payload},
        {"payload": payload, "signatures": []},
        {"payload": payload, "protected": header, "signature": ""},
        {"payload": payload, "protected": header, "signature": signature},
        {"payload": payload, "header": {"alg": "none"}, "signature": ""},
        {"payload": payload, "header": {"jwk": stranger}, "protected": header, "signature": signature},
        {"payload": payload, "signatures": [{"protected": header, "signature": signature}]},
    ):
        refused(attacked.opens(json.dumps(document)))


@pytest.mark.parametrize("secret", [b"", b"\x00", b"0", b"a"], ids=repr)
def test_cve_2026_114616_an_empty_or_tiny_secret_signs_nothing(attacked: Attacked, refused: Any, secret: bytes) -> None:
    for algorithm, name in (("HS256", "sha256"), ("HS384", "sha384"), ("HS512", "sha512")):
        refused(attacked.opens(attacked.changed({"alg": algorithm}, by_hmac(secret, name))))


def test_a_public_key_is_no_secret(attacked: Attacked, refused: Any) -> None:
    """HS/ES confusion, with the key in every form that an attacker can fetch it in."""
    published = attacked.site.tokens.keys.published()["keys"][0]
    key = attacked.key
    for form in (
        key.as_pem(private=False),
        key.as_pem(private=False).strip(),
        key.as_der(private=False),
        json.dumps(key.as_dict(private=False)).encode(),
        json.dumps(published).encode(),
        json.dumps(published, separators=(",", ":")).encode(),
        str(published["x"]).encode(),
        key.thumbprint().encode(),
    ):
        refused(attacked.opens(attacked.changed({"alg": "HS256"}, by_hmac(form))))


@pytest.mark.parametrize(
    "header", [{"crit": ["exp"], "exp": 1}, {"crit": []}, {"crit": ["b64"], "b64": False}, {"b64": False}]
)
def test_cve_2025_59420_an_extension_that_must_be_understood_is_not(
    attacked: Attacked, refused: Any, header: dict[str, Any]
) -> None:
    refused(attacked.opens(attacked.changed(header)))


def test_a_payload_that_is_not_encoded_is_not_read(attacked: Attacked, refused: Any) -> None:
    header = segment({**attacked.header, "b64": False, "crit": ["b64"]})
    payload = json.dumps(attacked.claims)
    signature = b64(by_key(attacked.key)(f"{header}.{payload}".encode()))
    refused(attacked.opens(f"{header}.{payload}.{signature}"))
    refused(attacked.opens(f"{header}..{signature}"))


def test_cve_2025_61920_a_megabyte_is_not_worked_through(attacked: Attacked, refused: Any) -> None:
    for padding in (10_000, 1_000_000):
        for text in (attacked.changed({"typ": "x" * padding}), attacked.changed(pad="x" * padding)):
            if isinstance(attacked, Signer) and padding > 65_536:
                assert attacked.opens(text).status_code == 413, "a form is capped before anybody reads it"
            else:
                refused(attacked.opens(text))


def test_cve_2025_68158_there_is_no_flow_with_a_state_to_forge(site: conftest.Site) -> None:
    for path in ("/oauth/authorize", "/authorize", "/oauth/callback", "/oauth/register", "/oauth/device"):
        for method in ("GET", "POST"):
            assert site.browser.open(path, method=method).status_code == 404


@pytest.mark.parametrize("nested", ["[" * 3000, '{"a":' * 1000, "[" * 3000 + "]" * 3000], ids=["[", "{", "[]"])
def test_what_is_nested_too_deep_is_refused_and_no_fault(attacked: Attacked, refused: Any, nested: str) -> None:
    refused(attacked.opens(jws(nested, nested, by_nobody)))
    refused(attacked.opens(attacked.written(f'"deep": {nested}')))


def test_a_signature_that_is_missing_cut_zero_or_in_another_form_does_not_hold(
    attacked: Attacked, refused: Any
) -> None:
    """Zeros are CVE-2022-21449."""
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    header, payload, signature = attacked.changed().split(".")
    raw = by_key(attacked.key)(f"{header}.{payload}".encode())
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    for wrong in (
        b"",
        b"\x00",
        bytes(64),
        order.to_bytes(32, "big") * 2,
        raw[:-1],
        raw + b"\x00",
        raw[32:] + raw[:32],
        der,
    ):
        refused(attacked.opens(f"{header}.{payload}.{b64(wrong)}"))
    for text in (f"{header}.{payload}", f"{header}.{payload}.", f".{payload}.{signature}", f"{header}..{signature}"):
        refused(attacked.opens(text))
    for text in ("..", "...", "a.b.c", f"{header}.{payload}.{signature}.", f"{header}.{payload}.{signature}.x.y"):
        refused(attacked.opens(text))


def test_a_signature_covers_every_byte(attacked: Attacked, refused: Any) -> None:
    header, payload, signature = attacked.changed().split(".")
    for place in range(0, len(payload), 7):
        other = "A" if payload[place] != "A" else "B"
        refused(attacked.opens(f"{header}.{payload[:place]}{other}{payload[place + 1 :]}.{signature}"))
    refused(attacked.opens(f"{header}.{payload}=.{signature}"))
    refused(attacked.opens(f"{header}.{payload}\n.{signature}".replace("\n", "%0A")))


def test_nobody_elses_key_signs_for_this_one(attacked: Attacked, refused: Any) -> None:
    refused(attacked.opens(attacked.changed(sign=by_key(ECKey.generate_key("P-256")))))


@pytest.mark.parametrize(
    "end",
    ["Infinity", "-Infinity", "NaN", "1e999", '"9999999999"', '"tomorrow"', "-1", "0", "[9999999999]", "{}", "true",
     "null",      "9" * 400, "9" * 5000, "-" + "9" * 400, '""'],
    ids=lambda end: end[:12],
)  # fmt: skip
def test_an_end_that_is_no_instant_is_no_end(attacked: Attacked, refused: Any, end: str) -> None:
    members = {name: value for name, value in attacked.claims.items() if name != "exp"}
    text = json.dumps(members)[:-1] + f', "exp": {end}}}'
    refused(attacked.opens(jws(attacked.header, text, by_key(attacked.key))))


@pytest.mark.parametrize("name", ["exp", "iss", "aud", "jti", "sub"])
def test_a_claim_that_is_missing_null_or_of_another_kind_is_not_made_up(
    attacked: Attacked, refused: Any, name: str
) -> None:
    for value in (LEFT_OUT, None, "", [], {}, True, 7, 1.5, ["a", "b"], {"a": 1}, [None]):
        refused(attacked.opens(attacked.changed(**{name: value})))


@pytest.mark.parametrize("name", ["client_id", "scope", "cdp_purposes", "iat"])
def test_a_token_without_its_own_claims_says_nothing(token: Token, refused: Any, name: str) -> None:
    for value in (LEFT_OUT, None, True, 7.5, {"a": 1}, [["admin:*"]]):
        if name == "iat" and value == 7.5:
            continue
        refused(token.opens(token.changed(**{name: value})))


@pytest.mark.parametrize(
    "twice",
    ['"sub": "somebody"', '"exp": 99999999999', '"aud": "somebody"', '"jti": "another"', '"jti": "a", "jti": "b"'],
)
def test_a_claim_that_is_said_twice_is_not_said(attacked: Attacked, refused: Any, twice: str) -> None:
    refused(attacked.opens(attacked.written(twice)))


def test_a_header_that_is_said_twice_is_not_said(attacked: Attacked, refused: Any) -> None:
    said = json.dumps(attacked.header)
    for twice in (f'{{"alg": "none", {said[1:]}', f'{said[:-1]}, "alg": "none"}}', f'{said[:-1]}, "typ": "JWT"}}'):
        refused(attacked.opens(jws(twice, attacked.claims, by_key(attacked.key))))


def test_what_has_ended_is_over(attacked: Attacked, refused: Any) -> None:
    now = int(attacked.site.clock.now().timestamp())
    refused(attacked.opens(attacked.changed(exp=now - 31, iat=now - 100)))
    refused(attacked.opens(attacked.changed(exp=1)))


def test_what_is_not_yet_is_not(attacked: Attacked, refused: Any) -> None:
    now = int(attacked.site.clock.now().timestamp())
    for begins in (now + 3600, "later", True, [now], None):
        refused(attacked.opens(attacked.changed(nbf=begins)))


def test_a_life_longer_than_we_give_is_refused(attacked: Attacked, refused: Any) -> None:
    now = int(attacked.site.clock.now().timestamp())
    refused(attacked.opens(attacked.changed(exp=now + 100_000)))
    refused(attacked.opens(attacked.changed(exp=99_999_999_999)))


@pytest.mark.parametrize(
    "kind", ["JWT", "jwt", "id_token", "dpop+jwt", "secevent+jwt", "", None, 7, ["at+jwt"], LEFT_OUT]
)
def test_another_type_of_token_is_no_access_token(token: Token, refused: Any, kind: Any) -> None:
    refused(token.opens(token.changed({"typ": kind})))


def test_a_clients_assertion_is_no_access_token_and_an_access_token_no_assertion(
    token: Token, signer: Signer, refused: Any
) -> None:
    refused(token.opens(signer.changed()))
    refused(signer.opens(token.text))


def test_another_audience_or_one_more_is_another_audience(attacked: Attacked, refused: Any) -> None:
    """One more is the audience injection of CVE-2025-27371: what was meant for two servers serves at neither."""
    base = attacked.site.deployment.settings.base_url
    right = attacked.claims["aud"]
    for audience in (
        "https://attacker.example",
        f"{right}/",
        right.upper(),
        f"{base}/oauth/introspect",
        f"{right}\n",
        [right, "https://attacker.example"],
        ["https://attacker.example", right],
        [right, right],
        [[right]],
        {"aud": right},
    ):
        refused(attacked.opens(attacked.changed(aud=audience)))


def test_another_issuer_is_not_ours(attacked: Attacked, refused: Any) -> None:
    for issuer in ("https://attacker.example", f"{attacked.claims['iss']}/", [attacked.claims["iss"]], {"a": 1}):
        refused(attacked.opens(attacked.changed(iss=issuer)))


def test_a_token_of_another_deployment_is_strange_here(
    site: conftest.Site, token: Token, refused: Any, tmp_path: Path
) -> None:
    with site.deployment.database.snapshot() as session:
        client = session.exec(select(Client).where(Client.client_id == token.client_id)).one()
    elsewhere = Tokens(keys_of_tokens.load(tmp_path), "https://cdp.other.example", site.clock)
    same_address = Tokens(keys_of_tokens.load(tmp_path), site.tokens.issuer, site.clock)
    copied_keys = Tokens(site.tokens.keys, "https://cdp.other.example", site.clock)
    for other in (elsewhere, same_address, copied_keys):
        refused(token.opens(other.issue(client, "audience:read")))


def test_a_subject_that_is_not_its_client_is_refused(
    site: conftest.Site, token: Token, signer: Signer, refused: Any
) -> None:
    other, _ = site.client(EVERYTHING)
    refused(token.opens(token.changed(sub=other)))
    refused(token.opens(token.changed(client_id=other)))
    refused(token.opens(token.changed(client_id="nobody", sub="nobody")))
    refused(signer.opens(signer.changed(sub=other)))
    refused(signer.opens(signer.changed(iss=other)))


def test_an_assertion_of_one_client_serves_no_other(site: conftest.Site, signer: Signer, refused: Any) -> None:
    other = Signer(site)
    refused(signer.opens(other.changed(iss=signer.client_id, sub=signer.client_id)))
    refused(signer.opens(signer.changed(sign=by_key(other.key))))
    refused(signer.opens(signer.changed(), client_id=other.client_id))
    by_secret, _ = site.client()
    refused(signer.opens(signer.changed(iss=by_secret, sub=by_secret)))


def test_an_assertion_gives_one_token_whatever_its_other_claims(signer: Signer, refused: Any) -> None:
    assert signer.opens(signer.changed(jti="only-once")).status_code == 200
    refused(signer.opens(signer.changed(jti="only-once")))
    refused(signer.opens(signer.changed(jti="only-once", more="claims")))


@pytest.mark.parametrize("jti", ["", "x" * 129, "\x00", "\ud800"], ids=["empty", "long", "NUL", "half a pair"])
def test_an_assertions_id_must_be_one_that_can_be_kept(signer: Signer, refused: Any, jti: str) -> None:
    refused(signer.opens(signer.changed(jti=jti)))


def test_two_clients_may_choose_the_same_id(site: conftest.Site, signer: Signer) -> None:
    other = Signer(site)
    assert signer.opens(signer.changed(jti="popular")).status_code == 200
    assert other.opens(other.changed(jti="popular")).status_code == 200


def test_a_client_shows_itself_in_one_way_only(site: conftest.Site, signer: Signer, refused: Any) -> None:
    client_id, secret = site.client()
    asked = {"grant_type": "client_credentials"}
    assertion = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signer.changed()}
    body = {"client_id": client_id, "client_secret": secret}
    for form, auth in (
        ({**asked, **assertion}, (client_id, secret)),
        ({**asked, **body}, (client_id, secret)),
        ({**asked, **assertion, **body}, None),
    ):
        refused(site.browser.post("/oauth/token", data=form, auth=auth), 400)


@pytest.mark.parametrize("kind", ["", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer", "jwt-bearer"])
def test_an_assertion_of_another_type_is_none(signer: Signer, refused: Any, kind: str) -> None:
    refused(signer.opens(signer.changed(), client_assertion_type=kind))


@pytest.mark.parametrize(
    "grant",
    ["password", "implicit", "authorization_code", "refresh_token", "", "client_credentials ", "CLIENT_CREDENTIALS",
     "urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:token-exchange",
     "urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:ietf:params:oauth:grant-type:saml2-bearer"],
)  # fmt: skip
def test_a_grant_that_is_not_offered_gives_nothing(site: conftest.Site, grant: str) -> None:
    more = {"username": "a", "password": "b", "refresh_token": "c", "subject_token": "d", "assertion": "e", "code": "f"}
    answer = site.token(*site.client(), **{**more, "grant_type": grant})
    assert (answer.status_code, answer.get_json()["error"]) == (400, "unsupported_grant_type")
    assert "access_token" not in answer.get_json()


@pytest.mark.parametrize(
    "scope",
    [
        EVERYTHING,
        "audience:read admin:*",
        "*",
        "admin",
        "audience:*",
        "audience:read,admin:*",
        "AUDIENCE:READ",
        "audience:read\x00",
        "openid",
    ],
)
def test_a_scope_beyond_what_was_registered_gives_nothing(site: conftest.Site, scope: str) -> None:
    answer = site.token(*site.client("audience:read"), scope=scope)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_scope")
    assert "access_token" not in answer.get_json()


def test_a_secret_is_taken_only_where_the_client_was_registered_to_send_it(site: conftest.Site, refused: Any) -> None:
    asked = {"grant_type": "client_credentials"}
    in_header, in_body = site.client(), site.client(secret_in_body=True)
    body = {"client_id": in_header[0], "client_secret": in_header[1]}
    refused(site.browser.post("/oauth/token", data={**asked, **body}))
    refused(site.browser.post("/oauth/token", data=asked, auth=in_body))
    for path in ("/oauth/token", "/oauth/introspect", "/oauth/revoke"):
        for query in (body, {"client_id": in_body[0], "client_secret": in_body[1]}):
            refused(site.browser.post(path, query_string=query, data={**asked, "token": "x"}), 400, 401)


def test_a_token_is_taken_from_the_header_only(site: conftest.Site, token: Token) -> None:
    for answer in (
        site.browser.get("/api/audiences", query_string={"access_token": token.text}),
        site.browser.get("/api/audiences", headers={"Cookie": f"access_token={token.text}"}),
        site.browser.get("/api/audiences", headers={"X-Forwarded-Access-Token": token.text}),
        site.browser.get("/api/audiences", headers={"Authorization": f"Basic {token.text}"}),
        site.browser.get("/api/audiences", headers={"Authorization": f"Token {token.text}"}),
        site.browser.post("/api/profiles/lookup", data={"access_token": token.text}),
    ):
        assert answer.status_code in (401, 415)
        assert 'realm="sekisho"' in answer.headers.get("WWW-Authenticate", 'realm="sekisho"')


@pytest.mark.parametrize(
    "name",
    [
        "a\r\nX-Admin: 1",
        "a\nb",
        "a\x00b",
        "\ud83d\ude00" * 9,
        "' OR '1'='1",
        "x" * 5000,
        "a:b",
        "%00",
        "../../etc/passwd",
    ],
)
def test_a_client_id_is_looked_up_and_nothing_else(site: conftest.Site, refused: Any, name: str) -> None:
    _, secret = site.client()
    name = name.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    answer = site.token(name, secret)
    assert "X-Admin" not in answer.headers
    assert name not in answer.get_data(as_text=True)
    refused(answer)
    form = {"grant_type": "client_credentials", "client_id": name, "client_secret": secret}
    refused(site.browser.post("/oauth/token", data=form))


def test_a_parameter_sent_twice_is_refused(site: conftest.Site, refused: Any) -> None:
    auth = site.client()
    for name in ("grant_type", "scope", "client_id", "token", "client_assertion_type"):
        form = f"grant_type=client_credentials&scope=audience:read&{name}=a&{name}=b"
        answer = site.browser.post(
            "/oauth/token", data=form, content_type="application/x-www-form-urlencoded", auth=auth
        )
        refused(answer, 400)


def test_who_is_unknown_and_who_is_wrong_are_answered_alike(site: conftest.Site) -> None:
    client_id, _ = site.client()
    wrong, unknown = site.token(client_id, "wrong"), site.token("nobody", "wrong")
    assert (wrong.status_code, wrong.get_json()) == (unknown.status_code, unknown.get_json())
    kept = {name: value for name, value in wrong.headers.items() if name != "Date"}
    assert kept == {name: value for name, value in unknown.headers.items() if name != "Date"}


def test_no_secret_is_compared_byte_by_byte() -> None:
    """`==` stops at the first byte that differs, and its time says where."""
    assert "compare_digest" in inspect.getsource(clients.secret_matches)
    for path in Path(clients.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
                said = ast.unparse(node).lower()
                assert not any(word in said for word in ("secret", "digest", "signature", "password")), (
                    f"{path}: {said}"
                )


def test_a_token_taken_back_is_refused_at_the_next_call(token: Token, refused: Any) -> None:
    mine = Token(token.site, "audience:read")
    assert mine.opens().status_code == 200
    data = {"token": mine.text}
    assert mine.site.browser.post("/oauth/revoke", data=data, auth=(mine.client_id, mine.secret)).status_code == 200
    refused(mine.opens())
    refused(mine.opens(mine.changed(scope="audience:read journey:read")))


def test_a_client_taken_away_is_refused_at_the_next_call(site: conftest.Site, refused: Any) -> None:
    mine, key = Token(site, "audience:read"), Signer(site)
    for client_id in (mine.client_id, key.client_id):
        with site.deployment.database.transaction() as session:
            assert clients.revoke(session, client_id, site.clock.now())
    refused(mine.opens())
    refused(site.token(mine.client_id, mine.secret))
    refused(key.opens(key.changed()))


def test_a_scope_or_purpose_taken_away_is_gone_at_the_next_call(site: conftest.Site) -> None:
    """ASVS 8.3.2: not when the token ends."""
    mine = Token(site, "audience:read", "journey:read", purposes=("email_marketing", "analytics"))
    asked = {"Authorization": f"Bearer {mine.text}"}
    count = "/api/audiences/everyone/count?channel=email&purpose=email_marketing"
    assert site.browser.get(count, headers=asked).status_code == 200
    change(site, mine.client_id, purposes="analytics")
    answer = site.browser.get(count, headers=asked)
    assert (answer.status_code, answer.get_json()["type"]) == (403, "urn:sekisho:problem:purpose_not_registered")
    change(site, mine.client_id, scopes="journey:read")
    answer = site.browser.get(count, headers=asked)
    assert (answer.status_code, answer.get_json()["scope"]) == (403, "audience:read")
    assert site.browser.get("/api/journeys", headers=asked).status_code == 200


def test_a_scope_given_later_is_not_in_a_token_given_before(site: conftest.Site) -> None:
    mine = Token(site, "audience:read")
    change(site, mine.client_id, scopes="audience:read admin:*")
    assert site.browser.get("/api/journeys", headers={"Authorization": f"Bearer {mine.text}"}).status_code == 403


def change(site: conftest.Site, client_id: str, **columns: str) -> None:
    with site.deployment.database.transaction() as session:
        client = session.get_one(Client, client_id)
        for name, value in columns.items():
            setattr(client, name, value)
        session.add(client)


def test_a_token_lives_no_longer_than_it_says(site: conftest.Site) -> None:
    assert SECONDS <= 300
    assert site.token(*site.client()).get_json()["expires_in"] == SECONDS
