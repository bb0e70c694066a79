"""Links in mails act by POST, at once and without an account; GET changes nothing."""

import re
from datetime import UTC, datetime

import pytest

from cdp import consent
from tests.web.conftest import Site, consent_for

EMAIL = "ada@people.example"


def asked(site: Site, **more: str) -> str:
    """Ask Ada for her consent by double opt-in; returns the path of her link."""
    body = consent_for(EMAIL, **{**more, "status": "requested"})
    answer = site.browser.post("/api/consents", json=body, headers=site.bearer())
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return answer.get_json()["confirm_url"].removeprefix(site.deployment.settings.base_url)


def decision(site: Site) -> str:
    body = {"identifier": {"type": "email", "value": EMAIL}, "purpose": "email_marketing"}
    answer = site.browser.post("/api/decisions", json=body, headers=site.bearer())
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()["decision"]


def unsubscribe_link(site: Site) -> str:
    with site.deployment.database.snapshot() as session:
        point = consent.point(session, "email", "", EMAIL)
    return "/privacy/unsubscribe/" + consent.unsubscribe_token(site.deployment.vault, point, "email")


def test_a_double_opt_in_is_confirmed_by_post_and_never_by_get(site: Site) -> None:
    path = asked(site)
    assert site.browser.get(path).status_code == 200
    assert decision(site) == "deny", "a mail scanner follows links with GET"
    assert site.browser.post(path).status_code == 200
    assert decision(site) == "allow"
    assert site.browser.post(path).status_code == 200, "pressing twice is no mistake"


def test_a_third_letter_is_refused_with_its_reason(site: Site) -> None:
    header, body = site.bearer(), consent_for(EMAIL, status="requested")
    links = [site.browser.post("/api/consents", json=body, headers=header) for _ in range(2)]
    assert [link.status_code for link in links] == [201, 201]
    third = site.browser.post("/api/consents", json=body, headers=header)
    assert (third.status_code, third.get_json()["type"]) == (409, "urn:sekisho:problem:reminder_sent")
    assert EMAIL not in third.get_data(as_text=True)
    path = links[0].get_json()["confirm_url"].removeprefix(site.deployment.settings.base_url)
    assert site.browser.post(path).status_code == 200, "the first link still works"
    told = site.browser.post(
        "/api/consents/lookup", json={"identifier": {"type": "email", "value": EMAIL}}, headers=header
    ).get_json()
    assert [one["status"] for one in told["data"]] == ["requested", "requested", "given"]


def test_a_confirmation_that_is_late_changes_nothing(site: Site) -> None:
    path = asked(site)
    site.clock.pass_(days=8)
    assert site.browser.post(path).status_code == 404
    assert decision(site) == "deny"


def test_one_click_unsubscribes_without_cookie_login_or_token(site: Site) -> None:
    site.browser.post(asked(site))
    assert decision(site) == "allow"
    path = unsubscribe_link(site)
    assert site.browser.get(path).status_code == 200
    assert decision(site) == "allow", "GET only shows the button"
    answer = site.browser.post(path, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert decision(site) == "deny"


def test_the_button_of_the_page_does_what_the_mail_program_does(site: Site) -> None:
    page = site.browser.get(unsubscribe_link(site)).get_data(as_text=True)
    assert re.search(r'<form method="post">', page)
    assert 'name="List-Unsubscribe" value="One-Click"' in page
    assert page.count("<button") == 1


@pytest.mark.parametrize("what", ["unsubscribe", "confirm"])
@pytest.mark.parametrize("token", ["x", "a" * 3000, "%01", "%E3%81%82", "AAAA"])
def test_a_link_that_is_not_ours_does_nothing_and_says_so(site: Site, what: str, token: str) -> None:
    answer = site.browser.post(f"/privacy/{what}/{token}")
    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
    assert f"mailto:{site.deployment.policy.controller.contact}" in answer.get_data(as_text=True), "whom to write to"


def test_the_first_page_leads_to_the_rights_in_both_languages(site: Site) -> None:
    front = site.browser.get("/").get_data(as_text=True)
    for lang in ("ja", "en"):
        [path] = re.findall(f'href="(/privacy[^"]*lang={lang})"', front)
        answer = site.browser.get(path)
        assert answer.headers["Content-Language"] == lang
        assert site.deployment.policy.controller.contact in answer.get_data(as_text=True)


def test_a_changed_link_does_nothing(site: Site) -> None:
    path = unsubscribe_link(site)
    changed = path[:-3] + ("AAA" if not path.endswith("AAA") else "BBB")
    assert site.browser.post(changed).status_code == 404


@pytest.mark.parametrize(
    ("header", "query", "language"),
    [("ja", "", "ja"), ("en-GB,en", "", "en"), ("de", "", "ja"), ("ja", "?lang=en", "en"), ("en", "?lang=xx", "en")],
)
def test_a_page_speaks_the_readers_language_and_can_be_switched(
    site: Site, header: str, query: str, language: str
) -> None:
    answer = site.browser.get(unsubscribe_link(site) + query, headers={"Accept-Language": header})
    assert f'<html lang="{language}">' in answer.get_data(as_text=True)
    assert answer.headers["Content-Language"] == language
    assert "?lang=" in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("now", "since"),
    [
        ((2026, 6, 1), {"lastUpdate": "2026-04-01"}),
        ((2026, 3, 31, 14, 59), {"lastUpdate": "2025-04-01"}),  # 23:59 where the controller is
        ((2026, 3, 31, 15, 0), {"lastUpdate": "2026-04-01"}),
        ((2020, 1, 1), {}),
    ],
)
def test_global_privacy_control_is_announced_as_of_the_newest_notice(
    site: Site, now: tuple[int, ...], since: dict[str, str]
) -> None:
    site.clock.instant = datetime(*now, tzinfo=UTC)
    answer = site.browser.get("/.well-known/gpc.json")
    assert answer.content_type == "application/json"
    assert answer.get_json() == {"gpc": True, **since}


def test_an_address_joins_records_only_once_it_is_confirmed(site: Site) -> None:
    """Anybody can type somebody's address into a form."""
    from cdp import identity

    def people() -> int:
        with site.deployment.database.snapshot() as session:
            return len(identity.find_all(session, "email", "", EMAIL))

    with site.deployment.database.transaction() as session:
        known = identity.canonical(site.deployment.policy, "email", EMAIL, verified=True)
        login = identity.canonical(site.deployment.policy, "user_id", "login-of-ada", verified=True)
        assert known and login
        identity.attach(session, [identity.Arrival("shop", (known, login))], site.clock.now())
    path = asked(site)
    assert people() == 2
    site.browser.post(path)
    assert people() == 1
