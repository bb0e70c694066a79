"""Through a key that is in everybody's hands: what others are known by, said and may get stays as it was."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from cdp import consent, identity, ingest
from cdp.connector.kit import Claim, Item, Signal, SourceConfig
from cdp.consent.model import ConsentRecord
from cdp.db import Database
from cdp.gate.model import Permission
from cdp.identity import rules
from cdp.identity.model import Identifier, Token
from cdp.ingest import counting
from cdp.ingest.model import Dropped
from cdp.policy.terms import Policy
from cdp.profile.model import Fact, Person, Subject, Trait
from cdp.web.limits import Allowance, Limits
from tests.conftest import DEEP
from tests.ingest.ground import BROWSER, MINUTE, NAMESPACES, NOW, SITE, claims, email, item, rows, viewed

ADA, BEN = "ada@people.example", "ben@people.example"
DEVICE = "browser-of-ada"
REFUSED = Signal("analytics", "web", "withdrawn", act=True, method="banner")


def take(database: Database, *items: Item, source: SourceConfig = BROWSER, at: Any = NOW) -> ingest.Report:
    return ingest.take(database, source, items, at)


def said(*claims_: Claim, message: str = "", **more: Any) -> Item:
    """A message as a browser sends it: nothing in it is proved."""
    return item(*(replace(one, verified=False) for one in claims_), message=message, **more)


def arrive(database: Database) -> None:
    """The shop's server knows Ada with her browser, and Ben with his; Ada's browser has refused to be measured."""
    known = [
        viewed(*claims(user_id="ada", anonymous_id=DEVICE), email(ADA), message="s1"),
        viewed(*claims(user_id="ben", anonymous_id="browser-of-ben"), email(BEN), message="s2"),
    ]
    assert take(database, *known, source=SITE).accepted == 2
    own = said(*claims(anonymous_id=DEVICE), email(ADA), message="b1", signals=(REFUSED,))
    assert take(database, said(*claims(anonymous_id=DEVICE), message="b0"), own).accepted == 2


def person_of(session: Session, address: str) -> int:
    found = identity.find(session, "email", "", address)
    assert found is not None
    return found


def members(database: Database, address: str) -> list[int]:
    with database.snapshot() as session:
        return identity.subjects_of(session, person_of(session, address))


def crowd(size: int) -> list[Item]:
    """Sets of identifiers without proof, all on Ada's browser."""
    return [
        said(*claims(anonymous_id=DEVICE), email(f"junk{n}@people.example"), message=f"junk{n}") for n in range(size)
    ]


def test_a_no_that_went_ahead_of_its_event_lets_the_event_in_later(shop: Database) -> None:
    held = Limits(Allowance(0), Allowance(0), Allowance(1))
    bought = said(*claims(anonymous_id=DEVICE), message="m1", event="Order Completed", signals=(REFUSED,))
    assert held.admit("browser", "192.0.2.1", [bought]).wait == 0, "that was the minute's one"
    ahead = held.admit("browser", "192.0.2.1", [bought])
    assert ahead.wait > 0
    for items, kept in (ahead.items, 0), ([bought], 1), ([bought], 1):
        take(shop, *items)
        with shop.snapshot() as session:
            assert {row.status for row in session.exec(select(ConsentRecord))} == {"withdrawn"}
            assert len(session.exec(select(Fact)).all()) == kept


def test_a_crowd_on_a_browser_does_not_part_it_from_its_owner(shop: Database) -> None:
    arrive(shop)
    before = members(shop, ADA)
    assert len(before) == 3
    take(shop, *crowd(200))
    after = members(shop, ADA)
    assert set(before) <= set(after)
    with shop.snapshot() as session:
        assert "generic" not in {one.state for one in session.exec(select(Token))}
        joined = set(after) - set(before)
        assert len(joined) <= NAMESPACES["anonymous_id"].max_degree, "what is beyond is known by the browser alone"
    assert {("field:email", "crowded_device")} <= {(one.what, one.reason) for one in dropped(shop)}


def test_whoever_comes_to_a_crowded_browser_is_still_heard(shop: Database) -> None:
    arrive(shop)
    take(shop, *crowd(200))
    before = members(shop, ADA)
    late = said(*claims(anonymous_id=DEVICE), email("late@people.example"), message="late", signals=(REFUSED,))
    assert take(shop, late, at=NOW + MINUTE).accepted == 1
    assert members(shop, ADA) == before
    with shop.snapshot() as session:
        heard = session.exec(select(ConsentRecord).order_by(col(ConsentRecord.id).desc())).first()
        assert heard is not None
        assert heard.subject in before


