"""By when a request must be answered, by the law that protects the person.

GDPR 12(3): one calendar month after receipt, clipped to the month's end; a due date on a Saturday,
Sunday or public holiday moves to the next working day (Regulation 1182/71, EDPB 01/2022 §157-160).
APPI 33-35 says 遅滞なく without a number: we hold ourselves to 14 days, since Article 39 opens the
courts two weeks after the demand.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays

from cdp.policy.terms import Law, Policy

APPI_DAYS = 14


def due_at(law: Law, received_at: datetime, country: str, zone: str) -> datetime:
    """Return the last instant for an answer: the end of the due day where the controller lives.

    Several laws give the earliest of their due days; no law at all is treated as every law.
    """
    received = received_at.astimezone(ZoneInfo(zone)).date()
    days = [due_day(one, received, country) for one in Law if one in law or not law]
    return datetime.combine(min(days), time(23, 59, 59), ZoneInfo(zone)).astimezone(UTC)


def due_day(law: Law, received: date, country: str = "") -> date:
    """Return the due day under one law; `country` names whose public holidays count (GDPR)."""
    if law is Law.APPI:
        return received + timedelta(days=APPI_DAYS)
    return next_working_day(add_month(received), country)


def add_month(day: date) -> date:
    """Return the day of the same number in the next month, or that month's last day."""
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def next_working_day(day: date, country: str = "") -> date:
    """Return the day itself, or the first day after it that is neither weekend nor public holiday."""
    closed = _public_holidays(country, (day.year, day.year + 1))
    while day.weekday() >= 5 or day in closed:
        day += timedelta(days=1)
    return day


def working_calendar(policy: Policy, country: str) -> str:
    """Return whose holidays count: the person's country under the GDPR, else the controller's there."""
    pack = policy.packs.get(Law.GDPR)
    protected = pack.countries if pack else frozenset()
    return next((one for one in (country, *policy.controller.establishments) if one in protected), "")


def _public_holidays(country: str, years: tuple[int, ...]) -> frozenset[date]:
    """Public holidays of the country; without a known one, the euro area's bank holidays (TARGET)."""
    if country in holidays.list_supported_countries():
        return frozenset(holidays.country_holidays(country, years=years))
    return frozenset(holidays.financial_holidays("ECB", years=years))


__all__ = ["add_month", "due_at", "due_day", "next_working_day", "working_calendar"]
