"""The record of a provision answers for a person, for a recipient and, for its time, for the erased."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlmodel import SQLModel, col

from cdp import consent, gate, rights
from cdp.consent import Statement
from cdp.deployment import Deployment
from cdp.errors import CiphertextCorrupt, Problem
from cdp.gate.model import Disclosed, ProvisionPoint, ProvisionSubject, ProvisionTerms
from cdp.policy.terms import Law
from cdp.rights import provisions, tombstones
from cdp.rights.tombstones import Tombstone
from tests.rights.conftest import SHOP, Grounds

ADA, BEN, EVE = "ada@example.com", "ben@example.com", "eve@example.com"
EUROPE = replace(SHOP, name="europe", residence_default="DE")
THREE_YEARS = 3 * 365 + 1
"""Days, with the leap day of 2028."""
ANYWHERE = replace(SHOP, name="anywhere", residence_default="")


def person(grounds: Grounds, mail: str, source=SHOP, consents: bool = True) -> int:
    """Bring somebody who agreed to be shared with the advertising platform, in the words of its notice."""
    grounds.bring(mail, source=source)
    number = grounds.person(mail)
    if consents:
        with grounds.database.transaction() as session:
            consent.record(session, number, agreed(grounds), grounds.clock.now())
    return number


def agreed(grounds: Grounds | Deployment) -> Statement:
    return Statement(
        purpose="ads_sharing",
        channel="ads",
        status="given",
        method="checkbox",
        event_time=grounds.clock.now(),
        source="shop",
        notice="ads",
        notice_version="1",
        language="ja",
        verified=True,
    )


def provide(
    grounds: Grounds, *people: int, use: tuple[str, str, str] = ("ads_sharing", "ad_platform", "ads")
) -> gate.Page:
    """Hand a page of these people out, by the gate."""
    found = grounds.policy.find_use(*use)
    request = gate.PageRequest(found, ("email",), client="tool", lease_seconds=60.0)
    page = gate.read_page(grounds.database, request, lambda session, at: people)
    assert isinstance(page, gate.Page), page
    assert sorted(row.person for row in page.rows) == sorted(people)
    page.hand_over()
    grounds.clock.pass_(minutes=1)
    return page


def told(grounds: Grounds, mail: str) -> list[dict]:
    request = rights.advance(grounds, grounds.ask("appi_33_5", mail))
    with grounds.database.transaction() as session:
        package = rights.package(session, request.id, grounds.clock.now())
    return [one for one in package["disclosures"] if one["recipient"]["name"] != "subject"]


def count(grounds: Grounds, table: type[SQLModel]) -> int:
    with grounds.database.snapshot() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def whose(grounds: Grounds, page: gate.Page) -> dict[int, str]:
    with grounds.database.snapshot() as session:
        return {one.subject: one.state for one in provisions.whose(session, page.id)}


def names(grounds: Grounds, page: gate.Page) -> dict[int, dict]:
    with grounds.database.transaction() as session:
        return provisions.names_on(session, page.id, grounds.clock.now())


def trace(grounds: Grounds, mail: str) -> list[str]:
    with grounds.database.snapshot() as session:
        space, point = rights.who(session, ("email", "", mail))[1]
        return [one["recipient"] for one in provisions.traced(session, space, point, grounds.clock.now())]


def prune(grounds: Grounds) -> gate.pruning.Pruned:
    with grounds.database.transaction() as session:
        return provisions.prune(session, grounds.clock.now(), 1000)


def kept(certificate: str | None) -> list[dict]:
    found: list[dict] = json.loads(certificate or "{}")["body"]["kept"]
    return found


def under(grounds: Grounds, **values: object) -> None:
    """Let the APPI's pack say something else from now on."""
    pack = grounds.policy.packs[Law.APPI]
    changed = replace(pack, values={**pack.values, **values})
    set_policy(grounds, packs={**grounds.policy.packs, Law.APPI: changed})


def set_policy(grounds: Grounds, **what: object) -> None:
    grounds.policy = replace(grounds.policy, **what)
    grounds.database.context["policy"] = grounds.policy


# What the record says


