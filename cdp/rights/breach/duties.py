"""Whom a breach must be told, by when: both clocks.

The GDPR's hours and the days of a preliminary report run over weekends. The final report in Japan is due on the 30th
day, the 60th for a wrongful purpose, the day of awareness being the first, or the next day on which the authority is
open (rule 8(2)); until the purpose is known the shorter period counts. Where a law says only "without delay", the due
instant is our own promise.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from cdp.rights.breach import rules
from cdp.rights.breach.facts import Facts
from cdp.rights.calendar import JAPAN, end_of, next_working_day
from cdp.rights.periods import BreachTerms

TITLES = {
    "gdpr_authority": ("GDPR 33(1)", "監督機関への通知", "tell the supervisory authority"),
    "gdpr_subjects": ("GDPR 34(1)", "本人への通知（EU）", "tell the people in the EU"),
    "gdpr_controller": ("GDPR 33(2)", "管理者への通知", "tell the controller"),
    "appi_preliminary": ("APPI 26(1), 規則8(1)", "個人情報保護委員会への速報", "preliminary report to the PPC"),
    "appi_final": ("APPI 26(1), 規則8(2)", "個人情報保護委員会への確報", "final report to the PPC"),
    "appi_subjects": ("APPI 26(2)", "本人への通知（日本）", "tell the people in Japan"),
    "appi_entruster": ("APPI 26(1)但書, 規則9", "委託元への通知", "tell the entruster"),
}
"""Duty → article, Japanese, English."""

ALARM = timedelta(hours=24)
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Duty:
    """One party that must be told."""

    name: str
    due_at: datetime
    alarm_at: datetime
    """From here on it presses."""
    done_at: datetime | None = None

    def state(self, at: datetime) -> str:
        """Return `done`, `done_late`, `overdue`, `pressing` or `due`."""
        if self.done_at is not None:
            return "done" if self.done_at <= self.due_at else "done_late"
        return "overdue" if at > self.due_at else "pressing" if at > self.alarm_at else "due"


def duties(facts: Facts, terms: BreachTerms, zone: str, done: Mapping[str, datetime]) -> list[Duty]:
    """Return what must be told, the most pressing first; `done`: when each was first told."""
    found = [*_gdpr(facts, terms), *_appi(facts, terms, zone, done)]
    return sorted((replace(one, done_at=done.get(one.name)) for one in found), key=lambda one: (one.due_at, one.name))


def final_day(aware: date, days: int) -> date:
    """Return the day of the final report in Japan."""
    return next_working_day(counted_day(aware, days), JAPAN)


def counted_day(first: date, number: int) -> date:
    """Return the day of this number, the first being the day of awareness."""
    return first + timedelta(days=number - 1)


def _gdpr(facts: Facts, terms: BreachTerms) -> Iterator[Duty]:
    if "gdpr" not in facts.laws:
        return
    if facts.role == "processor":
        yield _within("gdpr_controller", facts, terms.processor_hours)
        return
    if rules.authority_is_told(facts, terms):
        yield _within("gdpr_authority", facts, terms.authority_hours)
    if rules.subjects_are_told(facts):
        yield _within("gdpr_subjects", facts, terms.authority_hours)


def _within(name: str, facts: Facts, hours: int) -> Duty:
    given = timedelta(hours=hours)
    due = facts.aware_at.astimezone(UTC) + given  # in UTC, or a change to summer time would add an hour
    return Duty(name, due, due - min(ALARM, given / 2))


def _appi(facts: Facts, terms: BreachTerms, zone: str, done: Mapping[str, datetime]) -> Iterator[Duty]:
    """An entrustee that told its entruster in time need not report itself (26(1) and (2), provisos)."""
    if "appi" not in facts.laws or not rules.japanese_classes(facts, terms):
        return
    aware = facts.aware_at.astimezone(ZoneInfo(zone)).date()
    alarm, last = (
        _end(counted_day(aware, days), zone) for days in (terms.preliminary_days, terms.preliminary_last_days)
    )
    if facts.role == "processor":
        yield Duty("appi_entruster", last, alarm)
        if (told := done.get("appi_entruster")) and told <= last:
            return
    final = _end(final_day(aware, terms.final_days_malicious if facts.malicious else terms.final_days), zone)
    yield Duty("appi_preliminary", last, alarm)
    yield Duty("appi_subjects", final, last)
    yield Duty("appi_final", final, final - WEEK)


def _end(day: date, zone: str) -> datetime:
    return end_of(day, zone).astimezone(UTC)
