"""Two further months for a complex request: once, told in time, under the GDPR (12(3))."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from cdp import rights
from cdp.errors import Problem
from cdp.rights.model import SubjectRequest
from tests.rights.conftest import SHOP, Grounds

RECEIVED = datetime(2026, 3, 5, 9, 0, tzinfo=UTC)
FIRST_DUE, DUE = date(2026, 4, 7), date(2026, 6, 5)
"""5 April is Easter Sunday."""


@pytest.fixture
def asked(grounds: Grounds) -> str:
    """A request of somebody in Germany, received on 5 March 2026 in the morning."""
    grounds.clock.instant = RECEIVED
    grounds.browse("laptop", "anna@example.com", user="anna", verified=True, country="DE")
    assert SHOP.residence_default == "JP"
    return grounds.ask("access", "anna@example.com")


def extend(grounds: Grounds, request: str, told_at: datetime, reason: str = "many systems") -> SubjectRequest:
    with grounds.database.transaction() as session:
        return rights.extend(session, request, told_at, reason, grounds.clock.now())


def refusal(grounds: Grounds, *words: object) -> tuple[int, str]:
    with pytest.raises(Problem) as caught:
        extend(grounds, *words)  # type: ignore[arg-type]
    return caught.value.status, caught.value.type


def day(request: SubjectRequest) -> date:
    return (request.due_at + timedelta(hours=9)).date()


def test_an_extension_counts_from_receipt_and_keeps_the_first_due_date(grounds: Grounds, asked: str) -> None:
    grounds.clock.pass_(days=20)
    one = extend(grounds, asked, grounds.clock.now())
    assert day(one) == DUE
    [step] = json.loads(one.steps)
    assert step["step"] == "extend" and step["counts"]["first_due"].startswith("2026-04-07")
    with grounds.database.snapshot() as session:
        assert rights.overdue(session, RECEIVED + timedelta(days=60)) == 0
        assert rights.overdue(session, RECEIVED + timedelta(days=120)) == 1


def test_a_second_extension_is_a_conflict(grounds: Grounds, asked: str) -> None:
    extend(grounds, asked, RECEIVED)
    assert refusal(grounds, asked, RECEIVED) == (409, "extended_already")


def test_who_was_told_after_the_due_date_was_told_too_late(grounds: Grounds, asked: str) -> None:
    last = datetime(2026, 4, 7, 14, 59, 59, tzinfo=UTC)
    grounds.clock.instant = last + timedelta(days=1)
    assert refusal(grounds, asked, last + timedelta(seconds=1)) == (422, "not_told_in_time")
    assert day(extend(grounds, asked, last)) == DUE, "told on the last day, noted on the next"


@pytest.mark.parametrize("told_at", [RECEIVED - timedelta(seconds=1), RECEIVED + timedelta(days=1)])
def test_nobody_was_told_before_the_request_or_will_have_been(grounds: Grounds, asked: str, told_at: datetime) -> None:
    assert refusal(grounds, asked, told_at) == (422, "not_told_in_time")


@pytest.mark.parametrize("reason", ["", "  ", "call +81 90 1234 5678"])
def test_an_extension_needs_a_reason_that_names_nobody(grounds: Grounds, asked: str, reason: str) -> None:
    assert refusal(grounds, asked, RECEIVED, reason)[0] == 422


def test_an_answered_request_and_an_unknown_one_are_not_extended(grounds: Grounds, asked: str) -> None:
    rights.advance(grounds, asked)
    assert refusal(grounds, asked, RECEIVED) == (409, "request_closed")
    assert refusal(grounds, "0" * 32, RECEIVED) == (404, "unknown_request")


def test_japan_knows_no_extension(grounds: Grounds) -> None:
    grounds.bring("ada@example.com")
    request = grounds.ask("access", "ada@example.com")
    assert refusal(grounds, request, grounds.clock.now()) == (409, "not_extendable")
