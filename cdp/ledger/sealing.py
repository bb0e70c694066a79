"""Sealing: entries get their place in the tree, in batches, and a signed head goes outside.

Entries are found by having no place yet, not by a number above the last: numbers commit out of
order and some would be skipped. The database commits first and the outside file follows; what a
crash kept from the file is appended by the next sealing. A database behind the file was restored
from a backup: sealing refuses until `reopen` starts a new origin that names the old one.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import event, text, update
from sqlalchemy.orm import SessionTransaction
from sqlmodel import Session, col, select

from cdp.db import is_sqlite
from cdp.ledger.checkpoints import Checkpoint, SealRefused, Signer, number_of, origin_of
from cdp.ledger.entries import note
from cdp.ledger.model import LedgerCheckpoint, LedgerEntry
from cdp.ledger.tree import Range

BATCH = 10_000
REOPENED = "ledger.reopened"
_LOCK = 0x5E15_0001


def seal(session: Session, signer: Signer, at: datetime, most: int = BATCH) -> Checkpoint | None:
    """Give up to `most` unsealed entries their places and sign the head; None when there is nothing to do.

    Raises SealRefused when the database is behind the outside file or contradicts it. Two sealers
    at once are safe: one waits for the other.
    """
    lock(session)
    newest = newest_checkpoint(session)
    last = signer.last()
    if last and (newest is None or newest.comes_before(last)):
        raise SealRefused("The ledger is behind its outside checkpoints: start again, and it will be reopened.")
    if last and not _stored(session, last):
        raise SealRefused("The ledger contradicts its outside checkpoints: run `cdp ledger verify`.")
    _publish_missing(session, signer, last)
    return _extend(session, signer, newest.origin if newest else signer.origin, at, most)


def reopen(session: Session, signer: Signer, at: datetime) -> Checkpoint | None:
    """Start a new origin if the database was restored from a backup; None when it was not.

    The new origin's first batch holds an entry that names the head that was lost. Call at start,
    before anything is noted. Raises SealRefused when what is left contradicts the outside file.
    """
    lock(session)
    newest, last = newest_checkpoint(session), signer.last()
    if last is None or (newest is not None and not newest.comes_before(last)):
        return None
    if newest is not None and newest.head not in {one.head for one in signer.published()}:
        raise SealRefused("The ledger contradicts its outside checkpoints: run `cdp ledger verify`.")
    origin = f"{origin_of(signer.public)}/{number_of(last.origin) + 1}"
    lost = {"origin": last.origin, "size": last.size, "root": last.root.hex()}
    note(session, REOPENED, {"as": origin, "kept": newest.size if newest else 0, "lost": lost}, at)
    session.flush()
    return _extend(session, signer, origin, at, most=None)


def lock(session: Session) -> None:
    """Let one sealer through at a time, until commit; SQLite has one writer anyway."""
    if not is_sqlite(session):
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def newest_checkpoint(session: Session) -> Checkpoint | None:
    """Return the newest checkpoint in the database; sizes grow across origins."""
    row = session.exec(select(LedgerCheckpoint).order_by(col(LedgerCheckpoint.size).desc()).limit(1)).first()
    return as_checkpoint(row) if row else None


def as_checkpoint(row: LedgerCheckpoint) -> Checkpoint:
    return Checkpoint(row.origin, row.size, bytes(row.root), row.at, bytes(row.signature))


def leaves(session: Session, size: int) -> list[bytes]:
    """Read the first `size` leaves in their order."""
    rows = select(LedgerEntry.leaf).where(col(LedgerEntry.tree_index) < size).order_by(col(LedgerEntry.tree_index))
    return [bytes(leaf) for leaf in session.exec(rows)]


def _extend(session: Session, signer: Signer, origin: str, at: datetime, most: int | None) -> Checkpoint | None:
    unsealed = select(LedgerEntry.id, LedgerEntry.leaf).where(col(LedgerEntry.tree_index).is_(None))
    rows = session.exec(unsealed.order_by(col(LedgerEntry.id)).limit(most)).all()
    if not rows:
        return None
    tree = _grown(session, signer)
    places: list[dict[str, Any]] = []
    for number, leaf in rows:
        places.append({"id": number, "tree_index": tree.size})
        tree.append(bytes(leaf))
    session.execute(update(LedgerEntry), places)
    checkpoint = signer.sign(origin, tree.size, tree.root(), at)
    session.add(
        LedgerCheckpoint(
            origin=origin, size=tree.size, root=checkpoint.root, signature=checkpoint.signature, at=checkpoint.at
        )
    )
    session.flush()
    session.info.setdefault("sealed", []).append((signer, checkpoint, tree))
    return checkpoint


def _grown(session: Session, signer: Signer) -> Range:
    """Take the tree as it stands: from memory where that is the tree of the last head, else from its leaves."""
    newest = newest_checkpoint(session)
    size, root = (newest.size, newest.root) if newest else (0, Range().root())
    if signer.grown is not None and (signer.grown.size, signer.grown.root()) == (size, root):
        return signer.grown.copy()
    tree = Range(leaves(session, size))
    if (tree.size, tree.root()) != (size, root):
        raise SealRefused("The ledger's entries do not give its last checkpoint: run `cdp ledger verify`.")
    return tree


def _publish_missing(session: Session, signer: Signer, last: Checkpoint | None) -> None:
    newer = select(LedgerCheckpoint).where(col(LedgerCheckpoint.size) > (last.size if last else 0))
    missing = [as_checkpoint(row) for row in session.exec(newer.order_by(col(LedgerCheckpoint.size)))]
    if any(not one.signed_by(signer.public) for one in missing):
        raise SealRefused("The ledger holds a checkpoint that its key never signed: run `cdp ledger verify`.")
    if missing:
        signer.publish(missing)


def _stored(session: Session, checkpoint: Checkpoint) -> bool:
    row = session.get(LedgerCheckpoint, (checkpoint.origin, checkpoint.size))
    return row is not None and bytes(row.root) == checkpoint.root


@event.listens_for(Session, "after_commit")
def _publish_sealed(session: Session) -> None:
    """Append to the outside file only what the database holds for good."""
    for signer, checkpoint, tree in session.info.pop("sealed", []):
        signer.publish([checkpoint])
        signer.grown = tree


@event.listens_for(Session, "after_soft_rollback")
def _forget_sealed(session: Session, _: SessionTransaction) -> None:
    session.info.pop("sealed", None)
