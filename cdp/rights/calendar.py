"""Which days count: months that are clipped, and the days on which nobody works.

In Europe Saturdays, Sundays and public holidays (Regulation 1182/71, articles 2 and 3(4)); without a known country the
euro area's bank holidays. In Japan also 29 December to 3 January, when the authorities are closed
(行政機関の休日に関する法律 1条). Regional holidays are working days here: a due date is then early, never late.
"""

from calendar import monthrange
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays
import jpholiday

JAPAN = "JP"
SATURDAY = 5
ONE_DAY = timedelta(days=1)


def add_months(day: date, months: int) -> date:
    """Return the day of the same number that many months later, or that month's last day."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def is_working_day(day: date, country: str = "") -> bool:
    """Say whether the day is neither weekend nor holiday in the country; empty = the euro area."""
    return day.weekday() < SATURDAY and day not in _closed(country, day.year)


def next_working_day(day: date, country: str = "") -> date:
    """Return the day itself, or the first working day after it."""
    while not is_working_day(day, country):
        day += ONE_DAY
    return day


def last_working_day(day: date, country: str = "") -> date:
    """Return the day itself, or the last working day before it."""
    while not is_working_day(day, country):
        day -= ONE_DAY
    return day


def end_of(day: date, zone: str) -> datetime:
    """Return the day's last second where the controller lives."""
    return datetime.combine(day, time(23, 59, 59), ZoneInfo(zone))


@cache
def _closed(country: str, year: int) -> frozenset[date]:
    """Return the year's holidays; those of the years beside it may be observed in it."""
    if country == JAPAN:
        return frozenset(day for day, _ in jpholiday.year_holidays(year)) | _turn_of(year)
    years = (year - 1, year, year + 1)
    if country in holidays.list_supported_countries():
        return frozenset(holidays.country_holidays(country, years=years))
    return frozenset(holidays.financial_holidays("ECB", years=years))


def _turn_of(year: int) -> frozenset[date]:
    return frozenset([date(year, 1, 2), date(year, 1, 3), *(date(year, 12, day) for day in (29, 30, 31))])


__all__ = ["JAPAN", "add_months", "end_of", "is_working_day", "last_working_day", "next_working_day"]
