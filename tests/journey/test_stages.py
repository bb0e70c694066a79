"""Stages and moves follow the facts in the transaction that changes them, and go with their people."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, event, func, select, update
from sqlmodel import Session, col

from cdp import journey
from cdp.db import Database, unsettle
from cdp.gate.model import Permission
from cdp.journey.model import Stage, Transition
from cdp.profile.model import Fact, Subject
from tests.audience.world import (
    ADA,
    ADDED,
    BEN,
    CLEO,
    DAY,
    DEV,
    EMAIL,
    NOW,
    ORDERED,
    REFUNDED,
    STANDARD,
    SUPPORT,
    VIEWED,
    Row,
    add,
    add_fact,
    fill,
    happened,
    make_policy,
)
from tests.conftest import DEEP, EXAMPLES, StandingClock


def told(session: Session) -> tuple[list[Any], list[Any]]:
    """Return every stage and every move, without the moves' own numbers."""
    places = session.execute(select(*Stage.__table__.columns).order_by("person", "journey")).all()  # type: ignore[attr-defined]
    columns = [column for column in Transition.__table__.columns if column.name != "id"]  # type: ignore[attr-defined]
    moves = session.execute(select(*columns).order_by(col(Transition.person), col(Transition.id))).all()
    return list(places), list(moves)


def settled(shop: Database, rows: list[Row], at: datetime = NOW) -> None:
    with shop.transaction() as session:
        fill(session, rows)
        journey.settle(session, {row.person for row in rows}, at)


def stages(shop: Database, *people: int) -> dict[int, str]:
    with shop.snapshot() as session:
        return journey.stage_of(session, people, shop.clock.now())


def test_a_persons_stage_follows_the_facts_of_all_subjects(shop: Database) -> None:
    rows = [
        Row(ADA, (1, 11), facts=[happened(VIEWED, 3 * DAY, 1), happened(ORDERED, 2 * DAY, 11)]),
        Row(BEN, facts=[happened(VIEWED)]),
        Row(CLEO),
    ]
    settled(shop, rows)
    assert stages(shop, ADA, BEN, CLEO) == {ADA: "purchase", BEN: "awareness"}


def test_a_move_names_the_fact_that_caused_it(shop: Database) -> None:
    settled(shop, [Row(ADA, facts=[happened(VIEWED, ref=b"v" * 16), happened(ORDERED, 0 * DAY, ref=b"o" * 16)])])
    with shop.snapshot() as session:
        moves = journey.moves_of(session, ADA)
        place = session.scalars(select(Stage)).one()
    assert [(move.to_stage, move.cause) for move in moves] == [("awareness", b"v" * 16), ("purchase", b"o" * 16)]
    assert (place.stage, place.since, place.until, place.cause) == ("purchase", NOW, NOW + 90 * DAY, b"o" * 16)


def test_a_fact_that_comes_late_rewrites_the_past(shop: Database) -> None:
    settled(shop, [Row(ADA, facts=[happened(ORDERED, 2 * DAY)])])
    with shop.transaction() as session:
        add_fact(session, happened(ORDERED, 3 * DAY, ADA))
        unsettle(session, [ADA])
    with shop.snapshot() as session:
        moves = journey.moves_of(session, ADA)
    assert [(move.to_stage, move.at) for move in moves] == [("purchase", NOW - 3 * DAY), ("loyalty", NOW - 2 * DAY)]


def test_settling_again_writes_nothing(shop: Database) -> None:
    settled(shop, [Row(ADA, facts=[happened(VIEWED, 3 * DAY), happened(ORDERED)])])
    written: list[str] = []
    with shop.transaction() as session:
        event.listen(session.connection().engine, "before_cursor_execute", lambda *args: written.append(args[2]))
        journey.settle(session, {ADA}, NOW)
    assert not [one for one in written if one.startswith(("INSERT", "DELETE", "UPDATE"))]


def test_people_merged_into_another_leave_no_stage_behind(shop: Database) -> None:
    settled(shop, [Row(ADA, facts=[happened(VIEWED)]), Row(BEN, facts=[happened(ORDERED)])])
    with shop.transaction() as session:
        session.execute(update(Subject).where(col(Subject.number) == BEN).values(person=ADA))
        unsettle(session, [ADA, BEN])
    assert stages(shop, ADA, BEN) == {ADA: "purchase"}


