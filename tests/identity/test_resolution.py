"""Who is who as stored: found, joined, parted, decided and forgotten, and always equal to the rules."""

from dataclasses import replace

import pytest
from sqlmodel import Session, col, select

from cdp import identity, ingest, profile, vault
from cdp.connector.kit import Claim, Item
from cdp.db import Database
from cdp.errors import Problem
from cdp.identity import graph, rules
from cdp.identity.model import Alias, Identifier, Token
from cdp.ledger.model import LedgerEntry
from cdp.policy.terms import Policy
from cdp.profile.model import Person, Subject
from tests.ingest.ground import BROWSER, NOW, SITE, claims, email, rows, viewed

ADA, BEN = "ada@people.example", "ben@people.example"


def take(database: Database, *items: Item) -> None:
    assert ingest.take(database, SITE, items, NOW).accepted == len(items)


def people(database: Database) -> dict[int, int]:
    """Return subject → person, after checking that it is what the rules say of all the evidence."""
    with database.snapshot() as session:
        found = {row.number: row.person for row in rows(session, Subject)}
        region = graph.load(session, found)
        policy: Policy = session.info["policy"]
        assert found == resolved(region, policy), "stored people differ from the rules'"
        assert {row.person for row in rows(session, Person)} == set(found.values())
        return found


def resolved(region: graph.Region, policy: Policy) -> dict[int, int]:
    known = replace(region.known, blocked=frozenset())
    return dict(rules.resolve(known, policy.namespaces).people)


def two_people(database: Database) -> None:
    take(database, viewed(*claims(user_id="u1"), message="1"), viewed(*claims(user_id="u2"), message="2"))


def test_a_known_identifier_finds_its_person_in_any_spelling(shop: Database) -> None:
    take(shop, viewed(email(ADA), *claims(phone="090-1234-5678"), message="1"))
    with shop.snapshot() as session:
        assert identity.find(session, "email", "", " ADA@people.example ") == 1
        assert identity.find(session, "phone", "", "+819012345678") == 1
        assert identity.find(session, "email", "", BEN) is None
        assert identity.subjects_of(session, 1) == [1]
        assert [row.namespace for row in rows(session, Identifier, Identifier.namespace)] == ["email", "phone"]


def test_an_identifier_of_two_people_finds_nobody_but_all_for_erasure(shop: Database) -> None:
    take(shop, *[viewed(*claims(user_id=f"u{n}", anonymous_id="k"), message=f"{n}") for n in (1, 2)])
    with shop.snapshot() as session:
        assert identity.find(session, "anonymous_id", "", "k") is None
        assert identity.find_all(session, "anonymous_id", "", "k") == [1, 2]


def test_verified_evidence_decides_where_an_address_is_claimed_by_another(shop: Database) -> None:
    take(shop, viewed(email(ADA, verified=False), message="1"), viewed(email(ADA), *claims(user_id="u"), message="2"))
    with shop.snapshot() as session:
        (owner,) = [row.subject for row in rows(session, Identifier) if row.verified and row.namespace == "email"]
        assert identity.find(session, "email", "", ADA) == owner
    assert len(set(people(shop).values())) == 2


def test_an_address_that_is_verified_later_joins_then(shop: Database) -> None:
    take(shop, viewed(email(ADA, verified=False), message="1"), viewed(email(ADA), *claims(user_id="u"), message="2"))
    take(shop, viewed(email(ADA), message="3"))
    assert set(people(shop).values()) == {1}


def test_a_browser_parts_nobody_and_joins_nobody(shop: Database) -> None:
    take(shop, viewed(email(ADA), *claims(phone="090-1234-5678"), message="1"))
    take(shop, viewed(*claims(user_id="u", phone="090-1234-5678"), message="2"))
    strangers = [viewed(*claims(user_id=f"s{n}", phone="090-1234-5678"), message=f"s{n}") for n in range(25)]
    ingest.take(shop, BROWSER, strangers, NOW)
    take(shop, viewed(*claims(phone="090-1234-5678", anonymous_id="k"), message="3"))
    found = people(shop)
    assert {found[number] for number in (1, 2, max(found))} == {1}
    assert len(set(found.values())) == 26


def test_what_came_through_a_public_key_is_a_subject_of_its_own(shop: Database) -> None:
    for source in (replace(BROWSER, public=False), BROWSER):
        ingest.take(shop, source, [viewed(*claims(anonymous_id="a"))], NOW)
    with shop.snapshot() as session:
        assert [row.public for row in rows(session, Subject, col(Subject.number))] == [False, True]
    assert people(shop) == {1: 1, 2: 1}


def test_a_token_hit_with_another_value_behind_it_joins_nothing(shop: Database) -> None:
    take(shop, viewed(email(ADA), message="1"))
    take(shop, viewed(email(BEN), message="2"))
    with shop.transaction() as session:
        first, second = rows(session, Identifier, col(Identifier.subject))
        first.sealed = second.sealed
        session.add(first)
    take(shop, viewed(*claims(user_id="u"), Claim("email", ADA, "", True), message="3"))
    take(shop, viewed(*claims(user_id="v"), Claim("email", BEN, "", True), message="4"))
    found = people(shop)
    assert found[3] == 3, "the value behind her token was not hers"
    with shop.snapshot() as session:
        assert {row.namespace for row in rows(session, Identifier) if row.subject == 3} == {"user_id"}


