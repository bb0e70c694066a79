"""Who got what, found among many pages, whoever the person is by now."""

import random
import time
from datetime import timedelta

import pytest
from pyroaring import BitMap64
from sqlalchemy import insert

from cdp import gate, identity, rights
from cdp.gate.model import Disclosed
from tests.conftest import DEEP
from tests.figures import Figures
from tests.rights.conftest import Grounds

ADA, BEN = "ada@example.com", "ben@example.com"


def hand_out(grounds: Grounds, *subjects: int, recipient: str = "ma_tool", closed: bool = True) -> None:
    with grounds.database.transaction() as session:
        session.execute(insert(Disclosed), [page(grounds, BitMap64(subjects), recipient, closed)])


_made = iter(range(10_000_000))


def page(grounds: Grounds, people: BitMap64, recipient: str = "ma_tool", closed: bool = True) -> dict[str, object]:
    at = grounds.clock.now()
    return {
        "id": f"{next(_made):032x}", "recipient": recipient, "client": "c", "purpose": "email_marketing",
        "channel": "email", "fields": "email tier", "kind": "page", "audience": "", "policy": 1,
        "people": people.serialize(), "count": len(people), "opened_at": at, "deadline": at,
        "state": "closed" if closed else "open", "handed_over_at": at if closed else None, "entry": "e",
    }  # fmt: skip


def told(grounds: Grounds, mail: str) -> list[dict]:
    request = rights.advance(grounds, grounds.ask("appi_33_5", mail))
    with grounds.database.transaction() as session:
        package = rights.package(session, request.id, grounds.clock.now())
    assert set(package) == {"form", "request", "made_at", "controller", "disclosures", "received"}
    return [one for one in package["disclosures"] if one["recipient"]["name"] != "subject"]


def test_every_disclosure_names_recipient_role_country_fields_and_entry(grounds: Grounds) -> None:
    grounds.bring(ADA, BEN)
    ada, ben = grounds.person(ADA), grounds.person(BEN)
    hand_out(grounds, ada, ben)
    hand_out(grounds, ben)
    hand_out(grounds, ada, recipient="ma_tool_us", closed=False)
    one, two = told(grounds, ADA)
    assert one["recipient"]["role"] == "processor"
    assert (one["recipient"]["country"], two["recipient"]["country"]) == ("JP", "US")
    assert (one["fields"], one["purpose"], one["ledger_entry"]) == (["email", "tier"], "email_marketing", "e")
    assert (one["handed_over"], two["handed_over"]) == (True, False)


def test_access_and_the_list_of_disclosures_show_one_disclosure_alike(grounds: Grounds) -> None:
    grounds.bring(ADA)
    hand_out(grounds, grounds.person(ADA))
    request = rights.advance(grounds, grounds.ask("access", ADA))
    with grounds.database.transaction() as session:
        package = rights.package(session, request.id, grounds.clock.now())
    [held] = [one for one in package["held"] if one["held_as"] == "disclosure"]
    [listed] = [one for one in package["disclosures"] if one["recipient"]["name"] != "subject"]
    same = set(listed) - {"disclosure", "recipient", "provision"}
    assert {name: held[name] for name in same} == {name: listed[name] for name in same}
    assert set(held) - same == {"held_as", "subject", "recipient"}


def test_the_answer_follows_the_subjects_through_merge_and_split(grounds: Grounds) -> None:
    grounds.bring(ADA, BEN)
    hand_out(grounds, 1)
    hand_out(grounds, 2)
    with grounds.database.transaction() as session:
        decision = identity.must(session, 1, 2, "same", "staff", grounds.clock.now())
    assert len(told(grounds, BEN)) == 2
    with grounds.database.transaction() as session:
        identity.revoke(session, decision, "staff", grounds.clock.now())
    assert len(told(grounds, BEN)) == 1


def test_a_rectification_lists_who_had_got_the_wrong_value(grounds: Grounds) -> None:
    grounds.bring(ADA)
    hand_out(grounds, 1, recipient="ad_platform")
    grounds.clock.pass_(days=4 * 365)
    hand_out(grounds, 1)
    with grounds.database.transaction() as session:
        corrections = rights.read(grounds.policy, {"tier": "gold"}, [])
        how = {"verified": True, "corrections": corrections}
        asked = rights.receive_for(session, "rectification", [1], "subject", "", "", grounds.clock.now(), **how)
    done = rights.advance(grounds, asked.id)
    assert '"recipient": "ma_tool", "fields": ["tier"]' in done.steps
    assert "ad_platform" not in done.steps, "longer ago than a provision is kept on record"


@pytest.mark.parametrize(("pages", "on_each"), [(50_000, 500) if DEEP else (1_000, 100)])
def test_one_person_is_found_among_many_pages(grounds: Grounds, figures: Figures, pages: int, on_each: int) -> None:
    grounds.bring(ADA)
    chance, expected = random.Random(1), 0
    for start in range(0, pages, 1000):
        rows = []
        for _ in range(min(1000, pages - start)):
            people = BitMap64(chance.sample(range(2, 1_000_000), on_each))
            if chance.random() < 0.01:
                people.add(1)
                expected += 1
            rows.append(page(grounds, people))
        with grounds.database.transaction() as session:
            session.execute(insert(Disclosed), rows)
    began = time.perf_counter()
    with grounds.database.snapshot() as session:
        found = gate.given(session, [1])
        recent = gate.given(session, [1], grounds.clock.now() + timedelta(days=1))
    seconds = time.perf_counter() - began
    kind = "SQLite" if grounds.database.is_sqlite else "PostgreSQL"
    figures(f"who got what, {kind}", pages=pages, people_on_each=on_each, found=len(found), seconds=seconds)
    assert (len(found), recent) == (expected, [])
