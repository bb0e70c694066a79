"""Somebody's word that was lost from the evidence is found and upheld again; what is said since is no loss."""

from collections.abc import Callable, Iterable

import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from cdp import identity
from cdp.db import Database
from cdp.identity import Arrival, Canonical, aside, breaker, rebuild
from cdp.identity.model import Aside, Identifier, IdentityCase
from cdp.identity.rules import TokenKey
from tests.ingest.ground import NAMESPACES, make_policy

HOME = "home@people.test"
Say = Callable[[Session, TokenKey], object]


@pytest.fixture
def shop(shop: Database) -> Database:
    """Two records that an address joins; the second came from a source of its own."""
    shop.context["policy"] = make_policy(namespaces=NAMESPACES)
    shop.settlers = []
    bring(shop, "site", "u1")
    bring(shop, "other", "")
    return shop


def bring(shop: Database, source: str, user: str) -> None:
    names = [Canonical("email", "", HOME, True), *([Canonical("user_id", "", user, True)] if user else [])]
    with shop.transaction() as session:
        identity.attach(session, [Arrival(source, tuple(names))], shop.clock.now())
        session.info["unsettled"].clear()


def do(shop: Database, what: Say) -> None:
    with shop.transaction() as session:
        row = session.scalars(select(Identifier).where(Identifier.namespace == "email")).first()
        assert row is not None
        what(session, (row.namespace, bytes(row.token)))
        session.info["unsettled"].clear()


def judged(kind: str) -> Say:
    def say(session: Session, key: TokenKey) -> None:
        identity.judge(session, kind, key, "because", "staff", session.info["clock"].now())

    return say


def retracted(session: Session, key: TokenKey) -> None:
    identity.retract(session, 2, key, "because", "staff", session.info["clock"].now())


def held(session: Session, key: TokenKey) -> None:
    at = session.info["clock"].now()
    aside.hold_back(session, breaker.hold(session, "other", "too many", at), {(*key, 2)}, at)


def losing(*changes: str) -> Say:
    def lose(session: Session, key: TokenKey) -> None:
        for change in changes:
            session.execute(text(change))
        identity.resolve(session, [1, 2], session.info["clock"].now(), "lost")

    return lose


UNBLOCKED, COUNTED = losing("UPDATE token SET state = 'active'"), losing("UPDATE identifier SET aside = 0")


def people(shop: Database) -> dict[int, int]:
    with shop.snapshot() as session:
        return identity.people_of(session, range(1, 9))


def lost(shop: Database) -> list[tuple[str, int]]:
    with shop.snapshot() as session:
        return [(one.kind, one.subject) for one in rebuild.lost(session)]


def uphold(shop: Database) -> None:
    with shop.snapshot() as session:
        found, graph = rebuild.lost(session), rebuild.read(session)
        difference = rebuild.compare(graph, rebuild.compute(graph, NAMESPACES))
    assert difference.is_none, "resolving alone does not see it"
    rebuild.apply(shop, difference, found, lot=1)


@pytest.mark.parametrize(
    ("say", "lose", "found"),
    [
        (judged("block"), UNBLOCKED, [("block", 0)]),
        (judged("shared"), UNBLOCKED, [("shared", 0)]),
        (judged("shared"), losing("DELETE FROM token"), [("shared", 0)]),
        (judged("expire"), COUNTED, [("expire", 1), ("expire", 2)]),
        (retracted, COUNTED, [("retract", 2)]),
        (held, COUNTED, [("hold", 2)]),
    ],
)
def test_a_word_that_was_lost_is_found_and_upheld(
    shop: Database, say: Say, lose: Say, found: Iterable[tuple[str, int]]
) -> None:
    do(shop, say)
    before = people(shop)
    assert (before, lost(shop)) == ({1: 1, 2: 2}, [])
    do(shop, lose)
    assert people(shop) == {1: 1, 2: 1}
    assert lost(shop) == found
    uphold(shop)
    assert (people(shop), lost(shop)) == (before, [])


def test_what_is_held_without_a_hold_is_found_and_counts_again(shop: Database) -> None:
    do(shop, losing(f"UPDATE identifier SET aside = {int(Aside.HELD)} WHERE subject = 2"))
    assert (people(shop), lost(shop)) == ({1: 1, 2: 2}, [("released", 2)])
    uphold(shop)
    assert (people(shop), lost(shop)) == ({1: 1, 2: 1}, [])


@pytest.mark.parametrize("say", [judged("block"), judged("expire"), retracted, held])
def test_what_was_taken_back_is_not_lost(shop: Database, say: Say) -> None:
    do(shop, say)
    with shop.transaction() as session:
        case = session.scalars(select(IdentityCase).where(IdentityCase.rule == "breaker")).first()
        if case is not None:
            aside.release(session, case, "staff", shop.clock.now())
        else:
            identity.revoke(session, 1, "staff", shop.clock.now())
        session.info["unsettled"].clear()
    assert (people(shop), lost(shop)) == ({1: 1, 2: 1}, [])
