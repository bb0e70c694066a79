"""A mailbox joins beside its addresses, a fixed line joins nobody, and what was said of either is never lost."""

from collections.abc import Iterable

import pytest
from sqlalchemy import update
from sqlmodel import Session

from cdp import consent, gate, identity, ingest, profile, vault
from cdp.connector.kit import Claim, Item, Signal, Silence, SourceConfig
from cdp.consent.model import Suppression
from cdp.db import Database
from cdp.gate.standing import load
from cdp.identity import correcting
from cdp.identity.arriving import Arrival, fingerprint
from cdp.identity.model import Identifier, Token
from cdp.identity.normalise import Canonical, canonical
from cdp.identity.sealed import cell, plaintext
from cdp.profile.model import Subject
from tests.identity.whole import WHOLE
from tests.ingest.ground import (
    BROWSER,
    MINUTE,
    NOW,
    SHOP,
    SITE,
    claims,
    email,
    item,
    make_policy,
    ordered,
    rows,
    viewed,
)

DOTTED, PLAIN, TAGGED = "a.da@gmail.com", "ada@gmail.com", "ada+shop@googlemail.com"
OFFICE, MOBILE = "03-1234-5678", "090-1234-5678"


@pytest.fixture
def shop(shop: Database) -> Database:
    shop.context["policy"] = WHOLE
    return shop


def take(database: Database, *items: Item, source: SourceConfig = SITE, later: int = 0) -> ingest.Report:
    """Bring one after the other, so that subjects are numbered as they come; returns the last report."""
    return [ingest.take(database, source, [one], NOW + later * MINUTE) for one in items][-1]


def people(database: Database) -> list[int]:
    """Return the person of every subject, in order."""
    with database.snapshot() as session:
        return [row.person for row in rows(session, Subject, Subject.number)]


def held(database: Database, subject: int) -> dict[str, bool]:
    """Return the namespaces of a subject's evidence, and whether it is proved."""
    with database.snapshot() as session:
        return {row.namespace: row.verified for row in rows(session, Identifier) if row.subject == subject}


def spelled(type_: str, value: str, verified: bool = True) -> Canonical:
    name = canonical(WHOLE, type_, value, verified=verified)
    assert name is not None
    return name


def as_version_1(database: Database) -> None:
    """Write what is there as the normaliser before this one did: fixed lines are telephones, no mailboxes."""
    with database.transaction() as session:
        for row in rows(session, Identifier):
            if row.namespace == "email_canon":
                session.delete(row)
                session.delete(session.get_one(Token, ("email_canon", row.token)))
            elif row.namespace == "phone_fixed":
                dek = vault.deks(session, [row.subject])[row.subject]
                sealed = vault.seal(dek, plaintext(spelled("phone", OFFICE)), cell(row.subject, "phone", row.token))
                session.get_one(Token, ("phone_fixed", row.token)).namespace = "phone"
                row.namespace, row.sealed = "phone", sealed
        session.flush()
        session.execute(update(Identifier).values(normaliser=1))


def test_two_spellings_of_a_mailbox_are_one_person_and_stay_two_addresses(shop: Database) -> None:
    take(
        shop, viewed(email(DOTTED), message="1"), viewed(email(TAGGED), message="2"), viewed(email(PLAIN), message="3")
    )
    assert people(shop) == [1, 1, 1]
    with shop.snapshot() as session:
        assert identity.find_subject(session, "email", "", TAGGED) == 2
        assert identity.find(session, "email", "", "a.d.a@gmail.com") is None
        assert identity.find(session, "email_canon", "", "a.d.a@gmail.com") == 1
        assert {row.normaliser for row in rows(session, Identifier)} == {2}


def test_elsewhere_a_tag_may_be_somebody_else(shop: Database) -> None:
    take(shop, viewed(email("ada@people.example"), message="1"), viewed(email("ada+x@people.example"), message="2"))
    assert people(shop) == [1, 2]