def test_more_than_a_crowd_leaves_a_browser_to_its_owner_and_itself() -> None:
    owner = [rules.Evidence(1, "anonymous_id", b"a", verified=True), rules.Evidence(1, "user_id", b"u", verified=True)]
    bare = [rules.Evidence(2, "anonymous_id", b"a")]
    junk = [
        row
        for n in range(10, 10 + rules.CROWD + 1)
        for row in (rules.Evidence(n, "anonymous_id", b"a"), rules.Evidence(n, "email", b"%d" % n))
    ]
    found = rules.resolve(rules.Known([*owner, *bare, *junk]), NAMESPACES)
    assert (found.people[1], found.people[2], found.people[10]) == (1, 1, 10)
    assert found.states == {}


def test_a_second_browser_in_one_message_is_left_out(shop: Database) -> None:
    arrive(shop)
    both = [Claim("anonymous_id", "browser-of-mallory"), Claim("anonymous_id", DEVICE)]
    take(shop, *[said(*both, Claim("anonymous_id", f"more{n}"), message=f"m{n}") for n in range(60)])
    assert len(members(shop, ADA)) == 3
    assert ("field:anonymous_id", "second_device") in {(one.what, one.reason) for one in dropped(shop)}


def test_a_guessed_message_id_keeps_nobody_else_out(shop: Database) -> None:
    guessed = [viewed(Claim("anonymous_id", "browser-of-mallory"), message=f"m{n}") for n in range(5)]
    theirs = [viewed(Claim("anonymous_id", DEVICE), message=f"m{n}") for n in range(5)]
    assert take(shop, *guessed).accepted == 5
    assert take(shop, *theirs).accepted == 5
    assert take(shop, *theirs).duplicates == 5
    with shop.snapshot() as session:
        assert len(rows(session, Fact)) == 10


def test_an_unsubscribe_silences_its_address_and_nothing_else_of_its_owner(shop: Database) -> None:
    arrive(shop)
    before = known_of(shop)
    no = Signal("email_marketing", "email", "withdrawn", True, "form", contact=Claim("email", BEN))
    take(shop, said(*claims(anonymous_id="browser-of-mallory"), message="no", signals=(no,)))
    assert (is_silent(shop, ADA), is_silent(shop, BEN)) == (False, True)
    after = known_of(shop)
    assert [one.pop("permission") != two.pop("permission") for one, two in zip(before, after, strict=True)] == [0, 1]
    assert before == after


@pytest.mark.parametrize(
    "name", ["ada@people.example", "090 1234 5678", "川口 エイダ", "Ada Kawaguchi's card", "x" * 70]
)
def test_a_persons_words_for_a_field_are_not_written_down(shop: Database, name: str) -> None:
    told = take(shop, viewed(*claims(anonymous_id="m"), message="1", sku="x"))
    assert told.accepted == 1
    take(shop, item(*claims(anonymous_id="m"), event="Product Viewed", message="2", properties={name: 1, "sku": "x"}))
    assert {one.what for one in dropped(shop)} == {"field:*"}


def test_names_counted_are_few_and_end(shop: Database) -> None:
    for n in range(4):
        many = {f"field_{chr(97 + n)}{i // 26}{chr(97 + i % 26)}": 1 for i in range(45)}
        take(shop, item(*claims(anonymous_id="m"), event="Product Viewed", message=f"{n}", properties=many))
    assert len(dropped(shop)) == counting.MOST_PUBLIC_NAMES + 1
    later = NOW + counting.KEPT + timedelta(days=1)
    take(shop, item(*claims(anonymous_id="m"), event="Product Viewed", properties={"late": 1}, at=later), at=later)
    assert {one.what for one in dropped(shop)} == {"field:late"}


def dropped(database: Database) -> list[Dropped]:
    with database.snapshot() as session:
        return rows(session, Dropped, col(Dropped.what))


def known_of(database: Database) -> list[dict[str, Any]]:
    """Return all that is known of Ada and of Ben, by the records that the shop's server brought."""
    with database.snapshot() as session:
        return [_known_of(session, address) for address in (ADA, BEN)]


