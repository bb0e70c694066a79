"""The web processes under one parent: started together, counted together, stopped without losing an answer.

At SIGTERM the deployment stops being ready but goes on answering, for as long as load balancers need to
notice; then the door closes, and what is under way gets its time. A page cut off after that counts as
disclosed. A second signal skips the first wait. The parent passes the word on: signal it alone.
"""

import multiprocessing
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import Interfaces

from cdp.deployment import Deployment
from cdp.web import draining
from cdp.web.app import create_app
from cdp.web.metrics import meters


class Door(Granian):  # type: ignore[misc, valid-type]  # its class depends on the interpreter
    """A server that says it is about to stop before it does."""

    def __init__(self, folder: Path, drain: float, **how: Any) -> None:
        super().__init__("cdp.web.app:create_app", factory=True, interface=Interfaces.WSGI, log_access=False, **how)
        self._folder, self._drain, self._asked = folder, drain, False

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """Begin to drain at the first signal, stop at the second."""
        stop = partial(super().signal_handler_interrupt, *args, **kwargs)
        if self._asked or not self._drain:
            stop()
            return
        self._asked = True
        draining.begin(self._folder)
        waiting = threading.Timer(self._drain, stop)
        waiting.daemon = True
        waiting.start()


def serve(
    deployment: Deployment, address: tuple[str, int], workers: int, threads: int, wait: tuple[float, int]
) -> None:
    """Serve until a signal; `wait` is how many seconds it drains, and how many an answer under way gets.

    Where processes fork, the workers inherit what was loaded and checked: half the time until the
    first answer. Give a deployment that has let go of its database.
    """
    with _shared_folder() as folder:
        door = Door(
            folder,
            wait[0],
            address=address[0],
            port=address[1],
            workers=workers,
            blocking_threads=threads,
            respawn_failed_workers=True,
            workers_kill_timeout=wait[1],
        )
        if multiprocessing.get_start_method() == "fork":
            door.serve(target_loader=partial(create_app, deployment), wrap_loader=False)
        else:
            door.serve()


@contextmanager
def _shared_folder() -> Iterator[Path]:
    """Make the folder in which the processes count together and see that they are to stop."""
    folder = Path(tempfile.mkdtemp(prefix="sekisho-"))
    os.environ[draining.FOLDER] = str(folder)
    meters.count_together(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
