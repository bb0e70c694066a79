"""I12 of identity.md § 5: who is who, and all that was said of it, is the same under every key of the blind index.

As stored, on both databases: rotation begins and ends anywhere among what else is done, and is killed anywhere.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event
from sqlmodel import Session, col

from cdp import identity, ingest, vault
from cdp.connector.kit import Item
from cdp.db import Database
from cdp.errors import CiphertextCorrupt
from cdp.identity import (
    Arrival,
    Canonical,
    config,
    correcting,
    epochs,
    explaining,
    graph,
    naming,
    places,
    rebuild,
    resolution,
    review,
    sealed,
)
from cdp.identity.model import (
    Aside,
    CorrectedIdentifier,
    Identifier,
    IdentityCase,
    Override,
    OverrideValue,
    Token,
)
from cdp.identity.rules import TokenKey
from cdp.profile.model import Subject
from cdp.vault.model import SubjectKey
from tests.identity.test_stream import (
    ACTS,
    KINDS,
    MARKS,
    NUMBERS,
    Act,
    Killed,
    World,
    after,
    by_print,
    cleared,
    empty,
    holds,
    remembers,
    some,
    spelled,
    told,
)
from tests.ingest.ground import NOW, SITE, claims, email, rows, viewed

__all__ = ["empty"]

ADA = "ada@people.example"


# I12, at random


@dataclass
class Rotation:
    """When the index is rotated, by the number of the act before which it is."""

    begins: int
    ends: int
    lots: tuple[int, ...]
    """How many values go before each of the acts between."""


MEETING = st.builds(
    Act,
    st.just("bring"),
    NUMBERS,
    st.tuples(
        st.tuples(st.just("user_id"), st.sampled_from("abc"), st.just(True)),
        st.tuples(st.sampled_from(["phone", "email"]), st.sampled_from("ab"), st.just(True)),
    ),
    MARKS,
    st.integers(-30, 0),
)
"""Accounts that have things in common: most of them in conflict."""

MEETINGS = st.tuples(st.lists(MEETING, min_size=2, max_size=5), ACTS).map(lambda acts: [*acts[0], *acts[1]])
ROTATIONS = st.builds(Rotation, st.integers(0, 12), st.integers(0, 14), st.tuples(*[st.integers(0, 3)] * 5))


def test_i12_a_rotation_of_the_index_changes_nothing_that_anybody_is_told(empty: World) -> None:
    @some(40 if empty.database.is_sqlite else 15)
    @given(MEETINGS, ROTATIONS)
    def same(acts: list[Act], when: Rotation) -> None:
        alone = [state for _, state in run(cleared(empty), acts)]
        world = cleared(empty)
        for number, (_, state) in enumerate(run_rotating(world, acts, when)):
            assert state == alone[number], f"after act {number}"
        told(world)
        remembers(world)

    same()


def run(world: World, acts: list[Act]) -> Iterator[tuple[World, dict[str, Any]]]:
    for act in acts:
        world.do(act)
        yield world, said(world.database)


def run_rotating(world: World, acts: list[Act], when: Rotation) -> Iterator[tuple[World, dict[str, Any]]]:
    started = False
    for number, act in enumerate(acts):
        if number == min(when.begins, len(acts) - 1):
            keyring(world.database).rotate_index()
            started = True
        elif started and is_rotating(world.database):
            move(world.database, when.lots[number % len(when.lots)])
        if number == max(when.ends, when.begins + 1) and is_rotating(world.database):
            end(world.database)
        world.do(act)
        holds(world)
        yield world, said(world.database)
    before = said(world.database)
    end(world.database)
    assert said(world.database) == before
    holds(world)


def keyring(database: Database) -> vault.Keyring:
    found: vault.Vault = database.context["vault"]
    return found.keyring


def is_rotating(database: Database) -> bool:
    return len(keyring(database).state().index) > 1


def move(database: Database, values: int = 10_000, start: TokenKey = epochs.FIRST) -> epochs.Moved:
    """Bring some values under the newest key."""
    with database.transaction() as session:
        moved = epochs.move(session, epochs.behind(session, start, values), NOW)
        if not database.settlers:
            session.info["unsettled"].clear()
    return moved


def end(database: Database) -> None:
    """Bring everything under the newest key, and destroy the older; nothing of it is left."""
    move(database)
    for epoch in sorted(keyring(database).state().index)[:-1]:
        keyring(database).destroy_epoch(epoch)
    with database.transaction() as session:
        assert epochs.sweep(session, epochs.FIRST, 10_000) is None
        assert epochs.count_behind(session) == 0
        newest = vault.of(session).epoch
        assert {row.epoch for row in rows(session, Identifier)} <= {newest}
        used = {(row.namespace, bytes(row.token)) for row in rows(session, Identifier)}
        stand = {(row.namespace, bytes(row.token)) for row in rows(session, Token) if row.state != "blocked"}
        assert stand <= used
        session.info["unsettled"].clear()


def said(database: Database) -> dict[str, Any]:
    """Return everything of who is who, with values named in a way that no key of the index decides."""
    with database.snapshot() as session:
        names = {
            (row.namespace, bytes(row.token)): (row.namespace, bytes(row.suppression_token))
            for table in (Identifier, CorrectedIdentifier)
            for row in rows(session, table)
        }
        prints = {row.number: bytes(row.fingerprint) for row in rows(session, Subject)}
        states = graph.states(session, names)
        words = [row.id for row in rows(session, Override, col(Override.id))]
        return {
            "people": by_print(session),
            "evidence": sorted(
                (prints[row.subject], *names[row.namespace, bytes(row.token)], row.verified, row.seen, row.aside)
                for row in rows(session, Identifier)
            ),
            "states": {names[key]: state for key, state in states.items() if state[0] != "active"},
            "decisions": sorted(
                (row.kind, prints.get(row.subject, b""), prints.get(row.other_subject, b""), row.revoked_at is None)
                for row in rows(session, Override)
            ),
            "decided of": sorted(
                (words.index(row.override), *names[row.namespace, bytes(row.token)], prints.get(row.subject, b""))
                for row in rows(session, OverrideValue)
                if (row.namespace, bytes(row.token)) in names  # what nobody has ends with its key
            ),
            "of what": [
                names.get((row.namespace, bytes(row.token)))
                for row in rows(session, Override, col(Override.id))
                if row.token
            ],
            "cases": sorted(
                (*names.get((row.namespace, bytes(row.token)), ("", b"")), row.rule, row.severity, row.action)
                for row in rows(session, IdentityCase)
                if row.state != "gone"
            ),
            "found": {
                (kind, value): prints.get(identity.find(session, kind, "", spelled(kind, value)) or 0)
                for kind in KINDS
                for value in "abc"
            },
        }


# One by one


def take(database: Database, *items: Item) -> None:
    assert ingest.take(database, SITE, items, NOW).accepted == len(items)


def people(database: Database) -> dict[int, int]:
    with database.snapshot() as session:
        return {row.number: row.person for row in rows(session, Subject)}


def key_of(session: Session, namespace: str) -> TokenKey:
    (token,) = {bytes(row.token) for row in rows(session, Identifier) if row.namespace == namespace}
    return namespace, token


def begin(database: Database) -> None:
    keyring(database).rotate_index()


def stay(database: Database) -> None:
    """Bring nothing."""


def at_every_point(test: Callable[..., None]) -> Any:
    """Run with the values not yet moved, moved, and with the older key gone."""
    points = [stay, move, end]
    return pytest.mark.parametrize("turn", points, ids=["not yet moved", "moved", "older key gone"])(test)


@at_every_point
def test_a_value_that_means_nobody_joins_nobody_under_the_next_key(shop: Database, turn: Callable[..., Any]) -> None:
    take(shop, viewed(*claims(user_id="u1", phone="090-1234-5678"), message="1"))
    with shop.transaction() as session:
        number = identity.judge(session, "block", key_of(session, "phone"), "the shop's own", "staff", NOW)
    begin(shop)
    turn(shop)
    take(shop, viewed(*claims(phone="090-1234-5678", anonymous_id="k"), message="2"))
    assert people(shop) == {1: 1, 2: 2}
    with shop.transaction() as session:
        identity.revoke(session, number, "staff", NOW)
    assert people(shop) == {1: 1, 2: 1}


@at_every_point
def test_who_arrives_while_the_index_rotates_meets_who_was_there(shop: Database, turn: Callable[..., Any]) -> None:
    take(shop, viewed(email(ADA), *claims(user_id="u1"), message="1"))
    begin(shop)
    turn(shop)
    take(shop, viewed(email(ADA), *claims(phone="090-1234-5678"), message="2"))
    take(shop, viewed(*claims(phone="090-1234-5678"), message="3"))
    assert people(shop) == {1: 1, 2: 1, 3: 1}
    with shop.snapshot() as session:
        assert len(rows(session, Identifier)) == 5, "each value once on each record"
        assert identity.find(session, "email", "", ADA) == 1
    end(shop)
    assert people(shop) == {1: 1, 2: 1, 3: 1}


def test_a_value_that_is_new_is_written_under_the_newest_key_alone(shop: Database) -> None:
    begin(shop)
    take(shop, viewed(email(ADA), message="1"))
    with shop.snapshot() as session:
        assert [row.epoch for row in rows(session, Identifier)] == [vault.of(session).epoch]


@at_every_point
def test_one_case_stands_for_one_value_and_its_answer_goes_along(shop: Database, turn: Callable[..., Any]) -> None:
    take(shop, *[viewed(*claims(user_id=f"u{n}", phone="090-1234-5678"), message=f"{n}") for n in (1, 2)])
    begin(shop)
    turn(shop)
    take(shop, viewed(*claims(user_id="u3", phone="090-1234-5678"), message="3"))
    with shop.transaction() as session:
        (case,) = review.listed(session)
        assert case.id
        assert len(review.tell(session, case.id).people) == 3
        assert len(explaining.explain(session, 1, 2).obstacles) == 1
        (made,) = review.decide(session, case.id, "shared", "the family's", "staff", NOW)
    end(shop)
    with shop.transaction() as session:
        assert graph.states(session, [key_of(session, "phone")]) == {key_of(session, "phone"): ("blocked", "")}
        row = session.get_one(Override, made)
        assert (row.namespace, bytes(row.token)) == key_of(session, "phone")
        review.undo(session, case.id, "it was hers", "staff", NOW)
        (again,) = review.listed(session)
        assert (again.id, again.state, bytes(again.token)) == (case.id, "open", key_of(session, "phone")[1])


@at_every_point
def test_what_left_its_owners_and_what_was_not_theirs_stays_so(shop: Database, turn: Callable[..., Any]) -> None:
    take(shop, viewed(email(ADA), *claims(user_id="u1"), message="1"), viewed(email(ADA), message="2"))
    with shop.transaction() as session:
        expired = identity.judge(session, "expire", key_of(session, "email"), "moved", "staff", NOW)
        retracted = identity.retract(session, 2, key_of(session, "email"), "a slip", "staff", NOW)
    begin(shop)
    turn(shop)
    assert people(shop) == {1: 1, 2: 2}
    with shop.transaction() as session:
        identity.revoke(session, expired, "staff", NOW)
    assert people(shop) == {1: 1, 2: 2}
    with shop.transaction() as session:
        identity.revoke(session, retracted, "staff", NOW)
    assert people(shop) == {1: 1, 2: 1}


@at_every_point
def test_an_identifier_that_was_removed_comes_back_under_the_key_of_the_day(
    shop: Database, turn: Callable[..., Any]
) -> None:
    take(shop, viewed(email(ADA), *claims(user_id="u1"), message="1"), viewed(email(ADA), message="2"))
    with shop.transaction() as session:
        assert correcting.remove(session, [2], Canonical("email", "", ADA), "r1", NOW) == [2]
        resolution.resolve(session, [1, 2], NOW, "rectification")
    assert people(shop) == {1: 1, 2: 2}
    begin(shop)
    turn(shop)
    take(shop, viewed(email(ADA), *claims(anonymous_id="k"), message="3"))
    with shop.transaction() as session:
        assert correcting.revoke(session, "r1", NOW) == [2]
        resolution.resolve(session, [1, 2, 3], NOW, "rectification")
    assert people(shop) == {1: 1, 2: 1, 3: 1}
    with shop.snapshot() as session:
        assert identity.find_all(session, "email", "", ADA) == [1]
        key_of(session, "email")


def test_whoever_knew_the_older_key_alone_writes_where_everybody_looks(shop: Database) -> None:
    """An arrival asked for its tokens before the epoch began, and is served after it."""
    take(shop, viewed(email(ADA), message="1"))
    with shop.transaction() as session:
        names = (Canonical("email", "", ADA, True), Canonical("user_id", "", "u1", True))
        for name in names:
            naming.tokens(session, name)
        begin(shop)
        identity.attach(session, [Arrival("site", names)], NOW)
    with shop.snapshot() as session:
        found = sorted((row.subject, row.namespace, row.epoch) for row in rows(session, Identifier))
        newest = vault.of(session).epoch
    assert found == [(1, "email", newest - 1), (2, "email", newest - 1), (2, "user_id", newest)]
    assert people(shop) == {1: 1, 2: 1}


def test_a_value_that_no_key_opens_stays_where_it_is(shop: Database) -> None:
    take(shop, viewed(email(ADA), message="1"), viewed(*claims(user_id="u1"), message="2"))
    with shop.transaction() as session:
        (row,) = [row for row in rows(session, Identifier) if row.namespace == "email"]
        row.sealed = b"x" * len(row.sealed)
        session.add(row)
    begin(shop)
    moved = move(shop)
    assert (moved.rows, moved.unreadable) == (1, 1)
    with shop.snapshot() as session:
        assert epochs.count_behind(session) == 1


def test_what_one_record_cannot_say_any_more_another_says_for_it(shop: Database) -> None:
    take(shop, viewed(email(ADA), message="1"), viewed(email(ADA), *claims(user_id="u1"), message="2"))
    with shop.transaction() as session:
        row = rows(session, Identifier, col(Identifier.subject), col(Identifier.namespace))[0]
        row.sealed = b"x" * len(row.sealed)
        session.add(row)
    begin(shop)
    end(shop)
    assert people(shop) == {1: 1, 2: 1}


def test_a_copy_from_before_a_rotation_finds_everybody_again_once_it_is_indexed(shop: Database) -> None:
    """A backup is put back whose key is gone, and people arrive before it is indexed."""
    take(shop, viewed(email(ADA), *claims(user_id="u1"), message="1"))
    with shop.transaction() as session:
        identity.judge(session, "expire", key_of(session, "user_id"), "moved", "staff", NOW)
    begin(shop)
    keyring(shop).destroy_epoch(1)
    with shop.snapshot() as session:
        assert identity.find(session, "email", "", ADA) == 1, "a look-up needs no key of the index"
    take(shop, viewed(email(ADA), *claims(phone="090-1234-5678"), message="2"))
    assert people(shop) == {1: 1, 2: 2}
    move(shop)
    assert people(shop) == {1: 1, 2: 1}
    with shop.snapshot() as session:
        assert identity.find(session, "email", "", ADA) == 1
        assert {row.aside for row in rows(session, Identifier) if row.namespace == "user_id"} != {0}


def test_two_open_cases_of_one_value_become_one(shop: Database) -> None:
    both = [viewed(*claims(user_id=f"u{n}", phone="090-1234-5678"), message=f"{n}") for n in (1, 2, 3, 4)]
    take(shop, *both[:2])
    begin(shop)
    keyring(shop).destroy_epoch(1)
    take(shop, *both[2:])
    with shop.snapshot() as session:
        first, _ = review.listed(session)
    move(shop)
    with shop.snapshot() as session:
        (case,) = review.listed(session)
        assert case.id == first.id
        assert len(review.tell(session, case.id or 0).people) == 4


def restored(database: Database) -> None:
    """Let what is stored be a copy from before a rotation: its key is gone, and another is live."""
    begin(database)
    keyring(database).destroy_epoch(min(keyring(database).state().index))


def reindexed(database: Database) -> None:
    """Do as `cdp keys reindex`: with one epoch live it begins another, so what arrived is under an older key, too."""
    begin(database)
    end(database)


PHONE = "090-1234-5678"


def test_a_restored_copy_in_which_people_arrived_joins_them_with_who_they_were(shop: Database) -> None:
    take(shop, viewed(email(ADA), *claims(user_id="u1"), message="1"))
    restored(shop)
    take(shop, viewed(email(ADA), *claims(phone=PHONE), message="2"))
    assert people(shop) == {1: 1, 2: 2}
    reindexed(shop)
    assert people(shop) == {1: 1, 2: 1}
    with shop.snapshot() as session:
        known = rebuild.read(session)
        difference = rebuild.compare(known, rebuild.compute(known, dict(config.namespaces(session))))
        assert (difference.subjects, difference.generic, difference.values) == ((), (), ())


@pytest.mark.parametrize("blocked", [1, 2], ids=["before the restoring", "after it"])
@pytest.mark.parametrize("turn", range(3))  # the order of two random keys' tokens decides nothing
def test_what_staff_blocked_in_a_restored_copy_stays_blocked(shop: Database, blocked: int, turn: int) -> None:
    def block(now: int) -> None:
        with shop.transaction() as session:
            newest = max(row.epoch for row in rows(session, Identifier))
            keys = {(row.namespace, bytes(row.token)) for row in rows(session, Identifier) if row.epoch == newest}
            (phone,) = [key for key in keys if key[0] == "phone"]
            if now == blocked:
                identity.judge(session, "block", phone, "the shop's own", "staff", NOW)

    take(shop, viewed(*claims(user_id="u1", phone=PHONE), message="1"))
    block(1)
    restored(shop)
    take(shop, *[viewed(*claims(user_id=f"v{n}", phone=PHONE), message=f"v{n}") for n in (1, 2)])
    block(2)
    reindexed(shop)
    with shop.snapshot() as session:
        assert graph.states(session, [key_of(session, "phone")]) == {key_of(session, "phone"): ("blocked", "")}
        assert review.listed(session) == []
    assert len(set(people(shop).values())) == 3


def test_two_open_cases_in_a_restored_copy_become_one(shop: Database) -> None:
    take(shop, *[viewed(*claims(user_id=f"u{n}", phone=PHONE), message=f"u{n}") for n in (1, 2)])
    restored(shop)
    take(shop, *[viewed(*claims(user_id=f"v{n}", phone=PHONE), message=f"v{n}") for n in (1, 2)])
    with shop.snapshot() as session:
        first, _ = review.listed(session)
    reindexed(shop)
    with shop.snapshot() as session:
        (case,) = review.listed(session)
        assert graph.states(session, [key_of(session, "phone")]) == {key_of(session, "phone"): ("shared", "")}
        assert (case.id, case.rule) == (first.id, "shared")
        assert len(review.tell(session, case.id or 0).people) == 4


@pytest.mark.parametrize("damaged", [False, True])
def test_who_has_a_value_twice_in_a_restored_copy_keeps_one_that_says_what_both_said(
    shop: Database, damaged: bool
) -> None:
    take(shop, viewed(email(ADA, verified=False), *claims(user_id="u1"), message="1"))
    take(shop, viewed(email(ADA, verified=False), message="2"))
    with shop.transaction() as session:
        identity.retract(session, 1, key_of(session, "email"), "a slip", "staff", NOW)
    restored(shop)
    with shop.transaction() as session:
        (old,) = [row for row in rows(session, Identifier) if (row.subject, row.namespace) == (1, "email")]
        place = places.find_one(session, Canonical("email", "", ADA))
        kept = vault.seal(
            vault.deks(session, [1])[1],
            sealed.plaintext(Canonical("email", "", ADA)),
            sealed.cell(1, "email", place.token),
        )
        twice = {"token": place.token, "epoch": place.epoch, "sealed": kept, "verified": True, "aside": 1}
        session.add(Identifier(**(old.model_dump() | twice)))
        if damaged:
            old.sealed = b"x" * len(old.sealed)
    reindexed(shop)
    with shop.snapshot() as session:
        (row,) = [row for row in rows(session, Identifier) if (row.subject, row.namespace) == (1, "email")]
        assert (row.verified, row.aside) == (True, int(Aside.RETRACTED))
        assert identity.find_all(session, "email", "", ADA) == [1, 2], "it is what it was, and retracted"


def test_a_rotation_that_begins_in_the_middle_of_a_move_loses_nothing(
    shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(shop, viewed(email(ADA), message="1"))
    begin(shop)
    lock = graph.lock_tokens

    def late(session: Session, keys: Iterable[TokenKey]) -> dict[TokenKey, str]:
        monkeypatch.setattr(graph, "lock_tokens", lock)
        keyring(shop).destroy_epoch(1)
        begin(shop)
        return lock(session, keys)

    monkeypatch.setattr(graph, "lock_tokens", late)
    move(shop)
    with shop.snapshot() as session:
        assert {row.epoch for row in rows(session, Identifier)} == {2}, "what it began with"
    end(shop)
    take(shop, viewed(email(ADA), *claims(user_id="u1"), message="2"))
    assert people(shop) == {1: 1, 2: 1}


def test_a_row_whose_value_is_another_than_its_token_says_is_not_written_on(
    shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(shop, viewed(email(ADA), message="1"))
    begin(shop)
    named = epochs._named

    def wrong(*given: Any) -> Any:
        found, unreadable = named(*given)
        return {token: one._replace(token=b"w" * 16) for token, one in found.items()}, unreadable

    monkeypatch.setattr(epochs, "_named", wrong)
    with pytest.raises(CiphertextCorrupt):
        move(shop)
    with shop.snapshot() as session:
        assert identity.find(session, "email", "", ADA) == 1


def test_a_record_whose_data_key_is_damaged_stays_behind_and_the_others_go(shop: Database) -> None:
    take(shop, viewed(email(ADA), message="1"), viewed(*claims(user_id="u1"), message="2"))
    damage_key(shop, 1)
    begin(shop)
    moved = move(shop)
    assert (moved.rows, moved.unreadable) == (1, 1)


def test_who_is_being_erased_keeps_no_key_of_the_index_alive(shop: Database) -> None:
    take(shop, viewed(email(ADA), message="1"), viewed(*claims(user_id="u1"), message="2"))
    keyring(shop).puncture([1])
    begin(shop)
    moved = move(shop)
    assert (moved.rows, moved.unreadable) == (1, 0)


def damage_key(database: Database, subject: int) -> None:
    with database.transaction() as session:
        row = session.get_one(SubjectKey, subject)
        row.wrapped = bytes(row.wrapped[:-1]) + bytes([row.wrapped[-1] ^ 1])


def test_while_one_key_is_live_nobody_is_asked_where_a_value_stands(shop: Database) -> None:
    with shop.transaction() as session, counted(shop) as asked:
        names = [Canonical("email", "", ADA), Canonical("user_id", "", "u1")]
        assert {place.epoch for place in places.find(session, names).values()} == {1}
    assert asked == []


def test_a_crash_anywhere_in_a_move_leaves_all_of_it_or_nothing(shop: Database) -> None:
    take(shop, *[viewed(*claims(user_id=f"u{n}", phone="090-1234-5678"), message=f"{n}") for n in (1, 2)])
    with shop.transaction() as session:
        (case,) = review.listed(session)
        review.decide(session, case.id or 0, "shared", "the family's", "staff", NOW)
    begin(shop)
    before, told_before, struck = stored(shop), said(shop), 0
    while True:
        try:
            with after(shop, struck):
                move(shop)
        except Killed:
            assert stored(shop) == before, f"after statement {struck}"
            struck += 1
        else:
            break
    assert struck > 5
    assert said(shop) == told_before
    assert not {token for _, _, token in before} & {token for _, _, token in stored(shop)}


def stored(database: Database) -> set[tuple[str, str, bytes]]:
    """Return every token that stands anywhere."""
    with database.snapshot() as session:
        return {
            (table.__name__, row.namespace, bytes(row.token))
            for table in (Identifier, Token, Override, OverrideValue, IdentityCase)
            for row in rows(session, table)
        }


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """Yield the statements that are run meanwhile."""
    found: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        found.append(statement)

    event.listen(database.writer, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(database.writer, "before_cursor_execute", note)
