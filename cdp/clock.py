"""Time as an argument: everything that depends on now is given a clock or an instant."""

import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time, aware and in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class ForwardClock:
    """A clock that never goes back, since what was said later must not count as said before.

    Where the machine's clock falls behind what was known, it runs on at nine tenths of the pace until
    the other has caught up: a withdrawal stays later than the consent that it ends.
    """

    def __init__(self, clock: Clock, pulse: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._pulse = clock, pulse
        self._latest, self._beat = clock.now(), pulse()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            beat = self._pulse()
            running = self._latest + timedelta(seconds=(beat - self._beat) * _CATCHING_UP)
            self._latest, self._beat = max(running, self._clock.now()), beat
            return self._latest

    def go_on_from(self, instant: datetime) -> None:
        """Be never before this instant again."""
        with self._lock:
            self._latest = max(self._latest, instant)


_CATCHING_UP = 0.9

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2999, 12, 31, tzinfo=UTC)
"""Instants that somebody names and that lie outside are slips, and break what reckons with them."""

FOREVER = datetime(9999, 12, 31, tzinfo=UTC)
"""Later than anything that is known to end."""


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 instant as UTC; raises ValueError for nonsense.

    A time without a zone is taken as UTC: guessing a local zone would reorder consents.
    """
    value = datetime.fromisoformat(text)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


_DURATION = re.compile(r"P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?)?")


def parse_duration(text: str) -> timedelta:
    """Read an ISO 8601 duration of weeks, days, hours and minutes; raises ValueError for nonsense or none at all.

    Months and years are refused: their length depends on when one starts to count.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError("not a duration such as P30D or PT2H")
    weeks, days, hours, minutes = (int(part or 0) for part in found.groups())
    value = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)
    if not value:
        raise ValueError("a duration of nothing")
    return value


def months_later(day: date, months: int) -> date:
    """Return the same day so many calendar months on, or that month's last day."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
