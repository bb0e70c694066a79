import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from cdp.deployment import keyring_paths
from cdp.ledger.model import LedgerEntry
from cdp.ops.cli import main
from tests.conftest import ROOT
from tests.ops.conftest import Home


def commands(group=main, path: tuple[str, ...] = ()):
    for name, command in group.commands.items():
        yield (*path, name)
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """The embedded database: what a command does to either kind is tried with the packages themselves."""
    return f"sqlite:///{tmp_path / 'cdp.db'}"


@pytest.fixture
def lines(home: Home):
    def read(*arguments: str, **more) -> dict[str, str]:
        found = [line.split("=", 1) for line in home.cdp(*arguments, **more).stdout.splitlines() if "=" in line]
        return dict(found)

    return read


def acts(home: Home) -> list[str]:
    with home.opened() as deployment, deployment.database.snapshot() as session:
        return [
            json.loads(row.header)["header"]["act"]
            for row in session.scalars(select(LedgerEntry))
            if row.act == "staff.act"
        ]


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...]) -> None:
    from click.testing import CliRunner

    result = CliRunner().invoke(main, [*path, "--help"])
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 4, result.output


@pytest.mark.parametrize(
    ("path", "said", "unsaid"),
    [
        (("serve",), "cdp serve --workers 4", "0.0.0.0"),
        (("subject", "merge"), "cdp subject revoke NUMBER", "with `split`"),
        (("subject",), "journey", "None"),
        (("policy", "decide"), "policies/recipients", "default: none"),
    ],
)
def test_help_leads_to_what_is_there_and_safe(home: Home, path: tuple[str, ...], said: str, unsaid: str) -> None:
    told = " ".join(home.cdp(*path, "--help").stdout.split())
    assert said in told
    assert unsaid not in told


def test_what_cannot_go_on_ends_with_two_and_one_sentence(uninitialised: Home) -> None:
    result = uninitialised.cdp("subject", "find", "--reason", "asked", exit_code=2, typed="ada@example.com\n")
    assert "cdp init" in result.stderr.splitlines()[-1]
    assert "ada@example.com" not in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("CDP_LEASE_SECONDS", "99", ""), ("CDP_BASE_URL", "cdp.example.com", "must be like https://cdp.example.com")],
)
def test_a_wrong_setting_is_named(home: Home, name: str, value: str, said: str) -> None:
    home.env[name] = value
    result = home.cdp("doctor", exit_code=2)
    assert name in result.stderr
    assert said in result.stderr


def test_where_there_is_nothing_yet_it_says_so_and_what_makes_something(home: Home) -> None:
    home.bring("ada@example.com")
    told = {
        ("client", "list"): "cdp client create",
        ("connector", "list"): "cdp connector add",
        ("request", "list"): "none",
        ("subject", "disclosures", "--person", "1", "--reason", "asked"): "none yet",
    }
    for command, said in told.items():
        result = home.cdp(*command)
        assert said in result.stderr
        assert result.stdout == ""
    home.cdp("connector", "add", "crm", "--type", "csv", "--set", "residence_default=JP")
    assert "none yet" in home.cdp("connector", "drops", "crm").stderr
    again = home.cdp("connector", "add", "crm", "--type", "csv", "--set", "residence_default=JP", exit_code=2)
    assert "choose another name" in again.stderr


def test_a_client_is_made_listed_and_revoked(home: Home, lines) -> None:
    made = lines("client", "create", "mailer", "--recipient", "ma_tool", "--purposes", "email_marketing")
    assert set(made) == {"client_id", "client_secret"}
    assert made["client_id"] in home.cdp("client", "list").stdout
    home.cdp("client", "revoke", "mailer")
    assert "revoked" in home.cdp("client", "list").stdout
    home.cdp("client", "revoke", "mailer", exit_code=2)


def test_an_undeclared_recipient_makes_no_client(home: Home) -> None:
    result = home.cdp("client", "create", "x", "--recipient", "nobody", exit_code=2)
    assert "/recipient" in result.stderr


def test_a_source_is_added_shown_and_fed_from_a_file(home: Home, lines, tmp_path: Path) -> None:
    assert {"segment", "csv", "line", "sendgrid"} <= {
        line.split("\t")[0] for line in home.cdp("connector", "types").stdout.splitlines()
    }
    assert "write_key" in lines("connector", "add", "site", "--type", "segment", "--set", "key=server")
    home.cdp("connector", "add", "crm", "--type", "csv", "--set", "residence_default=JP")
    file = tmp_path / "customers.csv"
    file.write_text(
        "顧客ID,氏名,メールアドレス,電話番号\n1,山田 太郎,taro@example.com,090-1234-5678\n", encoding="cp932"
    )
    dry = lines("import", str(file), "--source", "crm", "--dry-run")
    assert dry["rows"] == dry["accepted"] == "1"
    assert lines("import", str(file), "--source", "crm")["accepted"] == "1"
    assert lines("import", str(file), "--source", "crm")["duplicates"] == "1"
    home.cdp("connector", "declare", "crm", "会員ランク", "--trait", "tier")
    assert '"tier"' in home.cdp("connector", "show", "crm").stdout
    home.cdp("connector", "check", "crm")
    home.cdp("connector", "show", "crm")
    home.cdp("connector", "remove", "crm", "--yes")
    assert "crm" not in home.cdp("connector", "list").stdout


