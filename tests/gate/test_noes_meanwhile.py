"""A no that is said between the recording of a page and its opening: it is not in the page, nor in the record of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from pyroaring import BitMap64
from sqlmodel import select

from cdp import consent, gate, identity
from cdp.connector.kit import Claim
from cdp.db import Database
from cdp.gate.model import Disclosed
from cdp.ledger.model import LedgerEntry
from tests.conftest import StandingClock
from tests.gate.test_clocks_apart import complains, objects, restricts, unsubscribes, withdraws
from tests.gate.test_permission import make_person, say
from tests.gate.test_permit import request_for
from tests.stories.day import MARKETING, Day, a_day, address
from tests.stories.following import LEASE, reader_of

NOES = [withdraws, unsubscribes, complains, objects, restricts]


@dataclass
class Meanwhile:
    """A clock that lets something happen as soon as a page is recorded, and before anything of it is read."""

    database: Database
    clock: StandingClock
    act: Callable[[], object] | None = None

    def now(self) -> datetime:
        if self.act is not None and self._is_recorded():
            act, self.act = self.act, None
            act()
        return self.clock.now()

    def _is_recorded(self) -> bool:
        with self.database.snapshot() as session:
            return session.exec(select(Disclosed.id).where(Disclosed.state == "open")).first() is not None


def let(database: Database, act: Callable[[], object]) -> None:
    """Let this happen while the next page is made."""
    database.clock = Meanwhile(database, database.clock, act)


@pytest.fixture
def two(house: Database) -> list[int]:
    """Ada and Ben, who both said yes."""
    people = [make_person(house, mails=(mail,)) for mail in ("ada@example.com", "ben@example.com")]
    for person, mail in zip(people, ("ada@example.com", "ben@example.com"), strict=True):
        say(house, person, "given", mail=mail)
    return people


@pytest.fixture
def shop(house: Database, clock: StandingClock, tmp_path: Path) -> Day:
    """A shop with two customers who said yes to its letters."""
    day = a_day(house, clock, tmp_path)
    day.customers = 2
    day.bring(*(day.item(number, "Order Completed", minutes=60) for number in (1, 2)))
    for number in (1, 2):
        assert day.say(address(number), MARKETING, "given")
    clock.pass_(minutes=1)
    return day


@pytest.mark.parametrize("say_no", NOES)
def test_whoever_says_no_while_the_page_is_made_is_not_in_it(house, two, say_no) -> None:
    ada, ben = two
    let(house, lambda: say_no(house, ada))
    page = gate.read_page(house, request_for(house, lease_seconds=LEASE), lambda session, at: two)
    page.hand_over()
    assert [row.person for row in page.rows] == [ben]
    with house.snapshot() as session:
        kept = session.get(Disclosed, page.id)
        notes = session.exec(select(LedgerEntry.act)).all()
        assert list(BitMap64.deserialize(kept.people)) == identity.subjects_of(session, ben)
        assert (kept.count, kept.state) == (1, "closed")
    assert notes.count("page.narrowed") == 1


def test_nobody_is_held_up_by_a_page_that_is_being_made(house, two) -> None:
    """A reader holds no lock on people: whoever says no meanwhile commits at once, and waits for the lease alone."""
    waited: list[float] = []

    def withdraw() -> None:
        begun = time.monotonic()
        withdraws(house, two[0])
        waited.append(time.monotonic() - begun)

    let(house, withdraw)
    page = gate.read_page(house, request_for(house, lease_seconds=0.2), lambda session, at: two)
    assert waited
    gate.wait_until_clear(house, [two[0]])
    assert page.refused == [two[0]]


def test_what_joins_a_person_while_the_page_is_made_is_not_opened(shop: Day) -> None:
    """A merge brings Ada subjects that the record does not name: their own no would not wait for this page."""
    login = Claim("user_id", "login", verified=True)
    people = [person_at(shop, number) for number in (1, 2)]
    let(shop.database, lambda: shop.bring(*(shop.item(number, "Product Viewed", login) for number in (1, 2))))
    use = shop.policy.find_use("service_delivery", "ma_tool", "email")
    page = gate.read_page(
        shop.database, gate.PageRequest(use, ("email",), lease_seconds=LEASE), lambda session, at: people
    )
    assert person_at(shop, 1) == person_at(shop, 2) == people[0], "they are one person now"
    page.hand_over()
    assert page.refused == [people[1]]
    assert [row.person for row in page.rows] == [people[0]]
    assert page.rows[0].fields.get("email") in (None, address(1))


def test_whom_a_page_of_changes_left_out_enters_when_they_may(shop: Day) -> None:
    """Ada says no while the first page is made, and yes again before the next: she is told, and not lost."""
    reader = reader_of(shop.policy, "audience:everyone", MARKETING, "ma_tool", "email")
    let(shop.database, lambda: withdraw(shop, address(1)))
    reader.poll(shop, 10)
    assert len(reader.held) == 1
    shop.clock.pass_(minutes=1)
    assert shop.say(address(1), MARKETING, "given")
    reader.catch_up(shop)
    assert len(reader.held) == 2
    assert reader.held == reader.members(shop)


def withdraw(shop: Day, mail: str) -> None:
    """Commit the no, without waiting for pages under way: this very page is one."""
    with shop.database.transaction() as session:
        point = consent.point(session, "email", "", mail)
        consent.withdraw(session, point, shop.database.clock.now(), purpose=MARKETING)


def person_at(shop: Day, number: int) -> int | None:
    with shop.database.snapshot() as session:
        return identity.find(session, "email", "", address(number))