def test_the_record_of_a_provision_says_to_whom_what_and_that_the_person_consented(grounds: Grounds) -> None:
    ada = person(grounds, ADA)
    page = provide(grounds, ada)
    [one] = told(grounds, ADA)
    assert one["disclosure"] == page.id and one["handed_over"]
    assert one["recipient"] == {
        "name": "ad_platform",
        "title_ja": "広告プラットフォーム（米国の第三者）",
        "title_en": "Advertising platform (third party in the US)",
        "role": "third_party",
        "country": "US",
        "address": "Menlo Park, California, USA",
        "representative": "Alex Example, Chief Executive Officer",
    }
    provision = one["provision"]
    assert (provision["law"], provision["article"]) == ("APPI", "29")
    assert provision["route"]["article"] == "28(1)" and "同意" in provision["route"]["ja"]
    assert provision["items"] == [{"field": "email", "ja": "メールアドレス", "en": "e-mail address"}]
    with grounds.database.snapshot() as session:
        rows = consent.model.ConsentRecord
        assert provision["consent_record"] == session.scalar(select(col(rows.record)).where(col(rows.subject) == ada))


def test_a_provision_names_the_consent_that_held_then_and_not_a_later_one(grounds: Grounds) -> None:
    ada = person(grounds, ADA)
    grounds.clock.pass_(hours=1)
    provide(grounds, ada)
    grounds.clock.pass_(hours=1)
    with grounds.database.transaction() as session:
        later = consent.record(session, ada, agreed(grounds), grounds.clock.now())
    grounds.clock.pass_(hours=1)
    provide(grounds, ada)
    first, second = (one["provision"]["consent_record"] for one in told(grounds, ADA))
    assert first and first != later and second == later


def test_data_that_a_processor_gets_are_no_provision(grounds: Grounds) -> None:
    ada = person(grounds, ADA, consents=False)
    provide(grounds, ada, use=("service_delivery", "ma_tool", "email"))
    [one] = told(grounds, ADA)
    assert one["provision"] is None
    assert one["recipient"]["address"] == "東京都千代田区 / Chiyoda, Tokyo"


def test_the_record_keeps_what_the_recipient_was_called_then(grounds: Grounds) -> None:
    ada = person(grounds, ADA)
    provide(grounds, ada)
    moved = replace(grounds.policy.recipients["ad_platform"], address="Dublin", representative="Someone Else")
    set_policy(grounds, recipients={**grounds.policy.recipients, "ad_platform": moved}, digest="moved")
    gate.register_policy(grounds.database)
    gate.settle_due(grounds.database)
    provide(grounds, ada)
    addresses = [one["recipient"]["address"] for one in told(grounds, ADA)]
    assert addresses == ["Menlo Park, California, USA", "Dublin"]


def test_terms_are_kept_once_for_many_pages(grounds: Grounds) -> None:
    ada = person(grounds, ADA)
    for _ in range(3):
        provide(grounds, ada)
    assert count(grounds, ProvisionTerms) == 1


def test_a_list_by_recipient_and_time_holds_what_article_29_asks_for(grounds: Grounds) -> None:
    ada = person(grounds, ADA)
    provide(grounds, ada)
    provide(grounds, ada, use=("service_delivery", "ma_tool", "email"))
    first = grounds.clock.now() - timedelta(minutes=2)
    with grounds.database.snapshot() as session:
        [one] = provisions.listed(session, "ad_platform")
        assert (one.people, one.fields, one.article) == (1, "email", "28(1)")
        assert one.representative.startswith("Alex") and one.address.startswith("Menlo")
        assert [line.recipient for line in provisions.listed(session)] == ["ad_platform", "ma_tool"]
        assert [line.recipient for line in provisions.listed(session, only_recorded=True)] == ["ad_platform"]
        assert not list(provisions.listed(session, until=first))
        assert [line.recipient for line in provisions.listed(session, since=first + timedelta(seconds=1))] == [
            "ma_tool"
        ]


def test_a_page_that_nobody_knows_is_404(grounds: Grounds) -> None:
    with grounds.database.snapshot() as session, pytest.raises(Problem) as raised:
        provisions.whose(session, "0" * 32)
    assert raised.value.status == 404


# What stays of the erased


def test_of_whom_the_appi_alone_protects_the_name_stays_sealed_and_the_certificate_says_so(grounds: Grounds) -> None:
    eve = person(grounds, EVE)
    page = provide(grounds, eve)
    done = grounds.erase(EVE)
    [said] = kept(done.certificate)
    assert (said["form"], said["recipients"], said["provisions"]) == ("name", ["ad_platform"], 1)
    assert said["until"] == "2029-06-01" and "29条2項" in said["why"]["ja"] and "Article 29(2)" in said["why"]["en"]
    assert "`kept`" in json.loads(done.certificate or "")["body"]["statement"]
    assert grounds.subjects() == [], "nobody is held"
    assert whose(grounds, page) == {eve: "named"}
    assert names(grounds, page) == {eve: {"full_name": "Name of the address"}}


