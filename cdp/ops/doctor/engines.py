"""Looks at the database as a piece of software: its revision, and the settings that promises rest on."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import text
from sqlmodel import Session

from cdp import migrations
from cdp.ops.doctor.findings import Finding, Patient, hurts, note

OLDEST_POSTGRESQL = 14
LARGEST_WAL = 256_000_000

MUST = {"fsync": ("on",), "full_page_writes": ("on",), "synchronous_commit": ("on", "remote_write", "remote_apply")}
"""Settings of PostgreSQL without which an acknowledged withdrawal may be gone after a power cut."""


def schema(patient: Patient) -> Iterator[Finding]:
    """The tables are of this program's revision."""
    found = migrations.shape(patient.database.writer)
    if found != "current":
        yield hurts(f"tables_{found}")


def engine(patient: Patient) -> Iterator[Finding]:
    """What is committed stays committed."""
    with patient.database.snapshot() as session:
        yield from list(_embedded(patient, session) if patient.database.is_sqlite else _served(session))


def _embedded(patient: Patient, session: Session) -> Iterator[Finding]:
    found = session.connection().execute(text("PRAGMA quick_check(1)")).scalar_one()
    if found != "ok":
        yield hurts("sqlite_damaged")
    wal = Path(patient.settings.url.removeprefix("sqlite:///") + "-wal")
    if wal.exists() and wal.stat().st_size > LARGEST_WAL:
        yield note("wal_large", size=wal.stat().st_size // 1_000_000)


def _served(session: Session) -> Iterator[Finding]:
    said = {name: _show(session, name) for name in (*MUST, "server_version_num", "server_encoding", "TimeZone")}
    for name, allowed in MUST.items():
        if said[name] not in allowed:
            yield hurts("postgresql_setting", setting=name, value=said[name], wanted=allowed[0])
    if int(said["server_version_num"]) // 10_000 < OLDEST_POSTGRESQL:
        yield hurts("postgresql_old", version=int(said["server_version_num"]) // 10_000, oldest=OLDEST_POSTGRESQL)
    if said["server_encoding"] != "UTF8":
        yield hurts("postgresql_encoding", value=said["server_encoding"])
    if said["TimeZone"] not in ("UTC", "Etc/UTC", "GMT"):
        yield note("postgresql_zone", value=said["TimeZone"])
    query = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
    if session.connection().execute(text(query)).scalar():
        yield note("postgresql_superuser")


def _show(session: Session, name: str) -> str:
    return str(session.connection().execute(text(f"SHOW {name}")).scalar_one())
