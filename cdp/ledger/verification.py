"""Recomputes the whole ledger and says in plain sentences what does not agree.

Trusts the public key, what an auditor remembered from the last time (the state file) and nothing
else: not the database, not the file of checkpoints. An entry that was deleted before it was ever
sealed, and the serial number of an entry inside its batch's order, leave no trace to check.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from cdp import vault
from cdp.ledger.checkpoints import Checkpoint, number_of, read_notes
from cdp.ledger.entries import columns_hold, mac_holds
from cdp.ledger.model import LedgerCheckpoint, LedgerEntry
from cdp.ledger.sealing import REOPENED, as_checkpoint, lock
from cdp.ledger.tree import Range, leaf_hash

Head = tuple[str, int, bytes]


@dataclass(frozen=True, slots=True)
class Restart:
    """A new origin after a backup was restored: what was kept, and which head was lost."""

    origin: str
    kept: int
    lost: Head


@dataclass(slots=True)
class Finding:
    """What a walk through the ledger found."""

    heads: dict[int, bytes] = field(default_factory=dict)
    """The root at each size that somebody claims something of."""
    restarts: list[Restart] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def verify(
    session: Session,
    signer_public: bytes,
    state_path: Path | str,
    checkpoints_path: Path | str | None = None,
    *,
    accept_restarts: bool = False,
) -> list[str]:
    """Recompute everything; returns the problems found, none for a sound ledger, which is then remembered.

    MACs are checked where the session has a vault. A restart after a restored backup is a problem
    until it was accepted once. Stops sealing while it runs.
    """
    memory = _Memory(Path(state_path))
    outside, problems = _read_outside(checkpoints_path)
    lock(session)
    stored = [as_checkpoint(row) for row in session.exec(select(LedgerCheckpoint))]
    stored.sort(key=lambda one: (one.size, one.origin))
    ends = {0, *(one.size for one in stored)}
    found = _walk(session, ends, ends | {memory.head[1] if memory.head else 0})
    problems += found.problems
    problems += _check_stored(stored, found, signer_public)
    problems += _check_outside(outside, stored, found, signer_public)
    problems += memory.check(found, accept_restarts)
    if not problems:
        memory.write(stored[-1] if stored else None, found)
    return problems


def _walk(session: Session, ends: set[int], claimed: set[int]) -> Finding:
    tree = Range()
    found = Finding({0: tree.root()})
    sealed = select(LedgerEntry).where(col(LedgerEntry.tree_index).is_not(None)).order_by(col(LedgerEntry.tree_index))
    before = 0
    for entry in session.exec(sealed.execution_options(yield_per=1000)):
        found.problems += _check_place(entry, tree.size, 0 if tree.size in ends else before)
        found.problems += _check_entry(session, entry)
        found.restarts += _restart(entry)
        tree.append(leaf_hash(entry.header.encode()))
        before = entry.id or 0
        if tree.size in claimed:
            found.heads[tree.size] = tree.root()
    for entry in session.exec(select(LedgerEntry).where(col(LedgerEntry.tree_index).is_(None))):
        found.problems += _check_entry(session, entry)
    if tree.size > max(ends):
        found.problems.append("Entries have places in the tree that no checkpoint covers.")
    return found


def _check_place(entry: LedgerEntry, size: int, before: int) -> Iterator[str]:
    if entry.tree_index != size:
        yield f"The entry at place {entry.tree_index} should be at {size}: one is missing or was moved."
    if (entry.id or 0) <= before:
        yield f"The entry at place {entry.tree_index} is out of its batch's order."


def _check_entry(session: Session, entry: LedgerEntry) -> Iterator[str]:
    where = "not sealed yet" if entry.tree_index is None else f"at place {entry.tree_index}"
    if not columns_hold(entry):
        yield f"The entry {where} was edited: its columns, text and hash do not agree."
    if "vault" in session.info and not mac_holds(vault.of(session), entry):
        yield f"The entry {where} was edited: its MAC does not hold."


def _check_stored(stored: list[Checkpoint], found: Finding, public: bytes) -> Iterator[str]:
    known = {restart.origin for restart in found.restarts}
    for one in stored:
        if not one.signed_by(public):
            yield f"The checkpoint of size {one.size} has no valid signature."
        if not _agrees(one.size, one.root, found):
            yield f"The entries do not give the checkpoint of size {one.size}."
        if number_of(one.origin) != 1 and one.origin not in known:
            yield f"The checkpoint of size {one.size} belongs to an origin that no entry explains."
    if len({one.size for one in stored}) < len(stored):
        yield "The ledger forks: two checkpoints have one size."


def _check_outside(outside: list[Checkpoint], stored: list[Checkpoint], found: Finding, public: bytes) -> Iterator[str]:
    heads = {one.head for one in stored}
    for one in outside:
        if not one.signed_by(public):
            yield f"The outside checkpoint of size {one.size} has no valid signature."
        if one.head not in heads and not _lost(one.origin, one.size, found.restarts):
            yield f"The outside checkpoint of size {one.size} is not in the database: it was rolled back or rewritten."
    if any(not first.comes_before(second) for first, second in pairwise(outside)):
        yield "The outside checkpoints are out of order."
    for restart in found.restarts:
        if outside and restart.lost not in {one.head for one in outside}:
            yield f"The restart at size {restart.kept} names a lost checkpoint that is not in the outside file."
    newest = outside[-1] if outside else None
    yield from _check_gap(stored, newest, {one.head for one in outside})


def _check_gap(stored: list[Checkpoint], newest: Checkpoint | None, outside: set[Head]) -> Iterator[str]:
    """Only the last checkpoints may be missing outside: a crash keeps them back until the next sealing."""
    for one in stored:
        if newest and one.head not in outside and one.comes_before(newest):
            yield f"The checkpoint of size {one.size} is missing from the outside file."


def _agrees(size: int, root: bytes, found: Finding) -> bool:
    return found.heads.get(size) == root


def _lost(origin: str, size: int, restarts: list[Restart]) -> bool:
    """Whether a restart owns up to this head being gone."""
    return any(restart.lost[0] == origin and restart.kept < size <= restart.lost[1] for restart in restarts)


def _restart(entry: LedgerEntry) -> Iterator[Restart]:
    if entry.act != REOPENED:
        return
    try:
        header: dict[str, Any] = json.loads(entry.header)["header"]
        lost = header["lost"]
        yield Restart(
            header["as"], int(header["kept"]), (lost["origin"], int(lost["size"]), bytes.fromhex(lost["root"]))
        )
    except (ValueError, KeyError, TypeError):
        return


def _read_outside(path: Path | str | None) -> tuple[list[Checkpoint], list[str]]:
    if path is None:
        return [], []
    try:
        content = Path(path).read_bytes()
        return read_notes(content)[0], []
    except OSError:
        return [], ["The outside checkpoints cannot be read."]
    except ValueError:
        return [], ["The outside checkpoints are damaged."]


class _Memory:
    """What this auditor saw the last time, in a file of their own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged = False
        self.head: Head | None = None
        self.accepted: set[str] = set()
        if path.exists():
            self._read()

    def check(self, found: Finding, accept_restarts: bool) -> Iterator[str]:
        """Compare the ledger with what was remembered."""
        if self.damaged:
            yield "The state file of the last verification is damaged."
        if accept_restarts:
            self.accepted |= {restart.origin for restart in found.restarts}
        for restart in found.restarts:
            if restart.origin not in self.accepted:
                yield (
                    f"The ledger was restarted at size {restart.kept} after a restored backup, losing "
                    f"{restart.lost[1] - restart.kept} sealed entries: accept it once if that was yours."
                )
        if self.head and not self._kept(self.head, found):
            yield f"The ledger no longer holds what it held at size {self.head[1]}: it was rolled back or rewritten."

    def write(self, newest: Checkpoint | None, found: Finding) -> None:
        """Remember the newest head for the next time."""
        body = {
            "origin": newest.origin if newest else "",
            "size": newest.size if newest else 0,
            "root": (newest.root if newest else found.heads[0]).hex(),
            "accepted": sorted(self.accepted),
        }
        temporary = self.path.with_name(self.path.name + ".tmp")
        with temporary.open("w") as file:
            json.dump(body, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path)

    def _kept(self, head: Head, found: Finding) -> bool:
        origin, size, root = head
        accepted = [restart for restart in found.restarts if restart.origin in self.accepted]
        return _agrees(size, root, found) or _lost(origin, size, accepted)

    def _read(self) -> None:
        try:
            body = json.loads(self.path.read_text())
            self.head = (str(body["origin"]), int(body["size"]), bytes.fromhex(body["root"]))
            self.accepted = set(body["accepted"])
        except (OSError, ValueError, KeyError, TypeError):
            self.damaged = True