def test_a_mailbox_that_nobody_vouches_for_joins_nobody_until_it_is_proved(shop: Database) -> None:
    take(shop, viewed(email(DOTTED, verified=False), message="1"), viewed(email(PLAIN), message="2"))
    assert (people(shop), held(shop, 1)) == ([1, 2], {"email": False, "email_canon": False})
    take(shop, viewed(email(DOTTED), message="3"))
    assert (people(shop), held(shop, 1)) == ([1, 1], {"email": True, "email_canon": True})


def vouched(session: Session, address: str) -> None:
    name = spelled("email", address)
    identity.vouch(session, 1, "email", vault.of(session).token("email", "", name.value), NOW, "confirmed")


def test_an_address_that_is_confirmed_proves_its_mailbox(shop: Database) -> None:
    take(shop, viewed(email(DOTTED, verified=False), message="1"), viewed(email(PLAIN), message="2"))
    with shop.transaction() as session:
        vouched(session, DOTTED)
    assert people(shop) == [1, 1]


def test_of_two_addresses_the_mailbox_is_proved_with_the_last(shop: Database) -> None:
    """From which of them it was derived is sealed."""
    take(shop, viewed(email(DOTTED, verified=False), email("eve@people.example", verified=False), message="1"))
    with shop.transaction() as session:
        vouched(session, "eve@people.example")
    assert held(shop, 1)["email_canon"] is False
    with shop.transaction() as session:
        vouched(session, DOTTED)
    assert held(shop, 1)["email_canon"] is True


def test_the_same_set_is_the_same_subject_whatever_follows_from_it(shop: Database) -> None:
    plain = make_policy()
    for policy in (plain, WHOLE):
        shop.context["policy"] = policy
        take(shop, viewed(email(DOTTED), *claims(phone=OFFICE), message=str(len(policy.namespaces))))
    assert people(shop) == [1]
    with shop.snapshot() as session:
        names = [(one, canonical(one, "phone", OFFICE)) for one in (plain, WHOLE)]
        assert [name.namespace for _, name in names if name] == ["phone", "phone_fixed"]
        assert len({fingerprint(session, Arrival("s", (name,))) for _, name in names if name}) == 1


def test_a_fixed_line_is_found_as_a_telephone_and_joins_nobody(shop: Database) -> None:
    take(shop, *[viewed(*claims(user_id=f"u{n}", phone=OFFICE), message=f"{n}") for n in (1, 2)])
    assert (people(shop), held(shop, 1)) == ([1, 2], {"phone_fixed": True, "user_id": True})
    with shop.snapshot() as session:
        assert identity.find_all(session, "phone", "", OFFICE) == [1, 2]
        assert identity.find_all(session, "phone_fixed", "", "+81312345678") == [1, 2]


def test_a_fixed_line_that_was_stored_as_a_telephone_is_still_found_and_proved(shop: Database) -> None:
    take(shop, viewed(Claim("phone", OFFICE, verified=False), message="1"))
    as_version_1(shop)
    with shop.snapshot() as session:
        assert identity.find(session, "phone", "", OFFICE) == 1
        token = vault.of(session).token("phone_fixed", "", "+81312345678")
        assert not identity.having(session, [("phone_fixed", token)])
    take(shop, viewed(*claims(phone=OFFICE), message="2"))
    assert (people(shop), held(shop, 1)) == ([1], {"phone": True})
    with shop.snapshot() as session:
        assert identity.having(session, [("phone_fixed", token)]) == {("phone_fixed", token): {1}}


def ways(database: Database, channel: str) -> set[str]:
    """Return the namespaces of what a person can be reached at on a channel."""
    with database.snapshot() as session:
        return {point.namespace for point in load(session, [1], NOW, channel)[1].points if point}


@pytest.mark.parametrize(
    ("channel", "reached"), [("phone", {"phone", "phone_fixed"}), ("sms", {"phone"}), ("email", {"email"})]
)
def test_a_fixed_line_takes_calls_and_no_texts_and_a_mailbox_nothing(
    shop: Database, channel: str, reached: set[str]
) -> None:
    take(shop, viewed(email(DOTTED), *claims(phone=MOBILE), Claim("phone", OFFICE, verified=True), message="1"))
    assert ways(shop, channel) == reached


