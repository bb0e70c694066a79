"""Whatever goes wrong leaves as a problem document, with a stable type and without what was sent."""

import json

import pytest
from werkzeug.exceptions import RequestEntityTooLarge

from cdp.errors import KeyUnavailable, Unavailable
from tests.web.conftest import Site

SECRET = "ada.secret@people.example"


def test_a_path_that_does_not_exist_is_a_problem(site: Site) -> None:
    answer = site.browser.get(f"/api/{SECRET}")
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert answer.get_json()["type"] == "urn:sekisho:problem:not_found"
    assert SECRET not in answer.get_data(as_text=True)


def test_every_route_answers_a_wrong_method_with_the_right_ones(site: Site) -> None:
    for rule in site.app.url_map.iter_rules():
        wrong = sorted({"GET", "POST", "PUT", "DELETE", "PATCH"} - (rule.methods or set()))[0]
        path = rule.rule
        for argument in rule.arguments:
            path = path.replace(f"<string:{argument}>", "1").replace(f"<path:{argument}>", "1")
            path = path.replace(f"<{argument}>", "1")
        if "<" in path:
            continue
        answer = site.browser.open(path, method=wrong)
        if answer.status_code != 405:
            assert any(wrong in (other.methods or ()) for other in site.app.url_map.iter_rules() if other != rule)
            continue
        assert answer.content_type == "application/problem+json", path
        assert "Allow" in answer.headers, path


def test_a_body_that_is_wrong_is_pointed_at_and_not_repeated(site: Site) -> None:
    body = {"identifier": {"type": SECRET, "valu": SECRET}, SECRET: 1, "purpose": [SECRET]}
    answer = site.browser.post("/api/profiles/lookup", json=body, headers=site.bearer())
    assert answer.status_code == 400
    pointers = {error["pointer"] for error in answer.get_json()["errors"]}
    assert {"/identifier/value", "/identifier/valu", "/purpose", "/*"} <= pointers
    assert SECRET not in answer.get_data(as_text=True)


@pytest.mark.parametrize("body", ["", "{", '"a"', "[]", "null", '{"a":' * 2000])
def test_a_body_that_is_no_object_is_a_problem(site: Site, body: str) -> None:
    answer = site.browser.post(
        "/api/profiles/lookup", data=body, content_type="application/json", headers=site.bearer()
    )
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"


def test_a_body_of_another_type_is_refused(site: Site) -> None:
    answer = site.browser.post("/api/profiles/lookup", data={"a": "b"}, headers=site.bearer())
    assert answer.status_code == 415


def test_a_body_that_is_too_large_is_refused(site: Site) -> None:
    answer = site.browser.post(
        "/api/profiles/lookup", data=b" " * 2_000_000, content_type="application/json", headers=site.bearer()
    )
    assert answer.status_code == RequestEntityTooLarge.code
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("fault", [Unavailable("database"), KeyUnavailable("keyring")], ids=["database", "keyring"])
def test_what_answers_depend_on_being_away_is_503_and_no_data(site: Site, fault: Exception) -> None:
    raising(site, fault)
    answer = site.browser.get("/test/raises")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert set(answer.get_json()) == {"type", "title", "status", "detail"}


def test_what_nobody_foresaw_is_500_with_an_id_and_nothing_else(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    raising(site, RuntimeError(f"no such person as {SECRET}"))
    answer = site.browser.get("/test/raises")
    assert answer.status_code == 500
    assert SECRET not in answer.get_data(as_text=True)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    [fault] = [line for line in lines if line["event"] == "fault"]
    assert fault["error_id"] == answer.get_json()["error_id"]
    assert SECRET not in json.dumps(lines)


def test_the_log_has_the_route_and_never_the_address(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.browser.get(f"/privacy/unsubscribe/{SECRET}?lang=en&email={SECRET}")
    err = capsys.readouterr().err
    [line] = [json.loads(line) for line in err.splitlines() if '"event": "request"' in line]
    assert line["route"] == "/privacy/unsubscribe/<token>"
    assert set(line) <= {"event", "level", "timestamp", "method", "route", "status", "ms", "client"}
    assert SECRET not in err


def test_the_log_names_the_client(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    client_id, secret = site.client()
    token = site.token(client_id, secret).get_json()["access_token"]
    site.browser.get("/api/audiences", headers={"Authorization": f"Bearer {token}"})
    assert f'"client": "{client_id}"' in capsys.readouterr().err


def test_the_metrics_have_no_label_that_could_hold_a_person(site: Site) -> None:
    site.browser.get(f"/privacy/unsubscribe/{SECRET}")
    site.browser.get(f"/api/audiences/{SECRET}")
    site.browser.open(f"/{SECRET}", method="PROPFIND")
    told = site.browser.get("/metrics").get_data(as_text=True)
    assert 'route="/privacy/unsubscribe/<token>"' in told
    assert SECRET not in told


def test_health_says_the_process_lives_and_readiness_that_it_can_work(site: Site) -> None:
    assert site.browser.get("/healthz").status_code == 200
    assert site.browser.get("/readyz").get_json()["status"] == "ready"


def test_without_its_keyring_the_process_lives_and_is_not_ready(site: Site) -> None:
    for path in (site.deployment.settings.home / "keyring").iterdir():
        path.unlink()
    assert site.browser.get("/healthz").status_code == 200
    answer = site.browser.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["checks"]["keyring"] is False
    assert answer.headers["Retry-After"]


def test_every_answer_carries_the_headers_that_keep_it_private(site: Site) -> None:
    for path in ("/", "/api/docs", "/api/audiences", "/nowhere", "/metrics", "/privacy/confirm/x"):
        headers = site.browser.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def raising(site: Site, fault: Exception) -> None:
    """Give the app a route that fails, as code would that nobody tested."""

    def view() -> str:
        raise fault

    site.app.view_functions["test.raises"] = view
    site.app.url_map.add(site.app.url_rule_class("/test/raises", endpoint="test.raises"))
