"""SDKs report the banner's state with every event: it is recorded once, and every change of it."""

from collections import Counter
from typing import Any

import pytest
from sqlmodel import select

from cdp.consent.model import ConsentRecord
from tests.connectors.conftest import Shop


@pytest.fixture
def key(shop: Shop) -> str:
    return shop.add("site", "segment", key="public", residence_default="DE")["write_key"]


def view(number: int, device: str = "browser-of-ada", act: bool = False, **said: bool) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Segment Consent Preference Updated" if act else "Product Viewed",
        "anonymousId": device,
        "messageId": f"{device}-{number}",
        "properties": {"product_id": "tea-01"},
        "context": {"consent": {"categoryPreferences": said}},
    }


def send(shop: Shop, key: str, *calls: dict[str, Any], **headers: str) -> None:
    shop.clock.pass_(seconds=1)
    assert shop.post("/v1/batch", {"batch": calls}, key, headers=headers).status_code == 200


def said(shop: Shop) -> Counter[tuple[str, str, bool]]:
    with shop.database.snapshot() as session:
        records = session.exec(select(ConsentRecord)).all()
    return Counter((one.purpose, one.status, one.act) for one in records)


def test_a_state_is_recorded_once_however_many_events_report_it(shop: Shop, key: str) -> None:
    for batch in range(3):
        send(shop, key, *(view(batch * 10 + number, Analytics=True, Advertising=False) for number in range(10)))
    assert said(shop) == {("analytics", "given", False): 1, ("ads_sharing", "refused", False): 1}
    assert shop.facts() == ["Product Viewed"] * 30


def test_each_change_of_a_state_is_recorded(shop: Shop, key: str) -> None:
    for number, yes in enumerate([True, True, False, False, True]):
        send(shop, key, view(number, Analytics=yes))
    assert said(shop) == {("analytics", "given", False): 2, ("analytics", "refused", False): 1}


def test_an_act_is_recorded_each_time_and_a_state_that_differs_from_it_too(shop: Shop, key: str) -> None:
    for number, (act, yes) in enumerate([(False, False), (True, True), (True, True), (False, False), (False, False)]):
        send(shop, key, view(number, act=act, Analytics=yes))
    assert said(shop) == {("analytics", "refused", False): 2, ("analytics", "given", True): 2}


def test_two_devices_each_have_their_say(shop: Shop, key: str) -> None:
    send(shop, key, view(1, Analytics=True), view(1, device="phone-of-ada", Analytics=True), view(2, Analytics=True))
    assert said(shop) == {("analytics", "given", False): 2}


def test_global_privacy_control_is_recorded_once_and_again_after_a_yes(shop: Shop, key: str) -> None:
    for number in range(3):
        send(shop, key, view(number), **{"Sec-GPC": "1"})
    gpc = {("ads_sharing", "withdrawn", True): 1, ("analytics", "withdrawn", True): 1}
    assert said(shop) == gpc
    send(shop, key, view(4, act=True, Analytics=True))
    send(shop, key, view(5), **{"Sec-GPC": "1"})
    assert said(shop) == gpc | {("analytics", "given", True): 1, ("analytics", "withdrawn", True): 2}
