"""Two hosts whose clocks differ: whatever one of them wrote as a no, the other hears, however far it is behind."""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from cdp import consent, gate, identity, policy, rights
from cdp.db import Database, unsettle
from cdp.errors import Unavailable
from cdp.gate.due import settle_due
from cdp.gate.model import Disclosed
from tests.conftest import StandingClock
from tests.gate.test_permission import allowed, assert_equal_to_fresh, make_person, say
from tests.gate.test_permit import request_for

ADA = "ada@example.com"


def withdraws(house: Database, person: int) -> None:
    say(house, person, "withdrawn")


def unsubscribes(house: Database, person: int) -> None:
    with house.transaction() as session:
        consent.withdraw(session, consent.point(session, "email", "", ADA), house.clock.now())


def complains(house: Database, person: int) -> None:
    with house.transaction() as session:
        token = consent.point(session, "email", "", ADA).suppression_token
        consent.suppress(session, "email", token, "email", "complaint", house.clock.now())


def objects(house: Database, person: int) -> None:
    with house.transaction() as session:
        rights.object_to(session, identity.subjects_of(session, person), "direct_marketing", house.clock.now())


def restricts(house: Database, person: int) -> None:
    with house.transaction() as session:
        rights.restrict(session, identity.subjects_of(session, person), house.clock.now())


NOES: list[Callable[[Database, int], None]] = [withdraws, unsubscribes, complains, objects, restricts]
APART = [{"milliseconds": 20}, {"hours": 1}]


def another_host(house: Database, **behind: float) -> Database:
    """Return the same database as a process on a host sees it whose clock is behind."""
    clock = StandingClock(house.clock.now() - timedelta(**behind))
    return Database(house.url, clock=clock, context=dict(house.context), settlers=house.settlers)


def settle_again(database: Database, person: int) -> None:
    with database.transaction() as session:
        unsettle(session, [person])


@pytest.mark.parametrize("behind", APART, ids=["20 ms", "1 h"])
@pytest.mark.parametrize("no", NOES)
def test_a_no_is_a_no_for_a_host_whose_clock_is_behind(house, no, behind):
    person = make_person(house)
    say(house, person, "given")
    assert allowed(house, person)
    house.clock.pass_(days=1)
    no(house, person)
    other = another_host(house, **behind)
    settle_again(other, person)
    assert not allowed(other, person)
    page = gate.read_page(other, request_for(house), lambda session, at: [person])
    assert not page.rows
    house.clock.pass_(days=2)
    assert not allowed(house, person)
    other.dispose()


@pytest.mark.parametrize("behind", APART, ids=["20 ms", "1 h"])
def test_a_yes_is_heard_by_a_host_behind_when_its_own_clock_has_come_so_far(house, behind):
    person = make_person(house)
    house.clock.pass_(days=1)
    say(house, person, "given")
    other = another_host(house, **behind)
    settle_again(other, person)
    assert not allowed(other, person)
    other.clock.pass_(**behind)
    settle_due(other)
    assert allowed(other, person)
    assert_equal_to_fresh(other, person)
    other.dispose()


@pytest.mark.parametrize("no", [withdraws, unsubscribes])
@pytest.mark.parametrize("behind", APART, ids=["20 ms", "1 h"])
def test_a_no_said_to_a_host_behind_ends_the_yes_that_was_said_before_it_to_one_ahead(house, no, behind):
    person = make_person(house)
    house.clock.pass_(days=1)
    say(house, person, "given")
    other = another_host(house, **behind)
    other.clock.pass_(milliseconds=10)
    no(other, person)
    house.clock.pass_(days=2)
    settle_again(house, person)
    assert not allowed(house, person)
    say(house, person, "given")
    assert allowed(house, person), "a later yes opens again"
    other.dispose()


@pytest.mark.parametrize("no", NOES)
def test_a_question_about_the_past_hears_nothing_of_later(house, no):
    person = make_person(house)
    say(house, person, "given")
    then = house.clock.now()
    house.clock.pass_(days=1)
    no(house, person)
    with house.snapshot() as session:
        use = policy.of(session).find_use("email_marketing", "ma_tool", "email")
        back_then = gate.explain(session, person, use, then, as_of=then)
        now = gate.explain(session, person, use, house.clock.now())
    assert (back_then.decision.allow, now.decision.allow) == (True, False)


def test_a_lease_holds_a_withdrawal_up_on_a_host_whose_clock_is_ahead(house: Database) -> None:
    person = make_person(house)
    say(house, person, "given")
    page = gate.read_page(house, request_for(house, lease_seconds=0.5), lambda session, at: [person])
    ahead = another_host(house, seconds=-30)
    say(ahead, person, "withdrawn")
    began = time.monotonic()
    gate.wait_until_clear(ahead, [person])
    assert time.monotonic() - began >= 0.4
    with pytest.raises(Unavailable):
        page.hand_over()
    ahead.dispose()


def test_a_withdrawal_takes_effect_after_the_pages_before_it_by_whatever_clock(house: Database) -> None:
    person = make_person(house)
    say(house, person, "given")
    page = gate.read_page(house, request_for(house), lambda session, at: [person])
    behind = another_host(house, milliseconds=20)
    say(behind, person, "withdrawn")
    page.hand_over()
    effective = gate.wait_until_clear(behind, [person])
    behind.dispose()
    with house.snapshot() as session:
        assert session.get_one(Disclosed, page.id).handed_over_at <= effective
