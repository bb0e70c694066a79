"""Proof that an entry is in the ledger, for whoever got its id as a receipt."""

import base64
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from cdp.ledger.checkpoints import Checkpoint
from cdp.ledger.model import LedgerEntry
from cdp.ledger.sealing import leaves, newest_checkpoint
from cdp.ledger.tree import included, inclusion, leaf_hash


@dataclass(frozen=True, slots=True)
class Proof:
    """An entry's text, its place, and the path from there to a signed head."""

    entry: str
    text: str
    index: int
    path: list[bytes]
    checkpoint: Checkpoint

    def holds(self, public: bytes) -> bool:
        """Verify the proof with nothing but the ledger's public key."""
        head = self.checkpoint
        return head.signed_by(public) and included(
            leaf_hash(self.text.encode()), self.index, head.size, self.path, head.root
        )

    def document(self, public: bytes) -> dict[str, Any]:
        """Write the proof for an API: hashes in base64, the checkpoint as a signed note."""
        return {
            "entry": self.entry,
            "text": self.text,
            "index": self.index,
            "path": [base64.b64encode(node).decode("ascii") for node in self.path],
            "checkpoint": self.checkpoint.note(public),
        }


def prove(session: Session, entry: str) -> Proof | None:
    """Prove an entry under the newest checkpoint; None while it is unsealed or unknown.

    Reads every leaf: 1 s per million entries.
    """
    row = session.exec(select(LedgerEntry).where(col(LedgerEntry.entry) == entry)).one_or_none()
    head = newest_checkpoint(session)
    if row is None or row.tree_index is None or head is None or row.tree_index >= head.size:
        return None
    return Proof(row.entry, row.header, row.tree_index, inclusion(leaves(session, head.size), row.tree_index), head)
