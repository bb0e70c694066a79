"""What is taken in, what is not, and what a second time changes."""

import random
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, col

from cdp import identity, ingest
from cdp.connector.kit import Claim, Item, SourceConfig
from cdp.db import Database
from cdp.errors import Refusal
from cdp.identity.model import Identifier, Token
from cdp.ingest.model import Dropped, Received
from cdp.profile.model import Fact, Person, Subject, Trait
from cdp.vault.model import SubjectKey
from tests.ingest.ground import CRM, MINUTE, NOW, SITE, claims, email, item, ordered, partition, rows, viewed

ADA, BEN, CLEO = "ada@people.example", "ben@people.example", "cleo@people.example"


def take(database: Database, *items: Item | Refusal, source: SourceConfig = SITE) -> ingest.Report:
    return ingest.take(database, source, items, NOW)


def drops(session: Session) -> dict[tuple[str, str], int]:
    return {(row.what, row.reason): row.count for row in rows(session, Dropped)}


def test_a_fact_is_kept_sealed_beside_a_few_pseudonymous_columns(shop: Database) -> None:
    report = take(shop, ordered(email(ADA), message="1"))
    assert [outcome.status for outcome in report.outcomes] == ["accepted"]
    with shop.snapshot() as session:
        (fact,) = rows(session, Fact)
        assert (fact.kind, fact.amount, fact.currency, fact.item, fact.channel) == (
            "Order Completed",
            1200,
            "JPY",
            "SKU-1",
            "web",
        )
        assert fact.at == NOW - 60 * MINUTE and fact.received_at == NOW
        (person,) = rows(session, Person)
        assert person.customer_since == fact.at and person.country == "JP"


def test_an_undeclared_event_is_refused_and_counted_by_its_name(shop: Database) -> None:
    report = take(shop, item(email(ADA), event="Secret Watched", message="1", pointer="/batch/0"))
    assert report.outcomes == [ingest.Outcome("/batch/0", "refused", "undeclared_event", "/batch/0")]
    with shop.snapshot() as session:
        assert rows(session, Fact) == rows(session, Subject) == rows(session, Identifier) == []
        assert drops(session) == {("event:Secret Watched", "undeclared_event"): 1, ("item", "undeclared_event"): 1}


def test_an_undeclared_field_never_reaches_the_disk_and_is_counted(shop: Database) -> None:
    take(shop, ordered(email(ADA), message="1", traits={"tier": "gold", "shoe_size": 38}))
    with shop.snapshot() as session:
        assert drops(session) == {
            ("field:products.name", "undeclared_field"): 1,
            ("field:shoe_size", "undeclared_field"): 1,
        }
        assert [trait.name for trait in rows(session, Trait)] == ["tier"]


def test_a_name_that_looks_like_a_value_is_not_reported(shop: Database) -> None:
    take(shop, item(email(ADA), traits={"ada@people.example": 1, "090-1234-5678": 2}))
    with shop.snapshot() as session:
        assert drops(session) == {("field:*", "undeclared_field"): 2}


def test_a_message_that_was_received_changes_nothing(shop: Database) -> None:
    first = take(shop, ordered(email(ADA), message="1"))
    again = take(shop, ordered(email(ADA), message="1", total=9), ordered(email(ADA), message="2"))
    assert (first.accepted, again.accepted, again.duplicates) == (1, 1, 1)
    with shop.snapshot() as session:
        assert sorted(fact.amount for fact in rows(session, Fact)) == [1200, 1200]


def test_a_message_without_an_id_is_taken_and_reported_as_not_idempotent(shop: Database) -> None:
    report = take(shop, viewed(email(ADA)), viewed(email(ADA)))
    assert [(outcome.status, outcome.idempotent) for outcome in report.outcomes] == [("accepted", False)] * 2
    with shop.snapshot() as session:
        assert len(rows(session, Fact)) == 2


