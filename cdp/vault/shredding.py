"""Ends a subject's data, in every copy of the database that was ever made.

Deleting rows does not delete: bytes stay in WAL, free pages, replicas and backups. Destroying the
leaf of the keyring does, for nothing outside the keyring can open the data key any more.
"""

from collections.abc import Collection

from cdp.vault.keyring import Keyring
from cdp.vault.keys import Vault


def puncture(vault: Vault | Keyring, subjects: Collection[int]) -> int:
    """Destroy these subjects' keys for good, in one write; returns the keyring's version then.

    Repeatable. Raises KeyUnavailable when a copy could not be written: then repeat until it returns.
    """
    keyring = vault.keyring if isinstance(vault, Vault) else vault
    return keyring.puncture(subjects)
