"""An unsubscribe is for its brand and channel, with all brands beside it (ruling R12)."""

from dataclasses import replace

import pytest

from cdp import consent, gate, policy, vault
from cdp.consent import Point
from cdp.db import Database
from cdp.policy.terms import Use
from tests.gate.test_permission import make_person

MAIL = "ada@example.com"


@pytest.fixture
def brands(house: Database) -> Database:
    """Two brands with a newsletter each."""
    terms = house.context["policy"]
    declared = terms.purposes["email_marketing"]
    two = {name: replace(declared, name=name, brand=name) for name in ("north", "south")}
    uses = tuple(Use(number, name, "ma_tool", "email") for number, name in enumerate(two))
    notices = {key: replace(one, purposes=(*one.purposes, *two)) for key, one in terms.notices.items()}
    house.context["policy"] = replace(terms, purposes=two, uses=uses, notices=notices, digest="brands")
    gate.register_policy(house)
    return house


def say(house: Database, person: int, brand: str, status: str = "given") -> None:
    house.clock.pass_(minutes=1)
    with house.transaction() as session:
        keys, at = vault.of(session), house.clock.now()
        said = consent.Statement(
            purpose=brand, channel="email", status=status, method="checkbox", event_time=at, source="crm",
            namespace="email", token=keys.token("email", "", MAIL), notice="newsletter", notice_version="2",
            language="ja", verified=True, brand=brand, lifts=keys.suppression_token("email", "", MAIL),
        )  # fmt: skip
        consent.record(session, person, said, at)


def unsubscribe(house: Database, brand: str, every_brand: bool = False) -> None:
    house.clock.pass_(minutes=1)
    with house.transaction() as session:
        keys = vault.of(session)
        point = Point("email", keys.token("email", "", MAIL), keys.suppression_token("email", "", MAIL))
        token = consent.unsubscribe_token(keys, point, "email", brand)
        consent.unsubscribe(session, token, house.clock.now(), every_brand)


def reached(house: Database, person: int) -> set[str]:
    with house.snapshot() as session:
        terms, at = policy.of(session), house.clock.now()
        found = {use.purpose: gate.explain(session, person, use, at) for use in terms.uses}
    return {brand for brand, answer in found.items() if answer is not None and answer.decision.allow}


def test_one_brand_falls_silent_and_the_other_goes_on(brands: Database) -> None:
    person = make_person(brands)
    say(brands, person, "north")
    say(brands, person, "south")
    assert reached(brands, person) == {"north", "south"}
    unsubscribe(brands, "north")
    assert reached(brands, person) == {"south"}


def test_all_brands_fall_silent_and_a_yes_to_one_opens_that_one_alone(brands: Database) -> None:
    person = make_person(brands)
    say(brands, person, "north")
    say(brands, person, "south")
    unsubscribe(brands, "north", every_brand=True)
    assert reached(brands, person) == set()
    say(brands, person, "north")
    assert reached(brands, person) == {"north"}
    say(brands, person, "south")
    assert reached(brands, person) == {"north", "south"}


def test_a_customer_who_left_every_brand_hears_of_the_one_they_came_back_to(brands: Database) -> None:
    """A soft opt-in needs no yes: what keeps the other brand silent is the silence that stayed for it."""
    person = make_person(brands, "DE")
    unsubscribe(brands, "", every_brand=True)
    say(brands, person, "north")
    with brands.snapshot() as session:
        silent = consent.in_force(session, [vault.of(session).suppression_token("email", "", MAIL)])
    assert {one.said for one in silent} == {"unsubscribe^north"}


def test_a_purpose_of_no_brand_is_silenced_by_any(house: Database) -> None:
    from tests.gate.test_permission import allowed
    from tests.gate.test_permission import say as said

    person = make_person(house)
    said(house, person, "given")
    unsubscribe(house, "north")
    assert not allowed(house, person)
