"""Data that a third party provides wait until it was confirmed who that is and how they acquired them (APPI 30)."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from cdp import rights
from cdp.connector import load, provenance
from cdp.connector.provenance import Receipt
from cdp.errors import Problem
from cdp.gate.model import Permission
from cdp.ingest import origins, sources
from cdp.policy.terms import Law
from tests.conftest import ROOT
from tests.rights.conftest import Grounds, grounds

__all__ = ["grounds"]

MEIBO = Receipt(
    provider="名簿株式会社",
    address="東京都千代田区1-1",
    representative="名簿 太郎",
    acquired="展示会で本人から書面で取得",
    seen="売買契約書 2026-04",
    route="consent",
)


@pytest.fixture
def shop(grounds: Grounds) -> Grounds:
    """With the connectors that ship, and a source of each origin."""
    grounds.database.context["connectors"] = load(ROOT / "connectors")
    for name, origin in (("own", "subject"), ("bought", "third_party"), ("open", "public")):
        add(grounds, name, obtained_from=origin)
    return grounds


def add(grounds: Grounds, name: str, **settings: str) -> None:
    with grounds.database.transaction() as session:
        sources.add(session, name, "csv", settings, grounds.clock.now())


def confirm(grounds: Grounds, name: str = "bought", receipt: Receipt = MEIBO, on: date | None = None) -> str:
    with grounds.database.transaction() as session:
        return origins.confirm(session, name, receipt, on, grounds.clock.now())


def waiting(grounds: Grounds) -> set[str]:
    with grounds.database.snapshot() as session:
        return provenance.unconfirmed_sources(session)


def bought(grounds: Grounds, mail: str, name: str = "bought") -> int:
    """Let somebody come by the source."""
    from tests.rights.conftest import SHOP

    grounds.bring(mail, source=replace(SHOP, name=name))
    return grounds.person(mail) or 0


def refused(raised: Any) -> tuple[int, list[str]]:
    return raised.value.status, [one.pointer for one in raised.value.errors]


def test_a_source_that_a_third_party_provides_waits_until_it_is_confirmed(shop: Grounds) -> None:
    assert waiting(shop) == {"bought"}
    confirm(shop)
    assert waiting(shop) == set()


def test_without_a_word_a_source_has_its_data_from_the_people(shop: Grounds) -> None:
    add(shop, "plain")
    assert "plain" not in waiting(shop)
    with shop.database.snapshot() as session:
        assert sources.config(session, "plain").obtained_from == "subject"
        assert sources.config(session, "bought").obtained_from == "third_party"


def test_another_origin_than_these_is_refused(shop: Grounds) -> None:
    with pytest.raises(Problem) as raised:
        add(shop, "odd", obtained_from="friend")
    assert refused(raised) == (400, ["/settings/obtained_from"])


def test_a_source_that_was_closed_still_waits(shop: Grounds) -> None:
    with shop.database.transaction() as session:
        sources.remove(session, "bought", shop.clock.now())
    assert waiting(shop) == {"bought"}, "its people are still there"


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"provider": " "}, "/provider"),
        ({"address": ""}, "/address"),
        ({"representative": ""}, "/representative"),
        ({"acquired": ""}, "/acquired"),
        ({"seen": ""}, "/seen"),
        ({"route": "friendship"}, "/route"),
        ({"route": "opt_out"}, "/filing"),
        ({"acquired": "x" * 1001}, "/acquired"),
    ],
)
def test_a_receipt_that_lacks_something_confirms_nothing(shop: Grounds, changed: dict, pointer: str) -> None:
    with pytest.raises(Problem) as raised:
        confirm(shop, receipt=replace(MEIBO, **changed))
    assert refused(raised) == (422, [pointer])
    assert waiting(shop) == {"bought"}


def test_a_natural_person_is_represented_by_nobody(shop: Grounds) -> None:
    confirm(shop, receipt=replace(MEIBO, representative="", is_company=False))
    assert waiting(shop) == set()


@pytest.mark.parametrize("name", ["own", "open"])
def test_only_a_third_party_is_confirmed(shop: Grounds, name: str) -> None:
    with pytest.raises(Problem) as raised:
        confirm(shop, name)
    assert raised.value.status == 409


def test_the_record_names_the_items_and_refuses_what_is_no_category(shop: Grounds) -> None:
    with shop.database.transaction() as session:
        origins.confirm(session, "bought", MEIBO, None, shop.clock.now(), ["contact"])
        [one] = origins.received(session, ["bought"])
        assert one["items"] == ["contact"]
        with pytest.raises(Problem) as raised:
            origins.confirm(session, "bought", MEIBO, None, shop.clock.now(), ["shoe_size"])
    assert refused(raised) == (422, ["/items"])


def test_an_unknown_source_is_404(shop: Grounds) -> None:
    with pytest.raises(Problem) as raised:
        confirm(shop, "nobody")
    assert raised.value.status == 404


def test_a_doubt_makes_its_people_wait_at_once(shop: Grounds) -> None:
    confirm(shop)
    person = bought(shop, "ada@example.com")
    other = bought(shop, "ben@example.com", "own")
    with shop.database.transaction() as session:
        assert origins.doubt(session, "bought", shop.clock.now()) == 1
    assert waiting(shop) == {"bought"}
    with shop.database.snapshot() as session:
        holds = {row.person: row.holds_until for row in session.scalars(select(Permission))}
    assert holds[person] <= shop.clock.now() < holds[other], "their rows say no until they are decided again"


def test_a_source_that_turns_out_to_be_bought_waits_from_then_on(shop: Grounds) -> None:
    person = bought(shop, "ada@example.com", "own")
    with shop.database.transaction() as session:
        sources.change(session, "own", {"obtained_from": "third_party"}, shop.clock.now())
    assert waiting(shop) == {"bought", "own"}
    with shop.database.snapshot() as session:
        assert session.get_one(Permission, person).holds_until <= shop.clock.now()


def test_changing_something_else_leaves_a_confirmation(shop: Grounds) -> None:
    confirm(shop)
    with shop.database.transaction() as session:
        settings = {"obtained_from": "third_party", "residence_default": "JP"}
        sources.change(session, "bought", settings, shop.clock.now())
    assert waiting(shop) == set()


def test_what_came_by_opt_out_is_known_as_such(shop: Grounds) -> None:
    confirm(shop)
    with shop.database.snapshot() as session:
        assert provenance.opt_out_sources(session) == set()
    shop.clock.pass_(days=1)
    confirm(shop, receipt=replace(MEIBO, route="opt_out", filing="PPC-2025-0001"))
    with shop.database.snapshot() as session:
        assert provenance.opt_out_sources(session) == {"bought"}


def test_the_person_is_told_who_provided_their_data_and_how_those_came_by_them(shop: Grounds) -> None:
    confirm(shop, on=date(2026, 5, 20))
    bought(shop, "ada@example.com")
    bought(shop, "ben@example.com", "own")
    for right in ("appi_33_5", "access"):
        [one] = package(shop, right, "ada@example.com")["received"]
        assert one["provider"] == {
            "name": "名簿株式会社",
            "address": "東京都千代田区1-1",
            "representative": "名簿 太郎",
        }
        assert (one["acquired"], one["received_on"]) == ("展示会で本人から書面で取得", "2026-05-20")
        assert {"contact", "name"} <= set(one["items"])
        assert package(shop, right, "ben@example.com")["received"] == []


def package(grounds: Grounds, right: str, mail: str) -> dict[str, Any]:
    request = rights.advance(grounds, grounds.ask(right, mail))
    with grounds.database.transaction() as session:
        return rights.package(session, request.id, grounds.clock.now())


def test_who_has_data_from_others_tells_the_people_within_a_month(shop: Grounds) -> None:
    with shop.database.snapshot() as session:
        due = {one.source: one.due for one in origins.notices_due(session)}
    assert due == {"bought": date(2026, 7, 1), "open": date(2026, 7, 1)}
    now = shop.clock.now()
    with shop.database.transaction() as session:
        provenance.note_notice(session, "bought", now, now)
        assert [one.source for one in origins.notices_due(session)] == ["open"]
        for name, at, status in (("own", now, 409), ("open", now + timedelta(days=1), 422)):
            with pytest.raises(Problem) as raised:
                provenance.note_notice(session, name, at, now)
            assert raised.value.status == status


def test_nobody_needs_a_notice_of_article_14_where_the_gdpr_is_not_configured(shop: Grounds) -> None:
    packs = {law: pack for law, pack in shop.policy.packs.items() if law is not Law.GDPR}
    shop.database.context["policy"] = replace(shop.policy, packs=packs)
    with shop.database.snapshot() as session:
        assert origins.notices_due(session) == []


def test_a_record_of_receipt_ends_three_years_after_its_source_and_the_confirmation_stands(shop: Grounds) -> None:
    confirm(shop)
    shop.clock.pass_(days=4 * 365)
    assert pruned(shop) == 0, "it is still brought from"
    with shop.database.transaction() as session:
        sources.remove(session, "bought", shop.clock.now())
    shop.clock.pass_(days=3 * 365)
    assert pruned(shop) == 0
    shop.clock.pass_(days=2)
    assert pruned(shop) == 1
    assert waiting(shop) == set()


def pruned(grounds: Grounds) -> int:
    with grounds.database.transaction() as session:
        return origins.prune(session, grounds.clock.now())
