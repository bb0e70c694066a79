"""Which cases are open is said by the evidence alone, in whatever order it came and whatever came and went."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import permutations
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import col, select

from cdp import identity
from cdp.db import Database
from cdp.identity import Arrival, Canonical, decisions, review
from cdp.identity.model import Identifier, IdentityCase
from cdp.identity.rules import TokenKey
from cdp.ops import rebuilding
from tests.conftest import DEEP, EXAMPLES
from tests.identity.graphs import NAMESPACES
from tests.ingest.ground import make_policy

Record = dict[str, str]

THREE: list[Record] = [
    {"user_id": "u", "email": "fam@gmail.com"},
    {"user_id": "v", "email": "fam@gmail.com"},
    {"line_uid": "L", "email": "f.am@gmail.com"},
]
"""Two accounts on one address, and somebody with another spelling of its mailbox."""


@pytest.fixture
def shop(shop: Database) -> Database:
    email = replace(NAMESPACES["email"], limit=5, hold_above=0)
    mailbox = replace(email, name="email_canon", priority=4, on_conflict="review")
    shop.context["policy"] = make_policy(namespaces=NAMESPACES | {"email": email, "email_canon": mailbox})
    shop.settlers = []
    return shop


def bring(shop: Database, records: Iterable[Record]) -> list[int]:
    """Let sources bring records, each in a transaction of its own; returns their numbers."""
    numbers = []
    for record in records:
        with shop.transaction() as session:
            at = shop.clock.now()
            claims = tuple(Canonical(kind, "", value, True) for kind, value in record.items())
            numbers += identity.attach(session, [Arrival("site", claims, at=at)], at).subjects
            session.info["unsettled"].clear()
    return numbers


def held(shop: Database, numbers: Sequence[int]) -> Counter[tuple[str, str, str, tuple[int, ...]]]:
    """Return what is held of these records: rule, severity, kind, and which of them, by their places."""
    found: Counter[tuple[str, str, str, tuple[int, ...]]] = Counter()
    with shop.snapshot() as session:
        whose: dict[TokenKey, set[int]] = {}
        for row in session.scalars(select(Identifier).where(col(Identifier.subject).in_(numbers))):
            whose.setdefault((row.namespace, bytes(row.token)), set()).add(numbers.index(row.subject))
        for case in session.scalars(select(IdentityCase).where(col(IdentityCase.state) == "open")):
            if places := whose.get((case.namespace, bytes(case.token))):
                found[case.rule, case.severity, case.namespace, tuple(sorted(places))] += 1
    return found


def address(shop: Database, number: int) -> TokenKey:
    with shop.snapshot() as session:
        where = (col(Identifier.subject) == number, col(Identifier.namespace) == "email")
        return "email", bytes(session.scalars(select(Identifier.token).where(*where)).one())


def do(shop: Database, work: Callable[..., Any], *given: object) -> Any:
    with shop.transaction() as session:
        found = work(session, *given, shop.clock.now())
        session.info["unsettled"].clear()
        return found


def test_three_records_open_the_same_cases_in_every_order(shop: Database) -> None:
    for n, order in enumerate(permutations(range(3))):
        records = [record | {"email": record["email"].replace("fam", f"fam{n}")} for record in THREE]
        records = [
            {kind: value + ("" if kind == "email" else f"{n}") for kind, value in one.items()} for one in records
        ]
        records[2]["email"] = f"f.am{n}@gmail.com"
        numbers = dict(zip(order, bring(shop, [records[place] for place in order]), strict=True))
        assert held(shop, [numbers[place] for place in range(3)]) == {
            ("limit", "notice", "email", (0, 1)): 1,
            ("limit", "review", "email_canon", (0, 1, 2)): 1,
        }, order


RECORDS = st.lists(
    st.fixed_dictionaries(
        {"email": st.sampled_from(["{}a@gmail.com", "{}.a@gmail.com", "{}.a+x@gmail.com", "{}b@gmail.com"])},
        optional={"user_id": st.sampled_from(["u{}", "v{}"]), "line_uid": st.sampled_from(["L{}", "M{}", "N{}"])},
    ),
    min_size=2,
    max_size=5,
    unique_by=lambda record: tuple(sorted(record.items())),
)


def test_any_records_open_the_same_cases_in_any_order(shop: Database) -> None:
    seen = iter(range(10**6))

    @settings(
        max_examples=EXAMPLES if DEEP else 40 if shop.is_sqlite else 15,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(RECORDS, st.randoms(use_true_random=False))
    def same(records: list[Record], chance: Random) -> None:
        found = []
        for _ in range(3):
            n, order = next(seen), list(range(len(records)))
            chance.shuffle(order)
            named = [{kind: value.format(f"n{n}") for kind, value in record.items()} for record in records]
            numbers = dict(zip(order, bring(shop, [named[place] for place in order]), strict=True))
            found.append(held(shop, [numbers[place] for place in range(len(records))]))
        assert found[0] == found[1] == found[2]
        assert set(found[0].values()) <= {1}, "one case of a value is enough"

    same()


def test_a_case_closes_when_its_value_is_kin_again_and_opens_when_it_is_not(shop: Database) -> None:
    numbers = bring(shop, THREE)
    before = held(shop, numbers)
    assert len(before) == 2
    word = do(shop, decisions.retract, numbers[2], address(shop, numbers[2]), "a slip", "staff")
    assert held(shop, numbers) == {("limit", "notice", "email", (0, 1)): 1}
    do(shop, decisions.revoke, word, "staff")
    assert held(shop, numbers) == before


def test_a_case_whose_value_is_kin_by_now_is_not_open_again_when_its_answer_is_undone(shop: Database) -> None:
    numbers = bring(shop, THREE)
    with shop.snapshot() as session:
        (case,) = session.scalars(select(IdentityCase.id).where(col(IdentityCase.namespace) == "email_canon"))
    do(shop, review.decide, case, "allow", "looked", "staff")
    do(shop, decisions.retract, numbers[2], address(shop, numbers[2]), "a slip", "staff")
    do(shop, review.undo, case, "looked again", "staff")
    assert held(shop, numbers) == {("limit", "notice", "email", (0, 1)): 1}


def test_a_rebuild_opens_what_is_kin_no_more_and_closes_what_is_again(shop: Database) -> None:
    numbers = bring(shop, THREE[:2])
    before, policy = held(shop, numbers), shop.context["policy"]
    assert before == {("limit", "notice", "email", (0, 1)): 1}
    address = replace(policy.namespaces["email"], role="attribute")
    shop.context["policy"] = make_policy(namespaces=policy.namespaces | {"email": address})
    assert rebuilding.run(shop, lambda *_: None).difference.is_none
    assert held(shop, numbers) == {("limit", "review", "email_canon", (0, 1)): 1}
    shop.context["policy"] = policy
    assert rebuilding.run(shop, lambda *_: None).difference.is_none
    assert held(shop, numbers) == before


def test_what_somebody_answered_is_not_asked_again_while_it_stands(shop: Database) -> None:
    numbers = bring(shop, THREE)
    before = held(shop, numbers)
    with shop.snapshot() as session:
        (case,) = session.scalars(select(IdentityCase.id).where(col(IdentityCase.namespace) == "email_canon"))
    for action in ("allow", "cannot"):
        do(shop, review.decide, case, action, "looked", "staff")
        bring(shop, [{"email": "f.am@gmail.com", "note": action}])
        assert "email_canon" not in {namespace for _, _, namespace, _ in held(shop, numbers)}, action
        do(shop, review.undo, case, "looked again", "staff")
        assert held(shop, numbers) == before, action