def test_a_decision_joins_parts_and_is_taken_back(shop: Database) -> None:
    two_people(shop)
    with shop.transaction() as session:
        must = identity.must(session, 1, 2, "one household card", "staff", NOW)
    assert people(shop) == {1: 1, 2: 1}
    with shop.transaction() as session:
        cannot = identity.cannot(session, 1, 2, "father and son", "staff", NOW)
    assert people(shop) == {1: 1, 2: 2}
    with shop.transaction() as session:
        identity.revoke(session, cannot, "staff", NOW)
    assert people(shop) == {1: 1, 2: 1}
    with shop.transaction() as session:
        identity.revoke(session, must, "staff", NOW)
    assert people(shop) == {1: 1, 2: 2}


@pytest.mark.parametrize(("other", "status"), [(1, 400), (99, 404)])
def test_a_decision_needs_two_known_subjects(shop: Database, other: int, status: int) -> None:
    two_people(shop)
    with pytest.raises(Problem) as raised, shop.transaction() as session:
        identity.must(session, 1, other, "", "staff", NOW)
    assert raised.value.status == status


def followed(session: Session) -> dict[int, int]:
    """Return old number → person of every alias that is open."""
    return {row.old_person: row.person for row in rows(session, Alias) if row.to_at is None}


def test_an_earlier_number_leads_to_the_person_until_it_is_split_again(shop: Database) -> None:
    take(shop, *[viewed(*claims(anonymous_id=name), message=name) for name in ("a", "b", "c")])
    with shop.transaction() as session:
        low = identity.must(session, 2, 3, "", "staff", NOW)
        identity.must(session, 1, 2, "", "staff", NOW)
    with shop.snapshot() as session:
        assert followed(session) == {2: 1, 3: 1}
    with shop.transaction() as session:
        identity.revoke(session, low, "staff", NOW)
    with shop.snapshot() as session:
        assert followed(session) == {2: 1}
        assert all(row.to_at for row in rows(session, Alias) if row.old_person == 3)


def test_merges_and_splits_stand_in_the_ledger_without_a_number(shop: Database) -> None:
    two_people(shop)
    with shop.transaction() as session:
        decision = identity.must(session, 1, 2, "", "staff", NOW)
        identity.revoke(session, decision, "staff", NOW)
    with shop.snapshot() as session:
        acts = [row.act for row in rows(session, LedgerEntry) if row.act.startswith("identity")]
    assert acts == ["identity.decided", "identity.merged", "identity.revoked", "identity.split"]


def test_a_value_turning_generic_parts_people_and_fewer_join_again(shop: Database) -> None:
    take(shop, *[viewed(email(ADA), *claims(note=f"n{n}"), message=f"{n}") for n in range(6)])
    assert len(set(people(shop).values())) == 1
    take(shop, viewed(email(ADA), *claims(note="n6"), message="6"))
    with shop.snapshot() as session:
        states = {row.namespace: row.state for row in rows(session, Token)}
        assert states["email"] == "generic"
        assert len({row.person for row in rows(session, Subject)}) == 7
    with shop.transaction() as session:
        forget(session, [7])
    assert len(set(people(shop).values())) == 1


def test_forgetting_leaves_nothing_and_resolves_those_left_behind(shop: Database) -> None:
    take(
        shop,
        viewed(*claims(user_id="u1", anonymous_id="k"), message="1"),
        viewed(*claims(user_id="u2", anonymous_id="k"), message="2"),
        viewed(*claims(anonymous_id="k"), message="3"),
    )
    assert len(set(people(shop).values())) == 3
    with shop.transaction() as session:
        numbers = identity.subjects_of(session, identity.find(session, "user_id", "", "u2") or 0)
        forget(session, numbers)
    assert len(set(people(shop).values())) == 1
    with shop.snapshot() as session:
        assert identity.find(session, "user_id", "", "u2") is None
        used = set(session.exec(select(Identifier.namespace, Identifier.token)).all())
        assert used == {(row.namespace, row.token) for row in rows(session, Token)}


def forget(session: Session, numbers: list[int]) -> None:
    for holder in (identity.holder, profile.holder, vault.holder):
        holder.forget(session, numbers)


def test_an_export_lists_everything_with_where_it_stands(shop: Database) -> None:
    take(
        shop,
        viewed(email(ADA), *claims(phone="090-1234-5678"), message="1", traits={"full_name": "Ada", "tier": "gold"}),
    )
    with shop.snapshot() as session:
        held = identity.holder.export(session, [1]) + profile.holder.export(session, [1])
        keys = vault.deks(session, [1])
    assert {one.kind for one in held} == {"identifier", "subject", "trait", "fact", "person"}
    for one in held:
        if one.sealed is not None:
            cell = vault.Cell(one.subject, one.table, one.column, one.row, one.version)
            assert not vault.matches(keys[1], one.sealed, cell, b"something else")
