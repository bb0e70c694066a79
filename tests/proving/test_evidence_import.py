"""What an old list with its evidence does to its people, and what it can never do (ruling R13; S4, S9)."""

from datetime import UTC, datetime

import pytest

from cdp import consent, identity
from cdp.consent import proofs
from cdp.errors import Problem
from cdp.gate.standing import load
from cdp.ingest import sources
from cdp.ingest.speaking import UNPROVEN
from cdp.policy.terms import Law
from tests.proving.conftest import PNG, WEB, Lists, day

PARTIAL = {key: value for key, value in WEB.items() if key != "where"}
UNSIGNED = {key: value for key, value in WEB.items() if key != "responsible"}


def test_a_fully_proven_consent_opens_its_address_and_names_its_proof(lists: Lists) -> None:
    lists.bring(lists.row(1, 登録日時="2024/05/01 10:30"))
    (record,) = lists.records(status="given")
    assert (record.evidence, record.method, record.actor, record.act) == ("full", "import", "import", True)
    assert (record.notice, record.notice_version, record.language) == ("newsletter", "1", "ja")
    assert record.event_time == datetime(2024, 5, 1, 1, 30, tzinfo=UTC), "the time of the act, in Japan"
    assert lists.reach("m1@example.com").refusal == ""
    with lists.database.snapshot() as session:
        kept, document = proofs.get(session, record.evidenced_by)
    assert (kept.cohort, kept.evidence, kept.signed_by) == ("web", "full", "山田 花子, 管理者")
    assert "お得な情報をメールで受け取る" in kept.declared and kept.entry
    assert document is not None and document.content == PNG


def test_partial_evidence_is_kept_as_it_is_and_opens_nothing_under_any_law(lists: Lists) -> None:
    lists.bring(lists.row(1), lists.row(2, 国="DE"), cohorts=(PARTIAL,))
    assert {(one.status, one.evidence) for one in lists.records()} == {("given", "partial")}
    assert lists.reach("m1@example.com").refusal == "no_optin_record"
    german = lists.reach("m2@example.com")
    assert (german.laws, german.refusal, german.consent) == (Law.GDPR, "unproven", "partial")


def test_what_nobody_signs_is_recorded_as_unknown(lists: Lists) -> None:
    lists.bring(lists.row(1), cohorts=(UNSIGNED,))
    assert {(one.status, one.evidence) for one in lists.records()} == {("unknown", "none")}
    assert lists.reach("m1@example.com").refusal == "no_optin_record"


def test_no_optin_of_a_nightly_import_undoes_a_withdrawal_and_the_alert_counts_it(lists: Lists) -> None:
    """S4: withdrawn on one day, the CRM says yes the next day, without the form."""
    lists.bring(lists.row(1))
    lists.withdraw("m1@example.com")
    lists.shop.clock.pass_(days=1)
    report = lists.bring_plainly(lists.row(1, メルマガ許諾="1", 登録日時=f"{lists.shop.clock.now():%Y-%m-%d}"))
    assert report.dropped["signal", UNPROVEN] == 1
    assert lists.records()[-1].status == "unknown"
    assert lists.reach("m1@example.com").consent == "withdrawn"


@pytest.mark.parametrize("when", ["before it", "after it"])
def test_no_imported_yes_overrides_a_withdrawal_however_well_it_is_proven(lists: Lists, when: str) -> None:
    """Law.md 4.5-4: whatever instant the import bears."""
    lists.bring_plainly(lists.row(1))
    lists.withdraw("m1@example.com")
    lists.shop.clock.pass_(days=40)
    today = lists.shop.clock.now()
    period = {"from": "2023-04-01", "until": f"{today:%Y-%m-%d}"}
    stamp = "2024-05-01" if when == "before it" else f"{today:%Y-%m-%d %H:%M}"
    proving = lists.prove(lists.write(lists.row(1, 登録日時=stamp)), WEB | {"period": period})
    _, told = proving.rehearse(today)
    _, written = proving.write(today)
    assert lists.records(status="given")[0].evidence == "full"
    assert lists.reach("m1@example.com").consent == "withdrawn"
    assert told.unproven == written.unproven == 1, "the alert counts a grant against a no that stands"
    assert [dict(one.stay) for one in written.places.values()] == [{"unsubscribed": 1}]


