"""What the rules may read of a person: derived, coarse, the same in every order, and gone with its subjects."""

from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import col

from cdp import ingest, profile
from cdp.connector.kit import SourceConfig
from cdp.db import Database
from cdp.profile.model import Person, Subject, Trait
from tests.ingest.ground import MINUTE, NOW, SITE, claims, item, ordered, rows

NOWHERE = replace(SITE, residence_default="")
TOKYO, BERLIN = "090-1234-5678", "+49 30 123456"


def person(database: Database) -> Person:
    with database.snapshot() as session:
        (found,) = rows(session, Person)
        return found


def take(database: Database, traits: dict[str, Any], source: SourceConfig = SITE, ago: int = 60, **named: str) -> None:
    said = item(*claims(**(named or {"user_id": "u"})), traits=traits, at=NOW - ago * MINUTE)
    assert ingest.take(database, source, [said], NOW).accepted == 1


@pytest.mark.parametrize(
    ("traits", "source", "named", "country"),
    [
        ({"country": "DE"}, SITE, {"phone": TOKYO}, "DE"),
        ({"address": {"country": "Germany"}}, SITE, {"phone": TOKYO}, "DE"),
        ({"address": {"state": "東京都"}}, NOWHERE, {"phone": BERLIN}, "JP"),
        ({}, SITE, {"phone": BERLIN}, "DE"),
        ({}, SITE, {"user_id": "u"}, "JP"),
        ({}, NOWHERE, {"user_id": "u"}, ""),
        ({"country": "DE", "address": {"country": "JP"}}, SITE, {"user_id": "u"}, ""),
        ({}, SITE, {"phone": "+800 1234 5678"}, "JP"),
    ],
)
def test_residence_is_the_strongest_statement_and_unknown_in_conflict(
    shop: Database, traits: dict[str, Any], source: SourceConfig, named: dict[str, str], country: str
) -> None:
    take(shop, traits, source, **{"user_id": "u", **named})
    assert person(shop).country == country


def test_two_phones_of_two_countries_are_a_conflict(shop: Database) -> None:
    take(shop, {}, user_id="u", phone=TOKYO)
    take(shop, {}, user_id="u", phone=BERLIN)
    assert person(shop).country == ""


def test_who_moves_lives_where_the_newer_word_says(shop: Database) -> None:
    take(shop, {"country": "DE"}, ago=1)
    take(shop, {"country": "JP"}, ago=9)
    assert person(shop).country == "DE"


def test_a_birthday_is_sealed_and_its_coarse_parts_stand_beside_it(shop: Database) -> None:
    take(shop, {"birthday": "昭和60年1月3日"})
    assert (person(shop).birth_year, person(shop).birth_day) == (1985, "01-03")
    with shop.snapshot() as session:
        found = {row.name: (row.clear, row.sealed is not None) for row in rows(session, Trait)}
    assert found == {"birthday": (None, True), "birth_year": ("1985", False), "birth_day": ("01-03", False)}


def test_a_birthday_taken_back_takes_its_parts_along(shop: Database) -> None:
    take(shop, {"birthday": "1985-01-03"}, ago=9)
    take(shop, {"birthday": None}, ago=1)
    assert (person(shop).birth_year, person(shop).birth_day) == (None, None)


def test_the_names_of_coarse_parts_cannot_be_stated(shop: Database) -> None:
    take(shop, {"birth_year": "1900", "phone_country": "DE"}, replace(SITE, traits=("birth_year", "phone_country")))
    assert (person(shop).birth_year, person(shop).country) == (None, "JP")


def test_slots_hold_the_newest_statement_of_any_subject(shop: Database) -> None:
    take(shop, {"tier": "gold", "loyalty_points": "1,200"}, ago=9, user_id="u", anonymous_id="a")
    take(shop, {"tier": "regular"}, ago=5, user_id="u")
    assert (person(shop).t03, person(shop).n01) == ("regular", 1200.0)


def test_a_value_that_fits_no_longer_empties_the_slot(shop: Database) -> None:
    take(shop, {"tier": "gold"}, ago=9)
    take(shop, {"tier": "a secret tier"}, ago=5)
    assert person(shop).t03 is None


def test_a_customer_is_one_since_the_first_completed_order(shop: Database) -> None:
    for number in (3, 9, 1):
        ingest.take(shop, SITE, [ordered(*claims(user_id="u"), at=NOW - number * MINUTE)], NOW)
    assert person(shop).customer_since == NOW - 9 * MINUTE


BROWSER = replace(SITE, name="browser", public=True)


@pytest.mark.parametrize(
    ("own", "browser", "country"),
    [
        ({"country": "DE"}, {"country": "US"}, "DE"),
        ({"country": "DE"}, {"country": "JP"}, "DE"),
        ({}, {"country": "JP"}, "JP"),
        ({}, {"country": "US"}, ""),
    ],
)
def test_a_browser_settles_no_residence_and_may_bring_in_every_law(
    shop: Database, own: dict[str, Any], browser: dict[str, Any], country: str
) -> None:
    take(shop, own, ago=9, user_id="u", anonymous_id="a")
    take(shop, browser, BROWSER, ago=1, anonymous_id="a")
    assert person(shop).country == country


def test_a_browsers_word_alone_leaves_every_law_in(shop: Database) -> None:
    take(shop, {"country": "US"}, replace(BROWSER, residence_default=""), anonymous_id="a")
    assert person(shop).country == ""


@pytest.mark.parametrize(
    ("own", "browser", "born"),
    [
        ("1985-01-03", "1950-02-04", (1985, "01-03")),
        ("1985-01-03", "2015-02-04", (2015, "02-04")),
        (None, "2015-02-04", (2015, "02-04")),
        ("1985-01-03", None, (1985, "01-03")),
    ],
)
def test_a_browser_makes_nobody_older(
    shop: Database, own: str | None, browser: str | None, born: tuple[int, str]
) -> None:
    take(shop, {"birthday": own}, ago=9, user_id="u", anonymous_id="a")
    take(shop, {"birthday": browser}, BROWSER, ago=1, anonymous_id="a")
    assert (person(shop).birth_year, person(shop).birth_day) == born


def test_a_slot_holds_what_is_vouched_for_before_what_a_browser_says_later(shop: Database) -> None:
    take(shop, {"tier": "regular"}, ago=9, user_id="u", anonymous_id="a")
    take(shop, {"tier": "gold"}, BROWSER, ago=1, anonymous_id="a")
    assert person(shop).t03 == "regular"


def test_an_order_that_a_browser_claims_makes_no_customer(shop: Database) -> None:
    ingest.take(shop, BROWSER, [ordered(*claims(anonymous_id="a"))], NOW)
    assert person(shop).customer_since is None


def test_settling_again_from_nothing_gives_the_same_row(shop: Database) -> None:
    take(shop, {"birthday": "1985-01-03", "tier": "gold", "country": "JP"}, user_id="u", phone=TOKYO)
    before = person(shop).model_dump()
    with shop.transaction() as session:
        session.delete(rows(session, Person)[0])
        session.flush()
        profile.settle(session, {1}, NOW)
    assert person(shop).model_dump() == before


def test_the_row_of_a_number_without_subjects_goes(shop: Database) -> None:
    take(shop, {}, anonymous_id="a")
    take(shop, {}, user_id="u")
    take(shop, {}, anonymous_id="a", user_id="u")
    with shop.snapshot() as session:
        assert {row.person for row in rows(session, Subject, col(Subject.number))} == {1}
    assert person(shop).person == 1
