"""What somebody could try against the gate: old words, unverified claims, splits under an open page."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from cdp import consent, gate, identity, policy, vault
from cdp.consent.model import ConsentRecord
from cdp.db import Database, unsettle
from cdp.gate.model import Disclosed
from cdp.identity.model import Identifier
from cdp.profile.model import Subject
from tests.gate.test_permission import allowed, make_person, say
from tests.gate.test_permit import request_for


def point(house: Database, mail: str) -> consent.Point:
    with house.snapshot() as session:
        return consent.point(session, "email", "", mail)


def withdraw(house: Database, mail: str, **what) -> set[int]:
    with house.transaction() as session:
        return consent.withdraw(session, point(house, mail), house.clock.now(), **what)[1]


def join(house: Database, first: int, second: int) -> None:
    with house.transaction() as session:
        identity.must(session, first, second, "same person", "test", house.clock.now())


def part(house: Database, first: int, second: int) -> None:
    with house.transaction() as session:
        identity.cannot(session, first, second, "two people", "test", house.clock.now())


def test_a_consent_said_before_the_unsubscribe_lifts_nothing_however_late_it_arrives(house):
    person = make_person(house)
    earlier = house.clock.now() - timedelta(days=1)
    withdraw(house, "ada@example.com")
    house.clock.pass_(minutes=1)
    say(house, person, "given", event_time=earlier)
    assert not allowed(house, person)


def test_an_unverified_address_is_never_reached_nor_given_out(house):
    person = make_person(house)
    say(house, person, "given")
    with house.transaction() as session:
        session.execute(update(Identifier).values(verified=False))
        unsettle(session, [person])
    assert not allowed(house, person)
    page = gate.read_page(house, request_for(house), lambda session, at: [person])
    assert page.rows == ()


def test_a_withdrawal_stays_on_both_sides_of_a_later_split(house):
    first, second = make_person(house), make_person(house, mails=("ada@example.org",))
    join(house, first, second)
    say(house, first, "given")
    house.clock.pass_(minutes=1)
    withdraw(house, "ada@example.org", purpose="email_marketing", channel="email")
    assert not allowed(house, first)
    part(house, first, second)
    assert not allowed(house, first)
    assert not allowed(house, second)


def test_an_unsubscribe_link_silences_its_own_address_only(house):
    person = make_person(house, mails=("ada@example.com", "ada@example.org"))
    say(house, person, "given", mail="ada@example.com")
    say(house, person, "given", mail="ada@example.org")
    house.clock.pass_(minutes=1)
    with house.transaction() as session:
        token = consent.unsubscribe_token(vault.of(session), point(house, "ada@example.com"), "email")
        consent.unsubscribe(session, token, house.clock.now())
    page = gate.read_page(house, request_for(house), lambda session, at: [person])
    assert [row.fields["email"] for row in page.rows] == ["ada@example.org"]


def test_a_split_under_an_open_page_does_not_let_a_withdrawal_overtake_it(house):
    first, second = make_person(house), make_person(house, mails=("ada@example.org",))
    join(house, first, second)
    say(house, first, "given", mail="ada@example.org")
    page = gate.read_page(house, request_for(house), lambda session, at: [first])
    assert page.rows
    part(house, first, second)
    people = withdraw(house, "ada@example.org", purpose="email_marketing", channel="email")
    with house.snapshot() as session:
        held = [row for row in session.query(Disclosed).all() if row.id == page.id]
    assert people == {second}
    import threading

    done: list[object] = []
    waiting = threading.Thread(target=lambda: done.append(gate.wait_until_clear(house, people)))
    waiting.start()
    waiting.join(0.2)
    assert held and not done
    page.hand_over()
    waiting.join(5)
    assert done


def test_a_merge_during_an_erasure_does_not_reopen_the_gate(house):
    first, second = make_person(house), make_person(house, mails=("ada@example.org",))
    say(house, second, "given", mail="ada@example.org")
    with house.transaction() as session:
        session.execute(update(Subject).where(Subject.number == second).values(erasing=True))
        unsettle(session, [second])
    assert not allowed(house, second)
    with house.transaction() as session:
        session.execute(update(Subject).where(Subject.number == second).values(person=first))
        unsettle(session, [first, second])
    assert not allowed(house, first)


def test_a_public_yes_without_a_device_binds_nobody():
    from tests.consent.test_rules import held_on_device, on_device

    assert held_on_device([on_device("given", 1, token=b"")], token=b"") == "none"


@pytest.mark.parametrize("status", ["given", "withdrawn"])
def test_each_record_says_whom_it_is_about(house, status):
    person = make_person(house)
    say(house, person, status)
    with house.snapshot() as session:
        assert {row.subject for row in session.query(ConsentRecord).all()} == {person}


def test_a_banner_click_opens_nothing_of_the_person_behind_the_device(house):
    person = make_person(house)
    with house.transaction() as session:
        keys = vault.of(session)
        token = keys.token("anonymous_id", "", "browser-1")
        row = {"subject": person, "namespace": "anonymous_id", "token": token, "epoch": keys.epoch, "sealed": b"x"}
        session.execute(insert(Identifier), row | {"verified": False, "normaliser": 1, "first_at": house.clock.now()})
    say(house, person, "given", purpose="ads_sharing", channel="web", namespace="anonymous_id", token=token,
        verified=False, public=True, notice="cookies", notice_version="1", method="banner", lifts=b"")  # fmt: skip
    with house.snapshot() as session:
        use = policy.of(session).find_use("ads_sharing", "ad_platform", "web")
    page = gate.read_page(house, request_for(house, use=use), lambda session, at: [person])
    assert [row.fields for row in page.rows] in ([], [{}])
