"""What the gate's tests stand on."""

from pathlib import Path

import pytest

from cdp.db import Database
from tests.conftest import StandingClock
from tests.stories.day import MARKETING, Day, a_day, address


@pytest.fixture
def shop(house: Database, clock: StandingClock, tmp_path: Path) -> Day:
    """A shop with two customers who said yes to its letters."""
    day = a_day(house, clock, tmp_path)
    day.customers = 2
    day.bring(*(day.item(number, "Order Completed", minutes=60) for number in (1, 2)))
    for number in (1, 2):
        assert day.say(address(number), MARKETING, "given")
    clock.pass_(minutes=1)
    return day
