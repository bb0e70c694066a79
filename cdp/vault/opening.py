"""The only door through which a sealed value becomes readable.

Protected: importers are the gate and the vault itself (import-linter contract). Whoever else
needs to know whether a value is a certain one asks `vault.matches`.
"""

from cdp.vault.sealing import Cell, Dek, _unseal


def open_sealed(dek: Dek, sealed: bytes, cell: Cell) -> bytes:
    """Return the value; raises CiphertextCorrupt when it was moved, altered or truncated."""
    return _unseal(dek, sealed, cell)
