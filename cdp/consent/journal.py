"""`silences.log`: which contact points fell silent, so that no restored backup writes to them again.

It stands beside the keyring. One JSON line per suppression: a token, never an address. A line is
written when its transaction has committed, before the answer leaves. At the start, what the database
does not know of is silenced again; what it knows of is left as it is, also where a later consent
lifted it. Erasures have a log of their own. A line cut off by a crash was never acknowledged and is
passed over.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import structlog
from sqlalchemy import event, func, select
from sqlmodel import Session, col

from cdp.clock import parse_instant
from cdp.consent.model import Suppression
from cdp.db import chunked
from cdp.ledger.model import LedgerEntry

FILE = "silences.log"

CONTEXT = "silences"
"""Under this name a session finds the paths of the log's copies."""

OVERLAP = timedelta(hours=1)
"""How much further back than the database's newest traffic the log is read: writers overlap."""

TRAFFIC = ("ingest.batch", "page.opened", "consent.recorded", "consent.withdrawn")
"""Acts that a start or a restore never notes: the newest of them tells of when a database is."""

_SILENCED = "silenced"
_log = structlog.get_logger("cdp.consent")


class Silence(NamedTuple):
    """One line: when it was written, when it was said, and about what."""

    logged: datetime
    at: datetime
    namespace: str
    token: bytes
    channel: str
    reason: str
    brand: str

    def line(self) -> str:
        said = [self.logged.isoformat(), self.at.isoformat(), self.namespace, self.token.hex(), *self[4:]]
        return json.dumps(said, separators=(",", ":"))


def note(session: Session, rows: Iterable[Mapping[str, Any]]) -> None:
    """Remember rows of suppression for the log; they are written when this session commits."""
    if session.info.get(CONTEXT):
        session.info.setdefault(_SILENCED, []).extend(row for row in rows if row["reason"] != "erasure")


def forget(session: Session) -> None:
    """Write nothing of what this session silences: it stands in the log already."""
    session.info.pop(_SILENCED, None)


def lost(session: Session, paths: Sequence[Path]) -> list[Silence]:
    """Return what the log says and this database never heard of: it is a copy from before."""
    newest = session.scalar(select(func.max(LedgerEntry.at)).where(col(LedgerEntry.act).in_(TRAFFIC)))
    since = newest - OVERLAP if newest else None
    lines = {line for path in paths for line in _read(path, since)}
    known = _known(session, {line.token for line in lines})
    return sorted(line for line in lines if not any(at >= line.at for at in known.get(line[3:6], ())))


@event.listens_for(Session, "after_commit")
def _write(session: Session) -> None:
    rows = session.info.pop(_SILENCED, None)
    if not rows:
        return
    now = session.info["clock"].now()
    named = ("at", "namespace", "token", "channel", "reason", "brand")
    lines = [Silence(now, *(row[name] for name in named)).line() for row in rows]
    try:
        for path in session.info[CONTEXT]:
            _append(path, lines)
    except OSError as error:  # the database holds it; only a restored backup would not
        _log.error("silence_not_logged", kind=type(error).__name__)


def _append(path: Path, lines: Sequence[str]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        # A line break first: whatever a crash cut off stays a line of its own.
        os.write(descriptor, ("\n" + "\n".join(lines) + "\n").encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path, since: datetime | None) -> Iterator[Silence]:
    """Yield the lines since then, wherever they stand: hosts whose clocks differ write into one file."""
    if not path.exists():
        return
    for raw in path.read_bytes().splitlines():
        line = _parse(raw)
        if line is not None and (since is None or line.logged >= since):
            yield line


def _parse(raw: bytes) -> Silence | None:
    try:
        logged, at, namespace, token, channel, reason, brand = json.loads(raw)
        return Silence(
            parse_instant(logged), parse_instant(at), namespace, bytes.fromhex(token), channel, reason, brand
        )
    except (ValueError, TypeError):
        return None


def _known(session: Session, tokens: Iterable[bytes]) -> dict[tuple[bytes, str, str], list[datetime]]:
    found: dict[tuple[bytes, str, str], list[datetime]] = {}
    for some in chunked(sorted(tokens)):
        for row in session.scalars(select(Suppression).where(col(Suppression.token).in_(some))):
            found.setdefault((bytes(row.token), row.channel, row.reason), []).append(row.at)
    return found
