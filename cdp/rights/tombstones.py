"""`erasures.log`: who was erased, kept beside the keyring, so that no restored backup brings anyone back.

One JSON line per erasure: subject numbers and suppression tokens, never an identifier. A line is on
disk, beside every copy of the keyring, before the keys go. A line cut off by a crash was never
acted on and is dropped; a damaged line in the middle stops the start.
"""

import errno
import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cdp.clock import parse_instant
from cdp.errors import StartRefused, Unavailable

FILE = "erasures.log"


@dataclass(frozen=True, slots=True)
class Tombstone:
    """One erasure: the request, the subjects whose keys go, and the tokens that must stay silent."""

    request: str
    at: datetime
    subjects: tuple[int, ...]
    points: tuple[tuple[str, bytes], ...]
    """(namespace, suppression token)."""

    def line(self) -> str:
        points = [[namespace, token.hex()] for namespace, token in self.points]
        said = {"request": self.request, "at": self.at.isoformat(), "subjects": self.subjects, "points": points}
        return json.dumps(said, separators=(",", ":"))


def append(paths: Iterable[Path], tombstone: Tombstone) -> None:
    """Write the line to every copy of the log and have each disk hold it; raises Unavailable otherwise."""
    try:
        for path in paths:
            _append(path, (tombstone.line() + "\n").encode())
    except OSError as error:
        raise Unavailable("erasures.log") from error


def _append(path: Path, line: bytes) -> None:
    with _locked(path) as descriptor:
        _cut_torn_tail(descriptor)
        if os.write(descriptor, line) < len(line):
            raise OSError(errno.ENOSPC, "the disk took only a part of the line")
        os.fsync(descriptor)
    _sync_folder(path.parent)


def read(paths: Sequence[Path]) -> list[Tombstone]:
    """Return every tombstone of any copy, in order of time; raises StartRefused for a damaged line."""
    found = {line: tombstone for path in paths for line, tombstone in _lines(path)}
    return sorted(found.values(), key=lambda tombstone: (tombstone.at, tombstone.request))


def _lines(path: Path) -> Iterator[tuple[str, Tombstone]]:
    if not path.exists():
        return
    whole = path.read_bytes().split(b"\n")[:-1]
    for number, raw in enumerate(whole, start=1):
        if raw:
            yield raw.decode(errors="replace"), _parse(raw, path, number)


def _parse(raw: bytes, path: Path, number: int) -> Tombstone:
    try:
        said = json.loads(raw)
        points = tuple((str(namespace), bytes.fromhex(token)) for namespace, token in said["points"])
        subjects = tuple(int(subject) for subject in said["subjects"])
        return Tombstone(str(said["request"]), parse_instant(said["at"]), subjects, points)
    except (ValueError, KeyError, TypeError):
        raise StartRefused(
            f"Line {number} of {path} is damaged: bring back the copy beside the keyring's mirror."
        ) from None


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _cut_torn_tail(descriptor: int) -> None:
    size = os.fstat(descriptor).st_size
    end = size
    while end and os.pread(descriptor, 1, end - 1) != b"\n":
        end -= 1
    if end < size:
        os.ftruncate(descriptor, end)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
