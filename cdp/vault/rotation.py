"""Moves data keys to a new tree, batch by batch, so that the old tree can be destroyed.

Start with `keyring.rotate_root()`, then, for as long as there is anything: `behind` (a reading
transaction), `rewrap` (no transaction: all the ciphers) and `keep` (a short writing one). It may be
stopped anywhere and taken up again. `finish` comes last, when every writer that began under the old
tree has ended (`horizon`, `has_passed`) and every reader has what it read.

Dropping a tree darkens every copy of the database that was made before the rotation, for
everybody: it also ends what old backups are good for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import bindparam, text
from sqlmodel import Session, col, delete, func, select, update

from cdp.db import is_sqlite
from cdp.errors import CiphertextCorrupt, KeyDestroyed
from cdp.vault.keys import Vault
from cdp.vault.model import SubjectKey
from cdp.vault.sealing import unwrap, wrap
from cdp.vault.state import State


class Wrapped(NamedTuple):
    """One data key as it stands in the database."""

    subject: int
    tree: int
    wrapped: bytes


@dataclass(slots=True)
class Rewrapped:
    """What became of a batch, not yet stored."""

    moved: list[dict[str, Any]] = field(default_factory=list)
    erased: list[dict[str, Any]] = field(default_factory=list)
    """Keys whose leaf was punctured: nothing opens them any more."""
    unreadable: int = 0
    """Damaged keys, and keys of a tree that this keyring never held: they stay, and so must the old tree."""


def count_behind(session: Session, vault: Vault) -> int:
    """Count the data keys that do not hang on the newest tree."""
    newest = vault.keyring.state().generation
    return session.exec(select(func.count()).select_from(SubjectKey).where(SubjectKey.tree != newest)).one()


def behind(session: Session, vault: Vault, after: int, limit: int) -> list[Wrapped]:
    """Read up to `limit` data keys of older trees, of subjects above `after`, in their order."""
    newest = vault.keyring.state().generation
    query = (
        select(SubjectKey.subject, SubjectKey.tree, SubjectKey.wrapped)
        .where(col(SubjectKey.subject) > after, SubjectKey.tree != newest)
        .order_by(col(SubjectKey.subject))
        .limit(limit)
    )
    return [Wrapped(subject, tree, bytes(wrapped)) for subject, tree, wrapped in session.exec(query)]


def rewrap(vault: Vault, rows: Sequence[Wrapped]) -> Rewrapped:
    """Wrap each key under its leaf of the newest tree; touches no database."""
    state, done = vault.keyring.state(), Rewrapped()
    for row in rows:
        _rewrap_one(state, row, done)
    return done


def keep(session: Session, done: Rewrapped) -> int:
    """Store what was rewrapped, each only where it still stands as it was read; returns how many moved.

    Whoever was erased meanwhile stays erased: no row is made here.
    """
    table = SubjectKey.__table__  # type: ignore[attr-defined]
    here = (table.c.subject == bindparam("_subject"), table.c.tree == bindparam("_tree"))
    connection, moved = session.connection(), 0
    if done.moved:
        new: dict[str, Any] = {"tree": bindparam("_to"), "wrapped": bindparam("_wrapped")}
        moved = connection.execute(update(table).where(*here).values(new), done.moved).rowcount
    if done.erased:
        connection.execute(delete(table).where(*here), done.erased)
    return moved


def horizon(session: Session) -> int:
    """Return the number of this transaction: those with lower numbers may still write keys of the old tree.

    On SQLite 0, for there a writing transaction begins when all before it have ended.
    """
    if is_sqlite(session):
        return 0
    return int(session.connection().execute(text("SELECT pg_current_xact_id()::text")).scalar_one())


def has_passed(session: Session, horizon: int) -> bool:
    """Whether every transaction up to the horizon has ended."""
    if is_sqlite(session):
        return True
    oldest = session.connection().execute(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")).scalar_one()
    return int(oldest) > horizon


def finish(session: Session, vault: Vault) -> list[int]:
    """Destroy the older trees that no data key hangs on; returns their generations.

    Only when `has_passed` the horizon of a transaction that began after `rotate_root`, and no reader
    can still be busy with what it read before the last key was moved.
    """
    state = vault.keyring.state()
    used = set(session.exec(select(SubjectKey.tree).distinct()))
    unused = sorted(set(state.trees) - used - {state.generation})
    for generation in unused:
        vault.keyring.drop_tree(generation)
    return unused


def _rewrap_one(state: State, row: Wrapped, done: Rewrapped) -> None:
    here = {"_subject": row.subject, "_tree": row.tree}
    if row.tree not in state.trees:
        done.unreadable += 1
        return
    try:
        dek = unwrap(state.trees[row.tree].leaf(row.subject), row.subject, row.tree, row.wrapped)
        leaf = state.trees[state.generation].leaf(row.subject)
    except KeyDestroyed:
        done.erased.append(here)
    except CiphertextCorrupt:
        done.unreadable += 1
    else:
        wrapped = wrap(leaf, row.subject, state.generation, dek)
        done.moved.append({**here, "_to": state.generation, "_wrapped": wrapped})
