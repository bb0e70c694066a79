"""Every route asks who is calling, or is named as open with the reason why; tried by calling each without a token."""

from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule

from cdp import deployment as deploying
from cdp.settings import Settings
from cdp.web.app import create_app
from cdp.web.auth.access import OPEN_ROUTES, is_named


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    settings = Settings(home=tmp_path_factory.mktemp("routes") / "home")
    deploying.initialise(settings)
    deployment = deploying.assemble(settings)
    yield create_app(deployment)
    deployment.close()


def is_open(endpoint: str) -> bool:
    return endpoint in OPEN_ROUTES or f"{endpoint.rpartition('.')[0]}.*" in OPEN_ROUTES


def test_every_route_was_thought_about(app: Flask) -> None:
    assert not [rule.rule for rule in app.url_map.iter_rules() if not is_named(app, rule.endpoint)]


def test_a_call_without_a_token_gets_nothing_from_a_route_that_is_not_open(app: Flask) -> None:
    client, answered = app.test_client(), []
    for rule in app.url_map.iter_rules():
        if is_open(rule.endpoint):
            continue
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            answer = client.open(filled(rule), method=method, json={} if method in {"POST", "PUT"} else None)
            if answer.status_code != 401:
                answered.append(f"{method} {rule.rule} → {answer.status_code}")
    assert not answered


def test_every_open_route_says_why_it_is_open() -> None:
    assert all(len(reason) > 5 for reason in OPEN_ROUTES.values())


def test_no_open_route_is_named_that_does_not_exist(app: Flask) -> None:
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    blueprints = {f"{endpoint.rpartition('.')[0]}.*" for endpoint in endpoints}
    assert not set(OPEN_ROUTES) - endpoints - blueprints


def filled(rule: Rule) -> str:
    """Write something in the place of every variable of the route."""
    path = rule.rule
    for argument in rule.arguments:
        for kind in ("", "string:", "path:", "int:"):
            path = path.replace(f"<{kind}{argument}>", "1")
    return path
