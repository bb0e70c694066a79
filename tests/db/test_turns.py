"""SQLite's writers get their turn whatever process they are in; nobody waits for ever."""

import os
import threading
import time
from pathlib import Path

import pytest

from cdp.errors import Unavailable
from cdp.turns import Turns


def busy(path: Path, over: threading.Event) -> None:
    """One process's threads that take turn after turn without a pause."""
    turns = Turns(path, 10)
    while not over.is_set():
        with turns.take():
            time.sleep(0.005)


def test_another_process_gets_its_turn_among_writers_that_never_rest(tmp_path: Path) -> None:
    path, over = tmp_path / "cdp.db", threading.Event()
    child = os.fork()
    if child == 0:
        turns, taken = Turns(path, 20), 0
        time.sleep(0.2)
        for _ in range(20):
            with turns.take():
                taken += 1
        os._exit(0 if taken == 20 else 1)
    threads = [threading.Thread(target=busy, args=(path, over)) for _ in range(3)]
    for thread in threads:
        thread.start()
    status = os.waitpid(child, 0)[1]
    over.set()
    for thread in threads:
        thread.join(10)
    assert os.waitstatus_to_exitcode(status) == 0


def test_whoever_waits_too_long_is_told_so(tmp_path: Path) -> None:
    ours, theirs = Turns(tmp_path / "cdp.db", 5), Turns(tmp_path / "cdp.db", 0.1)
    with ours.take(), pytest.raises(Unavailable), theirs.take():
        pass
    with theirs.take():
        pass


def test_a_process_that_dies_in_its_turn_keeps_nobody_out(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        Turns(tmp_path / "cdp.db", 1).take().__enter__()
        os._exit(9)
    os.waitpid(child, 0)
    with Turns(tmp_path / "cdp.db", 1).take():
        pass


def test_a_forked_process_does_not_share_its_parents_turn(tmp_path: Path) -> None:
    turns = Turns(tmp_path / "cdp.db", 0.2)
    with turns.take():
        child = os.fork()
        if child == 0:
            turns._lock = threading.Lock()
            try:
                with turns.take():
                    os._exit(1)
            except Unavailable:
                os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
