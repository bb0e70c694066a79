"""A value that is said not to be the person's is not written to; all that protects the person stays."""

from collections.abc import Callable, Iterable

import pytest
from sqlalchemy import insert
from sqlmodel import Session, col, select

from cdp import consent, gate, identity, policy, vault
from cdp.db import Database
from cdp.errors import Refusal
from cdp.gate import kept
from cdp.gate.disclosure import disclose
from cdp.gate.opened import gather
from cdp.gate.permit import Permit, ask, record
from cdp.gate.standing import load
from cdp.identity import aside, breaker, seeing
from cdp.identity.model import Aside, Identifier, IdentityCase
from cdp.identity.rules import TokenKey
from cdp.profile.model import Trait
from tests.gate.test_permission import allowed, assert_equal_to_fresh, make_person, say
from tests.gate.test_permit import request_for

ADA = "ada@example.com"
Act = Callable[[Session, int, TokenKey], object]


def key_of(house: Database, mail: str = ADA) -> TokenKey:
    with house.snapshot() as session:
        return "email", vault.of(session).token("email", "", mail)


def retracted(session: Session, person: int, key: TokenKey) -> int:
    return identity.retract(session, person, key, "was never hers", "staff", session.info["clock"].now())


def expired(session: Session, person: int, key: TokenKey) -> int:
    return identity.judge(session, "expire", key, "given to another", "staff", session.info["clock"].now())


def over(session: Session, person: int, key: TokenKey) -> None:
    marked(session, person, key, Aside.EXPIRED)


def held(session: Session, person: int, key: TokenKey) -> None:
    marked(session, person, key, Aside.HELD)


def marked(
    session: Session, person: int, key: TokenKey, why: Aside, does: Callable[..., None] = seeing.set_aside
) -> None:
    """Do as the worker and the breaker do."""
    does(session, {key}, why, [person])
    identity.resolve(session, [person], session.info["clock"].now(), "test")


def act(house: Database, what: Act, person: int, mail: str = ADA) -> object:
    with house.transaction() as session:
        return what(session, person, key_of(house, mail))


def disclosed(house: Database, person: int) -> list[str]:
    """Return the addresses that a page gives."""
    page = gate.read_page(house, request_for(house), lambda session, at: [person])
    assert not isinstance(page, Refusal)
    return [row.fields["email"] for row in page.rows]


@pytest.mark.parametrize("what", [retracted, expired, over, held])
def test_a_value_that_is_not_the_persons_any_more_is_not_written_to(house: Database, what: Act) -> None:
    person = make_person(house)
    say(house, person, "given")
    assert allowed(house, person)
    act(house, what, person)
    assert not allowed(house, person)
    assert_equal_to_fresh(house, person)
    assert disclosed(house, person) == []


@pytest.mark.parametrize("what", [retracted, expired, over, held])
def test_a_permit_asked_for_before_opens_it_no_more(house: Database, what: Act) -> None:
    person = make_person(house)
    say(house, person, "given")
    with house.transaction() as session:
        lease = record(session, request_for(house), [person], house.clock.now())
    with house.snapshot() as session:
        permit = ask(session, lease, house.clock.now())
    act(house, what, person)
    assert _opened(house, permit) == {}


def _opened(house: Database, permit: Permit) -> dict[str, object]:
    with house.snapshot() as session:
        [given] = disclose(permit, gather(session, permit), vault.of(session))
        return dict(given.fields)


@pytest.mark.parametrize("what", [retracted, expired])
def test_taken_back_it_is_written_to_again(house: Database, what: Act) -> None:
    person = make_person(house)
    say(house, person, "given")
    decision = act(house, what, person)
    assert isinstance(decision, int)
    with house.transaction() as session:
        identity.revoke(session, decision, "staff", house.clock.now())
    assert allowed(house, person)
    assert_equal_to_fresh(house, person)
    assert disclosed(house, person) == [ADA]


def test_what_counts_again_is_written_to_again(house: Database) -> None:
    person = make_person(house)
    say(house, person, "given")
    for why in (Aside.EXPIRED, Aside.HELD):
        for does, can in ((seeing.set_aside, False), (seeing.take_back, True)):
            with house.transaction() as session:
                marked(session, person, key_of(house), why, does)
            assert allowed(house, person) is can


def test_a_role_mailbox_is_written_to_as_before(house: Database) -> None:
    person = make_person(house)
    say(house, person, "given")
    with house.transaction() as session:
        marked(session, person, key_of(house), Aside.ROLE)
    assert disclosed(house, person) == [ADA]