def test_one_message_id_of_two_sources_is_two_messages(shop: Database) -> None:
    take(shop, viewed(email(ADA), message="1"))
    assert take(shop, viewed(email(ADA), message="1"), source=CRM).accepted == 1


def test_an_item_that_names_nobody_is_refused(shop: Database) -> None:
    report = take(shop, viewed(*claims(user_id="anonymous", email="no address", phone="000"), message="1"))
    assert report.refused == {"no_identifier": 1}
    with shop.snapshot() as session:
        assert rows(session, Subject) == rows(session, Received) == []
        assert drops(session)["field:phone", "unusable_identifier"] == 1


@pytest.mark.parametrize("ahead", [timedelta(days=2), timedelta(days=40000)])
def test_a_time_in_the_future_becomes_the_time_of_receipt(shop: Database, ahead: timedelta) -> None:
    take(shop, viewed(email(ADA), message="1", at=NOW + ahead))
    with shop.snapshot() as session:
        assert [fact.at for fact in rows(session, Fact)] == [NOW]
        assert drops(session) == {("item:clock", "clock"): 1}


def test_a_refusal_of_the_connector_stands_in_the_report_and_in_the_counts(shop: Database) -> None:
    report = take(shop, Refusal("row_malformed", "row 2"), viewed(email(ADA), message="1"))
    assert [(outcome.pointer, outcome.status) for outcome in report.outcomes] == [
        ("row 2", "refused"),
        ("/1", "accepted"),
    ]
    with shop.snapshot() as session:
        assert drops(session) == {("item", "row_malformed"): 1}


@pytest.mark.parametrize(
    ("total", "currency", "expected"),
    [
        (1200, "JPY", (1200, "JPY")),
        ("1,200.50", "USD", (120050, "USD")),
        (19.99, "eur", (1999, "EUR")),
        (1.2345, "KWD", (1235, "KWD")),
        (10, "", (None, None)),
        ("ten", "JPY", (None, None)),
        (float("nan"), "JPY", (None, None)),
        (True, "JPY", (None, None)),
        (1e300, "JPY", (None, None)),
    ],
)
def test_amounts_are_minor_units_of_their_currency(
    shop: Database, total: Any, currency: str, expected: tuple[int | None, str | None]
) -> None:
    properties = {"total": total, "currency": currency}
    take(shop, item(email(ADA), event="Order Completed", properties=properties))
    with shop.snapshot() as session:
        assert [(fact.amount, fact.currency) for fact in rows(session, Fact)] == [expected]


def test_a_refund_is_negative(shop: Database) -> None:
    take(shop, item(email(ADA), event="Order Refunded", properties={"total": 300, "currency": "JPY"}))
    with shop.snapshot() as session:
        assert [fact.amount for fact in rows(session, Fact)] == [-300]


@pytest.mark.parametrize("order", ["fact first", "retraction first", "together"])
def test_a_retracted_fact_is_gone_whichever_came_first(shop: Database, order: str) -> None:
    fact, retraction = viewed(email(ADA), message="1"), item(message="2", retracts="1")
    deliveries = {"fact first": [[fact], [retraction]], "retraction first": [[retraction], [fact]]}
    for delivery in deliveries.get(order, [[fact, retraction]]):
        take(shop, *delivery)
    with shop.snapshot() as session:
        assert rows(session, Fact) == []


def test_a_batch_is_one_entry_of_the_ledger_without_a_value(shop: Database) -> None:
    from cdp.ledger.model import LedgerEntry

    report = take(shop, viewed(email(ADA), message="1"), viewed(email(BEN), message="2"))
    take(shop, viewed(email(ADA), message="1"))
    with shop.snapshot() as session:
        (entry,) = [row for row in rows(session, LedgerEntry) if row.act == "ingest.batch"]
        assert [entry.entry] == report.entries
        assert '"accepted":2' in entry.header and ADA not in entry.header