@pytest.mark.parametrize("closed", ["restricted", "erasing"])
def test_nobody_is_moved_whose_processing_is_restricted(shop: Database, closed: str) -> None:
    settled(shop, [Row(ADA, facts=[happened(VIEWED, 3 * DAY)]), Row(BEN, facts=[happened(VIEWED, 3 * DAY)])])
    with shop.transaction() as session:
        session.execute(update(Permission).where(col(Permission.person) == ADA).values(**{closed: True}))
        for person in (ADA, BEN):
            add_fact(session, happened(ORDERED, DAY, person))
        unsettle(session, [ADA, BEN])
    assert stages(shop, ADA, BEN) == {ADA: "awareness", BEN: "purchase"}
    with shop.transaction() as session:
        session.execute(update(Permission).values(**{closed: False}))
        unsettle(session, [ADA])
    assert stages(shop, ADA) == {ADA: "purchase"}


def test_people_whose_stage_timed_out_are_due(shop: Database, clock: StandingClock) -> None:
    rows = [
        Row(ADA, facts=[happened(ORDERED, 85 * DAY)]),
        Row(BEN, facts=[happened(ORDERED, 89 * DAY)]),
        Row(CLEO, facts=[happened(ORDERED, 89 * DAY)], gate={"restricted": True}),
        Row(DEV, facts=[happened(VIEWED, 89 * DAY)]),
    ]
    settled(shop, [Row(row.person, facts=row.facts) for row in rows])
    with shop.transaction() as session:
        session.execute(update(Permission).where(col(Permission.person) == CLEO).values(restricted=True))
        assert journey.due(session, NOW) == []
        assert journey.due(session, NOW + DAY) == [BEN]
        assert journey.due(session, NOW + 5 * DAY) == [BEN, ADA]
        assert journey.due(session, NOW + 5 * DAY, limit=1) == [BEN]
    clock.instant = NOW + 5 * DAY
    with shop.transaction() as session:
        unsettle(session, journey.due(session, clock.now()))
    assert stages(shop, ADA, BEN, DEV) == {ADA: "usage", BEN: "usage", DEV: "awareness"}
    assert stages(shop, CLEO) == {}, "nobody decides it again, and nobody is told what no longer holds"
    with shop.snapshot() as session:
        assert session.get_one(Stage, (CLEO, "standard")).stage == "purchase"
    with shop.snapshot() as session:
        assert journey.due(session, clock.now()) == []


STEPS = st.lists(
    st.tuples(st.sampled_from([ADA, BEN]), st.sampled_from([VIEWED, ADDED, ORDERED, SUPPORT]), st.integers(0, 400)),
    min_size=1,
    max_size=8,
)


@given(steps=STEPS, seed=st.randoms(use_true_random=False))
def test_facts_one_by_one_in_any_order_lead_where_all_at_once_lead(shop: Database, steps: Any, seed: Any) -> None:
    facts = [
        happened(kind, ago * DAY, person, ref=n.to_bytes(16, "big")) for n, (person, kind, ago) in enumerate(steps, 1)
    ]
    with shop.snapshot() as session:
        fill(session, [Row(ADA), Row(BEN)])
        for fact in seed.sample(facts, len(facts)):
            add_fact(session, fact)
            journey.settle(session, {fact["subject"]}, NOW)
        by_steps = told(session)
        session.execute(delete(Stage))
        session.execute(delete(Transition))
        journey.settle(session, {ADA, BEN}, NOW)
        assert told(session) == by_steps


@given(steps=STEPS, instants=st.lists(st.integers(0, 400), max_size=4))
def test_time_in_small_steps_leads_where_one_leap_leads(shop: Database, steps: Any, instants: list[int]) -> None:
    with shop.snapshot() as session:
        fill(session, [Row(ADA), Row(BEN)])
        for person, kind, ago in steps:
            add_fact(session, happened(kind, ago * DAY, person))
        for days in sorted(instants, reverse=True):
            journey.settle(session, {ADA, BEN}, NOW - days * DAY)
        journey.settle(session, {ADA, BEN}, NOW)
        by_steps = told(session)
        session.execute(delete(Stage))
        session.execute(delete(Transition))
        journey.settle(session, {ADA, BEN}, NOW)
        assert told(session) == by_steps


ACTS = st.lists(
    st.one_of(
        st.tuples(
            st.just("fact"), st.sampled_from([1, 2, 11]), st.sampled_from([VIEWED, ADDED, ORDERED, SUPPORT, REFUNDED])
        ),
        st.tuples(st.just("retract"), st.integers(0, 9), st.just("")),
        st.tuples(st.just("merge"), st.just(2), st.just("")),
        st.tuples(st.just("split"), st.just(2), st.just("")),
        st.tuples(st.just("pass"), st.integers(1, 200), st.just("")),
    ),
    max_size=12,
)
LEAVING = {
    **STANDARD,
    "exit": {"rules": [{"on": [REFUNDED], "from": "any"}]},
    "timeouts": [*STANDARD["timeouts"], {"from": "awareness", "after": "P60D", "to": "nowhere"}],  # type: ignore[misc]
}


