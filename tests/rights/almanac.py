"""A second opinion on calendars: holidays by hand, and periods by walking from day to day.

Shares nothing with the product and with no library: the feasts hang on an Easter of our own, Japan's days on its law
(国民の祝日に関する法律) with the usual formula for the equinoxes. Good for 2020 to 2060.
"""

from datetime import date, timedelta
from functools import cache

FIRST, LAST = date(2020, 1, 1), date(2060, 12, 31)
COUNTRIES = ("", "AT", "DE", "FR", "JP")
"""Empty: the euro area, where no country is known."""

Feasts = frozenset[date]


def easter(year: int) -> date:
    """Return Easter Sunday: the full moon's Sunday by the Gregorian epact, as Knuth tells it."""
    golden, century = year % 19 + 1, year // 100 + 1
    skipped, moon = 3 * century // 4 - 12, (8 * century + 5) // 25 - 5
    sunday = 5 * year // 4 - skipped - 10
    epact = (11 * golden + 20 + moon - skipped) % 30
    epact += (epact == 25 and golden > 11) or epact == 24
    full = 44 - epact + (30 if 44 - epact < 21 else 0)
    full += 7 - (sunday + full) % 7
    return date(year, 3, 1) + timedelta(days=full - 1)


def is_closed(country: str, day: date) -> bool:
    """Say whether nobody works on the day."""
    if day.isoweekday() in (6, 7) or day in feasts(country, day.year):
        return True
    return country == "JP" and (day.month, day.day) in ((12, 29), (12, 30), (12, 31), (1, 2), (1, 3))


@cache
def feasts(country: str, year: int) -> Feasts:
    if country == "JP":
        return japanese(year)
    fixed, moving = {
        "": (("01-01", "05-01", "12-25", "12-26"), (-2, 1)),
        "DE": (("01-01", "05-01", "10-03", "12-25", "12-26"), (-2, 1, 39, 50)),
        "FR": (("01-01", "05-01", "05-08", "07-14", "08-15", "11-01", "11-11", "12-25"), (1, 39, 50)),
        "AT": (
            ("01-01", "01-06", "05-01", "08-15", "10-26", "11-01", "12-08", "12-25", "12-26"),
            (1, 39, 50, 60),
        ),
    }[country]
    standing = {date.fromisoformat(f"{year}-{one}") for one in fixed}
    return frozenset(standing | {easter(year) + timedelta(days=after) for after in moving})


def japanese(year: int) -> Feasts:
    """Return Japan's holidays: those that are named, their substitutes, and a day between two of them."""
    named = {date.fromisoformat(f"{year}-{one}") for one in _NAMED} | _equinoxes(year)
    named |= {_monday(year, 1, 2), _monday(year, 9, 3)}
    named |= {date.fromisoformat(f"{year}-{one}") for one in _OLYMPIC[year]} if year in _OLYMPIC else _summer(year)
    closed = set(named)
    for day in sorted(named):
        if day.isoweekday() == 7:
            while day in named:
                day += timedelta(days=1)
            closed.add(day)
    between = {day + timedelta(days=1) for day in named if day + timedelta(days=2) in named}
    return frozenset(closed | {day for day in between if day.isoweekday() != 7})


_NAMED = ("01-01", "02-11", "02-23", "04-29", "05-03", "05-04", "05-05", "11-03", "11-23")
_OLYMPIC = {2020: ("07-23", "07-24", "08-10"), 2021: ("07-22", "07-23", "08-08")}
"""Sea, sports and mountain day were moved for the games (特措法 32条の2)."""


def _summer(year: int) -> set[date]:
    return {_monday(year, 7, 3), date(year, 8, 11), _monday(year, 10, 2)}


def _monday(year: int, month: int, number: int) -> date:
    days = [date(year, month, day) for day in range(1, 29)]
    return [day for day in days if day.isoweekday() == 1][number - 1]


def _equinoxes(year: int) -> set[date]:
    since = year - 1980
    spring, autumn = (int(start + 0.242194 * since - since // 4) for start in (20.8431, 23.2488))
    return {date(year, 3, spring), date(year, 9, autumn)}


def open_day(country: str, day: date) -> date:
    """Walk on to the first day on which somebody works."""
    while is_closed(country, day):
        day += timedelta(days=1)
    return day


def months_later(day: date, months: int) -> date:
    """Walk through so many turns of the month, then on to the same number or the month's end."""
    wanted, turns = day.day, 0
    while turns < months:
        day += timedelta(days=1)
        turns += day.day == 1
    while day.day < wanted and (day + timedelta(days=1)).day != 1:
        day += timedelta(days=1)
    return day


def counted(day: date, number: int) -> date:
    """Walk until so many days were counted, the first of them this one."""
    count = 1
    while count < number:
        day += timedelta(days=1)
        count += 1
    return day


def promised(received: date, days: int) -> date:
    """Return the last day within so many after receipt on which somebody works in Japan."""
    day, kept = received, received
    for _ in range(days):
        day += timedelta(days=1)
        kept = kept if is_closed("JP", day) else day
    return kept