@pytest.mark.parametrize("what", [retracted, expired])
def test_a_word_on_a_value_that_joins_nobody_is_heard_all_the_same(house: Database, what: Act) -> None:
    person = make_person(house)
    say(house, person, "given")
    with house.transaction() as session:
        identity.judge(session, "block", key_of(house), "means nobody", "staff", house.clock.now())
    assert allowed(house, person)
    act(house, what, person)
    assert not allowed(house, person)
    assert_equal_to_fresh(house, person)


def test_the_other_address_is_written_to_as_before(house: Database) -> None:
    person = make_person(house, mails=(ADA, "ada@example.org"))
    say(house, person, "given")
    say(house, person, "given", mail="ada@example.org")
    act(house, retracted, person)
    assert disclosed(house, person) == ["ada@example.org"]


@pytest.mark.parametrize("which", [0, 1])
def test_whichever_record_still_has_the_value_gives_it(house: Database, which: int) -> None:
    """Also where a newer record of the same person is said not to have it."""
    records = [make_person(house), make_person(house)]
    with house.transaction() as session:
        identity.resolve(session, records, house.clock.now(), "test")
    assert len(set(people(house, records))) == 1
    say(house, records[0], "given")
    act(house, retracted, records[which])
    with house.transaction() as session:  # the address joined them: somebody knows that they are one
        identity.must(session, *records, "the same", "staff", house.clock.now())
    assert disclosed(house, records[0]) == [ADA]
    act(house, retracted, records[1 - which])
    assert disclosed(house, records[0]) == []


def people(house: Database, records: Iterable[int]) -> list[int]:
    with house.snapshot() as session:
        return sorted(identity.people_of(session, records).values())


def test_what_is_silent_stays_silent(house: Database) -> None:
    """An address is silent for letters too: that it is not hers any more makes no yes of it."""
    person = make_person(house)
    with house.transaction() as session:
        point = vault.of(session).suppression_token("email", "", ADA)
        consent.suppress(session, "email", point, "post", "unsubscribe", house.clock.now())
    act(house, retracted, person)
    with house.snapshot() as session:
        [situation] = load(session, [person], house.clock.now(), "post").values()
    assert [reach.suppressed for reach in situation.standing.reaches] == [("unsubscribe",)]


def test_a_yes_of_a_browser_opens_no_record_that_was_not_seen_in_it(house: Database) -> None:
    records = [make_person(house, "FR", mails=()) for _ in range(2)]
    with house.transaction() as session:
        keys, now = vault.of(session), house.clock.now()
        token = keys.token("anonymous_id", "", "browser-1")
        row = {"namespace": "anonymous_id", "token": token, "epoch": keys.epoch, "sealed": b"x", "verified": False}
        session.execute(
            insert(Identifier), [row | {"subject": one, "normaliser": 1, "first_at": now} for one in records]
        )
        told = {"subject": records[1], "name": "language", "clear": "fr", "at": now, "source": "crm"}
        session.execute(insert(Trait), told)
        identity.must(session, *records, "the same", "staff", now)
    say(house, records[0], "given", purpose="personalisation", channel="web", namespace="anonymous_id", token=token,
        verified=False, public=True, notice="cookies", notice_version="1", method="banner", lifts=b"")  # fmt: skip
    with house.snapshot() as session:
        use = policy.of(session).find_use("personalisation", "staff", "web")

    def shown() -> list[dict[str, object]]:
        asked = request_for(house, use=use, fields=("language",))
        return [dict(row.fields) for row in gate.read_page(house, asked, lambda session, at: [records[0]]).rows]

    assert shown() == [{"language": "fr"}]
    with house.transaction() as session:
        retracted(session, records[1], ("anonymous_id", token))
    assert shown() == [{}]


def test_a_source_on_hold_is_written_to_by_nobody_until_it_is_released(house: Database) -> None:
    person = make_person(house)
    say(house, person, "given")
    with house.transaction() as session:
        case = breaker.hold(session, "crm", "joined too much", house.clock.now())
        aside.hold_back(session, case, {(*key_of(house), person)}, house.clock.now())
    assert not allowed(house, person)
    with house.transaction() as session:
        aside.release(session, session.get_one(IdentityCase, case.id), "staff", house.clock.now())
    assert allowed(house, person)
    assert_equal_to_fresh(house, person)


def test_an_erased_person_is_not_named_by_what_is_anothers(house: Database) -> None:
    person = make_person(house)
    with house.snapshot() as session:
        assert kept._contact(session, [person]) == {"email": ADA}
    act(house, retracted, person)
    with house.snapshot() as session:
        assert kept._contact(session, [person]) is None


def test_what_is_held_is_shown_to_the_person_all_the_same(house: Database) -> None:
    person = make_person(house)
    act(house, retracted, person)
    with house.snapshot() as session:
        assert [one.kind for one in identity.holder.export(session, [person])].count("identifier") == 1
        assert session.scalars(select(col(Identifier.aside))).all() == [int(Aside.RETRACTED)]
