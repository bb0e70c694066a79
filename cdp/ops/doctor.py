"""Looks for what would hurt, before it does; every finding says what to do about it.

Works on a deployment that does not start: each look is on its own, and one that cannot look says so.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select
from sqlmodel import Session, col

from cdp import migrations, policy, rights, vault
from cdp.clock import Clock, SystemClock, parse_instant
from cdp.db import Database
from cdp.deployment import erasure_logs, keyring_paths, ledger_folder, load_keyring
from cdp.errors import StartRefused, Unavailable
from cdp.gate.model import Permission
from cdp.ledger.model import LedgerEntry
from cdp.ops import backup
from cdp.rights import remains, tombstones
from cdp.settings import Settings

LEAST_FREE = 500_000_000
OLDEST_COPY = timedelta(days=7)
RESTORED_LATELY = timedelta(days=30)
UNSEALED = timedelta(minutes=1)
RELEASED = datetime(2026, 1, 1, tzinfo=UTC)
"""No right clock shows a time before this program was written."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: `sound`, `note` (know it) or `hurts` (mend it)."""

    level: str
    what: str
    todo: str = ""


Look = Callable[["Patient"], Iterator[Finding]]


@dataclass(slots=True)
class Patient:
    """What the looks look at."""

    settings: Settings
    clock: Clock
    database: Database


def examine(settings: Settings, clock: Clock | None = None) -> list[Finding]:
    """Look at everything and return every finding."""
    clock = clock or SystemClock()
    database = Database(settings.url, clock=clock, patience=settings.database_patience_seconds)
    patient = Patient(settings, clock, database)
    try:
        return [finding for name, look in LOOKS for finding in _looked(name, look, patient)]
    finally:
        database.dispose()


def _looked(name: str, look: Look, patient: Patient) -> list[Finding]:
    try:
        return list(look(patient)) or [Finding("sound", name)]
    except StartRefused as error:
        return [Finding("hurts", name, str(error))]
    except Unavailable as error:
        return [Finding("hurts", name, f"The {error.what} is out of reach: check that it runs.")]
    except OSError as error:
        return [Finding("hurts", name, f"It could not be looked at: {type(error).__name__}.")]


def _keyring(patient: Patient) -> Iterator[Finding]:
    load_keyring(patient.settings)
    if not patient.settings.keyring_mirror:
        yield Finding("hurts", "there is one copy of the keyring", "Set CDP_KEYRING_MIRROR to a path on another disk.")
    for path in keyring_paths(patient.settings):
        if _is_beside_database(path, patient.settings):
            yield Finding(
                "hurts",
                f"the keyring {path} is beside the database",
                "One copy of that folder holds both: put the keyring on another volume (CDP_KEYRING).",
            )
    if (
        patient.settings.keyring_mirror
        and len({path.parent.stat().st_dev for path in keyring_paths(patient.settings)}) == 1
    ):
        yield Finding("note", "the keyring and its mirror are on one disk", "Put the mirror on another one.")


def _is_beside_database(path: Path, settings: Settings) -> bool:
    folder = path.resolve().parent
    if settings.url.startswith("sqlite"):
        home = Path(settings.url.removeprefix("sqlite:///")).resolve().parent
        return folder == home or home in folder.parents
    return settings.home.resolve() in (folder, *folder.parents)


def _copies(patient: Patient) -> Iterator[Finding]:
    ours = {path.resolve() for path in keyring_paths(patient.settings)}
    for folder in sorted({path.parent for path in ours} | {patient.settings.home.resolve()}):
        for copy in remains.copies_in(folder):
            if copy.path.resolve() not in ours:
                days = (patient.clock.now() - copy.written_at).days
                what = f"{copy.path} stands for a copy of the keyring, {days} days old"
                level = "hurts" if days >= OLDEST_COPY.days else "note"
                yield Finding(level, what, "Destroy the copy, then this file: it revives who was erased since.")


def _permissions(patient: Patient) -> Iterator[Finding]:
    settings = patient.settings
    secret = [*keyring_paths(settings), *erasure_logs(settings), ledger_folder(settings) / "ledger.key"]
    secret += [settings.home / "oauth" / "keys.json"]
    if settings.url.startswith("sqlite"):
        secret.append(Path(settings.url.removeprefix("sqlite:///")))
    for path in secret:
        if path.exists() and path.stat().st_mode & 0o077:
            yield Finding("hurts", f"others may read {path}", f"Run `chmod 600 {path}`.")
    if settings.home.exists() and settings.home.stat().st_mode & 0o022:
        yield Finding("hurts", f"others may write in {settings.home}", f"Run `chmod 700 {settings.home}`.")


def _logs(patient: Patient) -> Iterator[Finding]:
    logs = erasure_logs(patient.settings)
    known = [{stone.request for stone in tombstones.read([log])} for log in logs]
    if any(one != known[0] for one in known):
        yield Finding(
            "hurts", "the copies of erasures.log differ", f"Bring the lines together in {' and '.join(map(str, logs))}."
        )


