"""PostgreSQL, two writers at once: who decides a person again never writes over a no acknowledged meanwhile."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from cdp import consent, identity, rights
from cdp.connector.kit import Claim
from cdp.consent.withdrawal import point
from cdp.db import Database, unsettle
from tests.gate.test_permission import allowed, assert_equal_to_fresh, make_person, say
from tests.stories.day import MARKETING, Day, address
from tests.stories.following import reader_of

ADA = "ada@example.com"
SLOW = "the slow writer"


def withdraws(house: Database, person: int) -> None:
    with house.transaction() as session:
        consent.withdraw(session, point(session, "email", "", ADA), house.clock.now(), purpose="email_marketing")


def objects_by_herself(house: Database, person: int) -> None:
    say(house, person, "withdrawn", channel="*", namespace="", token=b"", lifts=b"")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("no", [withdraws, objects_by_herself])
@pytest.mark.parametrize("neighbour", [False, True], ids=["of the same person", "of a neighbour at the address"])
def test_an_acknowledged_no_outlives_a_settling_that_began_before_it(house: Database, neighbour: bool, no: Any) -> None:
    person = make_person(house)
    settled = make_person(house) if neighbour else person
    say(house, person, "given")
    house.clock.pass_(minutes=1)
    assert allowed(house, person)
    has_read, go_on = threading.Event(), threading.Event()

    def hold(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        if threading.current_thread().name == SLOW and statement.startswith("INSERT INTO permission"):
            has_read.set()
            go_on.wait(30)

    def settle() -> None:
        house.attempt(lambda session: unsettle(session, [settled]))

    event.listen(house.writer, "before_cursor_execute", hold)
    slow = threading.Thread(target=settle, name=SLOW)
    slow.start()
    assert has_read.wait(30)
    quick = threading.Thread(target=no, args=(house, person))
    quick.start()
    quick.join(0.5)  # so that it gets as far as it can: to its end, or to the person's lock
    go_on.set()
    for thread in (slow, quick):
        thread.join(30)
    house.clock.pass_(minutes=1)
    assert not allowed(house, person)
    assert_equal_to_fresh(house, person)


def merge(shop: Day) -> None:
    login = Claim("user_id", "login", verified=True)
    shop.bring(*(shop.item(number, "Product Viewed", login) for number in (1, 2)))


def unsubscribe(shop: Day, mail: str) -> set[int]:
    with shop.database.transaction() as session:
        link = consent.unsubscribe_token(shop.vault, point(session, "email", "", mail), "email")
        return consent.unsubscribe(session, link, shop.clock.now())


def object_(shop: Day, mail: str) -> set[int]:
    with shop.database.transaction() as session:
        subjects = identity.subjects_of(session, identity.find(session, "email", "", mail) or 0)
        rights.object_to(session, subjects, "direct_marketing", shop.clock.now())
        return set(subjects)


def beside(shop: Day, slow: Callable[[], object], quick: Callable[[], object]) -> None:
    """Let the quick one begin while the slow one has decided and not committed; wait for both."""
    has_read, go_on = threading.Event(), threading.Event()

    def hold(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        if threading.current_thread().name == SLOW and statement.startswith("INSERT INTO permission"):
            has_read.set()
            go_on.wait(30)

    event.listen(shop.database.writer, "before_cursor_execute", hold)
    first = threading.Thread(target=slow, name=SLOW)
    first.start()
    assert has_read.wait(30)
    second = threading.Thread(target=quick)
    second.start()
    second.join(0.5)
    go_on.set()
    for thread in (first, second):
        thread.join(30)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("no", [unsubscribe, object_])
def test_a_no_beside_a_merge_reaches_the_person_that_came_of_it(shop: Day, no: Any) -> None:
    """The number that the no was for is nobody's any more once its turn comes."""
    one, other = sorted(shop.person_at(number) for number in (1, 2))
    mail = next(address(number) for number in (1, 2) if shop.person_at(number) == other)
    reader = reader_of(shop.policy, "audience:everyone", MARKETING, "ma_tool", "email")
    reader.catch_up(shop)
    beside(shop, lambda: merge(shop), lambda: no(shop, mail))
    shop.clock.pass_(minutes=1)
    assert shop.person_at(1) == shop.person_at(2) == one
    assert_equal_to_fresh(shop.database, one)
    reader.catch_up(shop)
    assert reader.held == reader.members(shop)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("no", [unsubscribe, object_])
def test_a_no_beside_a_split_reaches_both_parts(shop: Day, no: Any) -> None:
    one, other = sorted(shop.person_at(number) for number in (1, 2))
    mail = next(address(number) for number in (1, 2) if shop.person_at(number) == other)
    with shop.database.transaction() as session:
        decision = identity.must(session, one, other, "desk", "desk", shop.clock.now())
    shop.clock.pass_(minutes=1)
    told: list[set[int]] = []

    def part() -> None:
        with shop.database.transaction() as session:
            identity.revoke(session, decision, "desk", shop.clock.now())

    beside(shop, part, lambda: told.append(no(shop, mail)))
    shop.clock.pass_(minutes=1)
    assert (shop.person_at(1) == one, shop.person_at(2) == one).count(True) == 1
    assert other in told[0], "whoever acknowledges waits for the pages of either part"
    assert not allowed(shop.database, other)
    for person in (one, other):
        assert_equal_to_fresh(shop.database, person)
