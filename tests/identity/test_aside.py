"""Evidence that does not count for a time: numbers that passed on, sources on hold; and alarms that really ring."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import Session, col, select

from cdp import identity
from cdp.db import Database
from cdp.identity import Arrival, Canonical, aside, breaker, config, rebuild, review
from cdp.identity.model import Identifier, IdentityCase, SourceHold
from cdp.policy.terms import Breaker
from tests.conftest import StandingClock
from tests.ingest.ground import NAMESPACES, make_policy

PHONE = "+819012345678"
YEARS = timedelta(days=800)


@pytest.fixture
def shop(shop: Database) -> Database:
    """The shop, where telephone numbers are believed for 18 months, and a source may join three people of ten."""
    terms = {**NAMESPACES, "phone": replace(NAMESPACES["phone"], ttl_days=548)}
    shop.context["policy"] = make_policy(namespaces=terms, breaker=Breaker(records=6, minutes=10, share=0.3))
    shop.settlers = []
    return shop


def bring(shop: Database, *sets: dict[str, str], source: str = "site", ago: timedelta = timedelta()) -> list[int]:
    with shop.transaction() as session:
        at = shop.clock.now()
        arrivals = [
            Arrival(source, tuple(Canonical(kind, "", value, True) for kind, value in one.items()), at=at - ago)
            for one in sets
        ]
        found = [identity.attach(session, [one], at).subjects[0] for one in arrivals]  # numbered in this order
        session.info["unsettled"].clear()
        return found


def people(shop: Database) -> dict[int, int]:
    with shop.snapshot() as session:
        return identity.people_of(session, range(1, 50))


def work(shop: Database, job: str) -> int:
    with shop.transaction() as session:
        now = shop.clock.now()
        done = aside.expire(session, now.date(), now) if job == "expire" else aside.count_released(session, now)
        session.info["unsettled"].clear()
        return done


def cases(session: Session, rule: str) -> list[IdentityCase]:
    return list(session.scalars(select(IdentityCase).where(col(IdentityCase.rule) == rule)))


def test_a_number_that_passed_on_joins_its_new_owner_to_nobody(shop: Database) -> None:
    bring(shop, {"user_id": "old", "phone": PHONE}, {"line_uid": "L1", "phone": PHONE}, ago=YEARS)
    assert people(shop) == {1: 1, 2: 1}
    assert work(shop, "expire") == 2
    assert people(shop) == {1: 1, 2: 2}, "what the number alone had joined is parted with it"
    bring(shop, {"user_id": "new", "phone": PHONE})
    assert people(shop) == {1: 1, 2: 2, 3: 3}


def test_a_number_that_is_seen_again_counts_again(shop: Database) -> None:
    old = {"user_id": "u", "phone": PHONE}
    bring(shop, old, {"line_uid": "L1", "phone": PHONE}, ago=YEARS)
    work(shop, "expire")
    bring(shop, old)
    bring(shop, {"line_uid": "L2", "phone": PHONE})
    found = people(shop)
    assert (found[3], found[2]) == (1, 2)
    assert work(shop, "expire") == 0


def test_what_is_seen_seldom_is_still_over_whatever_order_it_came_in(shop: Database) -> None:
    bring(shop, {"user_id": "u", "phone": PHONE})
    bring(shop, {"user_id": "u", "phone": PHONE}, ago=YEARS)
    assert work(shop, "expire") == 0


def strangers(shop: Database, count: int = 6) -> None:
    bring(shop, *({"user_id": f"u{n}"} for n in range(count)), *({"line_uid": f"L{n}"} for n in range(count)))


def joining(shop: Database, *numbers: int) -> None:
    for n in numbers:
        shop.clock.pass_(seconds=1)  # type: ignore[attr-defined]
        bring(shop, {"user_id": f"u{n}", "line_uid": f"L{n}"}, source="joiner")


def test_a_source_that_makes_too_many_people_one_is_put_on_hold(shop: Database) -> None:
    strangers(shop, 8)
    joining(shop, *range(5))
    before = people(shop)
    joining(shop, 5, 6, 7)
    with shop.snapshot() as session:
        assert breaker.held(session, ["joiner", "site"]) == {"joiner"}
        assert [case.severity for case in cases(session, "breaker")] == ["alarm"]
        held = session.scalars(select(Identifier.subject).where(col(Identifier.aside) > 0)).all()
    assert len(set(held)) == 3, "also what tripped it"
    assert {one: of for one, of in people(shop).items() if one in before} == before, "what came on hold joins nobody"


def at_once(shop: Database, source: str, *sets: tuple[Canonical, ...]) -> None:
    """Bring these in one batch."""
    with shop.transaction() as session:
        identity.attach(session, [Arrival(source, names) for names in sets], shop.clock.now())
        session.info["unsettled"].clear()


def pairs(count: int, proved: bool = True) -> list[tuple[Canonical, ...]]:
    return [(Canonical("user_id", "", f"u{n}", True), Canonical("line_uid", "", f"L{n}", proved)) for n in range(count)]


@pytest.mark.parametrize("known", [False, True])
def test_what_put_a_source_on_hold_is_held_shown_and_given_back(shop: Database, known: bool) -> None:
    strangers(shop, 8)
    if known:
        at_once(shop, "joiner", *pairs(8, proved=False))
    before = people(shop)
    shop.clock.pass_(minutes=30)  # type: ignore[attr-defined]
    at_once(shop, "joiner", *pairs(8))
    stands = people(shop)
    assert {one: of for one, of in stands.items() if one in before} == before, "nobody was joined"
    assert is_as_rebuilt(shop)
    with shop.transaction() as session:
        (case,) = cases(session, "breaker")
        told = review.tell(session, case.id or 0)
        assert sorted(one for subjects in told.people.values() for one in subjects) == list(range(17, 25))
        review.decide(session, case.id or 0, "keep", "a slip of columns", "staff", shop.clock.now())
        assert identity.people_of(session, range(1, 50)) == stands
        review.undo(session, case.id or 0, "looked again", "staff", shop.clock.now())
        review.decide(session, case.id or 0, "release", "they are", "staff", shop.clock.now())
        session.info["unsettled"].clear()
    assert len(set(people(shop).values())) == 8, "as if there had been no hold"
    assert is_as_rebuilt(shop)


def is_as_rebuilt(shop: Database) -> bool:
    with shop.snapshot() as session:
        graph = rebuild.read(session)
        return rebuild.compare(graph, rebuild.compute(graph, config.namespaces(session))).is_none


def test_visitors_who_sign_in_are_no_people_made_one(shop: Database) -> None:
    bring(shop, *({"user_id": f"u{n}"} for n in range(8)))
    bring(shop, *({"anonymous_id": f"a{n}"} for n in range(8)))
    bring(shop, *({"user_id": f"u{n}", "anonymous_id": f"a{n}"} for n in range(8)), source="auth")
    assert len(set(people(shop).values())) == 8
    with shop.snapshot() as session:
        assert breaker.held(session, ["auth"]) == set()


def test_somebody_who_confirms_an_address_is_nobody_made_one(shop: Database) -> None:
    names = [
        (Canonical("anonymous_id", "", f"a{n}", True), Canonical("email", "", f"{n}@a.test", False)) for n in range(8)
    ]
    bring(shop, *({"email": f"{n}@a.test"} for n in range(8)))
    at_once(shop, "auth", *names)
    shop.clock.pass_(minutes=30)  # type: ignore[attr-defined]
    at_once(shop, "auth", *([replace(name, verified=True) for name in one] for one in names))
    assert len(set(people(shop).values())) == 8
    with shop.snapshot() as session:
        assert breaker.held(session, ["auth"]) == set()


def test_what_a_source_on_hold_vouches_for_is_not_believed(shop: Database) -> None:
    strangers(shop, 9)
    with shop.transaction() as session:
        names = (Canonical("user_id", "", "u8", True), Canonical("line_uid", "", "L8", False))
        identity.attach(session, [Arrival("joiner", names)], shop.clock.now())
        session.info["unsettled"].clear()
    joining(shop, *range(6))
    before = people(shop)
    bring(shop, {"user_id": "u8", "line_uid": "L8"}, source="joiner")
    assert people(shop) == before


def test_a_source_of_few_joins_is_let_be(shop: Database) -> None:
    strangers(shop, 8)
    bring(shop, *({"crm_id": f"c{n}"} for n in range(30)), source="joiner")
    joining(shop, *range(6))
    with shop.snapshot() as session:
        assert breaker.held(session, ["joiner"]) == set()


def test_released_it_is_as_if_there_had_been_no_hold(shop: Database, clock: StandingClock) -> None:
    strangers(shop, 8)
    joining(shop, *range(8))
    with shop.transaction() as session:
        (case,) = cases(session, "breaker")
        assert case.id
        review.decide(session, case.id, "release", "looked at it", "staff", shop.clock.now())
        session.info["unsettled"].clear()
    assert len(set(people(shop).values())) == 8
    clock.pass_(seconds=60)
    with shop.transaction() as session:
        review.undo(session, case.id, "because", "staff", shop.clock.now())
        session.info["unsettled"].clear()
    assert len(set(people(shop).values())) == 11 + 3, "as before the release: five were joined, three are held"
    with shop.snapshot() as session:
        assert session.scalars(select(SourceHold.released_at)).all() == [None]


def test_of_many_that_were_held_the_first_count_at_once_and_the_worker_goes_on(shop: Database) -> None:
    strangers(shop, 8)
    joining(shop, *range(8))
    bring(shop, *({"crm_id": f"c{n}"} for n in range(501)), source="joiner")
    with shop.transaction() as session:
        (case,) = cases(session, "breaker")
        review.decide(session, case.id or 0, "release", "looked at it", "staff", shop.clock.now())
        session.info["unsettled"].clear()
    assert 0 < work(shop, "release") < 501
    assert work(shop, "release") == 0


@pytest.mark.parametrize(
    ("rule", "sets"),
    [
        ("generic", [{"email": "info@shop.test", "anonymous_id": f"k{n}"} for n in range(7)]),
        ("shared", [{"user_id": f"u{n}", "email": "home@people.test"} for n in range(3)]),
        ("limit", [{"user_id": f"u{n}", "anonymous_id": "tablet"} for n in range(2)]),
    ],
)
def test_an_alarm_that_is_set_can_ring(shop: Database, rule: str, sets: list[dict[str, str]]) -> None:
    bring(shop, *sets[:-1])
    with shop.snapshot() as session:
        assert cases(session, rule) == []
    bring(shop, sets[-1])
    with shop.snapshot() as session:
        assert [case.state for case in cases(session, rule)] == ["open"]


def test_a_case_closes_when_its_evidence_is_gone(shop: Database) -> None:
    one, _ = bring(shop, {"user_id": "u", "anonymous_id": "tablet"}, {"user_id": "v", "anonymous_id": "tablet"})
    with shop.transaction() as session:
        tablet = select(Identifier).where(col(Identifier.namespace) == "anonymous_id").limit(1)
        key = ("anonymous_id", bytes(session.scalars(tablet).one().token))
        identity.retract(session, one, key, "was a visitor", "staff", shop.clock.now())
        session.info["unsettled"].clear()
    with shop.snapshot() as session:
        assert [case.state for case in cases(session, "limit")] == ["gone"]
