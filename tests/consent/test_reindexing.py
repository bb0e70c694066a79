"""What was said of a contact point holds under the next key of the blind index, and so do the links that went out."""

import pytest
from sqlmodel import Session, col, select

from cdp import consent, vault
from cdp.consent import Point
from cdp.consent.model import ConsentRecord
from cdp.db import Database
from cdp.identity import epochs
from tests.consent.test_brands import MAIL, brands, reached, say
from tests.gate.test_permission import make_person

__all__ = ["brands"]


def moved(house: Database) -> None:
    with house.transaction() as session:
        found = epochs.move(session, epochs.behind(session, epochs.FIRST, 100), house.clock.now())
        consent.rename(session, found.tokens)


def link(session: Session, brand: str) -> str:
    keys = vault.of(session)
    point = Point("email", keys.token("email", "", MAIL), keys.suppression_token("email", "", MAIL))
    return consent.unsubscribe_token(keys, point, "email", brand)


@pytest.mark.parametrize("already", [False, True], ids=["not yet moved", "moved"])
def test_a_yes_stands_and_an_old_link_still_unsubscribes(brands: Database, already: bool) -> None:
    person = make_person(brands)
    say(brands, person, "north")
    say(brands, person, "south")
    with brands.snapshot() as session:
        old = link(session, "north")
    keyring = brands.context["vault"].keyring
    keyring.rotate_index()
    if already:
        moved(brands)
        keyring.destroy_epoch(1)
    assert reached(brands, person) == {"north", "south"}
    brands.clock.pass_(minutes=1)
    with brands.transaction() as session:
        assert consent.unsubscribe(session, old, brands.clock.now()) == {person}
    assert reached(brands, person) == {"south"}
    moved(brands)
    assert reached(brands, person) == {"south"}
    with brands.snapshot() as session:
        tokens = set(session.scalars(select(ConsentRecord.token).where(col(ConsentRecord.token) != b"")))
        assert tokens == {vault.of(session).token("email", "", MAIL)}


@pytest.mark.parametrize("already", [False, True], ids=["not yet moved", "moved"])
def test_a_withdrawal_finds_everybody_while_the_index_rotates(brands: Database, already: bool) -> None:
    person = make_person(brands)
    say(brands, person, "north")
    brands.context["vault"].keyring.rotate_index()
    if already:
        moved(brands)
    brands.clock.pass_(minutes=1)
    with brands.transaction() as session:
        point = consent.point(session, "email", "", MAIL)
        _, subjects = consent.withdraw(session, point, brands.clock.now(), purpose="north", channel="email")
    assert subjects == {person}
    assert reached(brands, person) == set()
