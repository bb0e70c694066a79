"""Why two records are not one person: every cause is named, and once what is named is gone, they are one."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import combinations

import pytest
from sqlmodel import col, select

from cdp import identity
from cdp.db import Database
from cdp.identity import Arrival, Canonical, aside, config, explaining, review
from cdp.identity.explaining import Obstacle
from cdp.identity.model import Identifier, IdentityCase
from cdp.identity.rules import TokenKey
from tests.identity.graphs import NAMESPACES
from tests.ingest.ground import make_policy

HOME = "home@people.test"
PHONE = "+819012345678"
Said = Callable[..., int | None]


@pytest.fixture
def shop(shop: Database) -> Database:
    terms = {**NAMESPACES, "email": replace(NAMESPACES["email"], limit=5, hold_above=0)}
    shop.context["policy"] = make_policy(namespaces=terms | {"phone": replace(NAMESPACES["phone"], ttl_days=548)})
    shop.settlers = []
    return shop


def bring(shop: Database, *claims: Canonical, ago: timedelta = timedelta(), **names: str) -> int:
    """Let a source bring a record; what is named is proved."""
    with shop.transaction() as session:
        at = shop.clock.now()
        proved = tuple(Canonical(kind, "", value, True) for kind, value in names.items())
        number = identity.attach(session, [Arrival("site", (*proved, *claims), at=at - ago)], at).subjects[0]
        session.info["unsettled"].clear()
        return number


def unproved(**names: str) -> tuple[Canonical, ...]:
    return tuple(Canonical(kind, "", value, False) for kind, value in names.items())


def do(shop: Database, work: Said, *given: object) -> int:
    with shop.transaction() as session:
        found = work(session, *given, shop.clock.now())
        session.info["unsettled"].clear()
        return found or 0


def key_of(shop: Database, namespace: str, subject: int) -> TokenKey:
    with shop.snapshot() as session:
        where = (col(Identifier.namespace) == namespace, col(Identifier.subject) == subject)
        return namespace, bytes(session.scalars(select(Identifier.token).where(*where)).one())


def told(shop: Database, one: int, other: int) -> explaining.Told:
    with shop.snapshot() as session:
        found = explaining.explain(session, one, other)
        people = identity.people_of(session, [one, other])
        assert found.is_one == (people[one] == people[other])
        return found


def rules(found: Iterable[Obstacle]) -> list[tuple[str, str, int]]:
    return [(one.rule, one.namespace, one.decision) for one in found]


def said(shop: Database, kind: str, one: int, other: int) -> int:
    """Let staff say something that parts two records who have one address in common."""
    value = key_of(shop, "email", one)
    if kind == "cannot":
        return do(shop, identity.cannot, one, other, "others", "staff")
    if kind.startswith("retract"):
        return do(shop, identity.retract, one if kind == "retract one" else other, value, "a slip", "staff")
    return do(shop, identity.judge, kind, value, "a word", "staff")


WORDS = {
    "block": "blocked",
    "shared": "shared",
    "expire": "left",
    "retract one": "retracted",
    "retract other": "retracted",
    "cannot": "cannot",
}


def test_whatever_was_said_is_named_by_its_number_and_once_taken_back_they_are_one(shop: Database) -> None:
    most = 3 if shop.is_sqlite else 2
    for n, kinds in enumerate(some for many in range(1, most + 1) for some in combinations(WORDS, many)):
        one = bring(shop, email=f"home{n}@people.test", note=f"a{n}", ago=timedelta(days=90))
        other = bring(shop, email=f"home{n}@people.test", note=f"b{n}")
        assert told(shop, one, other).is_one
        numbers = {said(shop, kind, one, other): WORDS[kind] for kind in kinds}
        named = {number: rule for rule, _, number in rules(told(shop, one, other).obstacles)}
        assert 0 not in named, kinds
        assert named.items() <= numbers.items(), kinds
        assert len(named) == len(numbers) or "expire" in kinds, kinds
        for number in named:
            do(shop, identity.revoke, number, "staff")
        for number in numbers.keys() - named.keys():
            assert told(shop, one, other).is_one, f"{kinds}: what is left keeps nobody apart"
            do(shop, identity.revoke, number, "staff")
        assert told(shop, one, other).is_one, kinds


def test_of_two_who_said_the_same_both_are_named(shop: Database) -> None:
    one, other = bring(shop, email=HOME, note="a"), bring(shop, email=HOME, note="b")
    numbers = [said(shop, kind, one, other) for kind in ("cannot", "block", "retract one") for _ in range(2)]
    assert sorted(number for _, _, number in rules(told(shop, one, other).obstacles)) == sorted(numbers)


def test_what_nobody_vouches_for_is_unproved_whatever_the_value_met(shop: Database) -> None:
    for user in ("u", "v"):
        bring(shop, user_id=user, phone=PHONE)
    third = bring(shop, *unproved(phone=PHONE), line_uid="L")
    assert rules(told(shop, 1, 2).obstacles) == [("limit", "phone", 0)]
    assert rules(told(shop, 1, third).obstacles) == [("unproved", "phone", 0)]


def test_what_staff_retracted_is_retracted_whatever_the_value_met(shop: Database) -> None:
    for user in ("u", "v"):
        bring(shop, user_id=user, phone=PHONE)
    third = bring(shop, phone=PHONE, line_uid="L")
    number = do(shop, identity.retract, third, key_of(shop, "phone", third), "never theirs", "staff")
    assert rules(told(shop, 1, third).obstacles) == [("retracted", "phone", number)]


def test_a_record_that_claims_to_be_another_than_the_device_s_owner_says_so(shop: Database) -> None:
    owner = bring(shop, anonymous_id="tablet", user_id="u")
    claimed = bring(shop, *unproved(user_id="v"), anonymous_id="tablet")
    assert rules(told(shop, owner, claimed).obstacles) == [("claim", "anonymous_id", 0)]


def test_what_is_over_is_over_and_by_itself(shop: Database) -> None:
    old = bring(shop, phone=PHONE, note="a", ago=timedelta(days=800))
    new = bring(shop, phone=PHONE, note="b")
    assert told(shop, old, new).is_one
    with shop.transaction() as session:
        aside.expire(session, shop.clock.now().date(), shop.clock.now())
        session.info["unsettled"].clear()
    assert rules(told(shop, old, new).obstacles) == [("expired", "phone", 0)]
    bring(shop, phone=PHONE, note="a")
    assert told(shop, old, new).is_one, "seen again"


def test_a_value_on_too_many_is_generic_and_what_is_against_one_row_is_said_beside(shop: Database) -> None:
    first, *_ = [bring(shop, email=HOME, note=f"n{n}") for n in range(6)]
    last = bring(shop, *unproved(email=HOME), note="last")
    assert rules(told(shop, 1, 2).obstacles) == [("generic", "email", 0)]
    assert rules(told(shop, first, last).obstacles) == [("unproved", "email", 0), ("generic", "email", 0)]


def test_of_several_records_the_one_that_counts_is_asked(shop: Database) -> None:
    bring(shop, *unproved(phone=PHONE), user_id="u")
    bring(shop, user_id="u", phone=PHONE)
    other = bring(shop, user_id="v", phone=PHONE)
    assert rules(told(shop, 1, other).obstacles) == [("limit", "phone", 0)]


def test_the_way_from_one_to_the_other_names_what_breaks_it(shop: Database) -> None:
    """The first and the last have nothing in common, but both have something of the one between."""
    first = bring(shop, user_id="u", phone=PHONE)
    bring(shop, line_uid="L", phone=PHONE, email=HOME)
    last = bring(shop, email=HOME, note="b")
    assert [(step.one, step.namespace, step.other) for step in told(shop, first, last).path] == [
        (1, "phone", 2),
        (2, "email", 3),
    ]
    number = do(shop, identity.retract, last, key_of(shop, "email", last), "a slip", "staff")
    assert rules(told(shop, first, last).obstacles) == [("retracted", "email", number)]


def test_two_who_share_a_value_are_joined_by_it_and_by_nobody_between(shop: Database) -> None:
    for note in "abc":
        bring(shop, email=HOME, note=note)
    assert [(step.one, step.other) for step in told(shop, 2, 3).path] == [(2, 3)]


@pytest.mark.parametrize("role", ["link", "attribute"])
def test_who_waits_for_a_rebuild_is_told_as_they_are(shop: Database, role: str) -> None:
    declared = shop.context["policy"].namespaces
    other = "link" if role == "attribute" else "attribute"
    roles = {
        one: make_policy(namespaces=declared | {"phone": replace(declared["phone"], role=one)})
        for one in ("link", "attribute")
    }
    shop.context["policy"] = roles[other]
    do(shop, config.begin)
    bring(shop, phone=PHONE, note="a")
    bring(shop, phone=PHONE, note="b")
    before = told(shop, 1, 2).people
    shop.context["policy"] = roles[role]
    with shop.transaction() as session:
        config.take_up(session, shop.clock.now())
    waiting = told(shop, 1, 2)
    assert (waiting.people, rules(waiting.obstacles)) == (before, [("rebuild", "", 0)])
    do(shop, lambda session, at: identity.resolve(session, [1, 2], at, "rebuild") and None)
    assert told(shop, 1, 2).is_one == (role == "link")


@pytest.mark.parametrize("action", ["allow", "cannot", "block", "shared", "expire"])
def test_a_case_that_is_answered_tells_what_was_said_and_asks_nothing(shop: Database, action: str) -> None:
    bring(shop, user_id="u", phone=PHONE, ago=timedelta(days=90))
    bring(shop, user_id="v", phone=PHONE)
    with shop.snapshot() as session:
        (number,) = session.scalars(select(IdentityCase.id).where(col(IdentityCase.namespace) == "phone"))
    do(shop, review.decide, number, action, "looked", "staff")
    with shop.snapshot() as session:
        shown = review.tell(session, number)
    assert shown.actions == ()
    assert all(one.decision in shown.decisions for one in shown.obstacles), shown.obstacles
    assert "active" not in {one.rule for one in shown.obstacles}
    do(shop, review.undo, number, "looked again", "staff")
    with shop.snapshot() as session:
        again = review.tell(session, number)
    assert again.actions == review.OF_VALUES
    assert [one.rule for one in again.obstacles] == ["limit"]
