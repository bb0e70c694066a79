"""Counts say how many may be reached and why the others not; members are exactly those who may."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from cdp import audience
from cdp.audience.counting import Counted
from cdp.db import Database
from cdp.errors import Problem, Refusal
from cdp.gate.reasons import NUMBERS
from cdp.policy.terms import Law
from tests.audience.world import (
    ABROAD,
    ADA,
    BEN,
    CLEO,
    DAY,
    DEV,
    EMAIL,
    EVE,
    NOW,
    SERVICE,
    TICK,
    Row,
    fill,
    make_policy,
)

WITHDRAWN, NEVER, CHILD = NUMBERS["withdrawn"], NUMBERS["no_consent"], NUMBERS["child"]


def five() -> list[Row]:
    """Ada consented, Ben withdrew, Cleo was never asked, Dev is a child, Eve is being erased."""
    return [
        Row(ADA),
        Row(BEN, code=WITHDRAWN),
        Row(CLEO, code=NEVER),
        Row(DEV, code=CHILD),
        Row(EVE, gate={"erasing": True}),
    ]


def counted(shop: Database, rows: list[Row], use: Any = EMAIL, asked: Any = "everyone") -> Counted:
    with shop.snapshot() as session:
        fill(session, rows)
        return audience.count(session, asked, use, NOW)


def members(shop: Database, rows: list[Row], **paging: int) -> list[int]:
    with shop.snapshot() as session:
        fill(session, rows)
        return audience.page(session, "everyone", EMAIL, NOW, **paging)


def test_each_person_counts_once_reachable_or_with_a_reason(shop: Database) -> None:
    answer = counted(shop, five())
    assert answer == Counted(1, NOW, {"withdrawn": 1, "no_consent": 1, "child": 1})


def test_only_the_permitted_are_members(shop: Database) -> None:
    assert members(shop, five()) == [ADA]


def test_nobody_counts_who_is_erased_or_restricted(shop: Database) -> None:
    rows = [Row(ADA), Row(BEN, gate={"restricted": True}), Row(EVE, gate={"erasing": True}, code=WITHDRAWN)]
    assert counted(shop, rows) == Counted(1, NOW, {})
    assert members(shop, rows) == [ADA]


@pytest.mark.parametrize(
    "row",
    [
        Row(ADA, code=None),
        Row(ADA, gate={"policy": 2}),
        Row(ADA, gate={"holds_until": NOW}),
        Row(ADA, gate={"holds_until": NOW - TICK}),
        Row(ADA, gate={"codes": b""}),
        Row(ADA, code=255),
    ],
    ids=["absent", "other policy", "just ended", "ended", "too short", "undecided"],
)
def test_what_nobody_has_settled_is_a_no(shop: Database, row: Row) -> None:
    assert counted(shop, [row]) == Counted(0, NOW, {"not_settled": 1})
    assert members(shop, [row]) == []


def test_a_row_holds_up_to_its_last_instant(shop: Database) -> None:
    assert members(shop, [Row(ADA, gate={"holds_until": NOW + TICK})]) == [ADA]


def test_an_unregistered_policy_allows_nobody(shop: Database) -> None:
    with shop.snapshot() as session:
        fill(session, five())
        session.info["policy"] = make_policy(digest="another")
        session.info.pop("policy_versions", None)
        assert audience.page(session, "everyone", EMAIL, NOW) == []
        assert audience.count(session, "everyone", EMAIL, NOW).refused == {"not_settled": 4}


def test_a_recipient_refused_under_one_law_is_refused_for_whom_that_law_protects(shop: Database) -> None:
    # staff sits where the EU's adequacy ends, so the GDPR closes the way and the APPI does not
    policy = make_policy()
    staff = replace(policy.recipients["staff"], role="processor", contract="dpa", supervised=NOW.date(), country="US")
    shop.context["policy"] = make_policy(recipients={**policy.recipients, "staff": staff}, digest="strict")
    rows = [Row(ADA, laws=Law.APPI), Row(BEN, laws=Law.GDPR), Row(CLEO, laws=Law.GDPR | Law.APPI)]
    from cdp.gate.decide import recipient_refusals

    refusals = recipient_refusals(shop.context["policy"], EMAIL, NOW.date())
    answer = counted(shop, rows)
    open_to = [row.person for row in rows if not any(row.laws & law for law in refusals)]
    assert Law.GDPR in refusals
    assert answer.count == len(open_to)
    assert sum(answer.refused.values()) == len(rows) - len(open_to)
    assert set(answer.refused) <= {reason.code for reason in refusals.values()}
    assert members(shop, rows) == open_to


def test_the_recipients_refusal_and_the_persons_count_once(shop: Database) -> None:
    answer = counted(shop, [Row(ADA, code=WITHDRAWN), Row(BEN)], ABROAD)
    assert answer.count == 0
    assert sum(answer.refused.values()) == 2


def test_a_count_is_one_question_to_the_database(shop: Database) -> None:
    with shop.snapshot() as session:
        fill(session, five())
        audience.count(session, "everyone", EMAIL, NOW)
        asked: list[str] = []
        event.listen(session.connection().engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
        audience.count(session, "everyone", EMAIL, NOW)
    assert len(asked) == 1


def test_pages_follow_the_numbers_and_miss_nobody(shop: Database) -> None:
    rows = [Row(number, code=0 if number % 3 else WITHDRAWN) for number in range(1, 30)]
    seen: list[int] = []
    while some := members(shop, rows, after=seen[-1] if seen else 0, limit=4):
        assert len(some) <= 4
        seen += some
    assert seen == [row.person for row in rows if row.code == 0]


def test_third_parties_get_no_list_of_fewer_than_a_hundred(shop: Database) -> None:
    def refused(people: int, use: Any) -> Refusal | None:
        with shop.snapshot() as session:
            fill(session, [Row(number) for number in range(1, people + 1)])
            session.info["policy"] = policy
            return audience.refuse_small(session, "everyone", use, NOW)

    policy = shop.context["policy"]
    platform = replace(policy.recipients["ad_platform"], contract="c", country="JP")
    shop.context["policy"] = policy = make_policy(recipients={**policy.recipients, "ad_platform": platform})
    assert refused(1, EMAIL) is None
    assert refused(1, SERVICE) is None
    assert refused(99, ABROAD) == Refusal("small_audience")
    with shop.snapshot() as session:
        fill(session, [Row(number) for number in range(1, 101)])
        reachable = len(audience.page(session, "everyone", ABROAD, NOW))
        assert audience.refuse_small(session, "everyone", ABROAD, NOW) == (
            None if reachable == 100 else Refusal("small_audience")
        )


def test_a_declared_size_is_kept_beside_the_laws(shop: Database) -> None:
    audiences = {"everyone": {"rule": {"everyone": True}, "min_size": 3}}
    assert audience.smallest(make_policy(audiences=audiences), "everyone", EMAIL) == 3
    assert audience.smallest(make_policy(audiences=audiences), "everyone", ABROAD) == 100
    assert audience.smallest(make_policy(audiences=audiences), "everyone", SERVICE) == 0


@pytest.mark.parametrize(
    ("exact", "told"),
    [
        (Counted(19, NOW, {"unsubscribed": 500}), Counted(None, NOW)),
        (Counted(0, NOW), Counted(None, NOW)),
        (Counted(20, NOW), Counted(20, NOW)),
        (Counted(24, NOW), Counted(20, NOW)),
        (Counted(1003, NOW, {"unsubscribed": 58}), Counted(1000, NOW, {"unsubscribed": 55})),
        (Counted(50, NOW, {"unsubscribed": 19, "bounced": 1}), Counted(50, NOW, {"other": 20})),
        (Counted(50, NOW, {"unsubscribed": 30, "bounced": 19}), Counted(50, NOW, {"unsubscribed": 30})),
    ],
)
def test_who_may_not_list_hears_round_numbers_only(exact: Counted, told: Counted) -> None:
    assert audience.rounded(exact) == told
    assert audience.rounded(exact).suppressed == (told.count is None)


def test_one_person_more_is_seldom_seen_in_a_rounded_count() -> None:
    told = [audience.rounded(Counted(people, NOW)).count for people in range(20, 40)]
    assert told == [20] * 5 + [25] * 5 + [30] * 5 + [35] * 5


def test_a_clause_is_explained_for_one_person(shop: Database) -> None:
    tree = {"and": [{"trait": {"name": "plan", "op": "eq", "value": "pro"}}, {"not": {"birthday": "today"}}]}
    with shop.snapshot() as session:
        fill(session, [Row(ADA, slots={"t01": "pro", "birth_day": "06-01"})])
        rule = audience.read(tree, session.info["policy"])
        answers = {clause.pointer: clause.holds for clause in audience.explain(session, rule, ADA, NOW) or []}
        assert answers == {"": False, "/and/0": True, "/and/1": False, "/and/1/not": True}
        assert audience.explain(session, rule, EVE, NOW) is None


def test_time_alone_moves_people_out_of_a_window(shop: Database) -> None:
    from tests.audience.world import ORDERED, happened

    with shop.snapshot() as session:
        fill(session, [Row(ADA, facts=[happened(ORDERED, 29 * DAY)], gate={"holds_until": NOW + 9 * DAY})])
        rule = audience.read({"performed": {"event": ORDERED, "within": "P30D"}}, session.info["policy"])
        assert audience.count(session, rule, EMAIL, NOW + timedelta(days=1)).count == 1
        assert audience.count(session, rule, EMAIL, NOW + timedelta(days=1) + TICK).count == 0


@pytest.mark.parametrize(
    ("exact", "told"),
    [
        (Counted(19, NOW), Counted(None, NOW)),
        (Counted(0, NOW, {"unsubscribed": 19}), Counted(None, NOW)),
        (Counted(0, NOW, {"unsubscribed": 20}), Counted(0, NOW, {"unsubscribed": 20})),
        (Counted(1, NOW, {"unsubscribed": 19}), Counted(1, NOW)),
        (Counted(3, NOW, {"unsubscribed": 19, "bounced": 1}), Counted(3, NOW, {"other": 20})),
    ],
)
def test_a_rule_that_nobody_declared_tells_nothing_of_few(exact: Counted, told: Counted) -> None:
    assert audience.previewed(exact) == told


def test_a_rule_asks_for_the_traits_it_is_allowed_and_for_the_country() -> None:
    tree = {
        "and": [{"trait": {"name": "plan", "op": "exists"}}, {"not": {"trait": {"name": "points", "op": "exists"}}}]
    }
    rule = audience.read(tree, make_policy())
    audience.check_traits(rule, ("plan", "points"))
    audience.check_traits(audience.read({"trait": {"name": "country", "op": "exists"}}, make_policy()), ())
    with pytest.raises(Problem) as refused:
        audience.check_traits(rule, ("plan",))
    assert [error.pointer for error in refused.value.errors] == ["/and/1/not"]
