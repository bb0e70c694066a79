"""The doctor finds what was broken on purpose, says why and what to do, in both languages, and changes nothing."""

import json
import os
import shutil
import string
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from cdp.deployment import keyring_paths, silence_logs
from cdp.gate.model import Permission
from cdp.ops.doctor import LOOKS, examine
from cdp.ops.doctor.findings import hurts, sound
from cdp.ops.doctor.texts import TEXTS
from cdp.web.metrics import heartbeat
from cdp.web.metrics.heartbeat import JobBeat
from tests.conftest import ROOT, StandingClock
from tests.ops.conftest import Home


def found(home: Home, days: float = 0) -> dict[str, str]:
    """Return level by name of everything that is not sound."""
    clock = StandingClock(datetime.now(UTC) + timedelta(days=days))
    return {one.name: one.level for one in examine(home.settings, clock) if one.level != "sound"}


def alive(home: Home, **jobs: JobBeat) -> None:
    heartbeat.write(home.settings.home, datetime.now(UTC), jobs)


def test_a_sound_deployment_has_nothing_that_hurts(home: Home, tmp_path: Path) -> None:
    home.bring("ada@example.com")
    home.cdp("ledger", "verify")
    home.cdp("backup", str(tmp_path / "backup"))
    alive(home)
    assert "hurts" not in found(home).values(), found(home)


def test_what_is_wrong_with_the_keys_is_found(home: Home) -> None:
    ring, mirror = keyring_paths(home.settings)
    old = mirror.read_bytes()
    home.bring("eve@example.com")
    home.cdp("subject", "erase", "--reason", "asked", "--yes", typed="eve@example.com\n")
    mirror.write_bytes(old)
    assert found(home)["copy_behind"] == "hurts"
    mirror.unlink()
    assert found(home)["copy_missing"] == "hurts"
    home.cdp("keys", "status")
    with home.opened() as deployment:
        deployment.vault.keyring.rotate_root()
    assert found(home, days=2)["rotation_unfinished"] == "hurts"
    stray = ring.with_name("stray.json")
    stray.write_bytes(old)
    os.utime(stray, (0, 0))
    silence_logs(home.settings)[0].write_text("\n[]\n")
    assert {"old_copy", "logs_differ"} <= set(found(home))


def test_a_restored_copy_whose_index_key_is_gone_is_found_until_it_is_indexed(home: Home) -> None:
    home.bring("ada@example.com")
    with home.opened() as deployment:
        deployment.vault.keyring.rotate_index()
        deployment.vault.keyring.destroy_epoch(1)
    assert found(home)["index_lost"] == "hurts"
    home.cdp("keys", "reindex")
    assert "index_lost" not in found(home)


def test_what_is_wrong_with_files_and_backups_is_found(home: Home, tmp_path: Path) -> None:
    assert found(home)["no_backup"] == "note"
    home.cdp("backup", str(tmp_path / "backup"))
    (home.settings.home / "ledger" / "ledger.key").chmod(0o644)
    home.settings.home.chmod(0o777)
    seen = found(home, days=3)
    assert seen["backup_old"] == seen["readable_by_others"] == seen["writable_by_others"] == "hurts"


def test_a_clock_that_went_back_is_found(home: Home) -> None:
    home.bring("ada@example.com")
    assert found(home, days=-1)["clock_behind"] == "hurts"
    assert found(home, days=-400)["clock_years_behind"] == "hurts"
    if home.settings.url.startswith("postgresql"):
        assert found(home, days=1)["clock_apart"] == "hurts"


def test_a_worker_that_is_gone_or_fails_is_found(home: Home) -> None:
    assert found(home)["worker_never"] == "note"
    alive(home, seal=JobBeat(failing=7))
    assert found(home)["job_failing"] == "hurts"
    assert found(home, days=1)["worker_silent"] == "hurts"
    home.bring("ada@example.com")
    with home.opened() as deployment, deployment.database.transaction() as session:
        session.execute(update(Permission).values(next_change_at=datetime.now(UTC) - timedelta(hours=1)))
    assert found(home, days=0.01)["people_wait"] == "hurts"
    assert found(home, days=0.01)["unsealed"] == "hurts"


