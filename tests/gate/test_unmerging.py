"""Who is joined and parted again is as before, and joining turns no no into a yes (P7, ruling R10)."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdp import consent, identity, policy, vault
from cdp.db import Database
from cdp.gate.codes import person_codes
from cdp.gate.standing import load
from cdp.identity import merge
from tests.conftest import DEEP
from tests.gate.test_permission import make_person

words = st.tuples(
    st.sampled_from(["given", "given", "refused", "withdrawn", "requested"]),
    st.sampled_from(["email_marketing", "line_marketing", "personalisation", "analytics", "*"]),
    st.booleans(),
    st.booleans(),
    st.integers(0, 5),
)
histories = st.lists(words, max_size=4)
_number = iter(range(10**9))


def say(house: Database, person: int, mail: str, word: tuple) -> None:
    status, purpose, act, verified, day = word
    with house.transaction() as session:
        keys = vault.of(session)
        by_mail = purpose == "email_marketing"
        said = consent.Statement(
            purpose=purpose,
            channel="*"
            if purpose == "*"
            else {"email_marketing": "email", "line_marketing": "line"}.get(purpose, "web"),
            status="withdrawn" if purpose == "*" else status,
            method="checkbox",
            event_time=house.clock.now().replace(day=1 + day),
            source="crm",
            act=act,
            verified=verified,
            namespace="email" if by_mail else "",
            token=keys.token("email", "", mail) if by_mail else b"",
            notice="newsletter" if by_mail else "cookies",
            notice_version="2" if by_mail else "1",
            language="ja",
        )
        consent.record(session, person, said, house.clock.now())


def situation(house: Database, person: int) -> str:
    """All that decisions about a person rest on, as text."""
    with house.snapshot() as session:
        found = load(session, [person], house.clock.now())[person]
        return repr((found.subjects, found.standing, found.points, found.changes_at))


def yeses(house: Database, person: int) -> set[int]:
    """The uses that nothing about the person refuses."""
    with house.snapshot() as session:
        standing = load(session, [person], house.clock.now())[person].standing
        return {n for n, code in enumerate(person_codes(policy.of(session), standing)) if code == 0}


@pytest.mark.parametrize("database_url", ["sqlite"] if DEEP else ["sqlite", "postgresql"], indirect=True)
def test_parting_restores_and_joining_opens_nothing(house: Database) -> None:
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
    @given(histories, histories, st.sampled_from(["JP", "DE"]))
    def told(first: list, second: list, country: str) -> None:
        n = next(_number)
        mails = (f"a{n}@example.com", f"b{n}@example.com")
        one, other = (make_person(house, country, (mail,)) for mail in mails)
        for person, mail, said in ((one, mails[0], first), (other, mails[1], second)):
            for word in said:
                say(house, person, mail, word)
        apart = situation(house, one), situation(house, other)
        either = yeses(house, one) | yeses(house, other)
        with house.transaction() as session:
            decision = merge.must(session, one, other, "the same", "staff", house.clock.now())
        with house.snapshot() as session:
            assert identity.people_of(session, [one, other]) == {one: one, other: one}
        assert yeses(house, one) <= either
        with house.transaction() as session:
            merge.revoke(session, decision, "staff", house.clock.now())
        assert (situation(house, one), situation(house, other)) == apart

    told()
