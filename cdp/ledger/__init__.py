"""The ledger remembers what was done, so that a change to its past is found."""

from cdp.ledger.checkpoints import Checkpoint, SealRefused, Signer
from cdp.ledger.entries import newest_instant, note, note_all
from cdp.ledger.proof import Proof, prove
from cdp.ledger.sealing import newest_checkpoint, reopen, seal
from cdp.ledger.verification import verify

__all__ = [
    "Checkpoint",
    "Proof",
    "SealRefused",
    "Signer",
    "newest_checkpoint",
    "newest_instant",
    "note",
    "note_all",
    "prove",
    "reopen",
    "seal",
    "verify",
]