def brought() -> list[tuple[SourceConfig, Item]]:
    """Three people over a site, a shop's CRM and LINE, with every kind of join between them."""
    said = []
    for number, address in enumerate((ADA, BEN, CLEO)):
        user, device, line = f"user-{number}", f"device-{number}", f"U{number:032d}"
        phone = f"090-1234-567{number}"
        said += [
            (SITE, viewed(*claims(anonymous_id=device), message=f"v{number}")),
            (SITE, viewed(*claims(anonymous_id=device, user_id=user), message=f"w{number}")),
            (SITE, ordered(*claims(user_id=user), email(address), message=f"o{number}", traits={"tier": "gold"})),
            (CRM, item(email(address), *claims(phone=phone), message=f"c{number}", traits={"full_name": "名 前"})),
            (CRM, item(*claims(phone=phone), Claim("line_uid", line, "provider"), message=f"l{number}")),
            (CRM, item(*claims(phone=phone), message=f"t{number}", traits={"tier": "regular"})),
        ]
    said.append((SITE, viewed(*claims(anonymous_id="kiosk", user_id="user-0"), message="k0")))
    said.append((SITE, viewed(*claims(anonymous_id="kiosk", user_id="user-1"), message="k1")))
    return said


def state(database: Database) -> tuple[Any, ...]:
    with database.snapshot() as session:
        facts = sorted((bytes(fact.ref), fact.kind, fact.at, fact.amount) for fact in rows(session, Fact))
        traits = sorted((trait.name, trait.clear or "", trait.at) for trait in rows(session, Trait))
        slots = sorted((person.t03 or "", person.country, person.customer_since) for person in rows(session, Person))
        return facts, traits, slots, partition(session), len(rows(session, Identifier))


def test_everything_twice_and_in_ten_orders_gives_the_same_facts_and_the_same_people(shop: Database) -> None:
    expected, said = None, brought()
    for seed in range(10):
        shuffled = said * 2
        random.Random(seed).shuffle(shuffled)
        for source, one in shuffled if seed % 2 else said + said:
            take(shop, one, source=source)
        found = state(shop)
        assert len(found[3]) == 3
        expected = expected or found
        assert found == expected, f"order {seed}"
        empty(shop)


def test_one_batch_and_single_messages_give_the_same(shop: Database) -> None:
    for source in (SITE, CRM):
        take(shop, *[one for origin, one in brought() if origin is source], source=source)
    whole = state(shop)
    empty(shop)
    for source, one in reversed(brought()):
        take(shop, one, source=source)
    assert state(shop) == whole


def empty(database: Database) -> None:
    from cdp import profile, vault

    with database.transaction() as session:
        numbers = [row.number for row in rows(session, Subject)]
        for holder in (identity.holder, profile.holder, vault.holder):
            holder.forget(session, numbers)
        for row in rows(session, Received):
            session.delete(row)
    with database.snapshot() as session:
        for table in (Subject, SubjectKey, Identifier, Token, Trait, Fact, Person):
            assert rows(session, table) == [], table


def test_traits_keep_the_newest_statement_whatever_the_order(shop: Database) -> None:
    take(shop, item(email(ADA), message="2", traits={"tier": "gold"}, at=NOW - MINUTE))
    take(shop, item(email(ADA), message="1", traits={"tier": "regular"}, at=NOW - 2 * MINUTE))
    with shop.snapshot() as session:
        assert [person.t03 for person in rows(session, Person)] == ["gold"]


def test_a_login_joins_what_the_device_and_the_user_did_before(shop: Database) -> None:
    take(shop, viewed(*claims(anonymous_id="a"), message="1"), viewed(*claims(user_id="u"), message="2"))
    take(shop, viewed(*claims(anonymous_id="a", user_id="u"), message="3"))
    with shop.snapshot() as session:
        assert len(partition(session)) == 1
        assert {row.person for row in rows(session, Subject, col(Subject.number))} == {1}
