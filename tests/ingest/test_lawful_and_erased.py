"""What may not be collected is not kept, what says no always is, and who was erased stays out."""

from dataclasses import replace
from datetime import datetime

import pytest
from sqlmodel import Session, col, select

from cdp import consent, gate, identity, ingest, profile, vault
from cdp.connector.kit import Claim, Item, Signal, Silence, SourceConfig
from cdp.consent.model import ConsentRecord, Suppression
from cdp.db import Database
from cdp.gate.model import Permission
from cdp.identity.model import Identifier, Token
from cdp.profile.model import Fact, Person, Subject, Trait
from cdp.vault.model import SubjectKey
from tests.ingest.ground import BROWSER, MINUTE, NOW, SHOP, SITE, claims, email, item, ordered, rows, viewed

LATER = NOW + 5 * MINUTE
ADA, BEN, EVE = "ada@people.example", "ben@people.example", "eve@people.example"
EUROPE = replace(SITE, name="europe", residence_default="DE")
AGREED = Signal("analytics", "web", "given", act=False, method="banner")
REFUSED = Signal("analytics", "web", "withdrawn", act=False, method="banner")
LETTER = Signal("email_marketing", "email", "given", act=True, method="checkbox")


def take(database: Database, *items: Item, source: SourceConfig = SITE, at: datetime = NOW) -> ingest.Report:
    return ingest.take(database, source, items, at)


def count(database: Database, table: type) -> int:
    with database.snapshot() as session:
        return len(rows(session, table))


def erase(database: Database, address: str, at: datetime = NOW) -> None:
    """Do to the database what an erasure does, in one go."""
    with database.transaction() as session:
        person = identity.find(session, "email", "", address)
        numbers = identity.subjects_of(session, person or 0)
        for row in session.exec(select(Identifier).where(col(Identifier.subject).in_(numbers))).all():
            consent.suppress(session, row.namespace, row.suppression_token, "*", "erasure", at)
        forget(session, numbers)


def forget(session: Session, numbers: list[int]) -> None:
    for holder in (gate.holder, consent.holder, identity.holder, profile.holder, vault.holder):
        holder.forget(session, numbers)


def test_a_fact_that_no_purpose_allows_is_not_stored_and_nobody_is_kept_for_it(shop: Database) -> None:
    report = take(shop, viewed(*claims(anonymous_id="a"), message="1"), source=EUROPE)
    assert report.refused == {"unlawful": 1}
    for table in (Fact, Subject, SubjectKey, Identifier, Token, Person, Permission):
        assert count(shop, table) == 0, table


def test_a_yes_in_the_same_item_makes_its_fact_lawful(shop: Database) -> None:
    report = take(shop, viewed(*claims(anonymous_id="a"), message="1", signals=(AGREED,)), source=EUROPE)
    assert (report.accepted, count(shop, Fact), count(shop, ConsentRecord)) == (1, 1, 1)


def test_a_stated_country_counts_for_the_very_item_that_states_it(shop: Database) -> None:
    german = item(*claims(anonymous_id="a"), message="1", traits={"country": "ドイツ"})
    assert take(shop, german, viewed(*claims(anonymous_id="a"), message="2")).refused == {"unlawful": 1}


def test_a_no_is_kept_when_its_item_is_refused(shop: Database) -> None:
    unlawful = viewed(*claims(anonymous_id="a"), message="1", signals=(REFUSED,))
    undeclared = item(*claims(anonymous_id="b"), event="Odd", message="2", signals=(REFUSED, LETTER))
    report = take(shop, unlawful, undeclared, source=EUROPE)
    assert report.refused == {"unlawful": 1, "undeclared_event": 1}
    with shop.snapshot() as session:
        assert [row.status for row in rows(session, ConsentRecord)] == ["withdrawn", "withdrawn"]
    assert count(shop, Fact) == 0


def test_traits_that_no_purpose_allows_are_left_out_and_the_fact_is_kept(shop: Database) -> None:
    source = replace(EUROPE, purposes=("analytics",))
    report = take(shop, ordered(*claims(user_id="u"), message="1", traits={"tier": "gold"}), source=source)
    assert (report.accepted, count(shop, Fact), count(shop, Trait)) == (1, 1, 0)
    assert report.dropped["field:tier", "unlawful"] == 1


