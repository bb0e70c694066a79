"""An office's address is found and written to like any other, and joins nobody."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp import consent, identity, ingest, vault
from cdp.connector.kit import Item, Silence, SourceConfig
from cdp.consent.model import Suppression
from cdp.db import Database
from cdp.gate.standing import load
from cdp.identity import config, correcting, explaining, rebuild
from cdp.identity.arriving import Arrival, fingerprint
from cdp.identity.model import Aside, Identifier, IdentityCase
from cdp.identity.normalise import Canonical, canonical, derived, is_role_mailbox
from cdp.profile.model import Subject
from tests.identity.test_derived import erase
from tests.identity.whole import WHOLE
from tests.ingest.ground import CRM, MINUTE, NOW, SHOP, SITE, claims, email, item, make_policy, ordered, rows, viewed

OFFICE, AT_GMAIL = "info@acme.example", "in.fo+shop@gmail.com"
LISTED = ("customer.service", "info", "soumu")

WITHOUT = WHOLE
WITH = make_policy(namespaces={**WHOLE.namespaces, "email": replace(WHOLE.namespaces["email"], role_mailboxes=LISTED)})


@pytest.fixture
def shop(shop: Database) -> Database:
    shop.context["policy"] = WITH
    return shop


def take(database: Database, *items: Item, source: SourceConfig = SITE, later: int = 0) -> ingest.Report:
    """Bring one after the other, so that subjects are numbered as they come; returns the last report."""
    return [ingest.take(database, source, [one], NOW + later * MINUTE) for one in items][-1]


def two(database: Database, address: str = OFFICE) -> None:
    """Two people of one office, who both proved its address."""
    take(database, *[viewed(email(address), *claims(user_id=f"u{n}"), message=f"u{n}") for n in (1, 2)])


def people(database: Database) -> list[int]:
    with database.snapshot() as session:
        return [row.person for row in rows(session, Subject, Subject.number)]


def aside(database: Database) -> dict[tuple[int, str], int]:
    with database.snapshot() as session:
        return {(row.subject, row.namespace): row.aside for row in rows(session, Identifier)}


def spelled(value: str) -> Canonical:
    name = canonical(WITH, "email", value, verified=True)
    assert name is not None
    return name


@pytest.mark.parametrize(
    ("address", "is_role"),
    [
        ("info@acme.example", True),
        ("ＩＮＦＯ@Acme.Example", True),
        ("soumu@acme.example", True),
        ("info+shop@acme.example", True),
        ("customer.service@acme.example", True),
        ("customerservice@acme.example", False),
        ("customerservice@gmail.com", True),
        ("i.nfo@googlemail.com", True),
        ("i.nfo@acme.example", False),
        ("info.ada@acme.example", False),
        ("ada@info.example", False),
        ("informant@acme.example", False),
    ],
)
def test_the_local_part_says_whether_an_address_is_an_offices(address: str, is_role: bool) -> None:
    assert is_role_mailbox(WITH.namespaces, spelled(address)) == is_role
    assert not is_role_mailbox(WITHOUT.namespaces, spelled(address)), "where none is declared there is none"


@given(
    st.sampled_from([*LISTED, "ada", "i.n.f.o", "in.fo", "customerservice"]),
    st.sampled_from(["", "+", "+x", "+info"]),
    st.sampled_from(["gmail.com", "googlemail.com", "outlook.com", "pm.me", "acme.example"]),
)
def test_an_address_and_its_mailbox_are_answered_the_same(local: str, tag: str, domain: str) -> None:
    name = spelled(f"{local}{tag}@{domain}")
    for also in derived(WITH, name):
        assert is_role_mailbox(WITH.namespaces, also) == is_role_mailbox(WITH.namespaces, name)


def test_no_identifier_of_another_kind_is_taken_for_an_address() -> None:
    name = canonical(WITH, "user_id", OFFICE)
    assert name is not None and not is_role_mailbox(WITH.namespaces, name)


@pytest.mark.parametrize("address", [OFFICE, AT_GMAIL])
def test_two_people_who_both_proved_an_offices_address_stay_two(shop: Database, address: str) -> None:
    two(shop, address)
    assert people(shop) == [1, 2]
    reasons = {name: found for (_, name), found in aside(shop).items()}
    assert reasons.pop("user_id") == 0
    assert set(reasons.values()) == {Aside.ROLE}
    with shop.snapshot() as session:
        assert not rows(session, IdentityCase), "nobody has to look at it"


def test_an_offices_address_joins_no_two_sources_where_a_persons_own_does(shop: Database) -> None:
    take(shop, viewed(email("ada@acme.example"), message="1"))
    take(shop, viewed(email("ada@acme.example"), message="2"), source=CRM)
    take(shop, viewed(email(OFFICE), message="3"))
    take(shop, viewed(email(OFFICE), message="4"), source=CRM)
    assert people(shop) == [1, 1, 3, 4]


def test_an_offices_address_takes_no_place_among_a_persons_addresses(shop: Database) -> None:
    terms = {**WITH.namespaces, "email": replace(WITH.namespaces["email"], limit=1)}
    shop.context["policy"] = make_policy(namespaces=terms)
    take(shop, viewed(email(OFFICE), *claims(user_id="u"), message="1"))
    take(shop, viewed(email("ada@people.example"), *claims(user_id="u"), message="2"))
    take(shop, viewed(email("ada@people.example"), email("soumu@acme.example"), message="3"))
    assert people(shop) == [1, 1, 1]


def test_they_are_found_by_the_address_and_by_its_mailbox(shop: Database) -> None:
    take(shop, viewed(email(AT_GMAIL), *claims(user_id="u1"), message="1"))
    with shop.snapshot() as session:
        assert identity.find(session, "email", "", AT_GMAIL) == 1
        assert identity.find(session, "email_canon", "", "info@gmail.com") == 1
    take(shop, viewed(email(AT_GMAIL), *claims(user_id="u2"), message="2"))
    with shop.snapshot() as session:
        assert identity.find_all(session, "email", "", AT_GMAIL) == [1, 2]
        assert identity.find(session, "email", "", AT_GMAIL) is None, "a wrong person's answer would be a leak"


def reached(database: Database) -> dict[int, list[tuple[str, tuple[str, ...]]]]:
    """Return by person the ways to write to them, each with why it is silent."""
    with database.snapshot() as session:
        there = sorted({row.person for row in rows(session, Subject)})
        found = load(session, there, NOW + 9 * MINUTE, "email")
        return {
            person: [
                (point.namespace, tuple(reach.suppressed))
                for point, reach in zip(one.points, one.standing.reaches, strict=True)
                if point
            ]
            for person, one in found.items()
        }


def test_each_can_be_written_to_there(shop: Database) -> None:
    two(shop)
    assert reached(shop) == {1: [("email", ())], 2: [("email", ())]}


def test_an_unsubscribe_of_the_address_silences_both(shop: Database) -> None:
    two(shop)
    with shop.transaction() as session:
        _, subjects = consent.withdraw(session, consent.point(session, "email", "", OFFICE), NOW)
    assert subjects == {1, 2}
    assert reached(shop) == {1: [("email", ("unsubscribe",))], 2: [("email", ("unsubscribe",))]}


@pytest.mark.parametrize(("before", "after"), [(WITHOUT, WITH), (WITH, WITHOUT)], ids=["put on", "taken off"])
def test_a_silence_holds_whatever_the_list_says_later(shop: Database, before: object, after: object) -> None:
    shop.context["policy"] = before
    take(shop, item(silences=(Silence(email(OFFICE), "email", "unsubscribe"),), message="1"))
    shop.context["policy"] = after
    with shop.transaction() as session:
        config.take_up(session, NOW)
    two(shop)
    assert set(map(tuple, reached(shop).values())) == {(("email", ("unsubscribe",)),)}


@pytest.mark.parametrize(("before", "after"), [(WITH, WITH), (WITHOUT, WITH), (WITH, WITHOUT)])
def test_an_erased_address_does_not_come_back_by_an_import(shop: Database, before: object, after: object) -> None:
    shop.context["policy"] = before
    take(shop, viewed(email(AT_GMAIL), *claims(user_id="u1"), message="1"))
    erase(shop, [1])
    shop.context["policy"] = after
    with shop.transaction() as session:
        config.take_up(session, NOW)
    for number, spelling in enumerate((AT_GMAIL, "info@gmail.com")):
        again = viewed(email(spelling), message=f"again {number}", at=NOW + MINUTE)
        assert take(shop, again, source=CRM, later=2).refused == {"suppressed": 1}
    back = ordered(email(AT_GMAIL), message="3", at=NOW + 3 * MINUTE)
    assert take(shop, back, source=SHOP, later=4).accepted == 1, "a first-party act begins it anew"
    with shop.snapshot() as session:
        assert all(row.lifted_at for row in rows(session, Suppression) if row.namespace != "user_id")


def test_of_two_the_one_who_stays_keeps_the_records_and_the_silence(shop: Database) -> None:
    two(shop)
    erase(shop, [1])
    assert people(shop) == [2]
    assert reached(shop)[2] == [("email", ("erasure",))]


def test_it_is_said_why_the_address_does_not_join(shop: Database) -> None:
    two(shop, AT_GMAIL)
    with shop.snapshot() as session:
        told = explaining.explain(session, 1, 2)
    assert not told.is_one
    assert [(one.rule, one.namespace) for one in told.obstacles] == [("role", "email"), ("role", "email_canon")]


def test_whoever_knows_that_two_of_an_office_are_one_says_so(shop: Database) -> None:
    two(shop)
    with shop.transaction() as session:
        identity.must(session, 1, 2, "the same buyer", "staff", NOW)
    assert people(shop) == [1, 1]


def test_a_confirmation_proves_it_and_joins_nobody(shop: Database) -> None:
    take(shop, viewed(email(OFFICE, verified=False), *claims(user_id="u1"), message="1"))
    take(shop, viewed(email(OFFICE), *claims(user_id="u2"), message="2"))
    with shop.transaction() as session:
        identity.vouch(session, 1, "email", vault.of(session).token("email", "", OFFICE), NOW, "confirmed")
    assert people(shop) == [1, 2]
    with shop.snapshot() as session:
        assert all(row.verified for row in rows(session, Identifier))


def test_put_in_the_place_of_another_address_it_joins_nobody(shop: Database) -> None:
    take(shop, viewed(email("ada@people.example"), *claims(user_id="u1"), message="1"))
    take(shop, viewed(email(OFFICE), *claims(user_id="u2"), message="2"))
    with shop.transaction() as session:
        correcting.remove(session, [1], spelled("ada@people.example"), "r", NOW)
        assert correcting.add(session, [1], spelled(OFFICE), "r", NOW) == 1
        identity.resolve(session, [1, 2], NOW, "rectification")
    assert people(shop) == [1, 2]


def test_the_same_set_is_the_same_subject_whether_it_is_one_or_not(shop: Database) -> None:
    for number, policy in enumerate((WITHOUT, WITH)):
        shop.context["policy"] = policy
        with shop.transaction() as session:
            config.take_up(session, NOW)
            arrival = Arrival("s", (spelled(OFFICE),))
            prints = {fingerprint(session, arrival)}
        take(shop, viewed(email(OFFICE), message=str(number)))
    assert (people(shop), len(prints)) == ([1], 1)


def test_a_change_of_the_list_counts_once_it_is_taken_up_and_for_what_comes_then(shop: Database) -> None:
    shop.context["policy"] = WITHOUT
    two(shop)
    with shop.transaction() as session:
        config.take_up(session, NOW)
    shop.context["policy"] = WITH
    take(shop, viewed(email(OFFICE), *claims(user_id="u3", line_uid="L"), message="3"))
    joined = people(shop)
    with shop.transaction() as session:
        assert not config.is_current(session)
        config.take_up(session, NOW)
    with shop.snapshot() as session:
        assert config.is_current(session)
        assert config.namespaces(session)["email"].role_mailboxes == LISTED
    take(shop, viewed(email(OFFICE), *claims(user_id="u4"), message="4"))
    assert people(shop) == [*joined, 4], "what is stored keeps what it was written as"
    with shop.snapshot() as session:
        graph = rebuild.read(session)
        assert rebuild.compare(graph, rebuild.compute(graph, config.namespaces(session))).is_none


def test_a_configuration_of_before_there_were_lists_is_still_read(shop: Database) -> None:
    with shop.transaction() as session:
        row = config.take_up(session, NOW)
        terms = json.loads(row.contents)
        row.contents = json.dumps({name: _without(given) for name, given in terms.items()})
    with shop.snapshot() as session:
        assert config.namespaces(session)["email"].role_mailboxes == ()


def _without(given: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in given.items() if name != "role_mailboxes"}
