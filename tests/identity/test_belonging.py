"""A value finds whose it is still: whoever had it before is found by what is theirs, and by silence and erasure."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import col, select

from cdp import identity
from cdp.db import Database
from cdp.identity import Arrival, Canonical, aside, breaker, seeing
from cdp.identity.model import Aside, Identifier, IdentityCase
from cdp.identity.rules import TokenKey
from tests.ingest.ground import NAMESPACES, make_policy

PHONE = "+819012345678"
MONTH = timedelta(days=31)


@pytest.fixture
def shop(shop: Database) -> Database:
    shop.context["policy"] = make_policy(namespaces={**NAMESPACES, "phone": replace(NAMESPACES["phone"], ttl_days=548)})
    return shop


def bring(shop: Database, months: int = 0, is_sure: bool = True, **names: str) -> int:
    with shop.transaction() as session:
        at = shop.clock.now()
        claims = tuple(Canonical(kind, "", value, is_sure) for kind, value in names.items())
        return identity.attach(session, [Arrival("site", claims, at=at - months * MONTH)], at).subjects[0]


def found(shop: Database) -> tuple[int | None, int | None, list[int]]:
    """Return whom the number finds, whose record that is, and whom a silence of it reaches."""
    with shop.snapshot() as session:
        named = (session, "phone", "", PHONE)
        return identity.find(*named), identity.find_subject(*named), identity.find_all(*named)


def key_of(shop: Database) -> TokenKey:
    with shop.snapshot() as session:
        row = session.scalars(select(Identifier).where(col(Identifier.namespace) == "phone")).first()
        assert row is not None
        return "phone", bytes(row.token)


def do(shop: Database, work: Callable[..., int | None], *given: object) -> int:
    with shop.transaction() as session:
        return work(session, *given, shop.clock.now()) or 0


def test_a_number_that_was_given_to_another_finds_the_other(shop: Database) -> None:
    bring(shop, 17, user_id="u1", phone=PHONE)
    bring(shop, 1, user_id="u2", phone=PHONE)
    assert found(shop) == (None, None, [1, 2])
    word = do(shop, identity.judge, "expire", key_of(shop), "given to another", "staff")
    assert found(shop) == (2, 2, [1, 2])
    do(shop, identity.revoke, word, "staff")
    assert found(shop) == (None, None, [1, 2])


def test_who_was_never_seen_with_it_is_not_found_by_it(shop: Database) -> None:
    bring(shop, user_id="u1", phone=PHONE)
    assert found(shop) == (1, 1, [1])
    word = do(shop, identity.retract, 1, key_of(shop), "never hers", "staff")
    assert found(shop) == (None, None, [1])
    do(shop, identity.revoke, word, "staff")
    assert found(shop) == (1, 1, [1])


def test_a_number_not_seen_for_too_long_finds_nobody_until_it_is_seen_again(shop: Database) -> None:
    bring(shop, 25, user_id="u1", phone=PHONE)
    assert found(shop) == (1, 1, [1])
    with shop.transaction() as session:
        assert aside.expire(session, shop.clock.now().date(), shop.clock.now()) == 1
    assert found(shop) == (None, None, [1])
    assert bring(shop, user_id="u1", phone=PHONE) == 1
    assert found(shop) == (1, 1, [1])


def test_an_address_does_not_pass_on_by_time_alone(shop: Database) -> None:
    bring(shop, 99, user_id="u1", email="ada@people.test")
    with shop.transaction() as session:
        assert aside.expire(session, shop.clock.now().date(), shop.clock.now()) == 0


def test_what_a_source_on_hold_brings_finds_nobody_until_it_is_released(shop: Database) -> None:
    with shop.transaction() as session:
        case = breaker.hold(session, "site", "joined too much", shop.clock.now())
    bring(shop, user_id="u1", phone=PHONE)
    assert found(shop) == (None, None, [1])
    with shop.transaction() as session:
        aside.release(session, session.get_one(IdentityCase, case.id), "staff", shop.clock.now())
    assert found(shop) == (1, 1, [1])


def test_a_role_mailbox_finds_its_person(shop: Database) -> None:
    bring(shop, user_id="u1", phone=PHONE)
    with shop.transaction() as session:
        seeing.set_aside(session, {key_of(shop)}, Aside.ROLE)
    assert found(shop) == (1, 1, [1])