def test_a_public_key_cannot_grant_a_contact_channel_but_its_no_counts(shop: Database) -> None:
    no = replace(LETTER, status="withdrawn")
    report = take(shop, viewed(email(ADA), message="1", signals=(LETTER, no)), source=BROWSER)
    assert [note.reason for note in report.outcomes[0].notes] == ["public_key_cannot_grant_contact"]
    with shop.snapshot() as session:
        assert [(row.status, row.public, row.verified) for row in rows(session, ConsentRecord)] == [
            ("withdrawn", True, False)
        ]
        assert [row.verified for row in rows(session, Identifier)] == [False]


@pytest.mark.parametrize(
    ("signal", "reason"),
    [
        (replace(LETTER, contact=Claim("email", "no address")), "contact_needed"),
        (LETTER, "contact_needed"),
        (replace(LETTER, purpose="unheard_of"), "undeclared_purpose"),
        (replace(AGREED, contact=Claim("anonymous_id", "unknown")), "unusable_contact"),
        (replace(AGREED, notice="n" * 65, notice_version="1"), "signal_malformed"),
        (replace(AGREED, notice="cookies", notice_version="v" * 33), "signal_malformed"),
        (replace(AGREED, language="l" * 9), "signal_malformed"),
        (replace(AGREED, method="m" * 33), "signal_malformed"),
    ],
)
def test_a_statement_about_nothing_is_refused_with_its_reason(shop: Database, signal: Signal, reason: str) -> None:
    report = take(shop, viewed(*claims(user_id="u"), message="1", signals=(signal,)))
    assert [note.reason for note in report.outcomes[0].notes] == [reason]
    assert count(shop, ConsentRecord) == 0


def test_a_no_about_nothing_usable_is_the_whole_subjects(shop: Database) -> None:
    noes = (
        replace(LETTER, status="withdrawn", contact=Claim("email", "no address")),
        replace(REFUSED, method="gpc", contact=Claim("anonymous_id", "unknown")),
    )
    assert take(shop, viewed(*claims(user_id="u"), message="1", signals=noes)).outcomes[0].notes == ()
    with shop.snapshot() as session:
        found = [(row.status, row.namespace, row.token) for row in rows(session, ConsentRecord)]
    assert found == [("withdrawn", "", b"")] * 2


def test_a_no_in_words_too_long_to_keep_is_kept_without_them(shop: Database) -> None:
    no = replace(REFUSED, notice="n" * 65, notice_version="v" * 33, language="l" * 9, method="m" * 33)
    take(shop, viewed(*claims(user_id="u"), message="1", signals=(no,)))
    with shop.snapshot() as session:
        (row,) = rows(session, ConsentRecord)
        assert (row.status, row.method, row.language) == ("withdrawn", "banner", "ja")


def test_a_yes_through_a_public_key_that_binds_no_device_is_refused(shop: Database) -> None:
    report = take(shop, viewed(*claims(user_id="u"), message="1", signals=(AGREED,)), source=BROWSER)
    assert [note.reason for note in report.outcomes[0].notes] == ["unusable_contact"]


def test_a_yes_for_an_address_that_nobody_vouches_for_is_not_the_identified_persons(shop: Database) -> None:
    who = (*claims(user_id="u"), email(ADA, verified=False))
    take(shop, viewed(*who, message="1", signals=(LETTER,)))
    with shop.snapshot() as session:
        assert [row.verified for row in rows(session, ConsentRecord)] == [False]


def test_a_yes_without_a_named_notice_is_partial_evidence(shop: Database) -> None:
    take(shop, viewed(email(ADA), message="1", signals=(LETTER,)), source=replace(SITE, notice=""))
    with shop.snapshot() as session:
        assert [row.evidence for row in rows(session, ConsentRecord)] == ["partial"]


def test_a_silence_for_an_unknown_contact_makes_nobody(shop: Database) -> None:
    silence = Silence(Claim("email", ADA), "email", "unsubscribe")
    report = take(shop, item(email(ADA), message="1", silences=(silence,)))
    assert (report.accepted, count(shop, Suppression), count(shop, Subject)) == (1, 1, 0)


def test_an_import_does_not_bring_back_who_was_erased(shop: Database) -> None:
    take(shop, ordered(email(EVE), message="1"))
    erase(shop, EVE)
    assert count(shop, Subject) == count(shop, Token) == 0
    for source in (SITE, replace(SHOP, public=True)):
        assert take(shop, ordered(email(EVE), message="2"), source=source).refused == {"suppressed": 1}
    assert take(shop, viewed(email(EVE), message="3"), source=SHOP).refused == {"suppressed": 1}
    assert count(shop, Subject) == count(shop, Fact) == count(shop, Token) == 0


