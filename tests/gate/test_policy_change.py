"""Another version of the policy: who is decided again, by whom, and what is refused meanwhile."""

from dataclasses import fields, replace

import pytest
from sqlalchemy import func, select

from cdp import gate
from cdp.db import Database
from cdp.gate import due, versions
from cdp.gate.model import Permission, PolicyVersion
from cdp.ops import applying
from cdp.ops.bench.settling import changed, reworded
from cdp.policy.terms import Notice, Policy, Purpose, Recipient
from tests.gate.test_permission import allowed, assert_equal_to_fresh, make_person, say

LEFT_OUT = versions.WORDS | versions.ABOUT_RECIPIENTS


@pytest.fixture
def people(house: Database) -> list[int]:
    """Three people with an address each, who said yes."""
    mails = [f"customer{n}@example.com" for n in range(3)]
    numbers = [make_person(house, mails=(mail,)) for mail in mails]
    for number, mail in zip(numbers, mails, strict=True):
        say(house, number, "given", mail=mail)
    return numbers


def put(house: Database, terms: Policy) -> int:
    house.context["policy"] = terms
    return gate.register_policy(house)


def test_a_change_of_words_decides_nobody_again_and_is_a_version_of_its_own(house: Database, people: list[int]) -> None:
    assert put(house, reworded(house.context["policy"])) == 0
    assert all(allowed(house, person) for person in people)
    assert gate.settle_due(house) == 0
    with house.snapshot() as session:
        assert session.scalar(select(func.count()).select_from(PolicyVersion)) == 2
        assert versions.policy_number(session) != versions.answers_number(session)


def test_a_renewed_contract_decides_nobody_again(house: Database, people: list[int]) -> None:
    terms = house.context["policy"]
    renewed = {name: replace(one, contract="another", contract_until=None) for name, one in terms.recipients.items()}
    assert put(house, replace(terms, digest="renewed", recipients=renewed)) == 0
    for person in people:
        assert_equal_to_fresh(house, person)


def test_a_change_of_answers_refuses_everybody_until_decided_again(house: Database, people: list[int]) -> None:
    assert put(house, changed(house.context["policy"])) == 3
    for waiting in (3, 2, 1, 0):
        with house.snapshot() as session:
            assert gate.waiting(session, house.clock.now()) == waiting
        assert [allowed(house, person) for person in people].count(False) == waiting
        gate.settle_due(house, 1)
    for person in people:
        assert_equal_to_fresh(house, person)


def test_going_back_to_an_earlier_policy_decides_everybody_again(house: Database, people: list[int]) -> None:
    first = house.context["policy"]
    put(house, changed(first))
    assert applying.apply(house) == 0
    assert put(house, first) == 3
    assert not any(allowed(house, person) for person in people)
    assert applying.apply(house) == 0
    assert all(allowed(house, person) for person in people)


def test_whoever_still_runs_an_older_policy_decides_nobody_back(house: Database, people: list[int]) -> None:
    old = Database(house.url, clock=house.clock, context=dict(house.context), settlers=house.settlers)
    gate.take_up(old)
    house.clock.pass_(minutes=1)
    put(house, changed(house.context["policy"]))
    assert applying.apply(house) == 0
    assert gate.settle_due(old) == 0
    assert all(allowed(house, person) for person in people)
    assert not any(allowed(old, person) for person in people)
    old.dispose()


def test_another_slot_of_a_trait_rebuilds_profiles_too(house: Database, people: list[int]) -> None:
    terms = house.context["policy"]
    free = next(name for name, one in sorted(terms.traits.items()) if one.slot)
    moved = {**terms.traits, free: replace(terms.traits[free], slot="")}
    assert put(house, replace(terms, digest="slots", traits=moved)) == len(people)
    with house.snapshot() as session:
        assert versions.differing(session, 1) == {"traits"}
    assert applying.apply(house) == 0
    for person in people:
        assert_equal_to_fresh(house, person)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_two_who_decide_at_once_never_take_the_same_people(house: Database, people: list[int]) -> None:
    put(house, changed(house.context["policy"]))
    with house.transaction() as one:
        mine = set(due.due(one, house.clock.now(), 1))
        with house.transaction() as other:
            theirs = set(due.due(other, house.clock.now(), 100))
    assert len(mine) == 1
    assert not mine & theirs


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_answer_reads_what_a_change_of_which_is_passed_over(house: Database, people: list[int]) -> None:
    """Every rule about the person, and all that loads a person, over a policy that lets nobody read it."""
    terms = house.context["policy"]
    closed = replace(
        terms,
        digest="closed",
        purposes={name: _closed(one, _ClosedPurpose) for name, one in terms.purposes.items()},
        recipients={name: _closed(one, _ClosedRecipient) for name, one in terms.recipients.items()},
        notices={key: _closed(one, _ClosedNotice) for key, one in terms.notices.items()},
        categories={name: _ClosedTree(one) for name, one in terms.categories.items()},
        retention=tuple(_ClosedTree(one) for one in terms.retention),
    )
    with pytest.raises(AssertionError, match="title_ja"):
        assert closed.purposes["email_marketing"].title_ja
    house.context["policy"] = closed
    before = _codes(house)
    with house.transaction() as session:
        gate.settle(session, people, house.clock.now())
    assert _codes(house) == before


def _codes(house: Database) -> dict[int, bytes]:
    with house.snapshot() as session:
        return dict(session.execute(select(Permission.person, Permission.codes)).all())


class _Closed:
    """Lets nobody read what is left out of the comparison of versions."""

    __slots__ = ()

    def __getattribute__(self, name: str):
        assert name not in LEFT_OUT, name
        return super().__getattribute__(name)


class _ClosedPurpose(_Closed, Purpose):
    __slots__ = ()


class _ClosedRecipient(_Closed, Recipient):
    __slots__ = ()


class _ClosedNotice(_Closed, Notice):
    __slots__ = ()


class _ClosedTree(dict):
    def __getitem__(self, name):
        assert name not in LEFT_OUT, name
        return super().__getitem__(name)

    def get(self, name, default=None):
        assert name not in LEFT_OUT, name
        return super().get(name, default)


def _closed(value, kind):
    return kind(**{one.name: getattr(value, one.name) for one in fields(value)})
