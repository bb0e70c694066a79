"""The day of a breach at the command line: recorded, told in time, found by the doctor, and nobody named."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.ops.conftest import Home
from tests.ops.test_doctor import found
from tests.ops.test_requests import lines

KNOWN = ("--aware-by", "night shift", "--category", "contact", "--happened", "a login with a stolen key")


def recorded(home: Home, *more: str) -> str:
    return lines(home.cdp("breach", "record", *KNOWN, *more).output)["breach"]


def ago(**how: float) -> str:
    return (datetime.now(UTC) - timedelta(**how)).isoformat()


def test_recording_says_at_once_whom_to_tell_by_when(home: Home) -> None:
    said = home.cdp(
        "breach", "record", *KNOWN, "--aware-at", "2026-06-01T09:00", "--malicious", "--risk", "risk"
    ).output
    assert "規則7条3号" in said
    assert "gdpr_authority\tOVERDUE\tby 2026-06-04 09:00 JST" in said
    assert "appi_preliminary\tOVERDUE\tby 2026-06-05 23:59 JST" in said
    assert "appi_final\tOVERDUE\tby 2026-07-30 23:59 JST" in said and "個人情報保護委員会への確報" in said
    assert "\x1b" not in said, "no colours where nobody watches"


def test_the_list_shows_what_is_still_to_be_told_the_most_pressing_first(home: Home) -> None:
    one = recorded(home, "--aware-at", ago(days=1), "--law", "appi", "--people", "2000")
    told = home.cdp("breach", "list").stdout.splitlines()
    assert [line.split("\t")[:2] for line in told] == [
        [one, "appi_preliminary"],
        [one, "appi_final"],
        [one, "appi_subjects"],
    ]
    for duty in ("appi_preliminary", "appi_final", "appi_subjects"):
        home.cdp("breach", "report", one, "--duty", duty, "--reference", "26-0017")
    assert home.cdp("breach", "list").stdout == ""
    assert f"{one}\tnothing to tell" in home.cdp("breach", "list", "--all").stdout
    assert "reference=26-0017" in home.cdp("breach", "show", one).output


def test_what_is_late_needs_its_reason(home: Home) -> None:
    one = recorded(home, "--aware-at", ago(days=4), "--law", "gdpr")
    assert "gdpr_authority\tOVERDUE" in home.cdp("breach", "list").output
    refused = home.cdp("breach", "report", one, "--duty", "gdpr_authority", exit_code=2)
    assert "/why_late" in refused.output
    told = home.cdp("breach", "report", one, "--duty", "gdpr_authority", "--why-late", "found by an audit").output
    assert "gdpr_authority\tDONE LATE" in told


def test_what_is_known_better_is_amended_with_a_reason(home: Home) -> None:
    one = recorded(home, "--law", "appi", "--people", "1000", "--by-mistake", "--property-damage", "0")
    assert "register only" in home.cdp("breach", "show", one).output
    home.cdp("breach", "amend", one, "--people", "1001", "--reason", " ", exit_code=2)
    assert "規則7条4号" in home.cdp("breach", "amend", one, "--people", "1001", "--reason", "one more file").output
    shown = home.cdp("breach", "show", one).output
    assert "recorded" in shown and "amended\tpeople=1001\tone more file" in shown and "ALTERED" not in shown


def test_nobody_is_named_and_a_slip_is_told_where_it_is(home: Home) -> None:
    slip = home.cdp("breach", "record", *KNOWN[:-1], "ada@example.com got it", exit_code=2)
    assert "/happened" in slip.output and "ada@" not in slip.output
    home.cdp("breach", "record", *KNOWN, "--aware-at", "yesterday", exit_code=2)
    assert home.cdp("breach", "list", "--all").stdout == ""


def test_the_doctor_warns_before_it_is_too_late_and_after(home: Home) -> None:
    assert not [name for name in found(home) if name.startswith("breach")]
    one = recorded(home, "--law", "appi", "--people", "2000")
    assert found(home)["breach_due"] == "note"
    assert found(home, days=3.5)["breach_pressing"] == "hurts"
    assert found(home, days=6)["breach_overdue"] == "hurts"
    spoken = [json.loads(line) for line in home.cdp("doctor", "--json", exit_code=0).output.splitlines()]
    assert any(one in line["what"] and "JST" in line["what"] for line in spoken if line["name"] == "breach_due")


def test_the_doctor_has_nothing_to_say_of_a_deployment_without_tables(uninitialised: Home) -> None:
    assert not [name for name in found(uninitialised) if name.startswith("breach")]


def test_hours_that_cannot_be_are_found_before_the_day(home: Home, tmp_path: Path) -> None:
    shutil.copytree(home.settings.policies_path, tmp_path / "policies")
    file = tmp_path / "policies" / "laws" / "gdpr.yaml"
    file.write_text(file.read_text().replace("breach_authority_hours: 72", "breach_authority_hours: three days"))
    home.env["CDP_POLICIES"] = str(tmp_path / "policies")
    assert "breach_authority_hours must be a whole number" in home.cdp("policy", "check", exit_code=1).output
    home.cdp("breach", "record", *KNOWN, exit_code=2)
