"""What is materialised equals a fresh decision, whatever was said, in whatever order."""

import json
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlmodel import Session

from cdp import consent, gate, policy, vault
from cdp.consent.model import Objection
from cdp.db import Database, unsettle
from cdp.gate.model import Permission
from cdp.gate.permission import permitted
from cdp.identity.model import Identifier
from cdp.ops.bench.settling import changed
from cdp.policy.terms import Law
from cdp.profile.model import Subject, Trait


def make_person(house: Database, country: str = "JP", mails: tuple[str, ...] = ("ada@example.com",)) -> int:
    """Write one subject with mail addresses, as ingest would, and return its number."""
    with house.transaction() as session:
        return insert_person(session, house.clock.now(), country, mails)


def insert_person(session: Session, at: datetime, country: str, mails: tuple[str, ...]) -> int:
    """Write one subject within a transaction, and return its number."""
    keys = vault.of(session)
    row = {"person": 0, "source": "crm"}
    row |= {"fingerprint": vault.of(session).digest("t", _unique()), "first_at": at, "residence_default": country}
    number = session.execute(insert(Subject).values(**row).returning(Subject.number)).scalar_one()
    session.execute(Subject.__table__.update().where(Subject.number == number).values(person=number))
    key, wrapped = keys.mint(number)
    session.execute(insert(vault.model.SubjectKey), wrapped)
    session.execute(insert(Trait), {"subject": number, "name": "country", "clear": country, "at": at, "source": "crm"})
    for mail in mails:
        token = keys.token("email", "", mail)
        cell = vault.Cell(number, "identifier", "sealed", b"email:" + token)
        session.execute(
            insert(Identifier),
            {
                "subject": number,
                "namespace": "email",
                "token": token,
                "epoch": keys.epoch,
                "suppression_token": keys.suppression_token("email", "", mail),
                "sealed": vault.seal(key, json.dumps({"value": mail, "scope": ""}).encode(), cell),
                "verified": True,
                "normaliser": 1,
                "first_at": at,
            },
        )
    unsettle(session, [number])
    return number


_made = iter(range(10**9))


def _unique() -> bytes:
    return str(next(_made)).encode()


def say(house: Database, person: int, status: str, mail: str = "ada@example.com", **more) -> str:
    with house.transaction() as session:
        keys = vault.of(session)
        statement = consent.Statement(
            **{
                "purpose": "email_marketing",
                "channel": "email",
                "status": status,
                "method": "checkbox",
                "event_time": house.clock.now(),
                "source": "crm",
                "namespace": "email",
                "token": keys.token("email", "", mail),
                "lifts": keys.suppression_token("email", "", mail),
                "notice": "newsletter",
                "notice_version": "2",
                "language": "ja",
                "verified": True,
            }
            | more
        )
        return consent.record(session, person, statement, house.clock.now())


def allowed(house: Database, person: int, recipient: str = "ma_tool", purpose: str = "email_marketing") -> bool:
    """The materialised answer, read as every reader reads it."""
    with house.snapshot() as session:
        use = policy.of(session).find_use(purpose, recipient, "email")
        query = select(Permission.person).where(
            Permission.person == person, permitted(session, use, Law(0), house.clock.now())
        )
        return session.scalar(query) is not None


def assert_equal_to_fresh(house: Database, person: int) -> None:
    """Every byte of the row against a fresh decision over the same rows."""
    at = house.clock.now()
    with house.snapshot() as session:
        terms = policy.of(session)
        row = session.get(Permission, person)
        for use in terms.uses:
            fresh = gate.explain(session, person, use, at)
            refused = gate.check_request(terms, gate.PageRequest(use, ()), at)
            recipient_ok = isinstance(refused, Law) and not (refused & row.laws)
            materialised = row.codes[use.index] == 0 and row.holds_until > at and recipient_ok
            assert materialised == fresh.decision.allow, (use, fresh.decision)


def test_nobody_asked_means_no(house):
    person = make_person(house)
    assert not allowed(house, person)
    assert_equal_to_fresh(house, person)


def test_a_given_consent_opens_the_gate_and_a_withdrawn_one_closes_it(house):
    person = make_person(house)
    say(house, person, "given")
    assert allowed(house, person)
    house.clock.pass_(minutes=1)
    say(house, person, "withdrawn")
    assert not allowed(house, person)


