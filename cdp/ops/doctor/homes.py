"""Looks at the machine around the deployment: files, disks, its address, its backups."""

import json
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cdp.clock import parse_instant
from cdp.deployment import erasure_logs, keyring_paths, ledger_folder, silence_logs
from cdp.ops import backup
from cdp.ops.doctor.findings import Finding, Patient, hurts, note
from cdp.web.metrics.readings import BACKED_UP

LEAST_FREE = 500_000_000
RESTORED_LATELY = timedelta(days=30)
OLDEST_BACKUP = timedelta(days=2)


def permissions(patient: Patient) -> Iterator[Finding]:
    """Nobody else reads a key or the database, nor writes in the home."""
    settings = patient.settings
    secret = [*keyring_paths(settings), *erasure_logs(settings), *silence_logs(settings)]
    secret += [ledger_folder(settings) / "ledger.key", settings.home / "oauth" / "keys.json"]
    if settings.url.startswith("sqlite"):
        secret.append(Path(settings.url.removeprefix("sqlite:///")))
    for path in secret:
        if path.exists() and path.stat().st_mode & 0o077:
            yield hurts("readable_by_others", path=path)
    if settings.home.exists() and settings.home.stat().st_mode & 0o022:
        yield hurts("writable_by_others", path=settings.home)


def disks(patient: Patient) -> Iterator[Finding]:
    """There is room to go on."""
    for folder in {patient.settings.home, *(path.parent for path in keyring_paths(patient.settings))}:
        if folder.exists() and shutil.disk_usage(folder).free < LEAST_FREE:
            yield hurts("disk_full", path=folder)


def address(patient: Patient) -> Iterator[Finding]:
    """Others reach it encrypted, by one web process where there may be only one, and logs say enough and not more."""
    settings = patient.settings
    if settings.base_url.startswith("http://") and "://127." not in settings.base_url:
        yield note("no_tls", url=settings.base_url)
    asked = max((_number(os.environ.get(name, "")) for name in ("GRANIAN_WORKERS", "WEB_CONCURRENCY")), default=1)
    if patient.database.is_sqlite and asked > 1:
        yield hurts("several_on_sqlite")
    if settings.log_level in ("debug", "error"):
        yield note("log_level", level=settings.log_level)


def backups(patient: Patient) -> Iterator[Finding]:
    """A backup was made lately; only `cdp backup` is known here."""
    made = patient.settings.home / BACKED_UP
    if not made.exists():
        yield note("no_backup")
        return
    age = patient.clock.now() - datetime.fromtimestamp(made.stat().st_mtime, UTC)
    if age > OLDEST_BACKUP:
        yield hurts("backup_old", days=age.days)


def restored(patient: Patient) -> Iterator[Finding]:
    """What people said between a backup and its return is lost in part, and nobody else remembers it for us."""
    path = patient.settings.home / backup.RESTORED
    if not path.exists():
        return
    try:
        said = json.loads(path.read_bytes())
        since, at = parse_instant(said["made_at"]), parse_instant(said["restored_at"])
    except (ValueError, KeyError, TypeError):
        yield hurts("restored_unreadable", path=path)
        return
    if patient.clock.now() - at < RESTORED_LATELY:
        yield note("restored", day=f"{at:%Y-%m-%d}", since=f"{since:%Y-%m-%d %H:%M}")


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 1
