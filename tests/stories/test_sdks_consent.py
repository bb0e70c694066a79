"""Consent as browser SDKs really send it: nothing before the choice, what was allowed after it, and no more after a no.

The sources say that their visitors live in Germany: without a yes to analytics, no view of a page may be kept.
"""

from collections.abc import Callable

from tests.browser.chromium import Visitor, arrives
from tests.figures import Figures
from tests.stories.road import CUT, UNAVAILABLE
from tests.stories.town import FACTS, Town

CHOOSE = """([allowedConsentIds, deniedConsentIds]) => shop.consent({
  trackConsent: true,
  consentManagement: {enabled: true, provider: 'custom', allowedConsentIds, deniedConsentIds},
})"""
ACT = ("Segment Consent Preference Updated", "")


def viewed(name: str) -> tuple[str, str]:
    return ("Product Viewed", name)


def test_segments_consent_wrapper_says_what_the_banner_says(
    town: Town, visit: Callable[..., Visitor], figures: Figures
) -> None:
    key = town.add_source("wrapped", "public", residence="DE")
    town.road.roughen([UNAVAILABLE, CUT])
    page = visit().open("banner", town.road.url, key)
    page.evaluate("void shop.track('Product Viewed', {product_id: 'before'})")
    page.wait_for_timeout(300)
    assert town.road.passed == [], "the wrapper waits for the choice, and so does the first request"

    page.evaluate("banner.choose({Analytics: true, Functional: false, Advertising: false})")
    page.evaluate("void shop.track('Product Viewed', {product_id: 'allowed'})")
    arrives(page, lambda: (town.road.due, set(town.facts("wrapped"))), ([], {viewed("before"), viewed("allowed")}))
    states = {("analytics", "given", False), ("personalisation", "refused", False), ("ads_sharing", "refused", False)}
    assert stances(town, "wrapped") == states

    page.evaluate("banner.choose({Analytics: false, Functional: false, Advertising: false})")
    arrives(page, lambda: ACT in town.facts("wrapped"), True)
    page.evaluate("void shop.track('Product Viewed', {product_id: 'after'})")
    arrives(page, lambda: town.dropped("wrapped").get(("item", "unlawful"), 0) > 0, True)
    noes = {(purpose, "withdrawn", True) for purpose in ("analytics", "personalisation", "ads_sharing")}
    assert stances(town, "wrapped") == states | noes | {("analytics", "refused", False)}

    town.road.repeat()
    assert town.facts("wrapped") == FACTS([viewed("before"), viewed("allowed"), ACT])
    figures(f"consent wrapper of Segment, {town.kind}", stored=3, refused_after_withdrawal=1, doubled=0)


def test_rudderstacks_consent_options_say_what_the_banner_says(
    town: Town, visit: Callable[..., Visitor], figures: Figures
) -> None:
    key = town.add_source("optioned", "public", residence="DE")
    town.road.roughen([UNAVAILABLE, CUT])
    waiting = {"enabled": True, "storage": {"strategy": "none"}, "events": {"delivery": "buffer"}}
    options = {
        "consentManagement": {"enabled": True, "provider": "custom"},
        "preConsent": waiting,
        "queueOptions": {"backoffFactor": 1},
    }
    page = visit().open("rudder", town.road.url, key, options)
    page.wait_for_timeout(300)
    assert town.road.posts == []

    page.evaluate(CHOOSE, [["Analytics"], ["Advertising"]])
    page.evaluate("shop.track('Product Viewed', {product_id: 'allowed'})")
    arrives(page, lambda: (town.road.due, set(town.facts("optioned"))), ([], {ACT, viewed("allowed")}))
    assert {("analytics", "given", True), ("ads_sharing", "withdrawn", True)} <= stances(town, "optioned")

    page.evaluate(CHOOSE, [[], ["Analytics", "Advertising"]])
    arrives(page, lambda: town.facts("optioned")[ACT], 2)
    page.evaluate("shop.track('Product Viewed', {product_id: 'after'})")
    arrives(page, lambda: town.dropped("optioned").get(("item", "unlawful"), 0) > 0, True)
    assert {("analytics", "withdrawn", True), ("analytics", "refused", False)} <= stances(town, "optioned")

    town.road.repeat()
    assert town.facts("optioned") == FACTS([ACT, ACT, viewed("allowed")])
    figures(f"consent options of RudderStack, {town.kind}", stored=3, refused_after_withdrawal=1, doubled=0)


def test_a_browser_with_global_privacy_control_is_believed_over_its_banner(
    town: Town, visit: Callable[..., Visitor]
) -> None:
    key = town.add_source("controlled", "public", residence="DE")
    town.road.roughen([])
    page = visit({"Sec-GPC": "1"}).open("banner", town.road.url, key)
    page.evaluate("banner.choose({Analytics: true, Functional: false, Advertising: true})")
    page.evaluate("void shop.track('Product Viewed', {product_id: 'controlled'})")
    arrives(page, lambda: ("ads_sharing", "withdrawn", True) in stances(town, "controlled"), True)
    assert ("analytics", "withdrawn", True) in stances(town, "controlled")
    assert town.said("controlled")["analytics", "withdrawn", True, "gpc"] == 1
    assert town.facts("controlled") == FACTS()


def stances(town: Town, source: str) -> set[tuple[str, str, bool]]:
    return {(purpose, status, act) for purpose, status, act, _ in town.said(source)}
