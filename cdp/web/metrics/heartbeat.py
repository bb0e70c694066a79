"""The worker's sign of life: a small file in the home, replaced whole, that web and doctor read.

It tells of each job when it last went well and how often it has failed since; never what it did to whom.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from cdp.clock import parse_instant

FILE = "worker.json"

EVERY = 5.0
"""Seconds between two beats."""


@dataclass(frozen=True, slots=True)
class JobBeat:
    """How one job does."""

    done: int = 0
    """Things done since the worker began."""
    failed: int = 0
    """Failures since the worker began."""
    failing: int = 0
    """Failures since it last went well."""
    succeeded_at: str = ""


@dataclass(frozen=True, slots=True)
class Beat:
    """What the file says."""

    at: datetime
    jobs: Mapping[str, JobBeat]


def write(home: Path, at: datetime, jobs: Mapping[str, JobBeat]) -> None:
    """Replace the file; a worker whose home cannot be written goes on without a sign of life."""
    said = {"at": at.isoformat(), "jobs": {name: asdict(job) for name, job in jobs.items()}}
    path = home / FILE
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.write_text(json.dumps(said), encoding="ascii")
        fresh.replace(path)
    except OSError:
        return


def read(home: Path) -> Beat | None:
    """Return the last beat, or None where there never was one that can be read."""
    try:
        said = json.loads((home / FILE).read_bytes())
        jobs = {str(name): JobBeat(**job) for name, job in said["jobs"].items()}
        return Beat(parse_instant(said["at"]), jobs)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