def _disk(patient: Patient) -> Iterator[Finding]:
    for folder in {patient.settings.home, *(path.parent for path in keyring_paths(patient.settings))}:
        if folder.exists() and shutil.disk_usage(folder).free < LEAST_FREE:
            yield Finding(
                "hurts", f"less than 500 MB are free in {folder}", "Make room: nothing is taken in when it is full."
            )


def _time(patient: Patient) -> Iterator[Finding]:
    now = patient.clock.now()
    if now < RELEASED:
        yield Finding("hurts", "the clock is years behind", "Set it, and run NTP: consents and ends are read by it.")
        return
    if migrations.shape(patient.database.writer) != "current":
        return
    with patient.database.snapshot() as session:
        newest = session.scalar(select(func.max(LedgerEntry.at)))
    if newest and newest > now + timedelta(seconds=5):
        yield Finding("hurts", "the clock is behind what was written already", "Set it, and run NTP.")


def _schema(patient: Patient) -> Iterator[Finding]:
    found = migrations.shape(patient.database.writer)
    todo = {"empty": "Run `cdp init`.", "older": "Run `cdp backup`, then `cdp migrate`.", "unknown": migrations.NEWER}
    if found != "current":
        yield Finding("hurts", f"the database is {found}", todo[found])


def _policies(patient: Patient) -> Iterator[Finding]:
    policy.load(patient.settings.policies_path)
    yield from ()


def _mark(patient: Patient) -> Iterator[Finding]:
    """Keyring and database belong together, and the keyring is no old copy."""
    if migrations.shape(patient.database.writer) == "current":
        with patient.database.snapshot() as session:
            vault.check_mark(session, load_keyring(patient.settings), patient.clock.now())
    yield from ()


def _backlog(patient: Patient) -> Iterator[Finding]:
    if migrations.shape(patient.database.writer) != "current":
        return
    with patient.database.snapshot() as session:
        now = patient.clock.now()
        yield from _unsealed(session, now)
        late = session.scalar(
            select(func.count()).select_from(Permission).where(col(Permission.next_change_at) < now - UNSEALED)
        )
        if late:
            yield Finding("hurts", f"{late} people wait to be decided again; they count as a no", "Start `cdp worker`.")
        overdue = rights.overdue(session, now)
        if overdue:
            yield Finding(
                "hurts", f"{len(overdue)} requests of people are overdue", "Answer them today: the law says when."
            )


def _unsealed(session: Session, now: datetime) -> Iterator[Finding]:
    oldest = session.scalar(select(func.min(LedgerEntry.at)).where(col(LedgerEntry.tree_index).is_(None)))
    if oldest and oldest < now - UNSEALED:
        minutes = int((now - oldest).total_seconds() // 60)
        yield Finding("hurts", f"the ledger has not been sealed for {minutes} minutes", "Start `cdp worker`.")


def _processes(patient: Patient) -> Iterator[Finding]:
    asked = max((_number(os.environ.get(name, "")) for name in ("GRANIAN_WORKERS", "WEB_CONCURRENCY")), default=1)
    if patient.database.is_sqlite and asked > 1:
        yield Finding("hurts", "several web processes on the embedded database", "Run one, or use PostgreSQL.")
    if patient.settings.base_url.startswith("http://") and "://127." not in patient.settings.base_url:
        yield Finding(
            "note", "CDP_BASE_URL is not https", "Put a proxy with TLS before it: tokens travel in the clear."
        )


def _restored(patient: Patient) -> Iterator[Finding]:
    """What people said between a backup and its return is lost, and nobody else remembers it for us."""
    path = patient.settings.home / backup.RESTORED
    if not path.exists():
        return
    try:
        said = json.loads(path.read_bytes())
        since, at = parse_instant(said["made_at"]), parse_instant(said["restored_at"])
    except (ValueError, KeyError, TypeError):
        yield Finding("hurts", f"{path} is damaged", "It says when a backup was restored: see docs/restoring.md.")
        return
    if patient.clock.now() - at < RESTORED_LATELY:
        what = f"a backup was restored on {at:%Y-%m-%d}: what people withdrew after {since:%Y-%m-%d %H:%M} UTC is lost"
        yield Finding(
            "note", what, "Bring withdrawals and unsubscribes back from your sending tools: docs/restoring.md."
        )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 1


LOOKS: tuple[tuple[str, Look], ...] = (
    ("keyring", _keyring),
    ("copies of the keyring", _copies),
    ("file permissions", _permissions),
    ("erasures.log", _logs),
    ("disk", _disk),
    ("tables", _schema),
    ("keyring and database belong together", _mark),
    ("clock", _time),
    ("policies", _policies),
    ("work that waits", _backlog),
    ("restored backups", _restored),
    ("processes", _processes),
)
