"""The interface's description says what is there, and its page asks nobody else."""

import re
from typing import Any

import pytest

from tests.architecture.access import OPEN, TABLE
from tests.web.conftest import Site

OPEN_BY_DESIGN = {name for name, cell in TABLE.items() if cell.needs == OPEN}


@pytest.fixture
def description(site: Site) -> dict[str, Any]:
    answer = site.browser.get("/api/openapi.json")
    assert answer.status_code == 200
    return answer.get_json()


def operations(description: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, item in description["paths"].items()
        for method, operation in item.items()
        if method in ("get", "post", "put", "delete", "patch")
    ]


def test_it_is_openapi_31_and_every_reference_leads_somewhere(description: dict[str, Any]) -> None:
    assert description["openapi"] == "3.1.0"
    for reference in re.findall(r"'\$ref': '#/([^']+)'", str(description)):
        at: Any = description
        for part in reference.split("/"):
            at = at[part]


def test_every_route_of_the_api_is_described(site: Site, description: dict[str, Any]) -> None:
    told = {(path, method.upper()) for path, method, _ in operations(description)}
    for rule in site.app.url_map.iter_rules():
        if not rule.rule.startswith("/api/") or rule.endpoint in ("front.docs", "api-docs.openapi_json"):
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            assert (path, method) in told


def test_every_operation_says_what_it_does_and_what_it_needs(description: dict[str, Any]) -> None:
    for path, method, operation in operations(description):
        assert operation["summary"], f"{method} {path}"
        assert operation["security"] or f"{method.upper()} {path}" in OPEN_BY_DESIGN, f"{method} {path}"
        assert [status for status in operation["responses"] if str(status).startswith("2")], f"{method} {path}"


def test_every_operation_documents_its_problems(description: dict[str, Any]) -> None:
    assert "application/problem+json" in description["components"]["responses"]["DEFAULT_ERROR"]["content"]
    for path, method, operation in operations(description):
        assert operation["responses"]["default"] == {"$ref": "#/components/responses/DEFAULT_ERROR"}, f"{method} {path}"


def test_every_scope_that_an_operation_needs_is_declared(description: dict[str, Any]) -> None:
    declared = description["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]["scopes"]
    for _, _, operation in operations(description):
        for need in operation["security"]:
            assert set(need["oauth2"]) <= set(declared)


def test_no_two_schemas_share_a_name(description: dict[str, Any]) -> None:
    assert not [name for name in description["components"]["schemas"] if re.search(r"\d$", name)]


@pytest.mark.parametrize("path", ["/", "/api/docs", "/static/docs.js", "/static/page.css", "/privacy/confirm/x"])
def test_no_page_contacts_another_host(site: Site, path: str) -> None:
    answer = site.browser.get(path)
    assert answer.status_code == 200
    assert not re.findall(r"https?://|//[a-z]+\.", answer.get_data(as_text=True))
    assert "<script>" not in answer.get_data(as_text=True)


def test_the_first_page_speaks_both_languages(site: Site) -> None:
    page = site.browser.get("/").get_data(as_text=True)
    assert 'lang="ja"' in page
    assert 'lang="en"' in page