def test_a_first_party_act_starts_a_new_subject_that_goes_on(shop: Database) -> None:
    take(shop, ordered(email(EVE), message="1"))
    erase(shop, EVE)
    assert take(shop, ordered(email(EVE), message="2", at=LATER), source=SHOP, at=LATER).accepted == 1
    assert take(shop, viewed(email(EVE), message="3", at=LATER), source=SHOP, at=LATER).accepted == 1
    with shop.snapshot() as session:
        assert {row.number for row in rows(session, Subject)} == {2}
        assert {fact.subject for fact in rows(session, Fact)} == {2}
        assert [row.lifted_at for row in rows(session, Suppression)] == [LATER]


def test_only_the_identifiers_of_the_first_party_act_begin_anew(shop: Database) -> None:
    take(shop, ordered(email(EVE), *claims(user_id="eve"), message="1"))
    erase(shop, EVE)
    take(shop, ordered(email(EVE), message="2", at=LATER), source=SHOP, at=LATER)
    again = take(shop, ordered(*claims(user_id="eve"), message="3", at=LATER), at=LATER)
    assert again.refused == {"suppressed": 1}


def test_a_message_from_before_the_erasure_begins_nothing_anew_and_never_returns(shop: Database) -> None:
    take(shop, ordered(email(EVE), message="1"))
    erase(shop, EVE)
    old = ordered(email(EVE), message="2", at=NOW)
    assert take(shop, old, source=SHOP, at=LATER).refused == {"suppressed": 1}
    assert take(shop, ordered(email(EVE), message="3", at=LATER), source=SHOP, at=LATER).accepted == 1
    assert take(shop, old, source=SHOP, at=LATER).refused == {"suppressed": 1}
    assert count(shop, Fact) == 1


def test_that_someone_else_has_an_erased_identifier_lets_nothing_in(shop: Database) -> None:
    take(shop, ordered(email(EVE), message="1"))
    with shop.transaction() as session:
        row = session.exec(select(Identifier)).one()
        consent.suppress(session, row.namespace, row.suppression_token, "*", "erasure", NOW)
    assert take(shop, ordered(email(EVE), message="2", at=LATER), at=LATER).refused == {"suppressed": 1}


def test_nobody_is_readmitted_while_the_erasure_is_under_way(shop: Database) -> None:
    take(shop, ordered(email(EVE), message="1"))
    with shop.transaction() as session:
        row = session.exec(select(Identifier)).one()
        consent.suppress(session, row.namespace, row.suppression_token, "*", "erasure", NOW)
        session.exec(select(Subject)).one().erasing = True
    assert take(shop, ordered(email(EVE), message="2", at=LATER), source=SHOP, at=LATER).refused == {"suppressed": 1}


def test_a_refused_message_may_come_again_mended(shop: Database) -> None:
    assert take(shop, viewed(*claims(email="broken"), message="1")).refused == {"no_identifier": 1}
    assert take(shop, viewed(email(ADA), message="1")).accepted == 1


def test_no_value_of_a_person_stands_in_the_files(shop: Database, tmp_path_factory: pytest.TempPathFactory) -> None:
    secrets = {
        "canary-user-77",
        "canary.mail@people.example",
        "+819012340077",
        "カナリア",
        "1991-07-07",
        "Canarystreet",
    }
    who = (*claims(user_id="canary-user-77", phone="090-1234-0077"), email("Canary.Mail@people.example"))
    traits = {"full_name": "カナリア", "birthday": "1991-07-07", "address": {"street": "Canarystreet"}}
    take(
        shop,
        ordered(*who, message="canary-message", traits=traits),
        viewed(*who, message="2", sku="S", at=NOW - MINUTE),
    )
    assert count(shop, Fact) == 2
    if not shop.is_sqlite:
        with shop.snapshot() as session:
            kept = " ".join(
                str(row) for table in (Fact, Trait, Identifier, Subject, Person) for row in rows(session, table)
            )
        assert not [secret for secret in secrets if secret in kept]
        return
    from sqlalchemy.engine import make_url

    path = make_url(shop.url).database or ""
    found = b"".join(open(path + end, "rb").read() for end in ("", "-wal"))  # noqa: PTH123, SIM115
    assert b"Order Completed" in found
    assert not [secret for secret in secrets if secret.encode() in found]
