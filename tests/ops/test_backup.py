import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import Session

from cdp import consent, identity
from cdp import deployment as deploying
from cdp.consent.suppression import Lift
from cdp.errors import KeyDestroyed, StartRefused
from cdp.ops import backup, doctor
from cdp.profile.model import Subject
from cdp.vault import Keyring
from cdp.vault.model import SubjectKey
from tests.conftest import StandingClock
from tests.ops.conftest import Home

MANY, ERASED = 12, 4


def mail(number: int) -> str:
    return f"p{number}@example.com"


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def subjects(home: Home) -> set[int]:
    with home.opened() as deployment, deployment.database.snapshot() as session:
        return set(session.scalars(select(Subject.number)))


def openable(session: Session, home: Home) -> set[int]:
    from cdp.vault import Vault

    keys, found = Vault(Keyring.load(home.settings.keyring_uri, home.settings.keyring_mirror)), set()
    for key in session.scalars(select(SubjectKey)):
        try:
            keys.unwrap(key.subject, key.tree, key.wrapped)
        except KeyDestroyed:
            continue
        found.add(key.subject)
    return found


def test_a_restored_backup_brings_back_everyone_but_the_erased(home: Home, tmp_path: Path) -> None:
    home.bring(*map(mail, range(MANY)))
    before = subjects(home)
    manifest = backup.backup(home.settings, tmp_path / "backup")
    assert manifest["ledger"] is None or manifest["ledger"]["size"] >= 0
    for number in range(ERASED):
        home.cdp("subject", "erase", "--reason", "asked", "--yes", typed=mail(number) + "\n")
    after = subjects(home)
    assert len(after) == MANY - ERASED
    home.cdp("restore", str(tmp_path / "backup"), exit_code=2)
    home.cdp("restore", str(tmp_path / "backup"), "--yes")
    assert subjects(home) == after
    with home.opened() as deployment, deployment.database.snapshot() as session:
        assert openable(session, home) == after
        assert identity.find(session, "email", "", mail(0)) is None
        assert identity.find(session, "email", "", mail(ERASED)) in before


def test_numbers_given_after_the_backup_are_never_given_again(home: Home, tmp_path: Path) -> None:
    home.bring("ada@example.com")
    backup.backup(home.settings, tmp_path / "backup")
    home.bring("ben@example.com")
    highest = max(subjects(home))
    backup.restore(home.settings, tmp_path / "backup", replace=True)
    home.bring("cleo@example.com")
    assert max(subjects(home)) > highest


def test_a_backup_holds_no_key_and_no_value(home: Home, tmp_path: Path) -> None:
    home.bring("canary-person@example.com")
    home.cdp("init")
    backup.backup(home.settings, tmp_path / "backup")
    content = everything(tmp_path / "backup")
    state = Keyring.load(home.settings.keyring_uri, home.settings.keyring_mirror).state()
    secrets = [*state.index.values(), *state.keys.values()]
    secrets += [bytes.fromhex((home.settings.home / "ledger" / "ledger.key").read_text().strip())]
    for secret in secrets:
        assert secret not in content
        assert secret.hex().encode() not in content
    for key in json.loads((home.settings.home / "oauth" / "keys.json").read_text())["keys"]:
        assert key["d"].encode() not in content
    assert b"canary-person" not in content
    assert not list((tmp_path / "backup").rglob("*keyring.json"))
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "backup").iterdir())


def test_a_damaged_backup_is_refused_before_anything_is_touched(home: Home, tmp_path: Path) -> None:
    home.bring("ada@example.com")
    backup.backup(home.settings, tmp_path / "backup")
    [victim, *_] = [path for path in (tmp_path / "backup").iterdir() if path.name != backup.MANIFEST]
    victim.write_bytes(victim.read_bytes() + b"x")
    with pytest.raises(backup.Mismatch, match="damaged"):
        backup.restore(home.settings, tmp_path / "backup", replace=True)
    assert subjects(home) == {1}


def test_a_backup_goes_into_an_empty_folder_only(home: Home, tmp_path: Path) -> None:
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "something").write_text("here")
    with pytest.raises(StartRefused, match="not empty"):
        backup.backup(home.settings, tmp_path / "backup")


