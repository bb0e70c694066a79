"""Who may call what, tried out: every role × every route × every method, against one table.

A route without an entry in `access.TABLE` fails here, and an app with one that nobody thought about does not start.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from cdp import deployment as deploying
from cdp.ingest import sources
from cdp.settings import Settings
from cdp.web.app import create_app
from cdp.web.auth import clients
from cdp.web.auth.access import OPEN_ROUTES, is_named
from cdp.web.auth.caller import DEFAULT_SCOPES, EVERYTHING, SCOPES
from cdp.web.auth.tokens import SECONDS
from tests.architecture.access import ANY_TOKEN, CLIENT, IN_QUERY, OPEN, TABLE, VENDOR, WRITE_KEY, Cell
from tests.conftest import StandingClock
from tests.web.conftest import Site

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "QUERY")

REFUSED = frozenset({401, 403})

Roles = dict[str, dict[str, str]]
"""Name → the headers that its calls carry."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A deployment with sources of each kind, and nobody in it."""
    folder, clock = tmp_path_factory.mktemp("routes"), StandingClock()
    settings = Settings(home=folder / "home", policies=ROOT / "policies", connectors=ROOT / "connectors")
    deploying.initialise(settings)
    deployment = deploying.assemble(settings, clock)
    yield Site(deployment, create_app(deployment), clock)
    deployment.close()


ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def app(site: Site) -> Flask:
    return site.app


@pytest.fixture(scope="module")
def keys(site: Site) -> dict[str, str]:
    """A browser's key and a server's."""
    made = {}
    with site.deployment.database.transaction() as session:
        for name, kind in (("shop", "public"), ("backend", "server")):
            made[kind] = dict(sources.add(session, name, "segment", {"key": kind}, site.clock.now()))["write_key"]
        line = {"provider_id": "provider", "channel_secret": "s" * 32}
        sources.add(session, "line", "line", line, site.clock.now())
    return made


@pytest.fixture(scope="module")
def roles(site: Site, keys: dict[str, str]) -> Roles:
    """Everybody who may knock: nobody, keys of sources, tokens that ended, and a token of each scope."""
    expired = site.bearer(*SCOPES)
    site.clock.pass_(seconds=SECONDS + 1)
    revoked, client, basic = site.bearer(*SCOPES), *site.client(*SCOPES)
    taken = {"Authorization": f"Bearer {site.token(client, basic).get_json()['access_token']}"}
    with site.deployment.database.transaction() as session:
        clients.revoke(session, client, site.clock.now())
    text = revoked["Authorization"].removeprefix("Bearer ")
    site.app.extensions["sekisho_oauth"].take_back(site.tokens.read(text))
    return {
        "nobody": {},
        "noise": {"Authorization": "Bearer noise"},
        "expired token": expired,
        "revoked token": revoked,
        "revoked client": taken,
        "public key": basic_header(keys["public"]),
        "server key": basic_header(keys["server"]),
        "tool": site.bearer(*DEFAULT_SCOPES),
        "tool of another purpose": site.bearer(*SCOPES_OF_ALL, purposes=("analytics",)),
        **{scope: site.bearer(scope) for scope in SCOPES},
    }


SCOPES_OF_ALL = tuple(scope for scope in SCOPES if scope != EVERYTHING)


def basic_header(key: str) -> dict[str, str]:
    import base64

    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def declared(site: Site) -> list[tuple[str, str]]:
    """Every method of every route: (method, route as the table spells it)."""
    found = []
    for rule in site.app.url_map.iter_rules():
        spelled = re.sub(r"<any\([^)]*\):(\w+)>", r"<\1>", rule.rule)
        found += [(method, spelled) for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})]
    return found


def test_every_route_was_thought_about(app: Flask) -> None:
    assert not [rule.rule for rule in app.url_map.iter_rules() if not is_named(app, rule.endpoint)]


def test_the_table_names_every_route_and_no_other(site: Site) -> None:
    there = {f"{method} {route}" for method, route in declared(site)}
    assert there - set(TABLE) == set(), "say in tests/architecture/access.py who may call this, and try it"
    assert set(TABLE) - there == set()


def test_the_table_and_the_code_need_the_same(site: Site) -> None:
    for rule in site.app.url_map.iter_rules():
        spelled = re.sub(r"<any\([^)]*\):(\w+)>", r"<\1>", rule.rule)
        needed = getattr(site.app.view_functions[rule.endpoint], "scope_needed", None)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            cell = TABLE[f"{method} {spelled}"]
            assert (cell.needs if cell.needs in SCOPES else None) == (needed or None), spelled
            assert (cell.needs == ANY_TOKEN) == (needed == ""), spelled