def test_a_person_is_found_exported_and_erased_with_a_reason(home: Home, lines, tmp_path: Path) -> None:
    home.bring("eve@example.com", "ada@example.com")
    found = home.cdp("subject", "find", "--reason", "asked", typed="eve@example.com\n")
    number = found.stdout.splitlines()[0].removeprefix("person=")
    assert "eve@example.com" not in found.stdout
    walked = home.cdp("subject", "journey", "--reason", "asked", "--person", number).stdout
    assert walked.splitlines()[0] == f"person={number}"
    assert "eve@example.com" not in walked
    out = tmp_path / "eve.json"
    told = lines("subject", "export", "--reason", "asked", "-o", str(out), "--person", number)
    assert int(told["held"]) > 3
    assert "eve@example.com" in out.read_text()
    assert "ada@example.com" not in out.read_text()
    assert out.stat().st_mode & 0o077 == 0
    home.cdp("subject", "export", "--reason", "asked", "-o", str(out), "--person", number, exit_code=2)
    dry = home.cdp("subject", "erase", "--reason", "asked", "--dry-run", typed="eve@example.com\n")
    assert "subject_key\t1" in dry.stdout
    home.cdp("subject", "erase", "--reason", "asked", typed="eve@example.com\nn\n", exit_code=1)
    certificate = home.cdp("subject", "erase", "--reason", "asked", "--yes", typed="eve@example.com\n").stdout
    assert json.loads(certificate)["body"]["held"] is True
    assert "nobody" in home.cdp("subject", "find", "--reason", "asked", typed="eve@example.com\n").stdout
    assert acts(home) == [
        "subject.find",
        "subject.journey",
        "subject.access",
        "subject.access",
        "subject.erasure",
        "subject.find",
    ]


@pytest.mark.parametrize("command", ["find", "journey", "disclosures"])
@pytest.mark.parametrize(
    ("type", "value", "said"),
    [("emial", "eve@example.com", "email, "), ("email", "eve at example", "cannot be an identifier of this type")],
)
def test_a_slip_in_an_identifier_is_never_taken_for_nobody(
    home: Home, command: str, type: str, value: str, said: str
) -> None:
    home.bring("eve@example.com")
    result = home.cdp("subject", command, "--type", type, "--reason", "asked", typed=f"{value}\n", exit_code=2)
    assert said in result.stderr
    assert "nobody" not in result.output.lower()
    assert value not in result.stderr.splitlines()[-1]


def test_a_number_that_nobody_has_finds_nobody(home: Home) -> None:
    for command, said in (("find", "nobody"), ("journey", "nobody: try `cdp subject find`")):
        assert home.cdp("subject", command, "--person", "99", "--reason", "asked").stdout.strip() == said


def test_a_reason_that_names_somebody_is_refused(home: Home) -> None:
    for reason in ("eve@example.com asked", "call 090-1234-5678", " "):
        home.cdp("subject", "find", "--person", "1", "--reason", reason, exit_code=2)


def test_people_are_restricted_merged_and_split(home: Home, lines) -> None:
    home.bring("ada@example.com", "ben@example.com")
    home.cdp("subject", "restrict", "--person", "1", "--reason", "asked")
    ending = lines("subject", "restrict", "--lift", "--person", "1", "--reason", "asked")
    assert ending["waits_for"] == "notice"
    assert lines("request", "tell", ending["request"], "--reason", "told")["state"] == "completed"
    merged = home.cdp("subject", "merge", "1", "2", "--reason", "same").stdout
    assert "subject 2\tperson 1" in merged
    decision = merged.splitlines()[0].removeprefix("decision=")
    assert home.cdp("subject", "find", "--person", "2", "--reason", "asked").stdout.startswith("person=1\n")
    home.cdp("subject", "revoke", decision, "--reason", "mistake")
    assert home.cdp("subject", "find", "--person", "2", "--reason", "asked").stdout.startswith("person=2\n")
    home.cdp("subject", "merge", "1", "2", "--reason", "same")
    assert "subject 2\tperson 2" in home.cdp("subject", "split", "1", "2", "--reason", "two").stdout
    home.cdp("subject", "merge", "1", "99", "--reason", "same", exit_code=2)