def test_a_backup_of_another_keyring_is_refused(home: Home, tmp_path: Path) -> None:
    home.bring("ada@example.com")
    backup.backup(home.settings, tmp_path / "backup")
    manifest = json.loads((tmp_path / "backup" / backup.MANIFEST).read_text())
    manifest["keyring"] = "0" * 32
    (tmp_path / "backup" / backup.MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(StartRefused, match="another keyring"):
        backup.restore(home.settings, tmp_path / "backup", replace=True)


def test_the_ledger_goes_on_under_a_new_origin_after_a_restore(home: Home, tmp_path: Path) -> None:
    home.bring("ada@example.com")
    backup.backup(home.settings, tmp_path / "backup")
    home.cdp("ledger", "verify")
    home.bring("ben@example.com")
    home.cdp("ledger", "verify")
    home.cdp("restore", str(tmp_path / "backup"), "--yes")
    home.cdp("ledger", "verify", exit_code=1)
    home.cdp("ledger", "verify", "--accept-restart")
    home.cdp("ledger", "verify")


def test_a_backup_while_somebody_writes_is_of_one_moment(home: Home, tmp_path: Path) -> None:
    home.bring(*map(mail, range(20)))
    with home.opened() as deployment, deployment.database.transaction() as session:
        session.add(Subject(person=0, source="x", fingerprint=b"x" * 16, first_at=deployment.clock.now()))
        session.flush()
        backup.backup(home.settings, tmp_path / "backup")
    backup.restore(home.settings, tmp_path / "backup", replace=True)
    assert len(subjects(home)) == 20
    if home.settings.url.startswith("sqlite"):
        copy = sqlite3.connect(tmp_path / "backup" / "database.sqlite")
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        copy.close()


def test_a_restore_says_what_the_backup_cannot_know_and_the_doctor_for_thirty_days(home: Home, tmp_path: Path) -> None:
    home.bring("ada@example.com")
    made = backup.backup(home.settings, tmp_path / "backup")
    told = home.cdp("restore", str(tmp_path / "backup"), "--yes")
    assert "objections" in told.stderr
    assert made["made_at"] in told.stderr
    assert "docs/restoring.md" in home.cdp("restore", "--help").stdout
    at = datetime.now(UTC)
    reminders = {}
    for days in (0, 29, 31):
        found = doctor.examine(home.settings, StandingClock(at + timedelta(days=days)))
        reminders[days] = [one.level for one in found if "a backup was restored" in one.what]
    assert reminders == {0: ["note"], 29: ["note"], 31: []}


def test_who_unsubscribed_after_the_backup_stays_silent_after_its_return(home: Home, tmp_path: Path) -> None:
    home.bring("ada@example.com", "ben@example.com")
    backup.backup(home.settings, tmp_path / "backup")
    home.bring("cleo@example.com")
    silenced(home, "ada@example.com", "cleo@example.com")
    with home.opened() as deployment:
        [log, mirror] = deploying.silence_logs(deployment.settings)
    assert log.read_bytes() == mirror.read_bytes()
    assert b"example.com" not in log.read_bytes()
    assert log.stat().st_mode & 0o077 == 0
    with log.open("ab") as file:
        file.write(b'["torn')
    backup.restore(home.settings, tmp_path / "backup", replace=True)
    assert is_silent(home, "ada@example.com")
    assert is_silent(home, "cleo@example.com"), "also who is not there any more: the address may come back"
    assert not is_silent(home, "ben@example.com")


def test_a_start_silences_nobody_whom_a_later_consent_freed(home: Home, tmp_path: Path) -> None:
    home.bring("ada@example.com")
    silenced(home, "ada@example.com")
    with home.opened() as deployment, deployment.database.transaction() as session:
        token, now = suppression_token(deployment, "ada@example.com"), deployment.clock.now()
        consent.lift(session, [Lift("email", token, "email", now, "record")], now)
    assert not is_silent(home, "ada@example.com")
    assert not is_silent(home, "ada@example.com"), "nor the next start"


def silenced(home: Home, *mails: str) -> None:
    with home.opened() as deployment, deployment.database.transaction() as session:
        for one in mails:
            token, now = suppression_token(deployment, one), deployment.clock.now()
            consent.suppress(session, "email", token, "email", "unsubscribe", now)


def is_silent(home: Home, mail: str) -> bool:
    with home.opened() as deployment, deployment.database.snapshot() as session:
        return bool(consent.in_force(session, [suppression_token(deployment, mail)], channel="email"))


def suppression_token(deployment: deploying.Deployment, mail: str) -> bytes:
    return deployment.vault.suppression_token("email", "", mail)
