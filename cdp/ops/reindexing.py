"""Rotation of the blind index's key while everything runs: stopped anywhere, it is taken up where it stood.

The older key goes last: when nothing stands under it and every writer that knew it alone has ended. A value that is
damaged wherever it stands stays under it, and then so does the key; those of people who were erased keep none.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sqlmodel import Session

from cdp import consent
from cdp.deployment import Deployment
from cdp.identity import epochs, places
from cdp.identity.rules import TokenKey
from cdp.ops.pace import Pace
from cdp.ops.rotating import Told, patiently, remember_version, wait_for_writers

SWEPT = 1000
"""Token rows that one transaction looks at once nothing stands under the older key."""


@dataclass(slots=True)
class Reindexed:
    """What a run did."""

    taken_up: bool
    moved: int = 0
    """Rows of evidence."""
    unreadable: int = 0
    """Values that stayed, since no data key opens them."""
    destroyed: tuple[int, ...] = ()


def reindex(deployment: Deployment, told: Told = lambda done, total: None, *, leave_damaged: bool = False) -> Reindexed:
    """Bring every identifier under a new key of the blind index and destroy the older ones.

    Also brings home what a restored backup names by a key that is gone. Keeps the older keys while a value cannot be
    opened, unless those are to be left: whoever arrives with one is somebody new then. Raises StartRefused where an
    older transaction of the database does not end.
    """
    keyring = deployment.vault.keyring
    before = keyring.state().epoch
    newest = keyring.rotate_index()
    run = Reindexed(taken_up=newest == before)
    _move_until_done(deployment, run, told)
    if leave_damaged or not run.unreadable:
        run.destroyed = tuple(epoch for epoch in sorted(keyring.state().index) if epoch < newest)
        for epoch in run.destroyed:
            keyring.destroy_epoch(epoch)
        # Whoever knew the older keys still may have written there what somebody had blocked, and nobody had.
        _move_until_done(deployment, run, told)
        _sweep(deployment)
    return run


def _move_until_done(deployment: Deployment, run: Reindexed, told: Told) -> None:
    seen = patiently(partial(remember_version, deployment))
    _move_all(deployment, run, told)
    wait_for_writers(deployment, seen)
    while _move_all(deployment, run, told):
        pass


def _move_all(deployment: Deployment, run: Reindexed, told: Told) -> int:
    """Go through every value that is behind, once; returns how many rows were moved."""
    with deployment.database.snapshot() as session:
        total = epochs.count_behind(session)
    pace, after, before, run.unreadable = Pace(), epochs.FIRST, run.moved, 0
    while keys := patiently(partial(_behind, deployment, after, pace.size)):
        after = keys[-1]
        moved = patiently(partial(_move, deployment, keys, pace))
        run.moved += moved.rows
        run.unreadable += moved.unreadable
        told(run.moved - before, total)
    return run.moved - before


def _behind(deployment: Deployment, after: TokenKey, limit: int) -> list[TokenKey]:
    with deployment.database.snapshot() as session:
        return epochs.behind(session, after, limit)


def _move(deployment: Deployment, keys: list[TokenKey], pace: Pace) -> epochs.Moved:
    began = time.monotonic()

    def work(session: Session) -> epochs.Moved:
        nonlocal began
        places.begin_move(session)
        began = time.monotonic()  # only the time in which others are kept out counts for the pace
        moved = epochs.move(session, keys, deployment.clock.now())
        consent.rename(session, moved.tokens)
        return moved

    moved = deployment.database.attempt(work)
    pace.took(time.monotonic() - began)
    return moved


def _sweep(deployment: Deployment) -> None:
    after: TokenKey | None = epochs.FIRST
    while after is not None:
        after = patiently(partial(deployment.database.attempt, _swept(after)))


def _swept(after: TokenKey) -> Callable[[Session], TokenKey | None]:
    return lambda session: epochs.sweep(session, after, SWEPT)