def test_contracts_that_end_are_found_a_month_before(home: Home, tmp_path: Path) -> None:
    ours = tmp_path / "policies"
    shutil.copytree(ROOT / "policies", ours)
    settings = home.settings.model_copy(update={"policies": ours})
    levels = []
    for days in (0, 4000):
        names = {one.name: one.level for one in examine(settings, StandingClock(datetime.now(UTC) + timedelta(days)))}
        levels.append(names.get("ended"))
    assert levels == [None, "hurts"]


def test_an_empty_field_of_the_record_of_processing_is_told_with_its_file(home: Home, tmp_path: Path) -> None:
    ours = tmp_path / "policies"
    shutil.copytree(ROOT / "policies", ours)
    said = (ours / "controller.yaml").read_text()
    (ours / "controller.yaml").write_text(
        "\n".join(line for line in said.splitlines() if not line.startswith("dpo_contact:"))
    )
    seen = examine(home.settings.model_copy(update={"policies": ours}))
    [told] = [one for one in seen if "dpo_contact" in one.what]
    assert told.name == "record_incomplete"
    assert "record_incomplete" not in found(home)


def test_a_third_party_that_nobody_confirmed_and_people_who_were_not_told_are_found(home: Home) -> None:
    home.cdp("connector", "add", "bought", "--type", "csv", "--set", "obtained_from=third_party")
    seen = found(home)
    assert (seen["provenance_unconfirmed"], seen["notice_14_due"]) == ("hurts", "note")
    assert found(home, days=40)["notice_14_due"] == "hurts"


def test_wrong_policies_are_told_by_file(home: Home, tmp_path: Path) -> None:
    broken = tmp_path / "policies"
    shutil.copytree(ROOT / "policies", broken)
    (broken / "purposes" / "support.yaml").write_text("purpose: support\n")
    told = examine(home.settings.model_copy(update={"policies": broken}))
    assert [one for one in told if one.level == "hurts" and "purposes/support.yaml" in one.why]


def test_it_speaks_japanese_and_json(home: Home) -> None:
    home.env |= {"LC_ALL": "ja_JP.UTF-8", "CDP_BASE_URL": "http://cdp.example"}
    lines = [json.loads(line) for line in home.cdp("doctor", "--json").stdout.splitlines()]
    [plain] = [one for one in lines if one["name"] == "no_tls"]
    assert (plain["level"], plain["what"]) == ("note", "CDP_BASE_URL http://cdp.example が https ではありません")
    assert all(set(one) == {"level", "name", "what", "why", "todo"} for one in lines)
    sound = {one["name"]: one["what"] for one in lines if one["level"] == "sound"}
    assert sound["keyring_and_database_belong_together"] == "鍵束とデータベースの対応"


@pytest.mark.parametrize("name", [name for name, _ in LOOKS])
def test_every_look_has_a_japanese_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    assert sound(name).what != name
    assert sound(name).what in hurts("out_of_reach", look=name, thing="database").what
    assert "データベース に" in hurts("out_of_reach", look=name, thing="database").what


def test_what_ends_is_named_in_japanese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    for what, word in (("contract", "契約"), ("check", "年次の確認")):
        told = hurts("ended", recipient="ma_tool", what=what, until="2026-01-01")
        assert told.what == f"ma_tool の{word}は 2026-01-01 に終わりました"


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_every_finding_says_what_why_and_what_to_do_in_both_languages(name: str) -> None:
    english, japanese = TEXTS[name]
    for texts in (english, japanese):
        assert all(len(text) > 2 for text in texts)
    facts = [
        {field for text in texts for _, field, _, _ in string.Formatter().parse(text) if field} for texts in TEXTS[name]
    ]
    assert facts[1] <= facts[0], "the Japanese text names no fact that the English does not"
