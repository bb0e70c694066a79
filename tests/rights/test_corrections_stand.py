"""A correction outlasts what may not be kept, what joins the person later, and the address that was replaced."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from cdp import identity, ingest, rights
from cdp.connector.kit import Claim, Item, SourceConfig
from cdp.consent.withdrawal import point, withdraw
from cdp.gate.standing import load
from tests.rights.conftest import Grounds
from tests.rights.test_rectification import ADA, CRM, NEW, OTHER, import_row, named, profile, rectify

NEWS = dataclasses.replace(CRM, purposes=("email_marketing",))
"""The same source; these rows serve marketing alone."""
EMAIL = Claim("email", ADA, verified=True)
PHONE = Claim("phone", "+819012345678", verified=True)
LOGIN = Claim("user_id", "L1", verified=True)


def take(grounds: Grounds, source: SourceConfig, *claims: Claim, **traits: Any) -> ingest.Report:
    grounds.clock.pass_(days=1)
    grounds.brought += 1
    at = grounds.clock.now()
    item = Item(at=at, claims=claims, message_id=f"t{grounds.brought}", traits=traits)
    return ingest.take(grounds.database, source, [item], at)


def say_no(grounds: Grounds) -> None:
    with grounds.database.transaction() as session:
        withdraw(session, point(session, "email", "", ADA), grounds.clock.now(), purpose="email_marketing")


def bring_unlawful(grounds: Grounds, **traits: Any) -> None:
    say_no(grounds)
    report = take(grounds, NEWS, EMAIL, Claim("crm_id", "C1", "crm", verified=True), **traits)
    assert (report.accepted, report.refused["unlawful"]) == (0, 1)


def test_a_birthday_that_may_not_be_kept_neither_ages_the_child_nor_ends_the_correction(grounds: Grounds) -> None:
    import_row(grounds, birthday="1990-05-05")
    rectify(grounds, {"birthday": "2017-05-05"})
    bring_unlawful(grounds, birthday="1991-01-01")
    assert (profile(grounds).birth_year, profile(grounds).birth_day) == (2017, "05-05")
    grounds.clock.pass_(days=1)
    assert import_row(grounds, birthday="1990-05-05").dropped["field:birthday", "corrected"] == 1
    assert profile(grounds).birth_year == 2017


def test_a_third_value_that_may_not_be_kept_does_not_let_the_wrong_one_back(grounds: Grounds) -> None:
    import_row(grounds, tier="gold")
    rectify(grounds, {"tier": "silver"})
    bring_unlawful(grounds, tier="regular")
    assert profile(grounds).t03 == "silver"
    grounds.clock.pass_(days=1)
    assert import_row(grounds, tier="gold").dropped["field:tier", "corrected"] == 1
    assert profile(grounds).t03 == "silver"


def test_a_third_birthday_that_may_be_kept_counts_at_once(grounds: Grounds) -> None:
    import_row(grounds, birthday="1990-05-05")
    rectify(grounds, {"birthday": "2017-05-05"})
    assert not import_row(grounds, birthday="2018-06-06").dropped
    assert (profile(grounds).birth_year, profile(grounds).birth_day) == (2018, "06-06")


def test_a_birthday_that_nobody_had_put_right_is_heard_before_it_is_asked_what_is_lawful(grounds: Grounds) -> None:
    import_row(grounds, birthday="1990-05-05")
    rectify(grounds, {"tier": "silver"})
    bring_unlawful(grounds, birthday="2017-05-05")
    assert profile(grounds).birth_year == 2017


@pytest.mark.parametrize(
    ("wrong", "right", "column"),
    [
        ({"birthday": "1990-05-05"}, {"birthday": "2017-05-05"}, ("birth_year", 2017)),
        ({"tier": "gold"}, {"tier": "silver"}, ("t03", "silver")),
        ({"country": "JP"}, {"country": "DE"}, ("country", "DE")),
    ],
)
def test_the_wrong_value_said_later_of_another_record_does_not_come_back_when_the_two_are_one(
    grounds: Grounds, wrong: dict[str, str], right: dict[str, str], column: tuple[str, object]
) -> None:
    import_row(grounds, **wrong)
    rectify(grounds, right)
    take(grounds, OTHER, LOGIN, **wrong)
    take(grounds, OTHER, LOGIN, EMAIL, full_name="Ada")
    with grounds.database.snapshot() as session:
        assert len(identity.people_of(session, grounds.subjects())) == 3
        assert set(identity.people_of(session, grounds.subjects()).values()) == {1}
    assert getattr(profile(grounds), column[0]) == column[1]


def test_another_birthday_of_the_same_year_is_no_wrong_value(grounds: Grounds) -> None:
    import_row(grounds, birthday="1990-05-05", full_name="Ada")
    rectify(grounds, {"birthday": "1989-05-05"})
    take(grounds, OTHER, LOGIN, birthday="1990-06-06")
    take(grounds, OTHER, LOGIN, EMAIL, full_name="Ada")
    assert (profile(grounds).birth_year, profile(grounds).birth_day) == (1990, "06-06")


@pytest.mark.parametrize("verified", [True, False])
def test_a_replaced_address_parts_nobody_from_their_objection(grounds: Grounds, verified: bool) -> None:
    """The record that joined by the old address after she had objected stands under her objection all the same."""
    import_row(grounds, full_name="Ada")
    assert rights.advance(grounds, grounds.ask("objection", ADA)).state == "completed"
    take(grounds, OTHER, EMAIL, PHONE, tier="gold")
    done = rectify(grounds, None, {"replace": named(ADA), "by": named(NEW, verified=verified)})
    assert objecting(grounds) == {1: True}
    revoke(grounds, done.id)
    assert objecting(grounds) == {1: True}
    rectify(grounds, None, {"remove": named(ADA)})
    assert set(objecting(grounds)) == {1, 2}, "taken back with the rest, the decision binds nobody any more"


def objecting(grounds: Grounds) -> dict[int, bool]:
    with grounds.database.snapshot() as session:
        people = sorted(set(identity.people_of(session, grounds.subjects()).values()))
        found = load(session, people, grounds.clock.now() + timedelta(minutes=1))
        return {person: bool(one.standing.objections) for person, one in found.items()}


def revoke(grounds: Grounds, request: str) -> None:
    with grounds.database.transaction() as session:
        at, asked = grounds.clock.now(), rights.Asked(revokes=request)
        undo = rights.receive_for(session, "rectification", [1], "staff", "desk", "", at, verified=True, asked=asked)
    assert rights.advance(grounds, undo.id).state == "completed"
    grounds.clock.pass_(hours=1)