def test_one_decision_is_explained_with_its_articles(home: Home) -> None:
    home.bring("ada@example.com")
    use = ("--purpose", "email_marketing", "--recipient", "ma_tool")
    told = home.cdp("policy", "decide", "--subject", "1", *use).stdout
    assert told.startswith("deny")
    assert "policy_version=" in told
    assert "remedy\tShow the notice and ask the person.\t通知を示したうえで本人に同意を求めてください。" in told
    assert home.cdp("policy", "decide", "--subject", "1", *use, "--channel", "email").stdout.startswith("deny")
    nobody = home.cdp("policy", "decide", "--subject", "99", *use, exit_code=2)
    assert "cdp subject find" in nobody.stderr


def test_a_question_that_is_not_whole_is_told_what_there_is(home: Home) -> None:
    home.bring("ada@example.com")

    def told(purpose: str, recipient: str, *more: str) -> str:
        question = ("--subject", "1", "--purpose", purpose, "--recipient", recipient, *more)
        return home.cdp("policy", "decide", *question, exit_code=2).stderr

    assert "email_marketing, " in told("mail", "ma_tool")
    assert "ma_tool by email" in told("email_marketing", "nobody")
    assert "ma_tool by email" in told("email_marketing", "ma_tool", "--channel", "none")
    assert "--channel (" in told("service_delivery", "ma_tool")


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01", "soon"])
def test_an_instant_that_is_none_is_a_slip_and_no_traceback(home: Home, instant: str) -> None:
    use = ("--purpose", "email_marketing", "--recipient", "ma_tool")
    decided = home.cdp("policy", "decide", "--subject", "1", *use, "--at", instant, exit_code=2)
    told = home.cdp("request", "tell", "5f3c", "--at", instant, "--reason", "asked", exit_code=2)
    assert "--at" in decided.stderr
    assert "--at" in told.stderr


def test_policies_are_checked_by_their_own_examples(home: Home, tmp_path: Path) -> None:
    import shutil

    home.cdp("policy", "check")
    broken = tmp_path / "broken"
    shutil.copytree(ROOT / "policies", broken)
    file = broken / "purposes" / "service_delivery.yaml"
    file.write_text(file.read_text().replace("then: allow", "then: deny\n    because: no_consent", 1))
    home.env["CDP_POLICIES"] = str(broken)
    told = home.cdp("policy", "check", exit_code=1).stdout
    assert "purposes/service_delivery.yaml" in told
    home.cdp("policy", "check", str(broken / "purposes" / "support.yaml"))


def test_keys_are_shown_rotated_and_escrowed_without_a_byte_of_them(home: Home, lines, tmp_path: Path) -> None:
    home.bring("ada@example.com")
    before = lines("keys", "status")
    assert (before["copies"], before["trees"]) == ("2", "1")
    home.env["CDP_LEASE_SECONDS"] = "0.1"
    rotated = lines("keys", "rotate", "--settle", "0")
    assert (rotated["moved"], rotated["destroyed"]) == ("1", "1")
    assert lines("keys", "status")["trees"] == "2"
    home.cdp("keys", "rotate", "--oauth")
    safe = tmp_path / "safe.json"
    home.cdp("keys", "escrow", str(safe), "--yes")
    assert safe.read_bytes() == keyring_paths(home.settings)[0].read_bytes()
    home.cdp("subject", "erase", "--reason", "asked", "--yes", typed="ada@example.com\n")
    assert "older_copy" in lines("keys", "status")


def test_the_ledger_is_verified_and_handed_to_an_auditor(home: Home, tmp_path: Path) -> None:
    home.bring("ada@example.com")
    file = tmp_path / "ledger.jsonl"
    assert home.cdp("ledger", "verify", "--export", str(file)).stdout.startswith("sound")
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert rows[0]["public_key"]
    assert "checkpoint" in rows[-1]
    with home.opened() as deployment, deployment.database.transaction() as session:
        session.scalars(select(LedgerEntry)).first().header = "{}"
    home.cdp("ledger", "verify", exit_code=1)


def test_the_doctor_says_what_hurts_and_what_to_do(home: Home) -> None:
    home.cdp("init")
    assert "hurts" not in home.cdp("doctor").stdout
    ring = keyring_paths(home.settings)[0]
    ring.with_name("old.json").write_bytes(ring.read_bytes())
    os.utime(ring.with_name("old.json"), (0, 0))
    (home.settings.home / "ledger" / "ledger.key").chmod(0o644)
    del home.env["CDP_KEYRING_MIRROR"]
    told = home.cdp("doctor", exit_code=1).stdout
    assert "hurts\tthere is one copy of the keyring" in told
    assert "old.json" in told
    assert "chmod 600" in told


def test_the_worker_runs_as_a_process_and_stops_when_told(home: Home) -> None:
    environment = {**os.environ, **home.env}
    command = [sys.executable, "-m", "cdp.ops.cli"]
    home.cdp("init")
    process = subprocess.Popen([*command, "worker"], env=environment, stderr=subprocess.PIPE, cwd=ROOT)
    try:
        assert b"worker_started" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0
    assert b"worker_stopped" in said
    asked = subprocess.run([*command, "--version"], env=environment, capture_output=True, text=True, cwd=ROOT)
    assert asked.stdout.startswith("cdp, version")
