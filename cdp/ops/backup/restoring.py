"""Puts a backup in the place of the database, and erases and silences again whoever was since."""

import json
from pathlib import Path
from typing import Any

from cdp import deployment, migrations
from cdp.clock import Clock, SystemClock
from cdp.db import Database
from cdp.errors import StartRefused
from cdp.gate import feed
from cdp.ops.backup import embedded, served
from cdp.ops.backup.manifest import read_manifest, write
from cdp.rights.replay import Progress, highest_number, reserve_numbers
from cdp.settings import Settings

RESTORED = "restored.json"
"""In the home: when which backup was put back, for the doctor."""

MISSING = (
    "Erasures and silenced contact points were brought back from the logs beside the keyring. Withdrawals by people "
    "without a contact point, objections, restrictions and requests made after {since} are not in this backup: "
    "send nothing before they are brought back (docs/restoring.md)."
)

NUMBERS_SKIPPED = 1_000_000
"""Numbers given after the backup was made are unknown to it, and must never be given twice: skip as many."""


def restore(
    settings: Settings,
    source: Path,
    *,
    replace: bool = False,
    clock: Clock | None = None,
    progress: Progress = lambda done, total: None,
) -> dict[str, Any]:
    """Put a backup in the place of the database, then erase again everyone who was erased since.

    Stop web and worker first. Raises StartRefused for a target with content (unless `replace`), a
    keyring that is not the backup's, another kind of database, or a damaged backup.
    """
    manifest = read_manifest(source)
    _check_target(settings, manifest, replace)
    given = _highest_given(settings)
    if manifest["engine"] == "sqlite":
        embedded.put_back(settings, source)
    else:
        served.put_back(settings, source, manifest)
    database = Database(settings.url)
    try:
        migrations.upgrade(database.writer)
        with database.transaction() as session:
            reserve_numbers(session, max(given, highest_number(session)) + NUMBERS_SKIPPED)
            feed.begin_anew(session)
    finally:
        database.dispose()
    said = {"made_at": manifest["made_at"], "restored_at": (clock or SystemClock()).now().isoformat()}
    write(settings.home / RESTORED, json.dumps(said).encode())
    deployment.assemble(settings, clock, progress).close()
    return manifest


def _check_target(settings: Settings, manifest: dict[str, Any], replace: bool) -> None:
    engine = "sqlite" if settings.url.startswith("sqlite") else "postgresql"
    if engine != manifest["engine"]:
        raise StartRefused(f"The backup is of {manifest['engine']}, and this deployment uses {engine}.")
    keyring = deployment.load_keyring(settings)
    if manifest["keyring"] not in ("", keyring.id):
        raise StartRefused("The backup was made with another keyring: bring that one back, this one opens nothing.")
    if manifest["revision"] not in migrations.known():
        raise StartRefused(migrations.NEWER)
    if not replace and _has_tables(settings):
        raise StartRefused("There is a database already: pass --yes to put the backup in its place.")


def _has_tables(settings: Settings) -> bool:
    if settings.url.startswith("sqlite") and not embedded.path_of(settings).exists():
        return False
    database = Database(settings.url)
    try:
        return migrations.shape(database.writer) != "empty"
    finally:
        database.dispose()


def _highest_given(settings: Settings) -> int:
    """Return the highest number of the database that is about to go, 0 where there is none."""
    if not _has_tables(settings):
        return 0
    database = Database(settings.url)
    try:
        with database.snapshot() as session:
            return highest_number(session)
    finally:
        database.dispose()
