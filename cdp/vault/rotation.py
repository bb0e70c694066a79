"""Moves data keys to a new tree, batch by batch, so that the old tree can be destroyed.

Start with `keyring.rotate_root()`, call `rewrap` until it returns 0, then `finish`. It may be
stopped anywhere and taken up again. Dropping a tree darkens every copy of the database that was
made before the rotation, for everybody: it also ends what old backups are good for.
"""

from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, select, update

from cdp.errors import KeyDestroyed
from cdp.vault.keys import Vault
from cdp.vault.model import SubjectKey
from cdp.vault.sealing import wrap

SETTLED = timedelta(hours=1)
"""How old a tree must be before its forerunner goes: no open transaction may still hold keys under that one."""


def rewrap(session: Session, vault: Vault, batch: int = 500) -> int:
    """Move up to `batch` data keys to the newest tree; returns how many rows were done, 0 at the end.

    Rows whose key is destroyed are deleted. Raises CiphertextCorrupt for a damaged row: look at it first.
    """
    state = vault.keyring.state()
    newest = state.generation
    behind = select(SubjectKey).where(SubjectKey.tree != newest).order_by(col(SubjectKey.subject)).limit(batch)
    rows = session.exec(behind.with_for_update()).all()
    for row in rows:
        _move(session, vault, row, newest)
    session.flush()
    return len(rows)


def finish(session: Session, vault: Vault, at: datetime, settled: timedelta = SETTLED) -> list[int]:
    """Destroy the trees that no data key hangs on; returns their generations.

    Keeps all while the newest tree is younger than `settled`, and each that a row still names.
    """
    state = vault.keyring.state()
    if at.timestamp() - state.since[state.generation] < settled.total_seconds():
        return []
    used = set(session.exec(select(SubjectKey.tree).distinct()))
    unused = sorted(set(state.trees) - used - {state.generation})
    for generation in unused:
        vault.keyring.drop_tree(generation)
    return unused


def _move(session: Session, vault: Vault, row: SubjectKey, tree: int) -> None:
    here = col(SubjectKey.subject) == row.subject
    try:
        dek = vault.unwrap(row.subject, row.tree, row.wrapped)
        leaf = vault.keyring.state().trees[tree].leaf(row.subject)
    except KeyDestroyed:
        session.exec(delete(SubjectKey).where(here))
        return
    wrapped = wrap(leaf, row.subject, tree, dek)
    session.exec(update(SubjectKey).where(here).values(tree=tree, wrapped=wrapped))
