"""A deployment of the demo's own: a fresh folder, the installed command, and its two processes."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from cdp.ops.demo.wire import Wire


class CommandError(RuntimeError):
    """A `cdp` command ended with an error; the message is what it said."""


class Home:
    """The folder, the environment and the processes of one deployment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.port = _free_port()
        self.wire = Wire(self.port)
        self._processes: list[subprocess.Popen[bytes]] = []
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CDP_")},
            "CDP_HOME": str(self.folder / "home"),
            "CDP_BASE_URL": f"http://127.0.0.1:{self.port}",
            "PYTHONUNBUFFERED": "1",
        }

    def make(self) -> None:
        """Begin with nothing, then `cdp init`."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.cdp("init")

    def cdp(self, *arguments: str, ok: tuple[int, ...] = (0,), typed: str = "") -> str:
        """Run the installed command to its end and return what it printed; raises CommandError."""
        done = subprocess.run(  # noqa: S603
            [_command(), *arguments],
            env=self.environment,
            cwd=self.folder,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in ok:
            raise CommandError(
                f"cdp {' '.join(arguments[:2])} → {done.returncode}: {done.stderr[-800:] or done.stdout[-800:]}"
            )
        return done.stdout

    def settings(self, *arguments: str) -> dict[str, str]:
        """Run a command that prints `name=value` lines and return them."""
        lines = (line.partition("=") for line in self.cdp(*arguments).splitlines() if "=" in line)
        return {name.strip(): value.strip() for name, _, value in lines}

    def start(self, seconds: float = 30) -> None:
        """Start server and worker, and wait until the server is ready."""
        self._run("serve", "--host", "127.0.0.1", "--port", str(self.port))
        self._run("worker")
        end = time.monotonic() + seconds
        while not self.wire.is_ready():
            if time.monotonic() > end or self._processes[0].poll() is not None:
                raise CommandError(f"the server did not get ready; see {self.folder / 'serve.log'}")
            time.sleep(0.1)

    def stop(self) -> None:
        """End both processes and wait for them."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()

    def _run(self, *arguments: str) -> None:
        with (self.folder / f"{arguments[0]}.log").open("ab") as log:
            self._processes.append(
                subprocess.Popen(  # noqa: S603
                    [_command(), *arguments], env=self.environment, cwd=self.folder, stdout=log, stderr=log
                )
            )


def _command() -> str:
    """The `cdp` beside this interpreter, not some other one on the path."""
    found = shutil.which("cdp", path=str(Path(sys.executable).parent)) or shutil.which("cdp")
    if found is None:
        raise CommandError("the command `cdp` is not installed: pip install -e .")
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
