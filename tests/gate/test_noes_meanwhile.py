"""A no that is said between the recording of a page and its opening: it is not in the page, nor in the record of it."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import pytest
from pyroaring import BitMap64
from sqlmodel import select

from cdp import consent, gate, identity
from cdp.connector.kit import Claim
from cdp.db import Database, unsettle
from cdp.gate.model import Disclosed
from cdp.identity import correcting
from cdp.ledger.model import LedgerEntry
from tests.conftest import StandingClock
from tests.gate.test_clocks_apart import complains, objects, restricts, unsubscribes, withdraws
from tests.gate.test_permission import make_person, say
from tests.gate.test_permit import request_for
from tests.stories.day import MARKETING, Day, address
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
    assert page.left_out == [two[0]]


def test_whoever_is_joined_by_another_while_the_page_is_made_is_recorded_anew(shop: Day) -> None:
    """The record must name every subject of whom something is opened, and no page may skip the person for it."""
    people = [shop.person_at(number) for number in (1, 2)]
    let(shop.database, lambda: log_in(shop))
    use = shop.policy.find_use("service_delivery", "ma_tool", "email")
    request = gate.PageRequest(use, ("email",), lease_seconds=LEASE)
    page = gate.read_page(shop.database, request, lambda session, at: people)
    assert shop.person_at(1) == shop.person_at(2) == min(people), "they are one person now"
    page.hand_over()
    assert (page.left_out, [row.person for row in page.rows]) == ([], [min(people)])
    assert page.rows[0].fields["email"] in (address(1), address(2))
    with shop.database.snapshot() as session:
        kept = {row.handed_over_at is not None: row for row in session.exec(select(Disclosed)).all()}
        assert set(BitMap64.deserialize(kept[True].people)) == set(identity.subjects_of(session, min(people)))
        assert (kept[False].count, kept[False].state) == (0, "closed"), "the page that was thrown away went to nobody"


def test_a_reader_of_changes_is_told_a_merge_whole(shop: Day) -> None:
    """Two become one while the first page is made: the one enters with their own address and its own link."""
    reader = reader_of(shop.policy, "audience:everyone", MARKETING, "ma_tool", "email")
    let(shop.database, lambda: log_in(shop))
    reader.catch_up(shop)
    assert len(reader.held) == 1
    assert reader.held == reader.members(shop)
    (entered,) = [change.entered for change in reader.told if change.entered]
    token = entered.links["unsubscribe"].rsplit("/", 1)[1]
    with shop.database.snapshot() as session:
        point, _, _ = consent.read_unsubscribe_token(session, token)
        assert point == consent.point(session, "email", "", entered.fields["email"])


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


def test_a_page_of_changes_that_left_somebody_out_says_that_there_is_more(shop: Day) -> None:
    """A reader who held Ada goes on reading, and hears that she left."""
    first, second = (reader_of(shop.policy, "audience:everyone", MARKETING, "ma_tool", "email") for _ in range(2))
    for reader in (first, second):
        reader.catch_up(shop)
    for said in ("withdrawn", "given"):
        shop.clock.pass_(minutes=1)
        withdraw(shop, address(1)) if said == "withdrawn" else shop.say(address(1), MARKETING, said)
        second.catch_up(shop)
    shop.clock.pass_(minutes=1)
    let(shop.database, lambda: withdraw(shop, address(1)))
    first.catch_up(shop)
    assert len(first.held) == 1


def test_a_withdrawal_waits_for_a_page_of_before_a_merge_that_was_undone(shop: Day) -> None:
    one, other = (shop.person_at(number) for number in (1, 2))
    page = gate.read_page(shop.database, request_for(shop.database, lease_seconds=LEASE), lambda session, at: [other])
    with shop.database.transaction() as session:
        decision = identity.must(session, one, other, "desk", "desk", shop.clock.now())
    subjects = withdraw(shop, address(1))
    with shop.database.transaction() as session:
        identity.revoke(session, decision, "desk", shop.clock.now())
    with waiting(shop.database, subjects):  # the no was written for both, and the page of one of them is still open
        page.hand_over()


def test_a_withdrawal_over_http_waits_though_the_address_is_taken_away_meanwhile(shop: Day) -> None:
    """Whom it waits for is kept by its records, not looked up by an identifier that a rectification removed."""
    ada = shop.person_at(1)
    page = gate.read_page(shop.database, request_for(shop.database, lease_seconds=LEASE), lambda session, at: [ada])
    with shop.database.transaction() as session:
        point = consent.point(session, "email", "", address(1))
        records, _ = consent.withdraw(session, point, shop.clock.now(), purpose=MARKETING)
    with shop.database.transaction() as session:
        subjects = identity.subjects_of(session, ada)
        named = identity.spell(shop.policy, "email", address(1))
        assert correcting.remove(session, subjects, named, "request", shop.clock.now())
        unsettle(session, [ada])
    with shop.database.snapshot() as session:
        said = consent.said_for(session, records)
    with waiting(shop.database, said):
        page.hand_over()


@contextmanager
def waiting(database: Database, subjects: Iterable[int]) -> Iterator[None]:
    """An acknowledgement waits when the block begins, and no longer when it is over."""
    thread = threading.Thread(target=gate.wait_until_clear, args=(database, list(subjects)), daemon=True)
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()
    yield
    thread.join(10)
    assert not thread.is_alive()


def log_in(shop: Day) -> None:
    """Both customers log in by one name: they are one person from now on."""
    login = Claim("user_id", "login", verified=True)
    shop.bring(*(shop.item(number, "Product Viewed", login) for number in (1, 2)))


def withdraw(shop: Day, mail: str) -> set[int]:
    """Commit the no, without waiting for pages under way: this very page is one. Returns whom it is written for."""
    with shop.database.transaction() as session:
        point = consent.point(session, "email", "", mail)
        return consent.withdraw(session, point, shop.database.clock.now(), purpose=MARKETING)[1]
