"""Time as an argument: everything that depends on now is given a clock or an instant."""

import re
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time, aware and in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


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
