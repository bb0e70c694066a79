"""The ledger remembers what was done, so that a change to its past is found."""

from cdp.ledger.entries import note, note_all

__all__ = ["note", "note_all"]
