"""What a stranger claims decides nothing of a value: neither who had it last, nor which values are one address."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import col, select

from cdp import identity, ingest, vault
from cdp.connector.kit import Claim, SourceConfig
from cdp.db import Database
from cdp.identity import Arrival, Canonical, aside, seeing
from cdp.identity.model import Aside, Identifier
from cdp.identity.rules import TokenKey
from cdp.profile.model import Subject
from tests.identity.whole import WHOLE
from tests.ingest.ground import BROWSER, NAMESPACES, NOW, SITE, claims, email, make_policy, rows, viewed

PHONE, TEAM, VICTIM = "+819012345678", "team@company.example", "victim@gmail.com"
MONTH = timedelta(days=31)


@pytest.fixture
def shop(shop: Database) -> Database:
    terms = {**NAMESPACES, "email_canon": WHOLE.namespaces["email_canon"]}
    shop.context["policy"] = make_policy(namespaces={**terms, "phone": replace(terms["phone"], ttl_days=548)})
    return shop


def bring(shop: Database, months: int = 0, is_sure: bool = True, **names: str) -> int:
    with shop.transaction() as session:
        at = shop.clock.now()
        claimed = tuple(Canonical(kind, "", value, is_sure) for kind, value in names.items())
        arrival = Arrival("site" if is_sure else "browser", claimed, at=at - months * MONTH, public=not is_sure)
        return identity.attach(session, [arrival], at).subjects[0]


def key_of(shop: Database, namespace: str, value: str) -> TokenKey:
    with shop.snapshot() as session:
        return namespace, vault.of(session).token(namespace, "", value)


def do(shop: Database, work: Callable[..., int | None], *given: object) -> int:
    with shop.transaction() as session:
        return work(session, *given, shop.clock.now()) or 0


def expire(shop: Database, namespace: str = "phone", value: str = PHONE) -> None:
    do(shop, identity.judge, "expire", key_of(shop, namespace, value), "given to another", "staff")


def asides(shop: Database, namespace: str = "phone") -> dict[int, int]:
    with shop.snapshot() as session:
        return {row.subject: row.aside for row in rows(session, Identifier) if row.namespace == namespace}


def mark(shop: Database, subject: int, why: Aside) -> None:
    with shop.transaction() as session:
        seeing.set_aside(session, {key_of(shop, "phone", PHONE)}, why, [subject])
        identity.resolve(session, [subject], shop.clock.now(), "test")


def test_a_strangers_claim_takes_no_number_from_its_owner(shop: Database) -> None:
    bring(shop, 20, user_id="u1", phone=PHONE)
    bring(shop, 2, user_id="u2", phone=PHONE)
    bring(shop, is_sure=False, anonymous_id="b", phone=PHONE)
    expire(shop)
    assert asides(shop) == {1: Aside.LEFT, 2: 0, 3: 0}, "and a claim had nothing to lose: it may still be proved"
    with shop.snapshot() as session:
        assert identity.find(session, "phone", "", PHONE) == 2


@pytest.mark.parametrize("why", [Aside.HELD, Aside.RETRACTED])
def test_who_does_not_count_was_not_the_last_to_have_it(shop: Database, why: Aside) -> None:
    bring(shop, 20, user_id="u1", phone=PHONE)
    bring(shop, 2, user_id="u2", phone=PHONE)
    bring(shop, user_id="u3", phone=PHONE)
    mark(shop, 3, why)
    expire(shop)
    assert asides(shop) == {1: Aside.LEFT, 2: 0, 3: why}


def test_a_number_that_was_over_does_not_come_back_to_who_had_it_before(shop: Database) -> None:
    bring(shop, 25, user_id="u1", phone=PHONE)
    bring(shop, user_id="u2", phone=PHONE)
    do(shop, lambda session, at: aside.expire(session, at.date(), at))
    expire(shop)
    assert asides(shop) == {1: Aside.LEFT | Aside.EXPIRED, 2: 0}
    bring(shop, user_id="u1", phone=PHONE)
    assert asides(shop) == {1: Aside.LEFT, 2: 0}


def test_where_nobody_was_later_it_left_all_who_had_it(shop: Database) -> None:
    for name in ("u1", "u2"):
        bring(shop, 2, user_id=name, phone=PHONE)
    bring(shop, user_id="u3", phone=PHONE)
    mark(shop, 3, Aside.HELD)
    bring(shop, 2, is_sure=False, anonymous_id="b", phone=PHONE)
    expire(shop)
    assert asides(shop) == {1: Aside.LEFT, 2: Aside.LEFT, 3: Aside.HELD, 4: 0}


def test_where_nobodys_counts_it_left_everybody(shop: Database) -> None:
    bring(shop, 30, user_id="u1", phone=PHONE)
    bring(shop, 25, user_id="u2", phone=PHONE)
    do(shop, lambda session, at: aside.expire(session, at.date(), at))
    expire(shop)
    assert asides(shop) == dict.fromkeys((1, 2), Aside.LEFT | Aside.EXPIRED)


def test_a_role_mailbox_stays_with_who_was_seen_with_it_last(shop: Database) -> None:
    bring(shop, 20, user_id="u1", phone=PHONE)
    bring(shop, 2, user_id="u2", phone=PHONE)
    for subject in (1, 2):
        mark(shop, subject, Aside.ROLE)
    expire(shop)
    assert asides(shop) == {1: Aside.LEFT | Aside.ROLE, 2: Aside.ROLE}


def test_of_a_device_everybodys_word_counts(shop: Database) -> None:
    bring(shop, 20, user_id="u1", anonymous_id="tablet")
    bring(shop, is_sure=False, anonymous_id="tablet", email=TEAM)
    expire(shop, "anonymous_id", "tablet")
    assert asides(shop, "anonymous_id") == {1: Aside.LEFT, 2: 0}


def people(shop: Database) -> list[int]:
    with shop.snapshot() as session:
        return [row.person for row in rows(session, Subject, Subject.number)]


def test_a_word_on_an_address_is_none_on_a_mailbox_that_a_stranger_puts_beside_it(shop: Database) -> None:
    bring(shop, user_id="u1", email=VICTIM)
    bring(shop, line_uid="L1", email="vic.tim@gmail.com")
    bring(shop, is_sure=False, anonymous_id="b", email=TEAM, email_canon=VICTIM)
    assert people(shop) == [1, 1, 3]
    do(shop, identity.judge, "shared", key_of(shop, "email", TEAM), "a team's", "staff")
    assert people(shop) == [1, 1, 3]


def test_an_address_that_only_a_browser_claims_is_retracted_with_its_mailbox(shop: Database) -> None:
    bring(shop, is_sure=False, anonymous_id="b", email=VICTIM)
    do(shop, identity.retract, 1, key_of(shop, "email", VICTIM), "typed wrong", "staff")
    assert asides(shop, "email") == asides(shop, "email_canon") == {1: Aside.RETRACTED}


@pytest.mark.parametrize("source", [BROWSER, SITE])
def test_nobody_states_a_mailbox(shop: Database, source: SourceConfig) -> None:
    stated = Claim("email_canon", VICTIM, verified=True)
    report = ingest.take(shop, source, [viewed(email(TEAM), stated, *claims(anonymous_id="b"), message="1")], NOW)
    assert (report.accepted, report.dropped["field:email_canon", "unusable_identifier"]) == (1, 1)
    assert ingest.take(shop, source, [viewed(stated, message="2")], NOW).refused == {"no_identifier": 1}
    with shop.snapshot() as session:
        mailboxes = select(col(Identifier.token)).where(col(Identifier.namespace) == "email_canon")
        assert key_of(shop, "email_canon", VICTIM)[1] not in session.scalars(mailboxes).all()
