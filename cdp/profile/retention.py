"""What of a person is kept too long: the categories whose period since the last activity is over.

Pure. What has lapsed is used for nothing and waits to be deleted (GDPR 5(1)(e), APPI 22).
"""

from datetime import UTC, date, datetime, time

from cdp.clock import months_later
from cdp.policy.terms import Policy


def lapsed(
    terms: Policy, country: str, active_on: date | None, at: datetime
) -> tuple[tuple[str, ...], datetime | None]:
    """Return the categories whose period since the last activity is over, and when the next one's will be."""
    if active_on is None:
        return (), None
    over: list[str] = []
    ends: list[datetime] = []
    for category, months in _periods(terms, country).items():
        end = datetime.combine(months_later(active_on, months), time(), UTC)
        if end <= at:
            over.append(category)
        else:
            ends.append(end)
    return tuple(sorted(over)), min(ends, default=None)


def _periods(terms: Policy, country: str) -> dict[str, int]:
    """Return the months that each category is kept after the last activity: the longest of the rows that apply."""
    found: dict[str, int] = {}
    for row in terms.retention:
        applies = not row["countries"] or country in row["countries"]
        if row["trigger"] == "last_activity" and applies:
            found[row["category"]] = max(found.get(row["category"], 0), row["months"])
    return found
