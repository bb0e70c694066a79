"""SDKs of servers, unmodified, over a road that loses and swallows: every event is stored once."""

import subprocess
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from rudderstack.analytics.client import Client as RudderClient
from segment.analytics.client import Client as SegmentClient

from tests.browser import packages
from tests.conftest import DEEP
from tests.figures import Figures
from tests.stories.road import CUT, LOST, UNAVAILABLE
from tests.stories.town import Town, named

VIEWS = 2_000 if DEEP else 40
CALLS = VIEWS + 6
FAULTS = [UNAVAILABLE, CUT, LOST, "", CUT]
NODE = Path(packages.HERE) / "node" / "visit.mjs"

EXPECTED = Counter(
    {
        ("Page Viewed", ""): 1,
        ("Screen Viewed", ""): 1,
        ("Order Completed", "tea-1"): 1,
        **{("Product Viewed", f"tea-{number}"): 1 for number in range(VIEWS)},
    }
)


OnError = Callable[[Exception, Any], None]

CLIENTS: Mapping[str, Callable[[str, str, OnError], Any]] = {
    "segment-analytics-python": lambda key, url, failed: SegmentClient(
        key, host=url, on_error=failed, upload_size=10, upload_interval=0.1
    ),
    "rudder-sdk-python": lambda key, url, failed: RudderClient(
        key, host=url, on_error=failed, upload_size=10, upload_interval=0.1
    ),
}

CONSENT: Mapping[str, Mapping[str, Any]] = {
    "segment-analytics-python": {"consent": {"categoryPreferences": {"Analytics": True, "Advertising": False}}},
    "rudder-sdk-python": {
        "consentManagement": {
            "provider": "custom",
            "allowedConsentIds": ["Analytics"],
            "deniedConsentIds": ["Advertising"],
        }
    },
}


def run_python(sdk: str, key: str, url: str) -> None:
    failed: list[Exception] = []
    _visit(CLIENTS[sdk](key, url, lambda why, _: failed.append(why)), CONSENT[sdk])
    assert failed == []


def run_node(sdk: str, key: str, url: str) -> None:
    if why := packages.missing():
        pytest.skip(why)
    done = subprocess.run(
        ["node", str(NODE), sdk, url, key, str(VIEWS)], cwd=packages.HERE, capture_output=True, text=True, timeout=300
    )
    assert (done.stdout.strip(), done.returncode) == (str(CALLS), 0), done.stderr[-1000:]


SDKS: Mapping[str, Callable[[str, str, str], None]] = {
    "segment-analytics-python": run_python,
    "rudder-sdk-python": run_python,
    "@segment/analytics-node": run_node,
    "@rudderstack/rudder-sdk-node": run_node,
}


@pytest.mark.parametrize("sdk", SDKS)
def test_an_sdk_of_a_server_brings_every_event_once(town: Town, sdk: str, figures: Figures) -> None:
    source = named(sdk)
    key = town.add_source(source, "server")
    town.road.roughen(FAULTS)
    SDKS[sdk](sdk, key, town.road.url)
    assert town.road.due == [], "every fault was met"
    assert town.facts(source) == EXPECTED
    said = town.said(source)
    assert set(said) == {("analytics", "given", False, "banner"), ("ads_sharing", "refused", False, "banner")}
    posts, swallowed, repeated = len(town.road.posts), town.road.swallowed, town.road.repeat()
    assert (town.facts(source), town.received(source), town.said(source)) == (EXPECTED, CALLS, said)
    figures(
        f"{sdk}, {town.kind}",
        sent=CALLS,
        stored=town.received(source),
        doubled=0,
        requests=posts,
        answers_swallowed=swallowed,
        requests_repeated=repeated,
    )


def _visit(client: Any, consent: Mapping[str, Any]) -> None:
    """Make every call that a Python SDK has; both have the same."""
    who = {"user_id": "login-of-ada", "anonymous_id": "browser-of-ada"}
    client.identify(**who, traits={"email": "ada@people.example", "plan": "gold"}, context=dict(consent))
    client.group(**who, group_id="tea-circle", traits={"name": "Tea circle"})
    client.alias(previous_id="browser-of-ada", user_id="login-of-ada")
    client.page(**who, name="Home", properties={"path": "/"}, context=dict(consent))
    client.screen(**who, name="Start")
    for number in range(VIEWS):
        viewed = {"product_id": f"tea-{number}"}
        client.track(**who, event="Product Viewed", properties=viewed, context=dict(consent))
    order = {"order_id": "o1", "total": 4800, "currency": "JPY", "products": [{"product_id": "tea-1", "quantity": 2}]}
    client.track(**who, event="Order Completed", properties=order)
    client.flush()
    client.join()


@pytest.mark.parametrize("sdk", ["segment-analytics-python", "rudder-sdk-python"])
def test_an_sdk_with_a_wrong_key_is_told_once_and_gives_up(town: Town, sdk: str) -> None:
    town.road.roughen([])
    failed: list[Exception] = []
    client = CLIENTS[sdk]("no-such-key", town.road.url, lambda why, _: failed.append(why))
    client.track(user_id="login-of-ada", event="Product Viewed")
    client.flush()
    client.join()
    assert [one.status for one in town.road.posts] == [401]
    assert "write_key_wrong" in str(failed[0])
