"""The calendars that due dates hang on, against a second opinion and against each other."""

from datetime import date, timedelta

import holidays
import jpholiday
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.rights import calendar
from tests.rights import almanac

DAYS = st.dates(almanac.FIRST, almanac.LAST)


def of_jpholiday(first: int, last: int) -> set[date]:
    return {day for year in range(first, last + 1) for day, _ in jpholiday.year_holidays(year)}


def of_holidays(first: int, last: int) -> set[date]:
    return set(holidays.country_holidays("JP", years=range(first, last + 1)))


def test_the_two_libraries_of_japanese_holidays_agree_wherever_a_due_date_can_be() -> None:
    assert of_jpholiday(1986, 2099) == of_holidays(1986, 2099)


def test_the_two_libraries_differ_before_the_law_of_1985_and_after_the_last_year_of_one() -> None:
    """`jpholiday` lets a day between two holidays be one before 27 December 1985, when that became the law."""
    too_many = of_jpholiday(1949, 1985) - of_holidays(1949, 1985)
    assert {(day.month, day.day) for day in too_many} == {(5, 4), (2, 12)}
    assert [day for day in too_many if day.month == 2] == [date(1973, 2, 12)], "substitutes began on 12 April 1973"
    assert not of_holidays(1949, 1985) - of_jpholiday(1949, 1985)
    assert of_jpholiday(2100, 2100) and not of_holidays(2100, 2100)


@pytest.mark.parametrize("country", almanac.COUNTRIES)
def test_every_day_of_forty_years_is_open_or_closed_as_by_hand(country: str) -> None:
    day, wrong = almanac.FIRST, []
    while day <= almanac.LAST:
        if calendar.is_working_day(day, country) == almanac.is_closed(country, day):
            wrong.append(day)
        day += timedelta(days=1)
    assert not wrong


@given(DAYS, st.integers(0, 40))
def test_months_are_added_as_they_are_walked(day: date, months: int) -> None:
    assert calendar.add_months(day, months) == almanac.months_later(day, months)


@given(DAYS, st.sampled_from(almanac.COUNTRIES))
def test_the_next_working_day_is_never_before_and_the_last_never_after(day: date, country: str) -> None:
    before, after = calendar.last_working_day(day, country), calendar.next_working_day(day, country)
    assert before <= day <= after
    assert (before == day) == (after == day) == (not almanac.is_closed(country, day))
    assert after == almanac.open_day(country, day)


def test_the_authorities_of_japan_are_closed_at_the_turn_of_the_year() -> None:
    assert calendar.next_working_day(date(2026, 12, 29), "JP") == date(2027, 1, 4)
    assert calendar.last_working_day(date(2027, 1, 3), "JP") == date(2026, 12, 28)
    assert calendar.is_working_day(date(2026, 12, 29), "DE"), "and nobody else's"
