"""SDKs of browsers, unmodified, in Chromium, with public keys and from another site: every event is stored once."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.chromium import Visitor, arrives
from tests.conftest import DEEP
from tests.figures import Figures
from tests.stories.road import CUT, LOST, UNAVAILABLE
from tests.stories.town import Town, named

VIEWS = 200 if DEEP else 6
CALLS = VIEWS + 3
EXPECTED = Counter(
    {
        ("Page Viewed", ""): 1,
        ("Order Completed", "tea-1"): 1,
        **{("Product Viewed", f"tea-{number}"): 1 for number in range(VIEWS)},
    }
)
VISIT = """views => {
  const calls = [shop.identify('login-of-ada', {email: 'ada@people.example'}), shop.page('Home')]
  for (let n = 0; n < views; n++) calls.push(shop.track('Product Viewed', {product_id: `tea-${n}`}))
  const products = [{product_id: 'tea-1', quantity: 2}]
  calls.push(shop.track('Order Completed', {order_id: 'o1', total: 4800, currency: 'JPY', products}))
  window.made = Promise.all(calls)
}"""

SEGMENT, RUDDER = "@segment/analytics-next", "@rudderstack/analytics-js"


def in_batches(size: int, timeout: int) -> dict[str, Any]:
    """Options of Segment's library for batches of so many events or milliseconds."""
    strategy = {"strategy": "batching", "config": {"size": size, "timeout": timeout}}
    return {"integrations": {"Segment.io": {"deliveryStrategy": strategy}}}


STAYING: dict[str, tuple[str, dict[str, Any]]] = {
    SEGMENT: ("segment", {}),
    f"{SEGMENT}, in batches": ("segment", in_batches(4, 300)),
    RUDDER: ("rudder", {"queueOptions": {"backoffFactor": 1}}),
    f"{RUDDER}, in batches": (
        "rudder",
        {"queueOptions": {"backoffFactor": 1, "batch": {"enabled": True, "maxItems": 4, "flushInterval": 300}}},
    ),
}


@pytest.mark.parametrize("sdk", STAYING)
def test_an_sdk_of_a_browser_brings_every_event_once(
    town: Town, visit: Callable[..., Visitor], sdk: str, figures: Figures
) -> None:
    page_name, options = STAYING[sdk]
    source = named(sdk)
    key = town.add_source(source, "public")
    town.road.roughen([LOST, UNAVAILABLE, CUT])
    page = visit().open(page_name, town.road.url, key, options)
    page.evaluate(VISIT, VIEWS)
    arrives(page, lambda: (town.road.due, town.facts(source), town.received(source)), ([], EXPECTED, CALLS))
    arrives(page, lambda: town.road.unanswered, 0)
    posts, swallowed, repeated = len(town.road.posts), town.road.swallowed, town.road.repeat()
    assert (town.facts(source), town.received(source)) == (EXPECTED, CALLS)
    figures(
        f"{sdk}, {town.kind}",
        sent=CALLS,
        stored=town.received(source),
        doubled=0,
        requests=posts,
        answers_swallowed=swallowed,
        requests_repeated=repeated,
    )


LEAVING: dict[str, tuple[str, dict[str, Any], str]] = {
    f"{SEGMENT}, keepalive": ("segment", in_batches(10_000, 60_000), "/v1/b"),
    f"{RUDDER}, beacon": (
        "rudder",
        {"useBeacon": True, "beaconQueueOptions": {"maxItems": 10_000, "flushQueueInterval": 60_000}},
        "/beacon/v1/batch",
    ),
}


@pytest.mark.parametrize("sdk", LEAVING)
def test_what_a_page_sends_while_it_closes_arrives_once(
    town: Town, visit: Callable[..., Visitor], sdk: str, figures: Figures
) -> None:
    page_name, options, path = LEAVING[sdk]
    source = named(f"leaving {sdk}")
    key = town.add_source(source, "public")
    town.road.roughen([])
    page = visit().open(page_name, town.road.url, key, options)
    page.evaluate(VISIT, VIEWS)
    page.evaluate("made")
    assert town.road.posts == [], "all of it waits for the end"
    page.goto("about:blank")
    arrives(page, lambda: (town.facts(source), town.received(source)), (EXPECTED, CALLS))
    assert {one.path.partition("?")[0] for one in town.road.posts} == {path}
    repeated = town.road.repeat()
    assert (town.facts(source), town.received(source)) == (EXPECTED, CALLS)
    figures(f"{sdk}, {town.kind}", sent=CALLS, stored=town.received(source), doubled=0, requests_repeated=repeated)
