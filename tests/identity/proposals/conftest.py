"""FEBRL and the models learnt of it, once for all tests of the proposals."""

import pytest

from cdp.identity.proposals import Bounds, Model, train
from tests.identity.proposals.crowd import Crowd, febrl

DRAWN = 600_000
"""Pairs for u: enough for FEBRL, and quick."""

OF_FEBRL = Bounds(most=2.0, touched=1.0)
"""Every second record of FEBRL is somebody's duplicate."""


@pytest.fixture(scope="session")
def febrl3() -> Crowd:
    return febrl("dataset3")


@pytest.fixture(scope="session")
def some(febrl3: Crowd) -> Crowd:
    """A quarter of FEBRL 3, where it is not accuracy that is tested."""
    return febrl3.first(0.25)


@pytest.fixture(scope="session")
def model(febrl3: Crowd) -> Model:
    return train(febrl3.people, drawn=DRAWN)
