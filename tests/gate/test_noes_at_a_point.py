"""A no that was said at a contact point is everybody's who has it: what is sent there reaches whoever reads it."""

from datetime import timedelta

import pytest

from cdp import consent
from cdp.db import Database
from cdp.rights import restriction
from tests.gate.test_permission import allowed, assert_equal_to_fresh, make_person, say

ADA, OTHER = "ada@example.com", "ada@example.org"


@pytest.mark.parametrize("no", ["refused", "withdrawn"])
def test_another_persons_no_at_a_shared_mailbox_closes_it_and_nothing_else(house: Database, no: str) -> None:
    ada, ben = make_person(house, mails=(ADA, OTHER)), make_person(house)
    for mail in (ADA, OTHER):
        say(house, ada, "given", mail)
    house.clock.pass_(minutes=1)
    say(house, ben, no)
    assert allowed(house, ada), "her other address"
    say(house, ada, "withdrawn", OTHER)
    assert not allowed(house, ada)
    assert_equal_to_fresh(house, ada)


def test_who_says_yes_there_afterwards_is_written_to(house: Database) -> None:
    ada, ben = make_person(house), make_person(house)
    say(house, ben, "refused")
    house.clock.pass_(minutes=1)
    say(house, ada, "given")
    assert allowed(house, ada)
    assert not allowed(house, ben)


def test_a_no_waits_at_the_address_for_whoever_is_found_to_have_it(house: Database) -> None:
    ada = make_person(house)
    say(house, ada, "given")
    before = house.clock.now()
    house.clock.pass_(minutes=1)
    with house.transaction() as session:
        point = consent.point(session, "email", "", ADA)
        consent.withdraw(session, point, house.clock.now(), purpose="email_marketing")
    late = make_person(house)
    say(house, late, "given", event_time=before)
    assert not allowed(house, late), "an older yes that arrives later"
    assert_equal_to_fresh(house, late)
    say(house, late, "given", event_time=house.clock.pass_(minutes=1))
    assert allowed(house, late)


def test_a_no_said_of_a_person_is_not_about_who_shares_the_mailbox(house: Database) -> None:
    ada, ben = make_person(house), make_person(house)
    say(house, ada, "given")
    say(house, ben, "withdrawn", namespace="", token=b"", event_time=house.clock.now() + timedelta(minutes=1))
    assert allowed(house, ada)


def test_what_a_browser_says_is_nobody_elses_no(house: Database) -> None:
    ada, stranger = make_person(house), make_person(house)
    say(house, ada, "given")
    house.clock.pass_(minutes=1)
    say(house, stranger, "refused", public=True, verified=False)
    assert allowed(house, ada)


def test_the_answer_to_a_no_waits_for_all_whom_it_concerns(house: Database) -> None:
    ada, ben = make_person(house), make_person(house)
    record = say(house, ben, "refused")
    with house.snapshot() as session:
        assert consent.said_for(session, [record]) == {ada, ben}


@pytest.mark.parametrize("kind", ["direct_marketing", "restriction"])
def test_an_objection_is_heard_by_who_has_the_mailbox_until_it_ends_or_they_say_yes(house: Database, kind: str) -> None:
    ada, ben, cleo = make_person(house), make_person(house), make_person(house, mails=(OTHER,))
    say(house, ada, "given")
    say(house, cleo, "given", OTHER)
    with house.transaction() as session:
        restriction.object_to(session, [ben], kind, house.clock.pass_(minutes=1))
    assert not allowed(house, ada)
    assert_equal_to_fresh(house, ada)
    assert allowed(house, cleo)
    with house.transaction() as session:
        restriction.lift(session, [ben], kind, house.clock.pass_(minutes=1))
    assert allowed(house, ada)
    with house.transaction() as session:
        restriction.object_to(session, [ben], kind, house.clock.pass_(minutes=1))
    say(house, ada, "given", event_time=house.clock.pass_(minutes=1))
    assert allowed(house, ada)
    assert not allowed(house, ben)


def test_a_no_goes_with_who_is_erased(house: Database) -> None:
    ada, ben = make_person(house), make_person(house)
    say(house, ada, "given")
    house.clock.pass_(minutes=1)
    say(house, ben, "refused")
    with house.transaction() as session:
        consent.holder.forget(session, [ben])
    assert_equal_to_fresh(house, ada)
    assert allowed(house, ada), "the erasure leaves its own silence at the address, where it was asked for"
