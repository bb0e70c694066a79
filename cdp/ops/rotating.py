"""Rotation of the keyring's root while everything runs: stopped anywhere, it is taken up where it stood.

The old tree goes last of all: when no data key hangs on it, when every writer that may have seen it
as the newest has ended, and when every page that was read before the last key moved is out or too late.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from sqlmodel import Session

from cdp import vault
from cdp.deployment import Deployment
from cdp.errors import StartRefused, Unavailable
from cdp.ops.pace import Pace
from cdp.vault import rotation

T = TypeVar("T")

LEASES = 2
"""How many leases long readers are waited for, at the least: a page that is later than one never leaves."""

PATIENCE = 600.0
"""Seconds that an older transaction is waited for, and a database that is busy or away."""

LEAST = 500
"""Data keys in one transaction, however slow the disk is: so few take a few milliseconds before its fsync."""

Told = Callable[[int, int], None]
"""Called with how many data keys were moved, of how many."""


@dataclass(slots=True)
class Rotated:
    """What a run did."""

    taken_up: bool
    moved: int = 0
    unreadable: int = 0
    destroyed: tuple[int, ...] = ()


def rotate(deployment: Deployment, settle: float, told: Told = lambda done, total: None) -> Rotated:
    """Move every data key under a new tree and destroy the old one; `settle` is how many seconds readers get.

    Keeps the old tree while a data key is unreadable. Raises StartRefused where an older transaction
    of the database does not end.
    """
    keyring = deployment.vault.keyring
    run = Rotated(taken_up=len(keyring.state().trees) > 1)
    if not run.taken_up:
        keyring.rotate_root()
    seen = patiently(partial(remember_version, deployment))
    _move_all(deployment, run, told)
    wait_for_writers(deployment, seen)
    while _move_all(deployment, run, told):
        pass
    time.sleep(max(settle, LEASES * deployment.settings.lease_seconds))
    run.destroyed = patiently(partial(_finish, deployment))
    patiently(partial(remember_version, deployment))
    return run


def _finish(deployment: Deployment) -> tuple[int, ...]:
    with deployment.database.snapshot() as session:
        return tuple(rotation.finish(session, deployment.vault))


def _move_all(deployment: Deployment, run: Rotated, told: Told) -> int:
    """Go through every key that is behind, once; returns how many were moved."""
    with deployment.database.snapshot() as session:
        total = rotation.count_behind(session, deployment.vault)
    pace, after, run.unreadable = Pace(1000, 2000, LEAST), -1, 0
    before = run.moved
    while rows := patiently(partial(_behind, deployment, after, pace.size)):
        after, done = rows[-1].subject, rotation.rewrap(deployment.vault, rows)
        run.moved += patiently(partial(_keep, deployment, done, pace))
        run.unreadable += done.unreadable
        told(run.moved - before, total)
    return run.moved - before


def _behind(deployment: Deployment, after: int, limit: int) -> list[rotation.Wrapped]:
    with deployment.database.snapshot() as session:
        return rotation.behind(session, deployment.vault, after, limit)


def patiently(work: Callable[[], T]) -> T:
    """Do it again while the database is busy or away: an embedded one gives everybody else their turn too."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return work()
        except Unavailable:
            if time.monotonic() > until:
                raise
        time.sleep(0.2)


def _keep(deployment: Deployment, done: rotation.Rewrapped, pace: Pace) -> int:
    """Store a batch; only the time in which others are kept out counts for the pace."""
    began = time.monotonic()

    def work(session: Session) -> int:
        nonlocal began
        session.connection()
        began = time.monotonic()
        return rotation.keep(session, done)

    moved = deployment.database.attempt(work)
    pace.took(time.monotonic() - began)
    return moved


def remember_version(deployment: Deployment) -> int:
    """Let the database know this keyring's version, so that it refuses older copies; returns the horizon."""
    with deployment.database.transaction() as session:
        vault.record_version(session, deployment.vault.keyring, deployment.clock.now())
        return rotation.horizon(session)


def wait_for_writers(deployment: Deployment, horizon: int) -> None:
    """Wait until every transaction up to the horizon has ended; raises StartRefused where one does not."""
    until = time.monotonic() + PATIENCE
    while True:
        with deployment.database.snapshot() as session:
            if rotation.has_passed(session, horizon):
                return
        if time.monotonic() > until:
            raise StartRefused(
                "A transaction of the database that began before the rotation is still open: end it "
                "(pg_stat_activity, pg_prepared_xacts), then run this again: it goes on where it stood."
            )
        time.sleep(0.2)