def _known_of(session: Session, address: str) -> dict[str, Any]:
    person = person_of(session, address)
    subjects = identity.subjects_of(session, person)
    permission = session.get(Permission, person)
    row = session.get(Person, person)
    assert permission is not None
    assert row is not None
    mine = {
        table.__name__: [one.model_dump() for one in rows(session, table) if one.subject in subjects]
        for table in (Identifier, Trait, Fact, ConsentRecord)
    }
    return {"permission": permission.codes, "person": row.model_dump(), "subjects": subjects, **mine}


EVIL = "browser-of-mallory"
NAMED = st.lists(
    st.sampled_from(
        [
            Claim("anonymous_id", EVIL),
            Claim("anonymous_id", "another"),
            Claim("user_id", "ada"),
            Claim("user_id", "ben"),
            Claim("user_id", "mallory"),
            Claim("email", ADA),
            Claim("email", BEN),
            Claim("email", "mallory@people.example"),
            Claim("phone", "09012345678"),
        ]
    ),
    min_size=1,
    max_size=5,
)
SIGNALS = st.builds(
    Signal,
    purpose=st.sampled_from(["analytics", "email_marketing", "service_delivery"]),
    channel=st.sampled_from(["web", "email", "none", "*"]),
    status=st.sampled_from(["given", "withdrawn", "refused", "requested"]),
    act=st.booleans(),
    method=st.just("form"),
    contact=st.sampled_from([None, Claim("email", ADA), Claim("email", BEN), Claim("anonymous_id", EVIL)]),
)
TRAITS = st.fixed_dictionaries(
    {},
    optional={
        "country": st.sampled_from(["DE", "US", None]),
        "birthday": st.sampled_from(["2020-01-01", "1950-01-01"]),
        "tier": st.just("gold"),
    },
)
MESSAGES = st.builds(
    Item,
    at=st.sampled_from([NOW, NOW - timedelta(days=4000), NOW + timedelta(days=4000)]),
    claims=NAMED.map(tuple),
    message_id=st.sampled_from(["", "s1", "s2", "b0", "b1", "x1", "x2"]),
    event=st.sampled_from(["", "Product Viewed", "Order Completed", "Order Refunded", "Newsletter Subscribed", "Odd"]),
    traits=TRAITS,
    signals=st.lists(SIGNALS, max_size=2).map(tuple),
    retracts=st.sampled_from(["", "s1", "b0", "b1"]),
)


@settings(max_examples=1_000 if DEEP else 10)
@given(batches=st.lists(st.lists(MESSAGES, min_size=1, max_size=6), min_size=1, max_size=4))
def test_whatever_comes_through_a_public_key_others_stay_as_they_are_but_for_silence(
    house_of_two: Database, batches: list[list[Item]]
) -> None:
    before = known_of(house_of_two)
    for batch in batches:
        take(house_of_two, *batch)
    after = known_of(house_of_two)
    for mine, now in zip(before, after, strict=True):
        codes = list(zip(mine.pop("permission"), now.pop("permission"), strict=True))
        assert all(new == old or new != 0 for old, new in codes), "a no became a yes"
        assert mine == now
    asked = {signal.contact.value for batch in batches for one in batch for signal in one.signals if silences(signal)}
    silent = {address for address in (ADA, BEN) if is_silent(house_of_two, address)}
    assert silent >= asked & {ADA, BEN}


def silences(signal: Signal) -> bool:
    return bool(
        signal.act
        and signal.status in ("withdrawn", "refused")
        and signal.channel == "email"
        and signal.contact is not None
        and signal.contact.type == "email"
    )


def is_silent(database: Database, address: str) -> bool:
    with database.snapshot() as session:
        point = consent.point(session, "email", "", address)
        return bool(consent.suppressed_tokens(session, [point.suppression_token], "unsubscribe"))


@pytest.fixture
def house_of_two(shop: Database) -> Database:
    """Ada and Ben are known; every example adds to what strangers sent before."""
    arrive(shop)
    return shop


def test_the_law_above_speaks_of_the_shops_policy(shop: Database) -> None:
    with shop.snapshot() as session:
        policy: Policy = session.info["policy"]
        assert {one for one in policy.namespaces if not policy.namespaces[one].verified_only} == {
            "anonymous_id",
            "note",
        }
        assert not session.exec(select(Subject)).all()
