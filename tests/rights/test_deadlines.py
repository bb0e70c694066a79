from datetime import UTC, date, datetime

import pytest

from cdp.policy.terms import Law
from cdp.rights import deadlines


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


def test_without_delay_means_fourteen_days_in_japan() -> None:
    assert deadlines.due_day(Law.APPI, date(2026, 4, 25)) == date(2026, 5, 9)


def test_the_earliest_of_several_laws_counts_until_the_end_of_the_day_at_the_controller() -> None:
    received = datetime(2026, 5, 31, 16, 0, tzinfo=UTC)
    both = deadlines.due_at(Law.GDPR | Law.APPI, received, "", "Asia/Tokyo")
    assert both == datetime(2026, 6, 15, 14, 59, 59, tzinfo=UTC), "it was already 1 June in Tokyo"
    assert deadlines.due_at(Law(0), received, "", "Asia/Tokyo") == both, "an unknown law is every law"
    assert deadlines.due_at(Law.GDPR, received, "", "Asia/Tokyo") == datetime(2026, 7, 1, 14, 59, 59, tzinfo=UTC)
