"""Reads, resolves and compares a graph in a process of its own, so that its memory is its own."""

import multiprocessing
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from cdp import deployment as deploying
from cdp.db import Database
from cdp.errors import StartRefused
from cdp.identity import rebuild
from cdp.ops.bench.matching.measuring import peak
from cdp.ops.bench.rebuild import making
from cdp.settings import read_settings


@dataclass(frozen=True, slots=True)
class Measured:
    """One run; seconds by the clock, and of the processors."""

    records: int
    evidence: int
    components: int
    difficult: int
    reading: float
    resolving: float
    comparing: float
    cpu: float
    megabytes: float

    @property
    def seconds(self) -> float:
        return self.reading + self.resolving + self.comparing


def measure(folder: Path, records: int, told: making.Told = lambda done, total: None) -> Measured:
    """Make a graph of so many records and resolve it; raises StartRefused where the process died."""
    path = folder / "graph.db"
    making.make(path, records, told)
    spawn = multiprocessing.get_context("spawn")
    receiver, sender = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_run, args=(sender, path), daemon=True)
    process.start()
    sender.close()
    try:
        found: Measured = receiver.recv()
        return found
    except EOFError:
        process.join()
        raise StartRefused(f"Rebuilding ended with exit code {process.exitcode}.") from None
    finally:
        process.kill()
        process.join()
        receiver.close()


def _run(sender: Connection, path: Path) -> None:
    terms = deploying.load_policy(read_settings())
    database = Database(f"sqlite:///{path}", context={"policy": terms})
    cpu, began = time.process_time(), time.perf_counter()
    with database.snapshot() as session:
        graph = rebuild.read(session)
    read = time.perf_counter()
    computed = rebuild.compute(graph, terms.namespaces)
    resolved = time.perf_counter()
    rebuild.compare(graph, computed)
    compared = time.perf_counter()
    sender.send(
        Measured(
            records=len(graph.subjects),
            evidence=len(graph.of),
            components=computed.components,
            difficult=computed.difficult,
            reading=read - began,
            resolving=resolved - read,
            comparing=compared - resolved,
            cpu=time.process_time() - cpu,
            megabytes=peak(),
        )
    )
