"""Who is joined and parted again is as before, and joining turns no no into a yes (P7, ruling R10)."""

from dataclasses import dataclass
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from cdp import consent, identity, policy, vault
from cdp.db import Database
from cdp.gate.codes import person_codes
from cdp.gate.standing import load
from cdp.identity import decisions as deciding
from tests.conftest import DEEP
from tests.figures import Figures
from tests.gate.test_permission import insert_person

words = st.tuples(
    st.sampled_from(["given", "given", "refused", "withdrawn", "requested"]),
    st.sampled_from(["email_marketing", "line_marketing", "personalisation", "analytics", "*"]),
    st.booleans(),
    st.booleans(),
    st.integers(0, 5),
)
histories = st.lists(words, max_size=4)
_number = iter(range(10**9))


Pair = tuple[list, list, str]
pairs = st.tuples(histories, histories, st.sampled_from(["JP", "DE"]))
LOT = 40
"""Pairs in one example: joined and parted in the same transactions, which takes a twentieth of the time."""


@dataclass
class Two:
    """Two people who are joined and parted again."""

    one: int
    other: int


def say(session: Session, now: datetime, person: int, mail: str, word: tuple) -> None:
    status, purpose, act, verified, day = word
    keys = vault.of(session)
    by_mail = purpose == "email_marketing"
    said = consent.Statement(
        purpose=purpose,
        channel="*" if purpose == "*" else {"email_marketing": "email", "line_marketing": "line"}.get(purpose, "web"),
        status="withdrawn" if purpose == "*" else status,
        method="checkbox",
        event_time=now.replace(day=1 + day),
        source="crm",
        act=act,
        verified=verified,
        namespace="email" if by_mail else "",
        token=keys.token("email", "", mail) if by_mail else b"",
        notice="newsletter" if by_mail else "cookies",
        notice_version="2" if by_mail else "1",
        language="ja",
    )
    consent.record(session, person, said, now)


def made(house: Database, told: list[Pair]) -> list[Two]:
    """Make both people of every pair, and say what they said."""
    found, now = [], house.clock.now()
    with house.transaction() as session:
        for first, second, country in told:
            n = next(_number)
            people = []
            for mail, said in ((f"a{n}@example.com", first), (f"b{n}@example.com", second)):
                people.append(insert_person(session, now, country, (mail,)))
                for word in said:
                    say(session, now, people[-1], mail, word)
            found.append(Two(*people))
    return found


def looked(house: Database, numbers: list[int]) -> dict[int, tuple[str, frozenset[int]]]:
    """Return of each all that decisions about them rest on, as text, and the uses that nothing about them refuses."""
    with house.snapshot() as session:
        terms = policy.of(session)
        return {
            number: (
                repr((found.subjects, found.standing, found.points, found.changes_at)),
                frozenset(n for n, code in enumerate(person_codes(terms, found.standing)) if code == 0),
            )
            for number, found in load(session, numbers, house.clock.now()).items()
        }


@pytest.mark.parametrize("database_url", ["sqlite"] if DEEP else ["sqlite", "postgresql"], indirect=True)
def test_parting_restores_and_joining_opens_nothing(house: Database, figures: Figures) -> None:
    tried = closed = 0

    @settings(
        max_examples=10_000 // LOT if DEEP else 4,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
        deadline=None,
    )
    @given(st.lists(pairs, min_size=LOT, max_size=LOT))
    def told(all_: list[Pair]) -> None:
        nonlocal tried, closed
        twos = made(house, all_)
        numbers = [number for two in twos for number in (two.one, two.other)]
        before = looked(house, numbers)
        with house.transaction() as session:
            decisions = [deciding.must(session, t.one, t.other, "the same", "staff", house.clock.now()) for t in twos]
        together = looked(house, [two.one for two in twos])
        with house.snapshot() as session:
            owners = identity.people_of(session, numbers)
        for two in twos:
            assert owners[two.one] == owners[two.other] == two.one
            assert together[two.one][1] <= before[two.one][1] | before[two.other][1]
            closed += together[two.one][1] < before[two.one][1] | before[two.other][1]
        with house.transaction() as session:
            for decision in decisions:
                deciding.revoke(session, decision, "staff", house.clock.now())
        assert looked(house, numbers) == before
        tried += len(twos)

    told()
    assert closed
    figures("joined and parted", pairs=tried, closed_by_joining=closed, opened_by_joining=0)