def test_opening_a_name_that_stays_is_itself_a_disclosure(grounds: Grounds) -> None:
    eve = person(grounds, EVE)
    page = provide(grounds, eve)
    grounds.erase(EVE)
    names(grounds, page)
    with grounds.database.snapshot() as session:
        [look] = [one for one in provisions.listed(session) if one.recipient == "staff"]
    assert (look.fields, look.people) == ("name", 1)


def test_without_a_name_a_proved_contact_point_is_the_least_that_tells_the_person(grounds: Grounds) -> None:
    from sqlalchemy import delete

    from cdp.profile.model import Trait

    eve = person(grounds, EVE)
    with grounds.database.transaction() as session:
        session.execute(delete(Trait))
    page = provide(grounds, eve)
    grounds.erase(EVE)
    assert names(grounds, page) == {eve: {"email": EVE}}


@pytest.mark.parametrize("source", [EUROPE, ANYWHERE], ids=["protected by the GDPR", "residence unknown"])
def test_of_whom_the_gdpr_protects_no_name_stays_and_only_a_keyed_reference(grounds: Grounds, source) -> None:
    eve = person(grounds, EVE, source)
    page = provide(grounds, eve)
    done = grounds.erase(EVE)
    [said] = kept(done.certificate)
    assert said["form"] == "reference" and "17(3)(e)" in said["why"]["en"]
    assert whose(grounds, page) == {eve: "reference"}
    assert names(grounds, page) == {}
    with grounds.database.snapshot() as session:
        assert session.scalars(select(col(ProvisionSubject.sealed))).all() == [None]


@pytest.mark.parametrize("switch", [False, None, "yes"])
def test_where_the_pack_does_not_say_so_no_name_stays_of_anybody(grounds: Grounds, switch: object) -> None:
    under(grounds, keep_provision_record_after_erasure=switch)
    eve = person(grounds, EVE)
    page = provide(grounds, eve)
    assert [one["form"] for one in kept(grounds.erase(EVE).certificate)] == ["reference"]
    assert whose(grounds, page) == {eve: "reference"}


def test_nothing_stays_of_somebody_who_was_never_provided_to_a_third_party(grounds: Grounds) -> None:
    eve = person(grounds, EVE)
    provide(grounds, eve, use=("service_delivery", "ma_tool", "email"))
    done = grounds.erase(EVE)
    assert kept(done.certificate) == []
    assert "`kept`" not in json.loads(done.certificate or "")["body"]["statement"]
    assert count(grounds, ProvisionSubject) == count(grounds, ProvisionPoint) == 0


def test_whoever_brings_the_identifier_is_answered_and_nobody_else(grounds: Grounds) -> None:
    provide(grounds, person(grounds, EVE, EUROPE), person(grounds, BEN, EUROPE))
    grounds.erase(EVE)
    assert trace(grounds, EVE) == ["ad_platform"]
    assert trace(grounds, "EVE@example.com") == ["ad_platform"]
    assert trace(grounds, BEN) == [], "of whom is held the usual way tells"
    assert trace(grounds, "other@example.com") == []


def test_the_consent_that_a_provision_rested_on_is_still_named_by_its_entry(grounds: Grounds) -> None:
    provide(grounds, person(grounds, EVE))
    with grounds.database.snapshot() as session:
        record = session.scalar(select(col(consent.model.ConsentRecord.record)))
    grounds.erase(EVE)
    with grounds.database.snapshot() as session:
        assert session.scalars(select(col(ProvisionSubject.consents))).all() == [record]
        assert session.scalars(select(consent.model.ConsentRecord)).all() == []


def test_a_sealed_name_that_was_moved_to_another_does_not_open(grounds: Grounds) -> None:
    eve, ben = person(grounds, EVE), person(grounds, BEN)
    page = provide(grounds, eve, ben)
    grounds.erase(EVE)
    grounds.erase(BEN)
    with grounds.database.transaction() as session:
        session.get_one(ProvisionSubject, ben).sealed = session.get_one(ProvisionSubject, eve).sealed
    with pytest.raises(CiphertextCorrupt):
        names(grounds, page)


def test_an_erasure_that_broke_off_keeps_the_same_once_it_goes_on(grounds: Grounds) -> None:
    from cdp.rights import steps

    eve = person(grounds, EVE)
    page = provide(grounds, eve)
    paused = grounds.erase(EVE, stop_after="wait")
    with grounds.database.transaction() as session:
        steps.reopen(session, steps.load(session, paused.id), ["wait"])
    done = rights.advance(grounds, paused.id)
    assert [one["form"] for one in kept(done.certificate)] == ["name"]
    assert names(grounds, page) == {eve: {"full_name": "Name of the address"}}