def test_an_import_lifts_no_silence_of_an_address(lists: Lists) -> None:
    lists.bring(lists.row(1))
    with lists.database.transaction() as session:
        lists.shop.clock.pass_(days=1)
        point = consent.point(session, "email", "", "m1@example.com").suppression_token
        for reason in ("unsubscribe", "complaint"):
            consent.suppress(session, "email", point, "email", reason, lists.shop.clock.now())
    lists.shop.clock.pass_(days=40)
    today = lists.shop.clock.now()
    later = WEB | {"period": {"from": "2023-04-01", "until": f"{today:%Y-%m-%d}"}}
    lists.bring(lists.row(1, 登録日時=f"{today:%Y-%m-%d %H:%M}"), cohorts=(later,))
    assert lists.reach("m1@example.com").refusal == "complaint"


def test_nobody_who_was_erased_comes_back_by_an_import_even_where_the_source_readmits(lists: Lists) -> None:
    """Ruling R11."""
    lists.bring_plainly(lists.row(1))
    lists.erase("m1@example.com")
    lists.shop.clock.pass_(days=40)
    with lists.database.transaction() as session:
        sources.change(session, "members", {"readmits": "true"}, lists.shop.clock.now())
    today = lists.shop.clock.now()
    later = WEB | {"period": {"from": "2023-04-01", "until": f"{today:%Y-%m-%d}"}}
    proving = lists.prove(lists.write(lists.row(1, 登録日時=f"{today:%Y-%m-%d %H:%M}")), later)
    told, before = proving.rehearse(today)
    done, written = proving.write(today)
    assert dict(told.refused) == dict(done.refused) == {"suppressed": 1}
    assert before == written
    assert [dict(one.stay) for one in written.places.values()] == [{"erased": 1}]
    assert lists.records() == []


def test_no_list_answers_a_privacy_signal_of_the_browser(lists: Lists) -> None:
    """E5: only the person's own later act does."""
    lists.bring_plainly(lists.row(1))
    signal = consent.Statement("ads_sharing", "web", "refused", "gpc", day("2024-04-01"), "site", verified=True)
    with lists.database.transaction() as session:
        (person,) = identity.find_all(session, "email", "", "m1@example.com")
        consent.record(session, person, signal, lists.shop.clock.now())
    lists.bring(lists.row(1, 登録日時="2024-05-01"))
    assert lists.reach("m1@example.com").refusal == ""
    with lists.database.snapshot() as session:
        assert load(session, [person], lists.shop.clock.now())[person].standing.gpc


def test_json_lines_are_proven_like_any_other_list(lists: Lists) -> None:
    path = lists.folder / "old.jsonl"
    path.write_text(
        '{"email": "a@example.com", "様式": "WEB", "登録日時": "2024-05-01"}\n{"email": "b@example.com"}\n', "utf-8"
    )
    proving = lists.prove(path)
    _, told = proving.rehearse(lists.shop.clock.now())
    _, written = proving.write(lists.shop.clock.now())
    assert told == written and written.uncovered == 1
    assert lists.reach("a@example.com").refusal == "" != lists.reach("b@example.com").refusal


@pytest.mark.parametrize("country", ["JP", "DE"])
def test_a_pre_ticked_box_is_invalid_in_the_eu_and_no_record_for_mail_in_japan(lists: Lists, country: str) -> None:
    """S9 (C-673/17; APPI 17): analysis inside the notified purpose stays open in Japan, mail does not."""
    lists.bring(lists.row(1, 国=country), cohorts=(WEB | {"method": "pre_ticked"},))
    (record,) = lists.records()
    assert (record.status, record.method, record.evidence) == ("invalidated", "pre_ticked", "none")
    mail = lists.reach("m1@example.com")
    assert (mail.refusal, mail.consent) == ("invalidated", "invalidated")
    inside = lists.reach("m1@example.com", "analytics", "none").refusal
    assert inside == ("" if country == "JP" else "no_consent")


