"""A feed says who entered and who left, why, and never forgets to."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event, update
from sqlmodel import Session, col, func, select

from cdp import gate, identity, rights
from cdp.connector.kit import Claim
from cdp.db import Database
from cdp.errors import Problem, Refusal
from cdp.gate.feed import Change, Place, causes
from cdp.gate.model import Disclosed, Feed, FeedMember, Permission
from tests.conftest import StandingClock
from tests.stories.day import MARKETING, Day, a_day, address
from tests.stories.following import Reader, reader_of

ADA, BEN, CLEO = address(1), address(2), address(3)
EVERYONE, BUYERS, CARTS = "audience:everyone", "audience:recent_buyers", "audience:cart_abandoners"
SERVICE, LETTERS = ("service_delivery", "ma_tool", "email"), (MARKETING, "ma_tool", "email")


@pytest.fixture
def day(house: Database, clock: StandingClock, tmp_path: Path) -> Day:
    """A shop in which three customers ordered an hour ago."""
    day = a_day(house, clock, tmp_path)
    day.customers = 3
    day.bring(*(day.item(number, "Order Completed", minutes=60) for number in (1, 2, 3)))
    clock.pass_(minutes=1)
    return day


def follow(day: Day, name: str = EVERYONE, use: tuple[str, str, str] = SERVICE) -> Reader:
    """Return a reader who has caught up; a minute passes."""
    reader = reader_of(day.policy, name, *use)
    reader.catch_up(day)
    day.clock.pass_(minutes=1)
    return reader


def told(changes: list[Change]) -> list[tuple[str, str]]:
    return [("entered" if change.entered else "left", change.cause) for change in changes]


def numbers(day: Day, mail: str) -> list[int]:
    with day.database.snapshot() as session:
        person = identity.find(session, "email", "", mail)
        return [] if person is None else identity.subjects_of(session, person)


def pass_time(day: Day, **how: float) -> None:
    day.clock.pass_(**how)
    day.settle()


def test_at_first_everybody_enters_with_what_a_page_of_members_tells(day: Day) -> None:
    reader = reader_of(day.policy, EVERYONE, *SERVICE)
    entered = reader.catch_up(day)
    assert told(entered) == [("entered", "start")] * 3
    assert {change.entered.fields["email"] for change in entered if change.entered} == {ADA, BEN, CLEO}
    assert reader.held == reader.members(day)


def test_pages_of_one_tell_everybody_once(day: Day) -> None:
    reader = reader_of(day.policy, EVERYONE, *SERVICE)
    while reader.poll(day, 1):
        pass
    assert len(reader.told) == len(reader.held) == 3


def agreed(day: Day, mail: str) -> None:
    assert day.say(mail, MARKETING, "given")


def objects(day: Day) -> None:
    day.for_person(
        ADA, lambda session, subjects: rights.object_to(session, subjects, "direct_marketing", day.clock.now())
    )


def is_restricted(day: Day) -> None:
    day.for_person(ADA, lambda session, subjects: rights.restrict(session, subjects, day.clock.now()))


def logs_in_as_ben(day: Day) -> None:
    login = Claim("user_id", "login", verified=True)
    day.bring(*(day.item(number, "Product Viewed", login, minutes=1) for number in (1, 2)))


LEAVING: dict[str, tuple[str, Callable[[Day], object]]] = {
    "withdrawal": (BUYERS, lambda day: day.withdraw_from(ADA, MARKETING)),
    "unsubscribe": (BUYERS, lambda day: day.withdraw_from(ADA, None)),
    "objection": (BUYERS, objects),
    "restriction": (BUYERS, is_restricted),
    "erasure": (BUYERS, lambda day: day.erase_person(ADA)),
    "time": (BUYERS, lambda day: pass_time(day, days=30)),
    "journey": ("stage:standard/purchase", lambda day: pass_time(day, days=14)),
    "rule": ("stage:standard/purchase", lambda day: day.bring(day.item(1, "Support Requested", minutes=1))),
}


@pytest.mark.parametrize("what", LEAVING)
def test_who_leaves_is_told_with_the_cause(day: Day, what: str) -> None:
    name, act = LEAVING[what]
    agreed(day, ADA)
    reader = follow(day, name, LETTERS)
    assert len(reader.held) == 1
    act(day)
    cause = {"unsubscribe": "withdrawal", "journey": "time"}.get(what, what)
    assert told(reader.catch_up(day)) == [("left", cause)]
    assert reader.held == reader.members(day) == set()


def test_whoever_orders_leaves_the_full_carts_by_rule_and_by_time_without(day: Day) -> None:
    pass_time(day, days=4)
    day.bring(*(day.item(number, "Product Added", minutes=1) for number in (1, 2)))
    reader = follow(day, CARTS)
    assert len(reader.held) == 2
    day.bring(day.item(1, "Order Completed", minutes=1))
    assert told(reader.catch_up(day)) == [("left", "rule")]
    pass_time(day, days=4)
    assert told(reader.catch_up(day)) == [("left", "time")]


def test_time_alone_lets_people_enter(day: Day) -> None:
    reader = follow(day, "audience:lapsed_buyers")
    pass_time(day, days=90)
    assert told(reader.catch_up(day)) == [("entered", "time")] * 3


def test_who_agrees_enters_by_consent(day: Day) -> None:
    reader = follow(day, BUYERS, LETTERS)
    agreed(day, ADA)
    assert told(reader.catch_up(day)) == [("entered", "consent")]


def test_who_is_new_enters_by_rule(day: Day) -> None:
    reader = follow(day)
    day.bring(day.item(4, "Product Viewed", minutes=1))
    assert told(reader.catch_up(day)) == [("entered", "rule")]


def test_a_lifted_restriction_lets_people_enter_again(day: Day) -> None:
    is_restricted(day)
    reader = follow(day)
    assert len(reader.held) == 2
    day.for_person(ADA, lambda session, subjects: rights.unrestrict(session, subjects, day.clock.now()))
    assert told(reader.catch_up(day)) == [("entered", "permission")]


def test_who_is_joined_leaves_under_the_number_that_goes_and_is_back_when_parted(day: Day) -> None:
    reader = follow(day)
    logs_in_as_ben(day)
    assert told(reader.catch_up(day)) == [("left", "merge")]
    (ada, ben, *_) = numbers(day, ADA)
    day.clock.pass_(minutes=1)
    with day.database.transaction() as session:
        identity.cannot(session, ada, ben, "two people", "desk", day.clock.now())
    changes = reader.catch_up(day)
    assert ("entered", "split") in told(changes)
    assert reader.held == reader.members(day)


def test_of_the_erased_a_feed_keeps_a_pseudonym_and_no_number(day: Day) -> None:
    reader = follow(day)
    gone = numbers(day, ADA)
    day.erase_person(ADA)
    with day.database.snapshot() as session:
        rows = session.exec(select(FeedMember).where(FeedMember.cause == "erasure")).all()
        assert [(row.person, row.present) for row in rows] == [(None, False)]
        assert not session.exec(select(FeedMember).where(col(FeedMember.person).in_(gone))).all()
    (left,) = reader.catch_up(day)
    assert left.pseudonym == day.vault.pseudonym("ma_tool", gone[0])


def test_who_left_before_is_told_to_be_erased_all_the_same(day: Day) -> None:
    reader = follow(day)
    is_restricted(day)
    assert told(reader.catch_up(day)) == [("left", "restriction")]
    day.erase_person(ADA)
    assert told(reader.catch_up(day)) == [("left", "erasure")]


def test_who_left_before_a_reader_came_is_not_told_to_it(day: Day) -> None:
    follow(day)
    day.erase_person(ADA)
    late = reader_of(day.policy, EVERYONE, *SERVICE)
    while late.poll(day, 1):
        pass
    assert told(late.told) == [("entered", "start")] * 2


def test_a_reading_without_changes_writes_nothing(day: Day) -> None:
    reader = follow(day)
    written: list[str] = []

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        if not statement.lstrip().startswith(("SELECT", "WITH", "BEGIN")) or "FOR UPDATE" in statement:
            written.append(statement)

    for engine in {day.database.writer, day.database.reader}:
        event.listen(engine, "before_cursor_execute", note)
    assert reader.catch_up(day) == []
    assert written == []


def test_who_leaves_before_a_reader_came_to_them_is_never_told(day: Day) -> None:
    """In the middle of the first pages: the others of the list must not hear of somebody they were not given."""
    reader = reader_of(day.policy, EVERYONE, *SERVICE)
    reader.poll(day, 1)
    with day.database.snapshot() as session:
        untold = session.exec(select(FeedMember.person).where(col(FeedMember.told).is_(False))).all()
    given, strangers = set(reader.held), {day.vault.pseudonym("ma_tool", person) for person in untold if person}
    assert len(strangers) == 2
    day.erase_person(BEN)
    is_restricted(day)
    day.for_person(CLEO, lambda session, subjects: rights.restrict(session, subjects, day.clock.now()))
    reader.catch_up(day)
    assert {change.pseudonym for change in reader.told} == given
    with day.database.snapshot() as session:
        kept = session.exec(select(FeedMember.person, FeedMember.pseudonym)).all()
    assert len(kept) == len(given), "who was given to nobody leaves no trace"


def test_who_was_told_once_is_told_to_leave_whenever_that_is(day: Day) -> None:
    reader = follow(day)
    is_restricted(day)
    reader.catch_up(day)
    day.for_person(ADA, lambda session, subjects: rights.unrestrict(session, subjects, day.clock.now()))
    late = reader_of(day.policy, EVERYONE, *SERVICE)
    late.poll(day, 1)
    day.erase_person(ADA)
    assert told(reader.catch_up(day)) == [("left", "erasure")], "also where she entered again and nobody was told"


def test_whom_the_gate_refuses_at_the_last_instant_is_told_to_have_left(day: Day) -> None:
    follow(day)
    reader = reader_of(day.policy, EVERYONE, *SERVICE)

    def close(session: Session, people: object, at: object) -> None:
        session.execute(update(Permission).where(col(Permission.person) == 2).values(restricted=True, codes=b""))

    found = gate.feed.read(day.database, reader.followed, reader.request, None, 10, close)
    assert not isinstance(found, Refusal)
    assert len(found.changes) == 2
    assert found.has_more
    more = gate.feed.read(day.database, reader.followed, reader.request, found.place, 10)
    assert not isinstance(more, Refusal)
    assert [(change.entered, change.cause) for change in more.changes] == [(None, "restriction")]


def test_recipients_have_feeds_of_their_own_and_readers_of_one_share_it(day: Day) -> None:
    one, other = follow(day), follow(day)
    abroad = follow(day, use=("service_delivery", "ma_tool_us", "email"))
    assert one.since is not None
    assert other.since is not None
    assert one.since.position == other.since.position == 3
    assert one.held == other.held
    assert not one.held & abroad.held


def test_every_reading_that_lets_somebody_enter_is_a_disclosure(day: Day) -> None:
    follow(day)
    with day.database.snapshot() as session:
        (row,) = session.exec(select(Disclosed)).all()
    assert (row.kind, row.audience, row.count, row.state) == ("changes", EVERYONE, 3, "closed")


def test_a_list_that_is_too_small_is_empty_and_fills_again(day: Day) -> None:
    reader = reader_of(day.policy, EVERYONE, *SERVICE)
    followed = replace(reader.followed, least=3)

    def read(since: Place | None) -> gate.feed.Changes:
        found = gate.feed.read(day.database, followed, reader.request, since, 10)
        assert not isinstance(found, Refusal)
        if found.page is not None:
            found.page.hand_over()
        return found

    first = read(None)
    is_restricted(day)
    shrunk = read(first.place)
    assert sorted(told(list(shrunk.changes))) == [("left", "restriction"), *[("left", "small_audience")] * 2]
    assert gate.feed.read(day.database, followed, reader.request, None, 10) == Refusal("small_audience")
    day.bring(day.item(4, "Product Viewed", minutes=1))
    assert len(read(shrunk.place).changes) == 3


def test_third_parties_hear_of_erasure_and_restriction_and_of_nothing_that_people_did() -> None:
    assert causes.told_to("third_party", "erasure") == "erasure"
    assert causes.told_to("third_party", "restriction") == "restriction"
    assert causes.told_to("third_party", "withdrawal") == "other"
    assert causes.told_to("third_party", "rule") == "other"
    assert causes.told_to("processor", "withdrawal") == "withdrawal"


def test_who_left_a_month_ago_is_forgotten_and_who_read_less_begins_again(day: Day) -> None:
    behind, reader = follow(day), follow(day)
    is_restricted(day)
    reader.catch_up(day)
    pass_time(day, days=29)
    assert prune(day) == 0
    reader.catch_up(day)
    pass_time(day, days=2)
    assert prune(day) == 1
    with pytest.raises(Problem, match="feed_position_too_old"):
        behind.poll(day, 10)
    assert reader.catch_up(day) == []
    fresh = follow(day)
    assert fresh.held == reader.held == reader.members(day)


def test_a_feed_that_nobody_reads_is_taken_down(day: Day) -> None:
    reader = follow(day)
    pass_time(day, days=31)
    while prune(day, 2):
        pass
    with day.database.snapshot() as session:
        assert session.exec(select(func.count()).select_from(Feed)).one() == 0
        assert session.exec(select(func.count()).select_from(FeedMember)).one() == 0
    with pytest.raises(Problem, match="feed_position_too_old"):
        reader.poll(day, 10)


def test_after_a_restore_every_reader_begins_again(day: Day) -> None:
    reader = follow(day)
    with day.database.transaction() as session:
        gate.feed.begin_anew(session)
    with pytest.raises(Problem, match="feed_position_too_old"):
        reader.poll(day, 10)
    assert follow(day).held == reader.held


def test_a_person_sees_which_lists_were_told_of_them(day: Day) -> None:
    follow(day, BUYERS)
    with day.database.snapshot() as session:
        held = [one.plain for one in gate.feed.export(session, numbers(day, ADA))]
    assert [(one["list"], one["recipient"], one["present"]) for one in held] == [(BUYERS, "ma_tool", True)]


def test_readers_at_once_get_every_position_once(day: Day) -> None:
    followers = [reader_of(day.policy, EVERYONE, *SERVICE) for _ in range(4)]
    over = threading.Event()

    def poll(reader: Reader) -> None:
        while not over.is_set():
            reader.poll(day, 3)

    threads = [threading.Thread(target=poll, args=(reader,)) for reader in followers]
    for thread in threads:
        thread.start()
    for number in range(4, 16):
        day.bring(day.item(number, "Product Viewed", minutes=1))
    over.set()
    for thread in threads:
        thread.join()
    for reader in followers:
        reader.catch_up(day)
        assert reader.held == reader.members(day)
        assert len(reader.told) == 15
    with day.database.snapshot() as session:
        places = session.exec(select(FeedMember.position).order_by(col(FeedMember.position))).all()
    assert list(places) == list(range(1, 16))


def prune(day: Day, limit: int = 100) -> int:
    with day.database.transaction() as session:
        return gate.feed.prune(session, day.clock.now(), limit)
