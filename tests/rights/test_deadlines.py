"""By when a request must be answered: worked examples, and thousands against a second opinion."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.policy.terms import Law
from cdp.rights import deadlines
from cdp.rights.periods import Periods
from tests.rights import almanac

RECEIVED = st.dates(almanac.FIRST, almanac.LAST)
COUNTRIES = st.sampled_from([one for one in almanac.COUNTRIES if one != "JP"])
MINUTES = 40 * 365 * 24 * 60
ZONES = st.sampled_from(["Asia/Tokyo", "Europe/Berlin", "UTC", "America/Los_Angeles"])


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-02-27", "2026-03-27"),
        ("2026-08-31", "2026-09-30"),
        ("2026-03-05", "2026-04-07"),
        ("2026-01-31", "2026-03-02"),
        ("2025-12-31", "2026-02-02"),
        ("2028-01-31", "2028-02-29"),
        ("2026-11-25", "2026-12-28"),
    ],
)
def test_a_month_is_clipped_and_moves_to_a_working_day(received: str, due: str) -> None:
    assert deadlines.due_day(Law.GDPR, date.fromisoformat(received)) == date.fromisoformat(due)


def test_a_country_keeps_its_own_holidays() -> None:
    received = date(2026, 9, 3)
    assert deadlines.due_day(Law.GDPR, received, "DE") == date(2026, 10, 5), "3 October is German Unity Day"
    assert deadlines.due_day(Law.GDPR, date(2026, 7, 14).replace(month=6), "FR") == date(2026, 7, 15), "14 July"
    assert deadlines.due_day(Law.GDPR, date(2026, 6, 14), "DE") == date(2026, 7, 14)


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-06-01", "2026-06-15"),
        ("2026-04-25", "2026-05-08"),  # the fourteenth day is a Saturday
        ("2026-04-21", "2026-05-01"),  # … and here the second of five days off
        ("2026-12-20", "2026-12-28"),  # the authorities are closed until 3 January
    ],
)
def test_without_delay_means_within_fourteen_days_in_japan(received: str, due: str) -> None:
    assert deadlines.due_day(Law.APPI, date.fromisoformat(received)) == date.fromisoformat(due)


@pytest.mark.parametrize(
    ("received", "due"),
    [("2026-02-27", "2026-05-27"), ("2026-11-30", "2027-03-01"), ("2026-01-31", "2026-04-30")],
)
def test_two_further_months_are_counted_from_receipt(received: str, due: str) -> None:
    day = date.fromisoformat(received)
    assert deadlines.due_day(Law.GDPR, day, extended=True) == date.fromisoformat(due)
    assert deadlines.due_day(Law.APPI, day, extended=True) == deadlines.due_day(Law.APPI, day)


@given(RECEIVED, COUNTRIES, st.booleans())
def test_every_month_agrees_with_a_walk_from_day_to_day(received: date, country: str, extended: bool) -> None:
    end = almanac.months_later(received, 3 if extended else 1)
    due = deadlines.due_day(Law.GDPR, received, country, extended=extended)
    assert due == almanac.open_day(country, end)
    assert received < end <= due, "never before the month has passed"
    assert not almanac.is_closed(country, due)


@given(RECEIVED, st.integers(1, 60))
def test_every_promise_agrees_with_a_walk_and_is_never_broken(received: date, days: int) -> None:
    due = deadlines.due_day(Law.APPI, received, periods=Periods(disclosure_days=days))
    kept = almanac.promised(received, days)
    assert due == (kept if kept > received else almanac.open_day("JP", received + timedelta(days=days)))
    assert not almanac.is_closed("JP", due)
    assert received < due and (days < 10 or due <= received + timedelta(days=days))


@given(st.integers(0, MINUTES), COUNTRIES, ZONES, st.sampled_from(range(4)))
def test_every_due_instant_is_the_end_of_a_day_on_which_somebody_works(
    minutes: int, country: str, zone: str, laws: int
) -> None:
    received_at = datetime(2020, 1, 2, tzinfo=UTC) + timedelta(minutes=minutes)
    due = deadlines.due_at(Law(laws), received_at, country, zone).astimezone(ZoneInfo(zone))
    here = received_at.astimezone(ZoneInfo(zone)).date()
    days = {
        Law.GDPR: (almanac.open_day(country, almanac.months_later(here, 1)), country),
        Law.APPI: (almanac.promised(here, 14), "JP"),
    }
    day, calendar = min(days[law] for law in Law if law in Law(laws) or not laws)
    assert (due.date(), due.time().isoformat()) == (day, "23:59:59")
    assert not almanac.is_closed(calendar, due.date())


def test_the_earliest_of_several_laws_counts_until_the_end_of_the_day_at_the_controller() -> None:
    received = datetime(2026, 5, 31, 16, 0, tzinfo=UTC)
    both = deadlines.due_at(Law.GDPR | Law.APPI, received, "", "Asia/Tokyo")
    assert both == datetime(2026, 6, 15, 14, 59, 59, tzinfo=UTC), "it was already 1 June in Tokyo"
    assert deadlines.due_at(Law(0), received, "", "Asia/Tokyo") == both, "an unknown law is every law"
    assert deadlines.due_at(Law.GDPR, received, "", "Asia/Tokyo") == datetime(2026, 7, 1, 14, 59, 59, tzinfo=UTC)
