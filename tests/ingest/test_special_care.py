"""Special-category data are not even kept before there is explicit consent to them (GDPR 9(2)(a), APPI 20(2))."""

from dataclasses import replace

from cdp.connector.kit import Signal
from cdp.db import Database
from cdp.policy.terms import Basis, Law, Purpose, TraitTerm
from cdp.profile.model import Trait
from tests.ingest.ground import PURPOSES, SITE, TRAITS, claims, item, make_policy, rows
from tests.ingest.test_lawful_and_erased import count, take

DIET = TraitTerm("diet", "health", "text")
CATEGORIES = {
    "health": {"gdpr_class": "special_9", "appi_class": "special_care"},
    "membership": {"gdpr_class": "ordinary", "appi_class": "ordinary"},
}
CLINIC = replace(SITE, name="clinic", traits=("tier", "diet"), purposes=("service_delivery", "dietary_advice"))
AGREED = Signal("dietary_advice", "web", "given", act=True, method="checkbox")


def furnish(shop: Database, explicit: bool = True) -> Database:
    bases = ((Law.GDPR, Basis("consent", explicit=explicit)), (Law.APPI, Basis("consent", explicit=explicit)))
    advice = Purpose("dietary_advice", "personalisation", ("web",), ("diet",), ("staff",), "", bases)
    shop.context["policy"] = make_policy(
        purposes={**PURPOSES, advice.name: advice},
        traits={**TRAITS, "diet": DIET},
        categories=CATEGORIES,
        digest="diet",
    )
    return shop


def told(shop: Database) -> set[str]:
    with shop.snapshot() as session:
        return {row.name for row in rows(session, Trait)}


def test_without_consent_it_never_reaches_the_disk_and_is_counted(shop: Database) -> None:
    report = take(
        furnish(shop), item(*claims(user_id="u"), message="1", traits={"diet": "halal", "tier": "gold"}), source=CLINIC
    )
    assert report.accepted == 1
    assert told(shop) == {"tier"}
    assert report.dropped["field:diet", "special_category"] == 1


def test_consent_in_the_same_item_comes_before(shop: Database) -> None:
    take(
        furnish(shop),
        item(*claims(user_id="u"), message="1", traits={"diet": "halal"}, signals=(AGREED,)),
        source=CLINIC,
    )
    assert told(shop) == {"diet"}


def test_consent_that_is_not_explicit_is_none(shop: Database) -> None:
    take(
        furnish(shop, explicit=False),
        item(*claims(user_id="u"), message="1", traits={"diet": "halal"}, signals=(AGREED,)),
        source=CLINIC,
    )
    assert count(shop, Trait) == 0


def test_a_yes_to_another_brand_is_not_heard(shop: Database) -> None:
    north = replace(PURPOSES["email_marketing"], brand="north")
    shop.context["policy"] = make_policy(purposes={**PURPOSES, north.name: north}, digest="brands")
    south = replace(SITE, name="south", brand="south")
    letter = Signal("email_marketing", "email", "given", act=True, method="checkbox")
    report = take(
        shop, item(*claims(user_id="u", email="ada@people.example"), message="1", signals=(letter,)), source=south
    )
    assert [note.reason for note in report.outcomes[0].notes] == ["other_brand"]
