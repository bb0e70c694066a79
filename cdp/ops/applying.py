"""Decides everybody again after a change of policy, as quickly as the machine can, and may be killed at any instant.

Nothing is kept of how far it came: who still waits stands in the rows, and is refused until decided. Whoever begins
anew, here or in a worker, goes on where the last one ended.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess

from cdp import gate
from cdp.db import Database
from cdp.ops.pace import LONGEST, Pace

Told = Callable[[int, int], None]

SERVED = 0.25
"""Seconds that one transaction may take on PostgreSQL, where others wait only for the very people in it."""

_LOOKS = 0.25
_FEW = 400
"""So few that starting processes would take longer."""
_PATIENCE = 30.0
"""Seconds without anybody decided, after which others must hold them."""


def pace(database: Database) -> Pace:
    """Return how much one transaction takes on."""
    if database.is_sqlite:
        return Pace(50, 1000, longest=LONGEST)
    return Pace(100, 2000, least=50, longest=SERVED)


def apply(
    database: Database, processes: int = 1, told: Told = lambda done, total: None, stop: threading.Event | None = None
) -> int:
    """Decide everybody who waits; returns how many still wait, which is nobody unless it was stopped.

    The embedded database has one writer, so more processes would only queue.
    """
    stop = stop or threading.Event()
    gate.take_up(database)
    total = left = _waiting(database)
    told(0, total)
    helpers = [] if database.is_sqlite or left < _FEW else _start(database, processes)
    try:
        moved = time.monotonic()
        while left and not stop.is_set():
            before = left
            if any(one.is_alive() for one in helpers):
                stop.wait(_LOOKS)
            else:
                _work(database, stop, once=database.is_sqlite or not helpers)
            left = _waiting(database)
            told(max(0, total - left), total)
            moved = time.monotonic() if left < before else moved
            if time.monotonic() - moved > _PATIENCE:
                break
    finally:
        for one in helpers:
            one.terminate()
            one.join()
    return left


def _waiting(database: Database) -> int:
    with database.snapshot() as session:
        return gate.waiting(session, database.clock.now())


def _work(database: Database, stop: threading.Event, once: bool) -> None:
    """Decide until nobody is left to this process, or for a second where somebody watches."""
    size, until = pace(database), time.monotonic() + 1
    while not stop.is_set() and not (once and time.monotonic() > until):
        began = time.monotonic()
        if not gate.settle_due(database, size.size):
            break
        size.took(time.monotonic() - began)


def _start(database: Database, processes: int) -> list[BaseProcess]:
    if processes < 2:
        return []
    fork = multiprocessing.get_context("fork")
    database.dispose()  # a connection must not be spoken to by two processes
    helpers = [fork.Process(target=_help, args=(database, os.getpid()), daemon=True) for _ in range(processes)]
    for one in helpers:
        one.start()
    return list(helpers)


def _help(database: Database, parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    size = pace(database)
    while os.getppid() == parent:
        began = time.monotonic()
        if not gate.settle_due(database, size.size):
            break
        size.took(time.monotonic() - began)
