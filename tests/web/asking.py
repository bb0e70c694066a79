"""What several tests ask of the API, and what its answers are."""

from typing import Any

from werkzeug.test import TestResponse

from tests.web.conftest import Site, consent_for

USE = "purpose=email_marketing&channel=email"
MEMBERS = f"/api/audiences/everyone/members?{USE}&fields=email"
ADA, BEN, CLEO = "ada@people.example", "ben@people.example", "cleo@people.example"


def identifier(email: str) -> dict[str, str]:
    return {"type": "email", "value": email}


def consent(site: Site, *emails: str, **more: Any) -> None:
    header = site.bearer()
    for email in emails:
        answer = site.browser.post("/api/consents", json=consent_for(email, **more), headers=header)
        assert answer.status_code == 201, answer.get_data(as_text=True)


def kind(answer: TestResponse) -> tuple[int, str]:
    assert answer.content_type == "application/problem+json"
    return answer.status_code, answer.get_json()["type"].removeprefix("urn:sekisho:problem:")


def emails(answer: TestResponse) -> list[str]:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return [row["fields"]["email"] for row in answer.get_json()["data"]]


def look_up(site: Site, email: str, *scopes: str, **headers: str) -> TestResponse:
    body = {"identifier": identifier(email), "purpose": "email_marketing", "fields": ["email"]}
    return site.browser.post("/api/profiles/lookup", json=body, headers={**site.bearer(*scopes), **headers})
