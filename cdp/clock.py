"""Time as an argument: everything that depends on now is given a clock or an instant."""

from datetime import UTC, datetime
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
