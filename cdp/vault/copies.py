"""One copy of the keyring on one disk, replaced whole or not at all.

Refuses to read a file that others may read. Writing is: temporary file, fsync, rename, fsync of
the folder. A failed fsync is fatal, never retried: Linux may drop the dirty pages and report the
next fsync as clean (Rebello et al., USENIX ATC 2020).
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cdp.errors import StartRefused

OnStep = Callable[[str], None]
Stamp = tuple[int, int, int]

LOCK_SECONDS = 5.0


class SyncFailed(OSError):
    """The disk did not say that it holds what was written."""


class FileCopy:
    """A keyring file named by a URI `file:/path`."""

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.name = name

    def stamp(self) -> Stamp:
        """Say cheaply whether the file is another one than before; raises OSError."""
        return _stamp(os.stat(self.path))  # noqa: PTH116 - on every use: a third of the time of Path.stat

    def exists(self) -> bool:
        return self.path.exists()

    def read(self) -> tuple[Stamp, bytes]:
        """Read the file; raises OSError, and StartRefused when others may read it too."""
        with self.path.open("rb") as file:
            status = os.fstat(file.fileno())
            if status.st_mode & 0o077:
                raise StartRefused(f"The keyring {self.path} may be read by others: run `chmod 600 {self.path}`.")
            return _stamp(status), file.read()

    def make_folder(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, content: bytes, on_step: OnStep) -> None:
        """Replace the file; raises SyncFailed, and OSError when nothing was changed."""
        temporary = self.path.with_name(self.path.name + ".tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)
            file.write(content)
            file.flush()
            now = time.time_ns()  # the file system's own clock ticks too slowly to tell two changes apart
            os.utime(descriptor, ns=(now, now))
            on_step(f"{self.name} written")
            self.sync(descriptor)
        on_step(f"{self.name} synced")
        temporary.replace(self.path)
        on_step(f"{self.name} renamed")
        self._sync_folder()
        on_step(f"{self.name} folder synced")

    def sweep(self) -> None:
        """Remove what a killed writer left behind: it holds keys too. Only under the lock."""
        self.path.with_name(self.path.name + ".tmp").unlink(missing_ok=True)

    def sync(self, descriptor: int) -> None:
        try:
            os.fsync(descriptor)
        except OSError as error:
            raise SyncFailed(error.errno, "the keyring's disk failed to sync") from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock file beside the keyring; the system lets go of it when we die.

        Raises TimeoutError where another holds it too long: a change is milliseconds.
        """
        lock = self.path.with_name(self.path.name + ".lock")
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _take(descriptor)
            yield
        finally:
            os.close(descriptor)

    def _sync_folder(self) -> None:
        descriptor = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self.sync(descriptor)
        finally:
            os.close(descriptor)


def _take(descriptor: int) -> None:
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise TimeoutError("the keyring is locked by another process") from None
        time.sleep(0.002)


def open_copy(uri: str, name: str) -> FileCopy:
    """Find the copy that a URI names; raises StartRefused for a scheme that is not served."""
    if not uri.startswith("file:"):
        raise StartRefused(f"The {name} must be named by a URI that starts with `file:`.")
    path = uri.removeprefix("file:")
    if path.startswith("//"):
        path = "/" + path.removeprefix("//").partition("/")[2]
    if not path.strip("/"):
        raise StartRefused(f"The URI of the {name} names no file.")
    return FileCopy(Path(path), name)


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_ino, status.st_mtime_ns, status.st_size
