"""By when a request must be answered, by the law that protects the person.

GDPR 12(3): one calendar month after receipt, clipped to the month's end; a due date on a Saturday,
Sunday or public holiday moves to the next working day (Regulation 1182/71, EDPB 01/2022 §157-160).
Two further months, once, where the person was told in time. APPI 33-35 says 遅滞なく without a number: we
hold ourselves to 14 days, since Article 39 opens the courts two weeks after the demand. That is a promise and
no period of the law, so it moves back to the last day on which somebody works, never on.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from cdp.policy.terms import Law, Policy
from cdp.rights.calendar import JAPAN, add_months, end_of, last_working_day, next_working_day
from cdp.rights.periods import Periods

USUAL = Periods()


def due_at(
    law: Law, received_at: datetime, country: str, zone: str, periods: Periods = USUAL, *, extended: bool = False
) -> datetime:
    """Return the last instant for an answer: the end of the due day where the controller lives.

    Several laws give the earliest of their due days; no law at all is treated as every law.
    """
    received = received_at.astimezone(ZoneInfo(zone)).date()
    days = [due_day(one, received, country, periods, extended=extended) for one in Law if one in law or not law]
    return end_of(min(days), zone).astimezone(UTC)


def due_day(law: Law, received: date, country: str = "", periods: Periods = USUAL, *, extended: bool = False) -> date:
    """Return the due day under one law; `country` names whose public holidays count (GDPR).

    `extended` adds the two further months of the GDPR; the APPI knows no extension.
    """
    if law is Law.APPI:
        return _promised(received, periods.disclosure_days)
    months = periods.access_months + (periods.extension_months if extended else 0)
    return next_working_day(add_months(received, months), country)


def working_calendar(policy: Policy, country: str) -> str:
    """Return whose holidays count: the person's country under the GDPR, else the controller's there."""
    pack = policy.packs.get(Law.GDPR)
    protected = pack.countries if pack else frozenset()
    return next((one for one in (country, *policy.controller.establishments) if one in protected), "")


def _promised(received: date, days: int) -> date:
    """Return the last working day in Japan within so many days; where there is none, the first after them."""
    last = received + timedelta(days=days)
    kept = last_working_day(last, JAPAN)
    return kept if kept > received else next_working_day(last, JAPAN)


__all__ = ["due_at", "due_day", "working_calendar"]
