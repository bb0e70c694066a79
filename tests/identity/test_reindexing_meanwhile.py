"""The index is rotated again and again while people arrive and staff decide: nobody is lost on the way."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

from sqlmodel import Session, col

from cdp import identity, ingest
from cdp.db import Database
from cdp.errors import Problem, Unavailable
from cdp.identity import Canonical, config, correcting, epochs, graph, places, rebuild, resolution, review
from cdp.identity.model import Identifier
from tests.conftest import DEEP
from tests.identity.test_epochs import ADA, end, key_of, keyring, people, restored, take
from tests.ingest.ground import NOW, SITE, claims, email, partition, rows, viewed

WRITERS, SECONDS = 4, 60 if DEEP else 4


def arrive(shop: Database, seed: int, over: threading.Event, failures: list[str]) -> None:
    chance, number = random.Random(seed), 0
    while not over.is_set():
        number += 1
        one, other = chance.randrange(30), chance.randrange(30)
        named = [
            (email(f"p{one}@people.example", verified=chance.random() < 0.7), *claims(user_id=f"u{one}")),
            (email(f"p{one}@people.example"), *claims(phone=f"090-1234-56{one:02}")),
            claims(phone=f"090-1234-56{one:02}", anonymous_id=f"a{other}"),
        ]
        try:
            ingest.take(shop, SITE, [viewed(*chance.choice(named), message=f"{seed}-{number}")], NOW)
            if number % 20 == 0:
                shop.attempt(partial(decide, chance))
        except Unavailable:
            pass
        except Exception as error:
            failures.append(repr(error))
            raise


def decide(chance: random.Random, session: Session) -> None:
    """Answer a case, or take an answer back."""
    verb, states = (review.undo, ("decided",)) if chance.random() < 0.5 else (share, ("open",))
    found = review.listed(session, states)
    try:
        if found:
            verb(session, chance.choice(found).id or 0, "because", "staff", NOW)
    except Problem as problem:
        assert problem.status in (404, 409)


def share(session: Session, case: int, *how: object) -> None:
    review.decide(session, case, "shared", "because", "staff", NOW)


def test_the_index_is_rotated_while_people_arrive_and_nobody_is_parted(shop: Database) -> None:
    over, failures = threading.Event(), list[str]()
    writers = [threading.Thread(target=arrive, args=(shop, seed, over, failures)) for seed in range(WRITERS)]
    for one in writers:
        one.start()
    until, turns = time.monotonic() + SECONDS, 0
    while time.monotonic() < until or turns < 2:
        keyring(shop).rotate_index()
        while move_some(shop, 3):
            pass
        if time.monotonic() > until:
            break
        keyring(shop).destroy_epoch(min(keyring(shop).state().index))
        turns += 1
    over.set()
    for one in writers:
        one.join()
    assert not failures
    while move_some(shop, 100):
        pass
    with shop.snapshot() as session:
        assert epochs.count_behind(session) == 0
        places: dict[tuple[str, bytes], set[bytes]] = {}
        for row in rows(session, Identifier, col(Identifier.subject)):
            places.setdefault((row.namespace, bytes(row.suppression_token)), set()).add(bytes(row.token))
        assert all(len(tokens) == 1 for tokens in places.values())
        graph = rebuild.read(session)
        difference = rebuild.compare(graph, rebuild.compute(graph, dict(config.namespaces(session))))
        assert difference.is_none, difference
        assert len(partition(session)) > 1
        found = [number for number in range(30) if identity.find_all(session, "user_id", "", f"u{number}")]
        assert len(found) == len([1 for namespace, _ in places if namespace == "user_id"]) > 1


def move_some(shop: Database, values: int) -> int:
    """Bring all values under the newest key, so many in one transaction; returns how many rows went."""
    after, moved = epochs.FIRST, 0
    while True:
        with shop.snapshot() as session:
            keys = epochs.behind(session, after, values)
        if not keys:
            return moved
        after = keys[-1]
        try:
            moved += shop.attempt(partial(epochs.move, keys=keys, at=NOW)).rows
        except Unavailable:
            moved += 1


def while_it_moves(shop: Database, work: Callable[[Session], Any]) -> None:
    """Rotate the index, and do this in the instant in which every value moves."""
    keyring(shop).rotate_index()
    with ThreadPoolExecutor(1) as beside:
        with shop.transaction() as session:
            keys = epochs.behind(session, epochs.FIRST, 100)
            assert epochs.move(session, keys, NOW).rows
            told: Future[Any] = beside.submit(shop.attempt, work)
            with suppress(TimeoutError):
                told.result(timeout=0.3)
            assert not told.done(), "it waits for the move"
        told.result(timeout=30)
    end(shop)


def test_what_staff_decide_while_a_value_moves_counts_and_so_does_taking_it_back(shop: Database) -> None:
    take(shop, *[viewed(*claims(user_id=f"u{n}", phone="090-1234-5678"), message=f"{n}") for n in (1, 2)])
    with shop.snapshot() as session:
        (case,) = review.listed(session)
    while_it_moves(shop, lambda session: review.decide(session, case.id or 0, "block", "the shop's", "staff", NOW))
    with shop.snapshot() as session:
        assert graph.states(session, [key_of(session, "phone")]) == {key_of(session, "phone"): ("blocked", "")}
    while_it_moves(shop, lambda session: review.undo(session, case.id or 0, "a slip", "staff", NOW))
    with shop.snapshot() as session:
        assert graph.states(session, [key_of(session, "phone")]) == {key_of(session, "phone"): ("conflict", "limit")}
        assert [one.id for one in review.listed(session)] == [case.id]


def test_a_correction_that_is_taken_back_while_its_value_moves_is_taken_back(shop: Database) -> None:
    take(shop, viewed(email(ADA), *claims(user_id="u1"), message="1"), viewed(email(ADA), message="2"))

    def remove(session: Session) -> None:
        places.hold_still(session)
        assert correcting.remove(session, [2], Canonical("email", "", ADA), "r1", NOW) == [2]
        resolution.resolve(session, [1, 2], NOW, "rectification")

    def bring_back(session: Session) -> None:
        places.hold_still(session)
        assert correcting.revoke(session, "r1", NOW) == [2]
        resolution.resolve(session, [1, 2], NOW, "rectification")

    while_it_moves(shop, remove)
    assert people(shop) == {1: 1, 2: 2}
    while_it_moves(shop, bring_back)
    assert people(shop) == {1: 1, 2: 1}


def test_an_identifier_is_removed_in_a_restored_copy_whose_key_is_gone(shop: Database) -> None:
    take(shop, viewed(email(ADA), *claims(user_id="u1"), message="1"))
    restored(shop)
    with shop.transaction() as session:
        assert correcting.remove(session, [1], Canonical("email", "", ADA), "r1", NOW) == [1]
    with shop.snapshot() as session:
        assert identity.find_all(session, "email", "", ADA) == []
