"""`cdp import` as an operator meets it when the list is old: first the report, then the question, then the same."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.ops.conftest import Home
from tests.proving.conftest import PNG, WEB

LIST = (
    "会員番号,氏名,メールアドレス,メルマガ許諾,登録日時,様式\n"
    "1,山田 太郎,taro@example.com,1,2024-05-01,web\n"
    "2,鈴木 花子,hanako@example.com,1,不明,web\n"
    "3,佐藤 次郎,,1,2024-05-01,web\n"
    "4,高橋 三郎,saburo@example.com,1,2024-05-01,店頭\n"
)


@pytest.fixture
def old(home: Home, tmp_path: Path) -> tuple[str, ...]:
    """The arguments of the import of an old list with its evidence."""
    home.cdp("connector", "add", "crm", "--type", "csv", "--set", "residence_default=JP")
    (tmp_path / "old.csv").write_text(LIST, encoding="cp932")
    (tmp_path / "form.png").write_bytes(PNG)
    (tmp_path / "bundle.yaml").write_text(yaml.safe_dump({"cohorts": [WEB]}, allow_unicode=True), encoding="utf-8")
    return ("import", str(tmp_path / "old.csv"), "--source", "crm", "--consent-evidence", str(tmp_path / "bundle.yaml"))


def told(output: str, when: str) -> list[str]:
    return [line.partition("\t")[2] for line in output.splitlines() if line.startswith(f"{when}\t")]


def test_the_report_comes_first_and_what_was_written_is_told_in_the_same_words(
    home: Home, old: tuple[str, ...]
) -> None:
    done = home.cdp(*old, "--yes").stdout
    assert told(done, "before") == told(done, "written") != []
    assert told(done, "written")[0] == "APPI\temail\temail_marketing\tweb\trows=3\talready=0\tbecome=1\tlost=0\tstay=2"
    assert "uncovered=1" in told(done, "written") and "alert\tstale_or_unproven_grant=2" in told(done, "written")
    assert any("\tstay\t1\tno_contact_point\t" in line for line in told(done, "written"))
    assert "evidence\tweb\tfull" in done and "partial evidence supports\tGDPR\tnothing" in done
    assert "特定電子メール法3条" in done and "ePrivacy 13" in done and "the 2 rows" in done
    assert "rows=4\naccepted=4\n" in done
    assert not [name for name in ("taro", "hanako", "saburo", "山田 太郎") if name in done]


def test_what_is_missing_is_named_by_cohort_in_both_languages(home: Home, old: tuple[str, ...], tmp_path: Path) -> None:
    poor = {key: value for key, value in WEB.items() if key not in ("where", "form")}
    (tmp_path / "bundle.yaml").write_text(yaml.safe_dump({"cohorts": [poor]}, allow_unicode=True), encoding="utf-8")
    done = home.cdp(*old, "--dry-run").stdout
    missing = [line.split("\t")[1:3] for line in done.splitlines() if line.startswith("missing\t")]
    assert missing == [["web", "form"], ["web", "where"]]
    assert "取得した場所" in done and "the page or the shop" in done
    assert "become=0" in done and "nothing was changed" in done


def test_a_dry_run_keeps_neither_rows_nor_evidence(home: Home, old: tuple[str, ...]) -> None:
    assert "nothing was changed" in home.cdp(*old, "--dry-run").stdout
    assert "none yet" in home.cdp("evidence", "list").stderr
    assert "become=1" in home.cdp(*old, "--dry-run").stdout, "it is as it was"


def test_where_nobody_can_be_asked_nothing_is_written_without_yes(home: Home, old: tuple[str, ...]) -> None:
    stopped = home.cdp(*old, exit_code=2)
    assert told(stopped.stdout, "before") and not told(stopped.stdout, "written")
    assert "run it again with --yes" in stopped.stderr
    assert "none yet" in home.cdp("evidence", "list").stderr


@pytest.mark.parametrize(("answer", "code"), [("n\n", 1), ("y\n", 0)])
def test_whoever_sits_at_a_terminal_is_asked(home: Home, old: tuple[str, ...], answer: str, code: int) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, answer.encode())
    command = [sys.executable, "-m", "cdp.ops.cli", *old]
    run = subprocess.run(
        command, stdin=theirs, capture_output=True, text=True, check=False, cwd=ROOT, env={**os.environ, **home.env}
    )
    os.close(ours)
    os.close(theirs)
    assert run.returncode == code, run.stderr
    assert "Write this" in run.stderr
    assert bool(told(run.stdout, "written")) == (code == 0)


def test_a_bundle_full_of_mistakes_is_refused_with_all_their_places(
    home: Home, old: tuple[str, ...], tmp_path: Path
) -> None:
    wrong = WEB | {"purpose": ["email_marketing", "line_marketing"], "method": "telepathy"}
    (tmp_path / "bundle.yaml").write_text(
        yaml.safe_dump({"cohorts": [wrong, WEB | {"form": "x.png"}]}), encoding="utf-8"
    )
    refused = home.cdp(*old, "--yes", exit_code=2)
    assert "/cohorts/0/method" in refused.stderr
    (tmp_path / "bundle.yaml").write_text(
        yaml.safe_dump({"cohorts": [wrong | {"method": "checkbox"}, WEB | {"form": "x.png"}]}), encoding="utf-8"
    )
    refused = home.cdp(*old, "--yes", exit_code=2)
    assert "/cohorts/0/purpose: One box, one purpose" in refused.stderr and "/cohorts/1/form" in refused.stderr
    assert refused.stdout == ""


def test_the_template_is_printed_without_a_file_or_a_source(home: Home) -> None:
    assert yaml.safe_load(home.cdp("import", "--consent-evidence-template").stdout)["cohorts"]


def test_proof_is_given_years_later_with_the_form_as_it_was_handed_in(
    home: Home, old: tuple[str, ...], tmp_path: Path
) -> None:
    home.cdp(*old, "--yes")
    for name in ("bundle.yaml", "form.png", "old.csv"):
        (tmp_path / name).unlink()
    (line,) = home.cdp("evidence", "list").stdout.splitlines()
    assert "records=2" in line and "山田 花子, 管理者" in line
    out = tmp_path / "proof.png"
    shown = json.loads(home.cdp("evidence", "show", line.split("\t")[0], "--document", str(out)).stdout)
    assert out.read_bytes() == PNG
    assert (shown["class"], shown["declared"]["wording"]) == ("full", "お得な情報をメールで受け取る")
    assert shown["ledger_entry"] and shown["document"]["sha256"]
    home.cdp("evidence", "show", line.split("\t")[0], "--document", str(out), exit_code=2)
    home.cdp("evidence", "show", line.split("\t")[0], "--document", str(tmp_path / "proof.pdf"), exit_code=2)
    home.cdp("evidence", "show", "nothing", exit_code=2)
    home.cdp("ledger", "verify")
