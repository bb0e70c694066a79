"""A wall clock that is put back makes no lease longer, and no consent newer than the withdrawal that ended it."""

import time

import pytest

from cdp import gate
from cdp.clock import ForwardClock
from cdp.errors import Unavailable
from tests.gate.test_permission import make_person, say
from tests.gate.test_permit import request_for

SHORT = 0.2


def test_a_lease_ends_though_the_clock_is_put_back(house):
    person = make_person(house)
    say(house, person, "given")
    page = gate.read_page(house, request_for(house, lease_seconds=SHORT), lambda session, at: [person])
    house.clock.pass_(hours=-1)
    time.sleep(SHORT)
    with pytest.raises(Unavailable):
        page.hand_over()


def test_a_lease_that_nobody_closes_holds_a_withdrawal_up_no_longer_than_it_was_given_for(house):
    person = make_person(house)
    say(house, person, "given")
    page = gate.read_page(house, request_for(house, lease_seconds=SHORT), lambda session, at: [person])
    house.clock.pass_(hours=-1)
    gate.wait_until_clear(house, [person])
    with pytest.raises(Unavailable):
        page.hand_over()


@pytest.mark.parametrize("back", [{"hours": -1}, {"days": -1}, {"days": -20_000}], ids=["1 h", "1 d", "1970"])
def test_a_withdrawal_after_the_clock_was_put_back_ends_the_consent_before_it(house, back):
    machine, house.clock = house.clock, ForwardClock(house.clock)
    person = make_person(house)
    say(house, person, "given")
    machine.pass_(**back)
    say(house, person, "withdrawn")
    assert reached(house, person) == []
    machine.pass_(hours=2)
    settle_again(house, person)
    assert reached(house, person) == []


@pytest.mark.parametrize("back", [{"hours": -1}, {"days": -1}], ids=["1 h", "1 d"])
def test_a_withdrawal_stays_said_when_the_clock_is_put_back_before_it(house, back):
    machine, house.clock = house.clock, ForwardClock(house.clock)
    person = make_person(house)
    say(house, person, "given")
    machine.pass_(minutes=1)
    say(house, person, "withdrawn")
    machine.pass_(**back)
    settle_again(house, person)
    assert reached(house, person) == []


def reached(house, person: int) -> list[int]:
    page = gate.read_page(house, request_for(house), lambda session, at: [person])
    return [row.person for row in page.rows]


def settle_again(house, person: int) -> None:
    from cdp.db import unsettle

    with house.transaction() as session:
        unsettle(session, [person])