@settings(max_examples=EXAMPLES if DEEP else 20)
@given(acts=ACTS, seed=st.randoms(use_true_random=False))
def test_whatever_happens_and_whenever_it_is_settled_a_recomputation_gives_the_same(
    shop: Database, acts: Any, seed: Any
) -> None:
    shop.context["policy"] = make_policy(journeys={"standard": LEAVING})
    with shop.snapshot() as session:
        fill(session, [Row(ADA, (1, 11)), Row(BEN, (2,))])
        now, refs = NOW, []
        for what, which, kind in acts:
            if what == "fact":
                ago = seed.randrange(300) * DAY  # late ones as well
                refs.append(add_fact(session, {"kind": kind, "at": now - ago, "subject": which}))
            elif what == "retract" and refs:
                session.execute(delete(Fact).where(col(Fact.ref) == refs.pop(which % len(refs))))
            elif what in ("merge", "split"):
                person = ADA if what == "merge" else BEN
                session.execute(update(Subject).where(col(Subject.number) == which).values(person=person))
            elif what == "pass":
                now += which * DAY
                assert journey.due(session, now - which * DAY) == [], "nobody is due who was settled"
                journey.settle(session, journey.due(session, now), now)
                continue
            journey.settle(session, {ADA, BEN}, now)
        by_steps = told(session)
        session.execute(delete(Stage))
        session.execute(delete(Transition))
        journey.settle(session, {ADA, BEN}, now)
        assert told(session) == by_steps


def test_who_has_left_is_in_no_stage_and_keeps_the_moves(shop: Database) -> None:
    shop.context["policy"] = make_policy(journeys={"standard": LEAVING})
    settled(shop, [Row(ADA, facts=[happened(ORDERED, 3 * DAY), happened(REFUNDED, 2 * DAY)])])
    assert stages(shop, ADA) == {}
    with shop.snapshot() as session:
        assert [move.to_stage for move in journey.moves_of(session, ADA)] == ["purchase", ""]
        assert journey.due(session, NOW + 5000 * DAY) == []
        flows = journey.sizes(session, "standard", EMAIL, NOW, exact=True).flows
    assert {(flow.from_stage, flow.to_stage, flow.median_wait) for flow in flows} == {
        ("", "purchase", None),
        ("purchase", "", DAY),
    }


def test_every_move_is_explained_by_the_event_that_caused_it(shop: Database) -> None:
    settled(shop, [Row(ADA, facts=[happened(VIEWED, 200 * DAY), happened(ORDERED, 190 * DAY)])])
    with shop.snapshot() as session:
        told_ = [(move.to_stage, move.because) for move in journey.explain(session, ADA)]
    assert told_ == [("awareness", VIEWED), ("purchase", ORDERED), ("usage", "time")]


def test_the_only_stage_too_small_to_tell_takes_the_next_smallest_with_it(shop: Database) -> None:
    facts = {"awareness": [VIEWED], "consideration": [VIEWED, ADDED], "purchase": [ORDERED]}
    facts |= {"usage": [ORDERED, SUPPORT], "loyalty": [ORDERED, ORDERED]}
    sizes = {"awareness": 40, "consideration": 21, "purchase": 3, "usage": 30, "loyalty": 35}
    number, rows = 0, []
    for stage, people in sizes.items():
        for _ in range(people):
            number += 1
            done = [happened(kind, (5 - n) * DAY) for n, kind in enumerate(facts[stage])]
            rows.append(Row(number, facts=done))
    settled(shop, rows)
    with shop.snapshot() as session:
        told_ = journey.sizes(session, "standard", EMAIL, NOW).stages
        assert journey.sizes(session, "standard", EMAIL, NOW, exact=True).stages == sizes
    assert told_ == {"awareness": 40, "consideration": None, "purchase": None, "usage": 30, "loyalty": 35}


def test_nobody_whose_processing_is_restricted_is_counted(shop: Database) -> None:
    settled(shop, [Row(n, facts=[happened(VIEWED)]) for n in range(1, 4)])
    with shop.snapshot() as session:
        session.execute(update(Permission).where(col(Permission.person) == 1).values(restricted=True))
        assert journey.sizes(session, "standard", EMAIL, NOW, exact=True).stages["awareness"] == 2


