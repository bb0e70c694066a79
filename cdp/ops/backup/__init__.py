"""Backups of the database alone, and their return.

A backup never holds the keyring, the ledger's key or the keys that sign tokens: whoever finds it
finds noise. What comes back is erased again by `erasures.log`, and silenced again by
`silences.log`, before any door opens.
"""

from cdp.ops.backup.making import backup
from cdp.ops.backup.manifest import MANIFEST, Mismatch, read_manifest
from cdp.ops.backup.restoring import MISSING, RESTORED, restore

__all__ = ["MANIFEST", "MISSING", "RESTORED", "Mismatch", "backup", "read_manifest", "restore"]
