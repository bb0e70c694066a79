"""What a source declares of its people binds them at once: whose law, which purposes, whose employer, from where."""

from datetime import timedelta

import pytest
from sqlalchemy import insert

from cdp import gate, policy, profile
from cdp.db import Database, unsettle
from cdp.gate.model import Permission
from cdp.policy.terms import Law
from cdp.profile.model import Fact
from tests.gate.test_permission import allowed, assert_equal_to_fresh, make_person, say


def tell(house: Database, **declared) -> None:
    with house.transaction() as session:
        assert profile.declared.tell(session, "crm", declared)
        gate.expire_source(session, "crm")


def first_refusal(house: Database, person: int, purpose: str = "email_marketing") -> str:
    with house.snapshot() as session:
        use = policy.of(session).find_use(purpose, "ma_tool", "email")
        return gate.explain(session, person, use, house.clock.now()).decision.first_refusal


@pytest.mark.parametrize(
    ("declared", "country", "refusal"),
    [
        ({"quarantined": True}, "JP", "quarantined"),
        ({"collected_for": "service_delivery"}, "JP", "out_of_purpose"),
        ({"collected_for": "service_delivery"}, "DE", "purpose_incompatible"),
        ({"employees": True}, "DE", "not_freely_given"),
        ({"eu_adequacy": True, "collected_for": "service_delivery"}, "JP", "out_of_purpose"),
    ],
)
def test_a_declaration_closes_the_gate_and_its_end_opens_it(
    house: Database, declared, country: str, refusal: str
) -> None:
    person = make_person(house, country)
    say(house, person, "given")
    assert allowed(house, person)
    tell(house, **declared)
    assert not allowed(house, person), "before anybody decided again"
    assert gate.settle_due(house) == 1
    assert first_refusal(house, person) == refusal
    assert_equal_to_fresh(house, person)
    tell(house, **{name: type(value)() for name, value in declared.items()})
    gate.settle_due(house)
    assert allowed(house, person)


def test_an_establishment_in_the_union_protects_whoever_it_deals_with(house: Database) -> None:
    person = make_person(house, "JP")
    tell(house, establishment="DE")
    gate.settle_due(house)
    assert laws(house, person) == Law.GDPR | Law.APPI


def test_a_source_that_addresses_japan_alone_leaves_a_german_visitor_to_the_law_of_the_shop(house: Database) -> None:
    person = make_person(house, "DE")
    assert laws(house, person) == Law.GDPR
    tell(house, offers_to="JP")
    gate.settle_due(house)
    assert laws(house, person) == Law.APPI


def test_telling_the_same_again_decides_nobody_again(house: Database) -> None:
    with house.transaction() as session:
        assert profile.declared.tell(session, "crm", {"employees": True})
        assert not profile.declared.tell(session, "crm", {"employees": True})
        assert not profile.declared.tell(session, "shop", {})


def test_what_is_kept_too_long_is_not_used_until_the_person_turns_up_again(house: Database) -> None:
    person = make_person(house, "JP")
    say(house, person, "given")
    assert allowed(house, person)
    house.clock.pass_(days=366 * 3)
    assert gate.settle_due(house) == 1
    assert not allowed(house, person)
    assert first_refusal(house, person) == "retention_expired"
    assert_equal_to_fresh(house, person)
    bought(house, person)
    assert allowed(house, person)


def test_whoever_consents_anew_is_kept_anew(house: Database) -> None:
    person = make_person(house, "JP")
    say(house, person, "given")
    house.clock.pass_(days=366 * 3)
    say(house, person, "given")
    assert allowed(house, person)
    assert_equal_to_fresh(house, person)


def test_the_end_of_a_period_closes_the_gate_by_itself(house: Database) -> None:
    person = make_person(house, "JP")
    say(house, person, "given")
    with house.snapshot() as session:
        row = session.get(Permission, person)
        assert row.next_change_at < house.clock.now() + timedelta(days=366 * 2)
    house.clock.pass_(days=366 * 3)
    assert not allowed(house, person)


def bought(house: Database, person: int) -> None:
    with house.transaction() as session:
        at = house.clock.now()
        row = {"ref": b"x" * 16, "subject": person, "source": "crm", "kind": "Order Completed", "at": at}
        session.execute(insert(Fact), {**row, "received_at": at, "channel": "web", "sealed": b""})
        unsettle(session, [person])


def laws(house: Database, person: int) -> Law:
    with house.snapshot() as session:
        return Law(session.get(Permission, person).laws)