def test_every_cell_of_the_matrix_is_as_declared_and_each_denied_one_is_noted_once(
    site: Site, roles: Roles, keys: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    wrong, tried = [], 0
    for name, cell in TABLE.items():
        for role, header in roles.items():
            capsys.readouterr()
            answer = call(site, name.split()[0], cell, header, keys)
            noted = [line for line in capsys.readouterr().err.splitlines() if '"access_refused"' in line]
            expected = due(cell, role)
            told = expected in REFUSED or (cell.needs == CLIENT and expected == 400)
            tried += 1
            if answer.status_code != expected or len(noted) != told or not is_told_well(answer):
                wrong.append(f"{role} → {name}: {answer.status_code} for {expected}, noted {len(noted)} times")
    assert not wrong, "\n".join(wrong)
    assert tried == len(TABLE) * len(roles)


def due(cell: Cell, role: str) -> int:
    """What the table says that this role is answered."""
    if cell.needs in (OPEN, VENDOR):
        return cell.answers
    if cell.needs == WRITE_KEY:
        return cell.answers if role in ("public key", "server key") else 401
    if cell.needs == IN_QUERY:
        return cell.answers
    if cell.needs == CLIENT or role not in (*SCOPES, "tool", "tool of another purpose"):
        return 401
    has = {"tool": DEFAULT_SCOPES, "tool of another purpose": SCOPES_OF_ALL}.get(role, (role,))
    if cell.needs != ANY_TOKEN and cell.needs not in has and EVERYTHING not in has:
        return 403
    return cell.elsewhere or cell.answers if role == "tool of another purpose" else cell.answers


def call(site: Site, method: str, cell: Cell, header: dict[str, str], keys: dict[str, str]) -> TestResponse:
    """Make the request of a cell as a role."""
    query = {"writeKey": keys["public"]} if cell.needs == IN_QUERY else None
    if cell.needs == CLIENT:
        return site.browser.open(cell.path, method=method, data=cell.body, headers=header)
    return site.browser.open(cell.path, method=method, json=cell.body, headers=header, query_string=query)


def is_told_well(answer: TestResponse) -> bool:
    """Whether a no is a problem document that says how to authenticate, where that would help."""
    if answer.status_code < 400 or answer.request.path.startswith("/privacy/"):
        return answer.content_type != "application/problem+json"
    challenged = answer.status_code != 401 or "WWW-Authenticate" in answer.headers
    return answer.content_type == "application/problem+json" and (challenged or "/hooks/" in answer.request.path)


def test_the_write_key_of_a_beacon_must_be_one(site: Site, roles: Roles) -> None:
    for query in ({}, {"writeKey": ""}, {"writeKey": "wrong"}):
        for header in roles.values():
            answer = site.browser.post("/beacon/v1/batch", json={"batch": []}, query_string=query, headers=header)
            assert answer.status_code == 401


def test_a_method_that_is_not_declared_is_405_and_names_those_that_are(site: Site, roles: Roles) -> None:
    answered, url = [], site.app.url_map.bind("127.0.0.1")
    for path in sorted({cell.path.partition("?")[0] for cell in TABLE.values()}):
        allowed = set(url.allowed_methods(path))
        for method in METHODS:
            for role in ("nobody", EVERYTHING):
                answer = site.browser.open(path, method=method, headers=roles[role])
                if (answer.status_code == 405) != (method not in allowed) and not is_challenge(path, method):
                    answered.append(f"{method} {path} as {role}: {answer.status_code}")
                if answer.status_code == 405:
                    assert answer.headers["Allow"], path
                    assert method not in re.split(r",\s*", answer.headers["Allow"]), f"{method} {path}"
                    assert answer.content_type == "application/problem+json"
    assert not answered, "\n".join(answered)


def is_challenge(path: str, method: str) -> bool:
    """GET at a webhook is a vendor's challenge; one that sends none is told so by 405 (HEAD as GET)."""
    return path == "/hooks/line" and method in ("GET", "HEAD")


def test_options_tells_the_methods_and_nothing_else(site: Site) -> None:
    for path in sorted({cell.path.partition("?")[0] for cell in TABLE.values()}):
        answer = site.browser.options(path)
        assert (answer.status_code, answer.data) == (200, b""), path
        assert "OPTIONS" in answer.headers["Allow"], path


def test_head_needs_what_get_needs(site: Site, roles: Roles) -> None:
    for name, cell in TABLE.items():
        if name.startswith("GET "):
            for role in ("nobody", "tool", EVERYTHING):
                head, get = (site.browser.open(cell.path, method=m, headers=roles[role]) for m in ("HEAD", "GET"))
                assert (head.status_code, head.data) == (get.status_code, b""), name


def test_another_method_is_not_put_on_by_a_header(site: Site, roles: Roles) -> None:
    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        answer = site.browser.post("/api/audiences", headers={header: "GET", **roles[EVERYTHING]})
        assert answer.status_code == 405


def test_every_open_route_says_why_it_is_open() -> None:
    assert all(len(reason) > 5 for reason in OPEN_ROUTES.values())


def test_no_open_route_is_named_that_does_not_exist(app: Flask) -> None:
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    blueprints = {f"{endpoint.rpartition('.')[0]}.*" for endpoint in endpoints}
    assert not set(OPEN_ROUTES) - endpoints - blueprints