@pytest.mark.parametrize(("channel", "refusals"), [("phone", []), ("sms", ["contact_needed"])])
def test_a_fixed_line_is_a_contact_point_for_calls_alone(shop: Database, channel: str, refusals: list[str]) -> None:
    yes = Signal("service_delivery", channel, "given", act=True, method="form")
    report = take(shop, item(*claims(phone=OFFICE), message="1", signals=(yes,)))
    assert [reason for (_, reason) in report.dropped] == refusals


def silent(database: Database) -> set[tuple[str, str]]:
    with database.snapshot() as session:
        return {(row.channel, row.reason) for row in rows(session, Suppression) if row.lifted_at is None}


def test_a_silence_of_a_number_holds_whatever_line_it_is_taken_for(shop: Database) -> None:
    shop.context["policy"] = make_policy()
    take(shop, item(silences=(Silence(Claim("phone", OFFICE), "phone", "do_not_call"),), message="1"))
    shop.context["policy"] = WHOLE
    take(shop, viewed(*claims(phone=OFFICE), message="2"))
    with shop.snapshot() as session:
        (reach,) = load(session, [1], NOW, "phone")[1].standing.reaches
    assert reach.suppressed == ("do_not_call",)
    take(shop, item(silences=(Silence(Claim("phone", OFFICE), "phone", "do_not_call"),), message="3"))
    with shop.snapshot() as session:
        assert len(rows(session, Suppression)) == 1


def test_a_no_to_a_number_reaches_the_records_of_both_kinds(shop: Database) -> None:
    take(shop, viewed(*claims(phone=OFFICE, user_id="u"), message="1"))
    as_version_1(shop)
    take(shop, viewed(*claims(phone=OFFICE, user_id="v"), message="2"))
    with shop.transaction() as session:
        name = spelled("phone", OFFICE)
        _, subjects = consent.withdraw(session, consent.point(session, name.namespace, "", name.value), NOW)
    assert subjects == {1, 2}
    assert silent(shop) == {("phone", "unsubscribe"), ("sms", "unsubscribe")}


def erase(database: Database, subjects: Iterable[int]) -> None:
    """Do to the database what an erasure does, in one go."""
    with database.transaction() as session:
        for row in rows(session, Identifier):
            if row.subject in subjects:
                consent.suppress(session, row.namespace, row.suppression_token, "*", "erasure", NOW)
        for holder in (gate.holder, consent.holder, identity.holder, profile.holder, vault.holder):
            holder.forget(session, list(subjects))


@pytest.mark.parametrize("address", [DOTTED, PLAIN, TAGGED])
def test_an_erased_mailbox_does_not_come_back_in_another_spelling(shop: Database, address: str) -> None:
    take(shop, viewed(email(DOTTED), message="1"))
    erase(shop, [1])
    again = viewed(email(address), message="2", at=NOW + MINUTE)
    assert take(shop, again, later=2).refused == {"suppressed": 1}
    with shop.snapshot() as session:
        assert not rows(session, Identifier)


def test_a_first_party_act_begins_the_mailbox_anew(shop: Database) -> None:
    take(shop, viewed(email(DOTTED), message="1"))
    erase(shop, [1])
    back = ordered(email(DOTTED), message="2", at=NOW + MINUTE)
    assert take(shop, back, source=SHOP, later=2).accepted == 1
    again = viewed(email(PLAIN), message="3", at=NOW + 3 * MINUTE)
    assert take(shop, again, later=4).accepted == 1
    assert len(set(people(shop))) == 1


