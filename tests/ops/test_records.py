"""The record of processing, the records of provisions and the records of receipts, as an operator meets them."""

import csv
import io

from cdp import consent, gate
from cdp.deployment import Deployment
from tests.ops.conftest import Home
from tests.rights.test_provisions import EVE, agreed


def test_the_record_of_processing_is_written_in_every_form(home: Home) -> None:
    home.bring("ada@example.com")
    assert "個人情報の名称" in home.cdp("records", "--format", "csv").output
    assert '"form": "sekisho.records-of-processing/1"' in home.cdp("records", "--format", "json").output
    assert "<!doctype html>" in home.cdp("records", "--format", "html", "--language", "en").output
    assert "ads" in home.cdp("records", "--view", "activities", "--language", "en").output
    assert home.cdp("records", "--check").output.startswith("complete")


def provided(home: Home) -> str:
    """Let somebody be shared with the advertising platform, and return the page."""
    home.bring(EVE)
    with home.opened() as deployment:
        with deployment.database.transaction() as session:
            consent.record(session, 1, agreed(deployment), deployment.clock.now())
        return handed_out(deployment)


def handed_out(deployment: Deployment) -> str:
    use = deployment.policy.find_use("ads_sharing", "ad_platform", "ads")
    page = gate.read_page(
        deployment.database, gate.PageRequest(use, ("email",), lease_seconds=60.0), lambda session, at: [1]
    )
    assert isinstance(page, gate.Page) and len(page.rows) == 1
    page.hand_over()
    return page.id


def test_who_got_what_is_listed_for_a_spreadsheet_by_recipient_and_day(home: Home) -> None:
    page = provided(home)
    listed = home.cdp("disclosures", "list", "--recipient", "ad_platform", "--csv").output
    [row] = csv.DictReader(io.StringIO(listed.lstrip("\ufeff")))
    assert (row["disclosure"], row["people"], row["article"]) == (page, "1", "28(1)")
    assert row["address"] == "Menlo Park, California, USA"
    assert page in home.cdp("disclosures", "list", "--provisions").output
    assert "nobody was given" in home.cdp("disclosures", "list", "--until", "2020-01-01").output
    assert "what it got before" in home.cdp("disclosures", "list", "--recipient", "somebody").output


def test_whose_data_it_was_is_told_before_and_after_an_erasure(home: Home) -> None:
    page = provided(home)
    why = ("--reason", "asked by the authority")
    assert home.cdp("disclosures", "show", page, *why).output == "subject=1\tperson=1\n"
    home.cdp("subject", "erase", "--yes", "--reason", "asked", typed=f"{EVE}\n")
    shown = home.cdp("disclosures", "show", page, *why).output
    assert shown.startswith("subject=1\tnamed\tuntil ") and EVE not in shown
    assert f"Name {EVE}" in home.cdp("disclosures", "show", page, "--names", *why).output
    assert "ad_platform" in home.cdp("disclosures", "trace", *why, typed=f"{EVE}\n").output
    assert "no record holds" in home.cdp("disclosures", "trace", *why, typed="other@example.com\n").output
    home.cdp("disclosures", "show", "0" * 32, *why, exit_code=2)


def test_nothing_is_pruned_before_its_time_and_a_dry_run_says_so(home: Home) -> None:
    page = provided(home)
    assert "pages=0" in home.cdp("disclosures", "prune", "--dry-run").output
    assert "pages=0" in home.cdp("disclosures", "prune", "--yes").output
    assert page in home.cdp("disclosures", "list").output


def test_a_bought_list_is_confirmed_doubted_and_told_of(home: Home) -> None:
    home.cdp("connector", "add", "bought", "--type", "csv", "--set", "obtained_from=third_party")
    assert "not confirmed" in home.cdp("connector", "show", "bought").output
    told = ("--provider", "P KK", "--address", "Tokyo", "--acquired", "at a fair", "--seen", "contract")
    why = ("--reason", "purchase 12")
    missing = home.cdp("connector", "confirm", "bought", *told, "--route", "opt_out", *why, exit_code=2).output
    assert "/representative" in missing and "/filing" in missing
    home.cdp("connector", "confirm", "bought", *told, "--route", "consent", "--representative", "R", *why)
    shown = home.cdp("connector", "show", "bought").output
    assert "P KK\tconsent\tat a fair" in shown and "not confirmed" not in shown and "notice=not yet" in shown
    home.cdp("connector", "notified", "bought", *why)
    home.cdp("connector", "doubt", "bought", *why)
    shown = home.cdp("connector", "show", "bought").output
    assert "not confirmed" in shown and "notice=not yet" not in shown
    assert "第三者から" in home.cdp("records", "--format", "csv").output