def test_an_erasure_replayed_on_a_restored_backup_keeps_the_reference_and_no_name(grounds: Grounds) -> None:
    eve = person(grounds, EVE)
    page = provide(grounds, eve)
    point = ("email", grounds.vault.suppression_token("email", "", EVE))
    tombstones.append(grounds.erasures, Tombstone("r", grounds.clock.now(), (eve,), (point,)))
    assert rights.replay(grounds) == 1
    assert whose(grounds, page) == {eve: "reference"}
    assert trace(grounds, EVE) == ["ad_platform"]


# The end of a record's time


def test_after_three_years_only_the_held_whom_the_gdpr_protects_stay_on_a_page(grounds: Grounds) -> None:
    ada, ben, eve = person(grounds, ADA, EUROPE), person(grounds, BEN), person(grounds, EVE, EUROPE)
    page = provide(grounds, ada, ben, eve)
    grounds.erase(EVE)
    grounds.clock.pass_(days=THREE_YEARS)
    done = prune(grounds)
    assert (done.pages, done.deleted, done.narrowed, done.references) == (1, 0, 1, 1)
    assert whose(grounds, page) == {ada: "held"}
    assert trace(grounds, EVE) == []
    assert count(grounds, ProvisionSubject) == count(grounds, ProvisionPoint) == 0
    assert prune(grounds).pages == 0, "it is looked at again a month later"
    grounds.clock.pass_(days=31)
    grounds.erase(ADA)
    done = prune(grounds)
    assert done.deleted >= 1
    with grounds.database.snapshot() as session:
        assert session.get(Disclosed, page.id) is None


def test_a_day_before_nothing_goes(grounds: Grounds) -> None:
    eve = person(grounds, EVE)
    page = provide(grounds, eve)
    grounds.erase(EVE)
    grounds.clock.pass_(days=THREE_YEARS - 1)
    assert (prune(grounds).pages, whose(grounds, page)) == (0, {eve: "named"})


def test_the_pack_says_how_long(grounds: Grounds) -> None:
    under(grounds, provision_record_months=12)
    provide(grounds, person(grounds, EVE))
    grounds.clock.pass_(days=366)
    assert prune(grounds).deleted == 1


def test_whoever_has_an_open_request_stays_until_it_is_answered(grounds: Grounds) -> None:
    eve = person(grounds, EVE)
    page = provide(grounds, eve)
    grounds.clock.pass_(days=THREE_YEARS)
    request = grounds.ask("appi_33_5", EVE)
    assert (prune(grounds).deleted, whose(grounds, page)) == (0, {eve: "held"})
    rights.advance(grounds, request)
    grounds.clock.pass_(days=31)
    assert prune(grounds).deleted >= 1


def test_a_rehearsal_says_what_would_go_and_changes_nothing(grounds: Grounds) -> None:
    ada, ben = person(grounds, ADA, EUROPE), person(grounds, BEN)
    pages = [provide(grounds, ben) for _ in range(3)] + [provide(grounds, ada, ben)]
    grounds.clock.pass_(days=THREE_YEARS)
    with grounds.database.snapshot() as session:
        said = provisions.rehearse(session, grounds.clock.now(), limit=2)
    assert (said.pages, said.deleted, said.narrowed) == (4, 3, 1)
    assert count(grounds, Disclosed) == len(pages)
    done = prune(grounds)
    assert (done.pages, done.deleted, done.narrowed) == (4, 3, 1)


def test_terms_go_with_the_last_page_that_was_given_on_them(grounds: Grounds) -> None:
    provide(grounds, person(grounds, EVE))
    set_policy(grounds, digest="newer")
    gate.register_policy(grounds.database)
    grounds.clock.pass_(days=THREE_YEARS)
    assert prune(grounds).deleted == 1
    assert count(grounds, ProvisionTerms) == 0


def test_that_records_ended_is_itself_in_the_ledger(grounds: Grounds) -> None:
    from cdp.ledger.model import LedgerEntry

    provide(grounds, person(grounds, EVE))
    grounds.clock.pass_(days=THREE_YEARS)
    prune(grounds)
    with grounds.database.snapshot() as session:
        headers: list[Mapping] = [json.loads(text) for text in session.scalars(select(col(LedgerEntry.header)))]
    assert [one for one in headers if "disclosures.pruned" in json.dumps(one)]
