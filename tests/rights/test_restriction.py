"""Restriction and objection begin, end, and leave nothing behind."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from cdp import consent, gate, ingest, journey, rights
from cdp.connector.kit import Claim, Item
from cdp.consent.model import Objection
from cdp.errors import Problem
from cdp.gate.model import Permission
from cdp.gate.question import Reason
from tests.conftest import DEEP
from tests.rights.conftest import SHOP, Grounds

ADA = "ada@example.com"


def standing(grounds: Grounds, mail: str) -> Permission:
    with grounds.database.snapshot() as session:
        return session.get_one(Permission, grounds.person(mail))


def may_deliver(grounds: Grounds, row: Permission) -> bool:
    return row.codes[grounds.policy.find_use("service_delivery", "ma_tool", "email").index] == 0


def ask(grounds: Grounds, right: str, mail: str = ADA, requester: str = "subject", **asked: Any) -> str:
    with grounds.database.transaction() as session:
        named, at = ("email", "", mail), grounds.clock.now()
        how = {"verified": True, "asked": rights.Asked(**asked)}
        return rights.receive(session, right, named, requester, "desk", "", at, **how).id


def in_force(grounds: Grounds) -> set[tuple[str, str]]:
    with grounds.database.snapshot() as session:
        query = select(Objection.kind, Objection.purpose).where(Objection.lifted_at.is_(None))
        return {(row[0], row[1]) for row in session.execute(query)}


def test_a_restricted_person_is_used_for_nothing_until_it_is_lifted(grounds: Grounds) -> None:
    grounds.bring(ADA)
    before = standing(grounds, ADA)
    assert may_deliver(grounds, before)
    assert rights.advance(grounds, ask(grounds, "restriction")).state == "completed"
    during = standing(grounds, ADA)
    assert during.restricted
    assert not may_deliver(grounds, during)
    assert rights.advance(grounds, ask(grounds, "restriction", lift=True)).state == "completed"
    assert standing(grounds, ADA).codes == before.codes


def test_a_restriction_ends_only_after_the_person_was_told(grounds: Grounds) -> None:
    grounds.bring(ADA)
    rights.advance(grounds, ask(grounds, "restriction"))
    ending = ask(grounds, "restriction", requester="staff", lift=True)
    assert rights.advance(grounds, ending).waits_for == "notice"
    with grounds.database.snapshot() as session:
        assert rights.pending(session) == [], "the worker does not turn over what waits for a word"
    assert standing(grounds, ADA).restricted
    too_soon = grounds.clock.now()
    grounds.clock.pass_(days=1)
    for when in (too_soon.replace(year=2020), too_soon.replace(year=2030)):
        with grounds.database.transaction() as session, pytest.raises(Problem) as refused:
            rights.tell(session, ending, when, grounds.clock.now())
        assert "between the request and now" in refused.value.detail
    told = grounds.clock.now()
    grounds.clock.pass_(days=1)
    with grounds.database.transaction() as session:
        rights.tell(session, ending, told, grounds.clock.now())
    done = rights.advance(grounds, ending)
    assert (done.state, told.isoformat() in done.steps) == ("completed", True)
    assert not standing(grounds, ADA).restricted


@pytest.mark.parametrize("right", ["objection", "appi_35"])
@pytest.mark.parametrize("requester", ["staff", "agent"])
def test_an_objection_is_taken_back_by_nobody_else(grounds: Grounds, right: str, requester: str) -> None:
    grounds.bring(ADA)
    rights.advance(grounds, ask(grounds, right))
    before = in_force(grounds)
    with pytest.raises(Problem) as refused:
        ask(grounds, right, requester=requester, lift=True)
    assert refused.value.type == "own_word_needed"
    assert in_force(grounds) == before
    rights.advance(grounds, ask(grounds, right, lift=True))
    assert in_force(grounds) == set()


def test_an_objection_may_be_to_one_purpose(grounds: Grounds) -> None:
    grounds.bring(ADA)
    care = {"kind": "legitimate_interests", "purpose": "customer_care_insight"}
    rights.advance(grounds, ask(grounds, "objection", **care))
    assert in_force(grounds) == {("legitimate_interests", "customer_care_insight")}
    rights.advance(grounds, ask(grounds, "objection", kind="direct_marketing", lift=True))
    assert len(in_force(grounds)) == 1, "another kind"
    rights.advance(grounds, ask(grounds, "objection", **care, lift=True))
    assert in_force(grounds) == set()


@pytest.mark.parametrize(
    ("right", "asked", "pointer"),
    [
        ("access", {"lift": True}, "/lift"),
        ("erasure", {"kind": "direct_marketing"}, "/kind"),
        ("objection", {"kind": "direct_marketing", "purpose": "customer_care_insight"}, "/purpose"),
        ("objection", {"kind": "legitimate_interests", "purpose": "unheard_of"}, "/purpose"),
        ("restriction", {"restrict_meanwhile": True}, "/restrict_meanwhile"),
    ],
)
def test_what_a_right_does_not_know_is_refused(
    grounds: Grounds, right: str, asked: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(Problem) as refused:
        ask(grounds, right, **asked)
    assert pointer in [error.pointer for error in refused.value.errors]


def test_a_rectification_that_says_nothing_is_staffs_to_find_out(grounds: Grounds) -> None:
    grounds.bring(ADA)
    asked = ask(grounds, "rectification")
    assert rights.advance(grounds, asked).waits_for == "decision"
    with grounds.database.transaction() as session:
        rights.accept(session, asked, grounds.clock.now())
    assert rights.advance(grounds, asked).state == "completed"


def test_restricting_twice_is_one_state(grounds: Grounds) -> None:
    grounds.bring(ADA)
    with grounds.database.transaction() as session:
        assert rights.restrict(session, [1], grounds.clock.now()) == 1
    with grounds.database.transaction() as session:
        assert rights.restrict(session, [1], grounds.clock.now()) == 0


@pytest.mark.parametrize(
    ("right", "kinds"),
    [
        ("objection", {"direct_marketing", "legitimate_interests"}),
        ("appi_35", {"direct_marketing", "legitimate_interests", "provision", "restriction"}),
        ("restriction", {"restriction"}),
    ],
)
def test_each_right_begins_its_states(grounds: Grounds, right: str, kinds: set[str]) -> None:
    grounds.bring(ADA)
    rights.advance(grounds, ask(grounds, right))
    assert {kind for kind, _ in in_force(grounds)} == kinds


def test_the_crash_between_the_two_steps_is_resumed(grounds: Grounds) -> None:
    grounds.bring(ADA)
    paused = rights.advance(grounds, ask(grounds, "objection"), "stop")
    assert paused.state == "in_progress"
    assert rights.advance(grounds, paused.id).state == "completed"


ACTS = ("restrict", "unrestrict", "object", "unobject", "object_to_care", "unobject_to_care", "order", "yes", "no")
_numbers = iter(range(1_000_000))


class Two:
    """A person who restricts and objects, and a twin of whom only facts and consent are the same."""

    def __init__(self, grounds: Grounds) -> None:
        self.grounds, number = grounds, next(_numbers)
        self.mails = (f"one{number}@example.com", f"twin{number}@example.com")
        self.states: set[tuple[str, str]] = set()
        self.act("order")

    def act(self, act: str) -> None:
        self.grounds.clock.pass_(minutes=1)
        states = {"restrict": ("restriction", "*"), "object": ("direct_marketing", "*")}
        states["object_to_care"] = ("legitimate_interests", "customer_care_insight")
        if (state := states.get(act.removeprefix("un"))) is not None:
            self._state(self.mails[0], state, not act.startswith("un"))
            self.states = self.states - {state} | ({state} if not act.startswith("un") else set())
            return
        for mail in self.mails:
            self._order(mail) if act == "order" else self._say(mail, "given" if act == "yes" else "withdrawn")

    def end(self) -> None:
        """Give the twin the states that stand, and nothing else of the story."""
        for state in self.states:
            self._state(self.mails[1], state, True)

    def outcome(self, mail: str) -> Any:
        person = self.grounds.person(mail)
        with self.grounds.database.snapshot() as session:
            row = session.get_one(Permission, person)
            stage = journey.stage_of(session, [person], self.grounds.clock.now()).get(person)
            moves = [(move.to_stage, move.at) for move in journey.moves_of(session, person)]
        return row.codes, row.laws, row.restricted, row.holds_until, stage, moves

    def _state(self, mail: str, state: tuple[str, str], begin: bool) -> None:
        with self.grounds.database.transaction() as session:
            act = rights.object_to if begin else rights.lift
            act(session, [self.grounds.person(mail)], state[0], self.grounds.clock.now(), state[1])

    def _order(self, mail: str) -> None:
        claims = (Claim("email", mail, verified=True),)
        bought = {"order_id": "o", "total": 1, "currency": "JPY"}
        item = Item(self.grounds.clock.now(), claims, event="Order Completed", properties=bought)
        assert ingest.take(self.grounds.database, SHOP, [item], self.grounds.clock.now()).accepted == 1

    def _say(self, mail: str, status: str) -> None:
        with self.grounds.database.transaction() as session:
            point, at = consent.point(session, "email", "", mail), self.grounds.clock.now()
            said = consent.Statement(
                "email_marketing", "email", status, "checkbox", at, "form", namespace="email", token=point.token,
                notice="newsletter", notice_version="2", language="ja", verified=True,
            )  # fmt: skip
            consent.record(session, self.grounds.person(mail), said, at)


@given(acts=st.lists(st.sampled_from(ACTS), max_size=12))
@settings(max_examples=400 if DEEP else 10)
def test_after_any_interleaving_only_what_stands_now_counts(grounds: Grounds, acts: Sequence[str]) -> None:
    two = Two(grounds)
    for act in acts:
        two.act(act)
    two.end()
    one, twin = (two.outcome(mail) for mail in two.mails)
    if one[2]:  # while restricted, nobody is walked on: the stages are those of the day it began
        one, twin = one[:4], twin[:4]
    assert one == twin


def reasons_against_mail(grounds: Grounds, mail: str) -> list[Reason]:
    use = grounds.policy.find_use("email_marketing", "ma_tool", "email")
    with grounds.database.snapshot() as session:
        decision = gate.explain(session, grounds.person(mail), use, grounds.clock.now()).decision
    return [one for one in decision.reasons if one.deny]


def test_consent_does_not_take_an_objection_back(grounds: Grounds) -> None:
    two = Two(grounds)
    two.act("yes")
    objecting, twin = two.mails
    assert not reasons_against_mail(grounds, objecting)
    rights.advance(grounds, ask(grounds, "objection", objecting))
    two.act("yes")
    assert not reasons_against_mail(grounds, twin)
    [against] = reasons_against_mail(grounds, objecting)
    assert against.code == "objected"
    assert "a newer consent does not" in against.remedy_en
    assert "後の同意では解除されません" in against.remedy_ja
    rights.advance(grounds, ask(grounds, "objection", objecting, lift=True))
    assert not reasons_against_mail(grounds, objecting)