def test_an_unsubscribed_address_stays_silent_until_its_owner_says_yes_again(house):
    person = make_person(house)
    say(house, person, "given")
    house.clock.pass_(minutes=1)
    with house.transaction() as session:
        token = vault.of(session).suppression_token("email", "", "ada@example.com")
        consent.suppress(session, "email", token, "email", "unsubscribe", house.clock.now())
    assert not allowed(house, person)
    house.clock.pass_(minutes=1)
    say(house, person, "given", public=True, verified=False)
    assert not allowed(house, person)
    say(house, person, "given")
    assert allowed(house, person)


def test_a_consent_that_ends_closes_the_gate_by_itself(house):
    person = make_person(house)
    say(house, person, "given", valid_until=house.clock.now() + timedelta(days=10))
    assert allowed(house, person)
    house.clock.pass_(days=11)
    assert not allowed(house, person)
    assert gate.settle_due(house) == 1
    assert_equal_to_fresh(house, person)


def test_another_policy_makes_every_row_a_no_until_it_is_decided_again(house, tmp_path):
    person = make_person(house)
    say(house, person, "given")
    house.context["policy"] = changed(house.context["policy"])
    assert not allowed(house, person)
    assert gate.register_policy(house) >= 1
    while gate.settle_due(house):
        pass
    assert allowed(house, person)


ACTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["given", "refused", "withdrawn", "requested", "state", "import", "restrict", "object", "silence"]
        ),
        st.sampled_from(["email_marketing", "analytics", "personalisation", "ads_sharing"]),
        st.integers(0, 3),
    ),
    max_size=8,
)


def test_what_is_materialised_equals_a_fresh_decision_for_any_history(house):
    @given(ACTS, st.sampled_from(["JP", "DE", "", "US"]))
    def holds(acts, country):
        person = make_person(house, country)
        for kind, purpose, hours in acts:
            _do(house, person, kind, purpose, hours)
        assert_equal_to_fresh(house, person)

    holds()


def _do(house: Database, person: int, kind: str, purpose: str, hours: int) -> None:
    house.clock.pass_(seconds=1)
    when = {"event_time": house.clock.now() - timedelta(hours=hours), "purpose": purpose}
    when["channel"] = policy_channel(house, purpose)
    if when["channel"] != "email":
        when |= {"token": b"", "namespace": "", "lifts": b""}
    if kind in ("given", "refused", "withdrawn", "requested"):
        say(house, person, kind, **when)
    elif kind == "state":
        say(house, person, "given", act=False, **when)
    elif kind == "import":
        say(house, person, "given", method="import", evidence="none", **when)
    elif kind == "silence":
        with house.transaction() as session:
            token = vault.of(session).suppression_token("email", "", "ada@example.com")
            consent.suppress(session, "email", token, "email", "complaint", house.clock.now())
    else:
        kind = {"restrict": "restriction", "object": "direct_marketing"}[kind]
        with house.transaction() as session:
            session.execute(
                insert(Objection), {"subject": person, "kind": kind, "purpose": "*", "at": house.clock.now()}
            )
            unsettle(session, [person])


def policy_channel(house: Database, purpose: str) -> str:
    return house.context["policy"].purposes[purpose].channels[0]


def test_an_address_that_a_child_writes_from_counts_as_a_childs_until_an_age_is_known(house):
    somebody = make_person(house, "DE", mails=("shared@example.com",))
    say(house, somebody, "given", mail="shared@example.com")
    assert allowed(house, somebody)
    _born(house, make_person(house, "DE", mails=("shared@example.com",)), "2014")
    assert not allowed(house, somebody)
    assert_equal_to_fresh(house, somebody)
    _born(house, somebody, "1980")
    assert allowed(house, somebody)


def _born(house: Database, person: int, year: str) -> None:
    stated = {"subject": person, "at": house.clock.now(), "source": "crm"}
    with house.transaction() as session:
        for name, clear in (("birth_year", year), ("birth_day", "03-01")):
            session.execute(insert(Trait), stated | {"name": name, "clear": clear})
        unsettle(session, [person])
