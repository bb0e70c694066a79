"""What a person says of a value holds, whatever happens meanwhile, and is gone when it is taken back, and no sooner."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlmodel import col, select

from cdp import identity
from cdp.db import Database
from cdp.errors import Problem
from cdp.identity import Arrival, Canonical, aside, marks, review
from cdp.identity.model import Aside, Identifier, Override, OverrideValue
from cdp.identity.rules import TokenKey
from tests.identity.graphs import NAMESPACES
from tests.ingest.ground import make_policy

YEARS = timedelta(days=800)
FAMILY = "family@gmail.com"


@pytest.fixture
def shop(shop: Database) -> Database:
    terms = {
        **NAMESPACES,
        "phone": replace(NAMESPACES["phone"], ttl_days=548, limit=5),
        "email": replace(NAMESPACES["email"], hold_above=0),
        "email_canon": replace(NAMESPACES["email"], name="email_canon", priority=4, hold_above=0),
    }
    shop.context["policy"] = make_policy(namespaces=terms)
    shop.settlers = []
    return shop


def bring(shop: Database, ago: timedelta = timedelta(), source: str = "site", **names: str) -> int:
    with shop.transaction() as session:
        at = shop.clock.now()
        claims = tuple(Canonical(kind, "", value, True) for kind, value in names.items())
        number = identity.attach(session, [Arrival(source, claims, at=at - ago)], at).subjects[0]
        session.info["unsettled"].clear()
        return number


def people(shop: Database) -> dict[int, int]:
    with shop.snapshot() as session:
        return identity.people_of(session, range(1, 50))


def key_of(shop: Database, namespace: str) -> TokenKey:
    with shop.snapshot() as session:
        row = session.scalars(select(Identifier).where(col(Identifier.namespace) == namespace)).first()
        assert row is not None
        return namespace, bytes(row.token)


def do(shop: Database, work: Callable[..., int | None], *given: object) -> int:
    with shop.transaction() as session:
        found = work(session, *given, shop.clock.now())
        session.info["unsettled"].clear()
        return found or 0


def expire(shop: Database) -> None:
    with shop.transaction() as session:
        aside.expire(session, shop.clock.now().date(), shop.clock.now())
        session.info["unsettled"].clear()


@pytest.mark.parametrize("kind", ["block", "shared"])
@pytest.mark.parametrize("namespace", ["email", "email_canon"])
def test_a_word_on_an_address_is_one_on_its_mailbox(shop: Database, kind: str, namespace: str) -> None:
    bring(shop, email=FAMILY, anonymous_id="a")
    bring(shop, email=FAMILY, anonymous_id="b")
    assert people(shop) == {1: 1, 2: 1}
    word = do(shop, identity.judge, kind, key_of(shop, namespace), "a family's", "staff")
    assert people(shop) == {1: 1, 2: 2}
    do(shop, identity.revoke, word, "staff")
    assert people(shop) == {1: 1, 2: 1}


def test_evidence_that_is_over_can_be_retracted_for_good(shop: Database) -> None:
    bring(shop, ago=YEARS, user_id="u", phone="+819012345678")
    bring(shop, line_uid="L", phone="+819012345678")
    expire(shop)
    do(shop, identity.retract, 1, key_of(shop, "phone"), "never hers", "staff")
    bring(shop, user_id="u", phone="+819012345678")
    assert people(shop) == {1: 1, 2: 2}, "seen again, it is still retracted"


def test_an_expiry_taken_back_revives_nothing_that_is_over_by_itself(shop: Database) -> None:
    bring(shop, ago=YEARS, user_id="u", phone="+819012345678")
    bring(shop, line_uid="L", phone="+819012345678")
    expire(shop)
    assert people(shop) == {1: 1, 2: 2}
    word = do(shop, identity.judge, "expire", key_of(shop, "phone"), "given to another", "staff")
    do(shop, identity.revoke, word, "staff")
    assert people(shop) == {1: 1, 2: 2}


def test_of_two_who_said_it_one_may_take_it_back(shop: Database) -> None:
    bring(shop, user_id="u", phone="+819012345678")
    bring(shop, line_uid="L", phone="+819012345678")
    words = [do(shop, identity.retract, 1, key_of(shop, "phone"), "never hers", "staff") for _ in range(2)]
    do(shop, identity.revoke, words[0], "staff")
    assert people(shop) == {1: 1, 2: 2}
    do(shop, identity.revoke, words[1], "staff")
    assert people(shop) == {1: 1, 2: 1}


def test_a_number_that_left_stays_with_whoever_was_seen_with_it_last(shop: Database) -> None:
    bring(shop, ago=timedelta(days=200), user_id="old", phone="+819012345678")
    bring(shop, line_uid="L", phone="+819012345678")
    assert people(shop) == {1: 1, 2: 1}
    do(shop, identity.judge, "expire", key_of(shop, "phone"), "given to another", "staff")
    assert people(shop) == {1: 1, 2: 2}
    bring(shop, user_id="old", phone="+819012345678")
    bring(shop, device_id="d", phone="+819012345678")
    assert people(shop) == {1: 1, 2: 2, 3: 2}, "who had it before does not get it back by being seen again"


def test_the_next_owner_of_a_number_is_not_who_had_it_before(shop: Database) -> None:
    number = "+819012345678"
    bring(shop, ago=YEARS, source="sms", phone=number)
    bring(shop, ago=YEARS, user_id="old", phone=number)
    assert people(shop) == {1: 1, 2: 1}
    expire(shop)
    bring(shop, user_id="new", phone=number)
    assert bring(shop, ago=YEARS, source="sms", phone=number) == 1, "what was said then is the owner's of then"
    assert bring(shop, source="sms", phone=number) == 4
    assert bring(shop, source="sms", phone=number) == 4, "once"
    assert people(shop) == {1: 1, 2: 2, 3: 3, 4: 3}
    assert bring(shop, user_id="old", phone=number) == 2, "an account says whose it is"


def test_a_number_that_staff_say_was_given_to_another_begins_anew_where_nothing_else_tells(shop: Database) -> None:
    number = "+819012345678"
    bring(shop, ago=timedelta(days=200), source="sms", phone=number)
    bring(shop, user_id="new", phone=number)
    word = do(shop, identity.judge, "expire", key_of(shop, "phone"), "given to another", "staff")
    assert bring(shop, ago=timedelta(days=1), source="sms", phone=number) == 1
    shop.clock.pass_(hours=1)
    assert bring(shop, source="sms", phone=number) == 3
    assert people(shop) == {1: 1, 2: 2, 3: 2}
    do(shop, identity.revoke, word, "staff")
    assert people(shop) == {1: 1, 2: 1, 3: 1}


def dated(shop: Database, number: int, day: date) -> None:
    """Let a subject say a birth date."""
    with shop.transaction() as session:
        said = marks.read(session, {"birthday": day}, shop.clock.now(), b"", number)
        identity.keep_marks(session, said, (), shop.clock.now())
        session.info["unsettled"].clear()


@pytest.mark.parametrize("way", ["must", "allow"])
def test_whoever_a_word_joins_brings_along_whom_they_were_one_with(shop: Database, way: str) -> None:
    bring(shop, email="home@people.test", anonymous_id="k")
    bring(shop, email="home@people.test", anonymous_id="l")
    dated(shop, 2, date(1980, 3, 1))
    bring(shop, email="home@people.test", user_id="u")
    dated(shop, 3, date(1981, 3, 1))
    assert people(shop) == {1: 1, 2: 1, 3: 3}
    if way == "must":
        word = do(shop, identity.must, 1, 3, "a slip in the year", "staff")
    else:
        with shop.snapshot() as session:
            (case,) = [one.id for one in review.listed(session)]
        (word,) = do_list(shop, case, "allow")
    assert people(shop) == {1: 1, 2: 1, 3: 1}
    do(shop, identity.revoke, word, "staff")
    assert people(shop) == {1: 1, 2: 1, 3: 3}


def test_a_correction_taken_back_compares_what_it_had_replaced(shop: Database) -> None:
    for number, day in enumerate((date(1980, 1, 2), date(2015, 3, 4)), 1):
        assert bring(shop, email="home@people.test", anonymous_id=f"k{number}") == number
        with shop.transaction() as session:
            said = marks.read(session, {"birthday": day}, shop.clock.now(), b"", number)
            identity.keep_marks(session, said, (), shop.clock.now())
            session.info["unsettled"].clear()
    assert people(shop) == {1: 1, 2: 2}
    with shop.transaction() as session:
        marks.correct(session, [2], {"birthday": date(1980, 1, 2)}, "request", shop.clock.now())
        identity.resolve(session, [1, 2], shop.clock.now(), "rectification")
        session.info["unsettled"].clear()
    assert people(shop) == {1: 1, 2: 1}
    with shop.transaction() as session:
        marks.uncorrect(session, [2], "request")
        identity.resolve(session, [1, 2], shop.clock.now(), "rectification")
        session.info["unsettled"].clear()
    assert people(shop) == {1: 1, 2: 2}


@pytest.mark.parametrize(
    ("said", "count"), [({"given_name": "Ada"}, 0), ({"given_name": "Ada", "family_name": "L"}, 1)]
)
def test_half_a_name_is_no_other_name(said: dict[str, str], count: int) -> None:
    assert sum(bool(text) for _, text, _ in marks.texts(said)) == count


def test_what_a_case_decided_is_taken_back_with_the_case(shop: Database) -> None:
    bring(shop, user_id="u", anonymous_id="tablet")
    bring(shop, user_id="v", anonymous_id="tablet")
    (word,) = do_list(shop, 1, "shared")
    with shop.snapshot() as session, pytest.raises(Problem) as refused:
        review.revoke(session, word, "staff", shop.clock.now())
    assert refused.value.status == 409


@pytest.mark.parametrize(("revoked", "left"), [("first", {1, 2}), ("second", {1})])
def test_of_two_words_on_one_value_each_takes_back_its_own(shop: Database, revoked: str, left: set[int]) -> None:
    decided = {}
    bring(shop, timedelta(days=600), user_id="u", phone="+819012345678")
    bring(shop, timedelta(days=300), user_id="v", phone="+819012345678")
    decided["first"] = do(shop, identity.judge, "expire", key_of(shop, "phone"), "passed on", "staff")
    bring(shop, user_id="w", phone="+819012345678")
    decided["second"] = do(shop, identity.judge, "expire", key_of(shop, "phone"), "passed on again", "staff")
    assert left_by(shop) == {1, 2}
    with shop.transaction() as session:
        identity.revoke(session, decided[revoked], "staff", shop.clock.now())
        session.info["unsettled"].clear()
    assert left_by(shop) == left


def left_by(shop: Database) -> set[int]:
    """Return whom the telephone number is said to have left."""
    with shop.snapshot() as session:
        rows = session.scalars(select(Identifier).where(col(Identifier.namespace) == "phone"))
        return {row.subject for row in rows if row.aside & Aside.LEFT}


def do_list(shop: Database, case: int, action: str) -> list[int]:
    with shop.transaction() as session:
        made = review.decide(session, case, action, "looked", "staff", shop.clock.now())
        session.info["unsettled"].clear()
        return made


def test_of_an_erased_person_no_word_keeps_the_value(shop: Database) -> None:
    bring(shop, user_id="u", phone="+819012345678")
    do(shop, identity.judge, "block", key_of(shop, "phone"), "nobody's", "staff")
    with shop.transaction() as session:
        identity.holder.forget(session, [1])
        session.info["unsettled"].clear()
        assert session.scalars(select(Override)).all() == []
        assert session.scalars(select(OverrideValue)).all() == []
