"""SQLite's writers queue here, within a process and between processes: its own waiting is by polling, and starves some.

A waiter first takes the place at the head of the queue, then waits for the turn; whoever just had
a turn finds the head taken and stands behind. Two lock files beside the database, let go of by the
system when a process dies. Raises Unavailable after the deadline, also where somebody was stopped
in the middle of a turn.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cdp.errors import Unavailable

PAUSE = 0.002  # seconds

_ENDINGS = ("-head", "-turn")


class Turns:
    """The queue of one database's writers; `path` is None where there is no file, and so no other process."""

    def __init__(self, path: Path | None, seconds: float) -> None:
        self._path, self._seconds = path, seconds
        self._lock = threading.Lock()
        self._opened: tuple[int, int, int] | None = None

    @contextmanager
    def take(self) -> Iterator[None]:
        """Wait for the turn, for so many seconds at the most, and hold it."""
        until = time.monotonic() + self._seconds
        if not self._lock.acquire(timeout=self._seconds):
            raise Unavailable("database")
        try:
            with self._among_processes(until):
                yield
        finally:
            self._lock.release()

    def close(self) -> None:
        """Let go of the lock files."""
        if self._opened is not None and self._opened[0] == os.getpid():
            for descriptor in self._opened[1:]:
                os.close(descriptor)
        self._opened = None

    @contextmanager
    def _among_processes(self, until: float) -> Iterator[None]:
        if self._path is None:
            yield
            return
        head, turn = self._files(self._path)
        _wait(head, until)
        try:
            _wait(turn, until)
        finally:
            fcntl.flock(head, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(turn, fcntl.LOCK_UN)

    def _files(self, path: Path) -> tuple[int, int]:
        """Open the lock files, anew in a process that was forked: a lock belongs to whoever opened."""
        if self._opened is None or self._opened[0] != os.getpid():
            try:
                head, turn = (os.open(f"{path}{end}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600) for end in _ENDINGS)
            except OSError as error:
                raise Unavailable("database") from error
            self._opened = (os.getpid(), head, turn)
        return self._opened[1:]


def _wait(descriptor: int, until: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > until:
                raise Unavailable("database") from None
        time.sleep(PAUSE)
