"""What of a person is kept too long: the categories whose period since the last activity is over.

Pure. What has lapsed is used for nothing and waits to be deleted (GDPR 5(1)(e), APPI 22).
"""

from datetime import UTC, date, datetime, time
from functools import lru_cache

from cdp.clock import months_later
from cdp.policy.terms import Policy


@lru_cache(maxsize=1 << 12)
def lapsed(
    terms: Policy, country: str, active_on: date | None, at: datetime
) -> tuple[tuple[str, ...], datetime | None]:
    """Return the categories whose period since the last activity is over, and when the next one's will be."""
    if active_on is None:
        return (), None
    ends = _ends(terms, country, active_on)
    over = tuple(category for category, end in ends if end <= at)
    return over, min((end for _, end in ends if end > at), default=None)


@lru_cache(maxsize=1 << 12)
def _ends(terms: Policy, country: str, active_on: date) -> tuple[tuple[str, datetime], ...]:
    """Return when each category's period is over, by its name: most people were active in one of few months."""
    periods = sorted(_periods(terms, country).items())
    return tuple((name, datetime.combine(months_later(active_on, months), time(), UTC)) for name, months in periods)


def _periods(terms: Policy, country: str) -> dict[str, int]:
    """Return the months that each category is kept after the last activity: the longest of the rows that apply."""
    found: dict[str, int] = {}
    for row in terms.retention:
        applies = not row["countries"] or country in row["countries"]
        if row["trigger"] == "last_activity" and applies:
            found[row["category"]] = max(found.get(row["category"], 0), row["months"])
    return found