def test_an_erased_fixed_line_does_not_come_back_under_another_name(shop: Database) -> None:
    take(shop, viewed(*claims(phone=OFFICE), message="1"))
    as_version_1(shop)
    erase(shop, [1])
    again = viewed(*claims(phone=OFFICE), message="2", at=NOW + MINUTE)
    assert take(shop, again, later=2).refused == {"suppressed": 1}
    back = ordered(*claims(phone=OFFICE), message="3", at=NOW + 3 * MINUTE)
    assert take(shop, back, source=SHOP, later=4).accepted == 1
    assert silent(shop) == set()


def correct(database: Database, remove: str = "", add: str = "", verified: bool = True) -> None:
    with database.transaction() as session:
        if remove:
            assert correcting.remove(session, [1], spelled("email", remove), "r", NOW) == [1]
        if add:
            assert correcting.add(session, [1], spelled("email", add, verified), "r", NOW) == 1
        identity.resolve(session, [1, 2], NOW, "rectification")


def revoke(database: Database) -> None:
    with database.transaction() as session:
        identity.resolve(session, {1, 2, *correcting.revoke(session, "r", NOW)}, NOW, "rectification")


def test_a_removed_address_takes_its_mailbox_along_and_brings_it_back(shop: Database) -> None:
    take(shop, viewed(email(DOTTED), *claims(crm_id="c"), message="1"), viewed(email(PLAIN), message="2"))
    before = held(shop, 1)
    assert people(shop) == [1, 1]
    correct(shop, remove=DOTTED)
    assert (people(shop), held(shop, 1)) == ([1, 2], {"crm_id": True})
    revoke(shop)
    assert (people(shop), held(shop, 1)) == ([1, 1], before)


def test_an_added_address_brings_its_mailbox_and_takes_it_along(shop: Database) -> None:
    take(shop, viewed(*claims(crm_id="c"), message="1"), viewed(email(PLAIN), message="2"))
    correct(shop, add=DOTTED)
    assert people(shop) == [1, 1]
    revoke(shop)
    assert (people(shop), held(shop, 1)) == ([1, 2], {"crm_id": True})


def test_one_spelling_put_in_the_place_of_another_keeps_the_mailbox(shop: Database) -> None:
    take(shop, viewed(email(DOTTED), *claims(crm_id="c"), message="1"), viewed(email(PLAIN), message="2"))
    correct(shop, remove=DOTTED, add=TAGGED)
    assert (people(shop), held(shop, 1)) == ([1, 1], {"crm_id": True, "email": True, "email_canon": True})
    revoke(shop)
    with shop.snapshot() as session:
        assert identity.find_subject(session, "email", "", DOTTED) == 1
        assert identity.find(session, "email", "", TAGGED) is None


@pytest.mark.parametrize(("address", "kept"), [(DOTTED, False), (TAGGED, False), ("eve@gmail.com", True)])
def test_what_was_removed_does_not_come_back_in_another_spelling(shop: Database, address: str, kept: bool) -> None:
    take(shop, viewed(email(DOTTED), *claims(crm_id="c"), message="1"), viewed(email(PLAIN), message="2"))
    correct(shop, remove=DOTTED)
    report = take(shop, viewed(email(address), *claims(crm_id="c", user_id="u"), message="3"), later=1)
    assert report.dropped["field:email", "corrected"] == (not kept)
    assert people(shop) == [1, 2, 1]


@pytest.mark.parametrize("verified", [True, False])
def test_what_was_put_in_its_place_may_come_again(shop: Database, verified: bool) -> None:
    take(shop, viewed(email(DOTTED), *claims(crm_id="c"), message="1"), viewed(email("eve@gmail.com"), message="2"))
    correct(shop, remove=DOTTED, add=TAGGED, verified=verified)
    report = take(shop, viewed(email(TAGGED), *claims(crm_id="c", user_id="u"), message="3"), later=1)
    assert not report.dropped


def test_a_browser_proves_no_mailbox(shop: Database) -> None:
    take(shop, viewed(email(PLAIN), *claims(user_id="u"), message="1"))
    take(shop, viewed(email(DOTTED), *claims(anonymous_id="a"), message="2"), source=BROWSER)
    assert (people(shop), held(shop, 2)["email_canon"]) == ([1, 2], False)
