"""Each method in a process of its own, so that its time and its memory are its own and nobody's leftovers count.

The time is that of the method alone. The memory is the peak of the whole process, the records and the interpreter
included: the same for every method on one set, so that differences are the method's.
"""

import multiprocessing
import os
import resource
import sys
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from cdp.errors import StartRefused
from cdp.ops.bench.matching.contest import METHODS, SETS
from cdp.ops.bench.matching.record import Told
from cdp.ops.bench.matching.scoring import Score, score

_OFTEN = 0.2
"""Seconds between two words of progress."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One method on one set."""

    of: str
    """The set."""
    method: str
    score: Score
    seconds: float
    cpu: float
    """Seconds that all its threads took of the processors: on a busy machine the better figure."""
    megabytes: float


def measure(of: str, method: str, people: int, seed: int = 1, told: Told = lambda done, total: None) -> Measured:
    """Run a method on a set, drawn for so many people where it is made here; raises StartRefused where it cannot."""
    spawn = multiprocessing.get_context("spawn")
    receiver, sender = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_run, args=(sender, of, method, people, seed), daemon=True)
    process.start()
    sender.close()
    try:
        return _heard(receiver, told)
    except EOFError:
        process.join()
        raise StartRefused(f"Measuring {method} on {of} ended with exit code {process.exitcode}.") from None
    finally:
        process.kill()
        process.join()
        receiver.close()


def _heard(receiver: Connection, told: Told) -> Measured:
    while True:
        match receiver.recv():
            case Measured() as found:
                return found
            case str() as refusal:
                raise StartRefused(refusal)
            case (int(done), int(total)):
                told(done, total)


def _run(sender: Connection, of: str, method: str, people: int, seed: int) -> None:
    try:
        records = SETS[of].load(people, seed)
        clock, cpu = time.perf_counter(), time.process_time()
        labels = METHODS[method].run(records, _seldom(lambda done, total: sender.send((done, total))))
        seconds, spent, most = time.perf_counter() - clock, time.process_time() - cpu, peak()
        found = score(labels, [record.person for record in records])
        sender.send(Measured(of, method, found, seconds, spent, most))
    except StartRefused as refusal:
        sender.send(str(refusal))


def _seldom(told: Told) -> Told:
    """Pass a word on only now and then: hearing it must cost nothing."""
    last = time.monotonic()

    def passed(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > _OFTEN:
            last = time.monotonic()
            told(done, total)

    return passed


def peak() -> float:
    """Return the most memory that this process ever held, in MB.

    Linux hands `ru_maxrss` of whoever started a process on to it; the kernel's own mark is this process's alone.
    """
    status = Path(f"/proc/{os.getpid()}/status")
    if status.exists():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024 * 1024 if sys.platform == "darwin" else 1024)
