"""Time never goes back for who decides by it, whatever is done to the machine's clock."""

from datetime import UTC, datetime, timedelta

import pytest

from cdp.clock import ForwardClock
from tests.conftest import StandingClock


class Pulse:
    """Seconds that nobody can set back."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.mark.parametrize("jump", [{"hours": 1}, {"days": 1}, {"days": 366}], ids=str)
def test_a_clock_that_is_put_back_goes_on_and_is_caught_up_with(clock: StandingClock, jump: dict[str, int]) -> None:
    pulse, seen = Pulse(), []
    forward = ForwardClock(clock, pulse)
    before = forward.now()
    clock.pass_(**{unit: -by for unit, by in jump.items()})
    for _ in range(5):
        pulse.seconds += 60
        clock.pass_(minutes=1)
        seen.append(forward.now())
    assert seen == sorted(set(seen)) and seen[0] > before
    pulse.seconds += timedelta(**jump).total_seconds() * 10
    clock.pass_(seconds=timedelta(**jump).total_seconds() * 10)
    assert forward.now() == clock.now()


def test_a_clock_that_is_right_is_followed_at_once(clock: StandingClock) -> None:
    forward = ForwardClock(clock, Pulse())
    for step in ({"milliseconds": 1}, {"hours": 1}, {"days": 400}):
        clock.pass_(**step)
        assert forward.now() == clock.now()


def test_a_machine_that_wakes_in_1970_goes_on_from_what_was_written_last() -> None:
    forward = ForwardClock(StandingClock(datetime(1970, 1, 1, tzinfo=UTC)), Pulse())
    forward.go_on_from(datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC))
    assert forward.now() == datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC)
