"""The audiences and journeys in `policies/` can be read and followed."""

import pytest

from cdp import audience, journey, policy
from cdp.policy.terms import Policy
from cdp.settings import CHECKOUT


@pytest.fixture(scope="module")
def shipped() -> Policy:
    return policy.load(CHECKOUT / "policies")


def test_every_shipped_audience_can_be_read(shipped: Policy) -> None:
    assert shipped.audiences
    assert audience.check(shipped) == []


def test_every_shipped_journey_can_be_followed(shipped: Policy) -> None:
    assert shipped.journeys
    assert journey.check(shipped) == []


def test_journeys_listen_to_declared_events_only(shipped: Policy) -> None:
    for name in shipped.journeys:
        assert journey.find(shipped, name).events <= set(shipped.events)
