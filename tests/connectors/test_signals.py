"""What browsers and consent platforms say by machine, through the real door: recorded, counted, obeyed first."""

from typing import Any

import pytest
from sqlmodel import select

from cdp.consent.model import ConsentRecord
from cdp.ledger.model import LedgerEntry
from tests.connectors.conftest import Shop
from tests.connectors.tcstrings import EVERYTHING, Made, with_digest

SITES = ("public", "server")
YES = {"Analytics": True, "Functional": True, "Advertising": True}


@pytest.fixture
def shop_in_europe(shop: Shop) -> Shop:
    for key in SITES:
        shop.add(key, "segment", key=key, residence_default="DE", tcf_vendors="91,755")
    return shop


def view(device: str = "browser-1", event: str = "Product Viewed", tc: Any = None, **said: bool) -> dict[str, Any]:
    consent = {"categoryPreferences": said} | ({"tcf": tc} if tc is not None else {})
    return {"event": event, "anonymousId": device, "context": {"consent": consent}}


def send(shop: Shop, site: str, call: dict[str, Any], **headers: str) -> dict[str, Any]:
    shop.clock.pass_(seconds=1)
    headers["Prefer"] = "return=representation"
    answer = shop.post("/v1/track", call, shop.told[site]["write_key"], headers=headers)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


def said(shop: Shop) -> list[tuple[str, str, str, bool]]:
    with shop.database.snapshot() as session:
        records = session.exec(select(ConsentRecord).order_by(ConsentRecord.id)).all()  # type: ignore[arg-type]
    return [(one.purpose, one.status, one.method, one.act) for one in records]


ACT = "Segment Consent Preference Updated"


@pytest.mark.parametrize("site", SITES)
def test_global_privacy_control_is_obeyed_before_the_event_that_brings_it(shop_in_europe: Shop, site: str) -> None:
    """Whatever the banner said, and with the very first event: a yes that the browser takes back takes nothing in."""
    view_that_says_yes = view(Analytics=True)
    send(shop_in_europe, site, view_that_says_yes, **{"Sec-GPC": "1"})
    send(shop_in_europe, site, view(event=ACT, Analytics=True), **{"Sec-GPC": "1"})
    send(shop_in_europe, site, view(), **{"Sec-GPC": "1"})
    assert shop_in_europe.facts().count("Product Viewed") == 0
    send(shop_in_europe, site, view("browser-2", Analytics=True))
    assert shop_in_europe.facts().count("Product Viewed") == 1, "without the signal it would have been taken"


@pytest.mark.parametrize("call", [view(), view(event="Moon Watched"), view(event=ACT, **YES)])
def test_global_privacy_control_is_recorded_even_with_an_event_that_is_not_taken(
    shop_in_europe: Shop, call: dict[str, Any]
) -> None:
    send(shop_in_europe, "public", call, **{"Sec-GPC": "1"})
    withdrawn = {(purpose, act) for purpose, status, method, act in said(shop_in_europe) if method == "gpc"}
    assert withdrawn == {("ads_sharing", True), ("analytics", True)}
    with shop_in_europe.database.snapshot() as session:
        noted = [one.act for one in session.exec(select(LedgerEntry)) if '"method":"gpc"' in one.header]
    assert noted == ["consent.withdrawn"] * 2


@pytest.mark.parametrize("value", ["0", "true", "1, 1", "01", "?1"])
def test_a_header_that_is_not_1_is_no_signal(shop_in_europe: Shop, value: str) -> None:
    send(shop_in_europe, "public", view(Analytics=True), **{"Sec-GPC": value})
    assert said(shop_in_europe) == [("analytics", "given", "banner", False)]


@pytest.mark.parametrize("site", SITES)
def test_a_whole_string_is_recorded_once_as_a_state(shop_in_europe: Shop, site: str) -> None:
    for _ in range(3):
        send(shop_in_europe, site, view(tc=with_digest(Made(purposes=EVERYTHING - {2}).text)))
    assert sorted(said(shop_in_europe)) == [
        ("ads_sharing", "refused", "tcf", False),
        ("analytics", "given", "tcf", False),
        ("personalisation", "given", "tcf", False),
    ]
    assert shop_in_europe.facts() == ["Product Viewed"] * 3
    assert shop_in_europe.drops() == {}


def test_a_string_takes_back_no_withdrawal(shop_in_europe: Shop) -> None:
    whole = with_digest(Made().text)
    send(shop_in_europe, "public", view(tc=whole))
    send(shop_in_europe, "public", view(event=ACT, Analytics=False, Functional=False))
    send(shop_in_europe, "public", view(tc=whole))
    assert shop_in_europe.facts().count("Product Viewed") == 1


def test_a_string_that_says_no_ends_what_a_category_began(shop_in_europe: Shop) -> None:
    send(shop_in_europe, "public", view(**YES))
    send(shop_in_europe, "public", view(tc=Made(purposes=()).text, **YES))
    send(shop_in_europe, "public", view(**YES))
    assert shop_in_europe.facts() == ["Product Viewed"]


def test_a_string_that_is_not_believed_is_counted_by_its_reason_and_the_event_is_judged_without_it(
    shop_in_europe: Shop,
) -> None:
    text = Made().text
    call = view(event="Order Completed", tc={**with_digest(text), "tcString": Made(purposes={1}).text})
    report = send(shop_in_europe, "server", call)
    assert report["items"][0]["notes"] == [{"reason": "tcf_damaged", "pointer": "/context/consent/tcf"}]
    send(shop_in_europe, "public", view(event="Order Completed", tc=text))
    send(shop_in_europe, "public", view(tc="", **YES))
    assert shop_in_europe.facts() == ["Order Completed"] * 2, "a contract asks for no consent; a view does"
    assert shop_in_europe.drops() == {
        ("signal", "tcf_damaged"): 1,
        ("signal", "tcf_unconfirmed"): 1,
        ("signal", "tcf_too_short"): 1,
        ("item", "unlawful"): 1,
    }
    assert said(shop_in_europe) == []