def test_every_stage_and_move_of_a_forgotten_person_goes(shop: Database) -> None:
    rows = [
        Row(ADA, (1, 11), facts=[happened(VIEWED), happened(ORDERED, subject=1)]),
        Row(BEN, facts=[happened(VIEWED)]),
    ]
    settled(shop, rows)
    with shop.transaction() as session:
        assert journey.holder.forget(session, [1, 11]) == 3
        session.execute(delete(Fact).where(col(Fact.subject).in_([1, 11])))
        session.execute(delete(Subject).where(col(Subject.number).in_([1, 11])))
    with shop.snapshot() as session:
        assert set(session.scalars(select(col(Transition.person)))) == {BEN}
        assert set(session.scalars(select(col(Stage.person)))) == {BEN}


def test_a_holder_finds_people_whose_subjects_are_already_deleted(shop: Database) -> None:
    settled(shop, [Row(ADA, (1, 11), facts=[happened(VIEWED)])])
    with shop.transaction() as session:
        session.execute(delete(Fact))
        session.execute(delete(Subject))
        assert journey.holder.forget(session, [1, 11]) == 2
        assert told(session) == ([], [])


def test_whoever_remains_of_a_person_is_walked_again(shop: Database) -> None:
    settled(shop, [Row(ADA, (1, 11), facts=[happened(VIEWED, 2 * DAY, 1), happened(ORDERED, DAY, 11)])])
    with shop.transaction() as session:
        journey.holder.forget(session, [11])
        session.execute(delete(Fact).where(col(Fact.subject) == 11))
        session.execute(delete(Subject).where(col(Subject.number) == 11))
    assert stages(shop, ADA) == {ADA: "awareness"}


def test_a_person_sees_stage_and_moves_with_their_causes(shop: Database) -> None:
    settled(shop, [Row(ADA, (1, 11), facts=[happened(ORDERED, 90 * DAY, ref=b"o" * 16)]), Row(BEN)])
    with shop.snapshot() as session:
        held = journey.holder.export(session, [11])
    assert [one.kind for one in held] == ["stage", "transition", "transition"]
    assert held[0].plain["stage"] == "usage"
    causes = [(one.plain["to"], one.plain["cause"]) for one in held[1:]]
    assert causes == [
        ("purchase", (b"o" * 16).hex()),
        ("usage", "time"),
    ]
    assert {one.subject for one in held} == {ADA}


def crowd(people: int, start: int = 1, **more: Any) -> list[Row]:
    return [
        Row(n, facts=[happened(VIEWED, 10 * DAY), happened(ORDERED, (9 - n % 3) * DAY)], **more)
        for n in range(start, start + people)
    ]


def test_sizes_count_permitted_people_and_say_nothing_of_few(shop: Database) -> None:
    few = [Row(100 + n, facts=[happened(VIEWED)]) for n in range(19)]
    refused = crowd(30, 200, code=23)
    settled(shop, [*crowd(24), *few, *refused])
    with shop.snapshot() as session:
        told_ = journey.sizes(session, "standard", EMAIL, NOW)
        exact = journey.sizes(session, "standard", EMAIL, NOW, exact=True)
    assert told_.stages == {
        "awareness": None,
        "consideration": None,
        "purchase": 20,
        "usage": None,
        "loyalty": None,
    }
    assert exact.stages == {"awareness": 19, "consideration": 0, "purchase": 24, "usage": 0, "loyalty": 0}
    flows = {(flow.from_stage, flow.to_stage): flow for flow in exact.flows}
    assert flows["", "awareness"].people == 43
    assert flows["", "awareness"].median_wait is None
    assert (flows["awareness", "purchase"].people, flows["awareness", "purchase"].median_wait) == (24, 2 * DAY)
    rounded = {(flow.from_stage, flow.to_stage): flow for flow in told_.flows}
    assert rounded["awareness", "purchase"].people == 20


def test_a_journey_in_which_few_go_has_no_waits_to_tell(shop: Database) -> None:
    settled(shop, crowd(19))
    with shop.snapshot() as session:
        flows = journey.sizes(session, "standard", EMAIL, NOW).flows
    assert {(flow.people, flow.moves, flow.median_wait) for flow in flows} == {(None, None, None)}


def test_settling_many_people_asks_few_questions(shop: Database) -> None:
    settled(shop, crowd(5))
    asked: list[str] = []
    with shop.transaction() as session:
        for row in crowd(200, 300):
            add(session, row)
        event.listen(session.connection().engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
        journey.settle(session, set(range(300, 500)), NOW)
    with shop.snapshot() as session:
        assert session.scalar(select(func.count()).select_from(Stage)) == 205
    assert len(asked) <= 10


def test_a_policy_without_journeys_keeps_no_stages(shop: Database) -> None:
    settled(shop, [Row(ADA, facts=[happened(VIEWED)])])
    shop.context["policy"] = make_policy(journeys={})
    with shop.transaction() as session:
        journey.settle(session, {ADA}, NOW)
        assert told(session) == ([], [])