def test_a_row_that_says_no_itself_is_covered_by_nothing(lists: Lists) -> None:
    proving = lists.bring(lists.row(1, メルマガ許諾="0"), lists.row(2, 配信停止="1"), lists.row(3))
    _, written = proving.write(lists.shop.clock.now())
    assert written.says_no == 2
    assert len(lists.records(status="given")) == 1
    assert lists.reach("m1@example.com").refusal == "refused"


def test_rows_outside_the_period_or_of_another_form_are_not_covered(lists: Lists) -> None:
    rows = (lists.row(1, 登録日時="2023-03-31"), lists.row(2, 登録日時="2025-04-01"), lists.row(3, 様式="paper"))
    edges = (lists.row(4, 登録日時="2023-04-01 00:00"), lists.row(5, 登録日時="2025-03-31 23:59"))
    proving = lists.prove(lists.write(*rows, *edges))
    _, told = proving.rehearse(lists.shop.clock.now())
    assert (told.outside_period, told.uncovered, sum(one.rows for one in told.places.values())) == (2, 1, 2)


@pytest.mark.parametrize("cell", ["", "不明", "いつか"])
def test_a_row_without_a_time_counts_as_the_first_day_and_is_proven_in_part(lists: Lists, cell: str) -> None:
    lists.bring(lists.row(1, 登録日時=cell))
    (record,) = lists.records()
    assert (record.evidence, record.event_time) == ("partial", datetime(2023, 4, 1, tzinfo=UTC))


def test_a_list_that_was_imported_before_without_its_proof_can_be_proven_later(lists: Lists) -> None:
    lists.bring_plainly(lists.row(1, メルマガ許諾="1"))
    assert lists.reach("m1@example.com").refusal == "no_optin_record"
    proving = lists.prove(lists.write(lists.row(1, メルマガ許諾="1")))
    proving.rehearse(lists.shop.clock.now())
    report, reach = proving.write(lists.shop.clock.now())
    assert (report.duplicates, report.accepted) == (1, 0)
    assert [one.become for one in reach.places.values()] == [1]
    assert lists.reach("m1@example.com").refusal == ""


def test_the_same_list_with_the_same_bundle_again_records_nothing_twice(lists: Lists) -> None:
    lists.bring(lists.row(1), lists.row(2))
    before = len(lists.records())
    proving = lists.bring(lists.row(1), lists.row(2))
    _, reach = proving.write(lists.shop.clock.now())
    assert len(lists.records()) == before
    assert [(one.already, one.become) for one in reach.places.values()] == [(2, 0)]
    with lists.database.snapshot() as session:
        assert [count for _, count in proofs.list_all(session)] == [2]


def test_consent_for_mail_opens_no_other_channel_and_no_other_address(lists: Lists) -> None:
    lists.bring(lists.row(1), lists.row(1, メールアドレス="other@example.com", 様式="none"))
    assert lists.reach("m1@example.com").refusal == ""
    assert lists.reach("other@example.com").refusal == "no_consent"
    assert lists.reach("m1@example.com", "ads_sharing", "email").refusal != ""


def test_a_cohort_of_another_purpose_needs_its_own_wording_and_gets_its_own_record(lists: Lists) -> None:
    web = {"name": "cookies", "purpose": "personalisation", "channel": "web", "wording": "閲覧に合わせて表示する"}
    lists.bring(lists.row(1, 国="DE"), cohorts=(WEB, WEB | web | {"notice": {"name": "cookies", "version": "1"}}))
    assert {(one.purpose, one.status) for one in lists.records()} == {
        ("email_marketing", "given"),
        ("personalisation", "given"),
    }


def test_a_bundle_that_speaks_of_columns_which_the_file_lacks_is_refused(lists: Lists) -> None:
    with pytest.raises(Problem) as raised:
        lists.prove(lists.write(lists.row(1)), WEB | {"time": "登録日", "rows": {"column": "form", "equals": "web"}})
    assert raised.value.type == "column_missing"
    assert [one.pointer for one in raised.value.errors] == ["/cohorts/0/rows/column", "/cohorts/0/time"]
