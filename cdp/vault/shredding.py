"""Ends a subject's data, in every copy of the database that was ever made.

Deleting rows does not delete: bytes stay in WAL, free pages, replicas and backups. Destroying the
leaf of the keyring does, for nothing outside the keyring can open the data key any more.
"""

from collections.abc import Collection, Sequence

from sqlmodel import Session, col, delete, select

from cdp.db import chunked
from cdp.holders import Held, Holder
from cdp.vault.keyring import Keyring
from cdp.vault.keys import Vault, of
from cdp.vault.marks import record_version
from cdp.vault.model import SubjectKey


def puncture(vault: Vault | Keyring, subjects: Collection[int]) -> int:
    """Destroy these subjects' keys for good, in one write; returns the keyring's version then.

    Repeatable. Raises KeyUnavailable when a copy could not be written: then repeat until it returns.
    """
    keyring = vault.keyring if isinstance(vault, Vault) else vault
    return keyring.puncture(subjects)


def forget(session: Session, subjects: Sequence[int]) -> int:
    """Delete the wrapped keys, and remember that the database has seen this version of the keyring."""
    gone = 0
    for some in chunked(subjects):
        gone += session.exec(delete(SubjectKey).where(col(SubjectKey.subject).in_(some))).rowcount
    record_version(session, of(session).keyring, session.info["clock"].now())
    return gone


def export(session: Session, subjects: Sequence[int]) -> list[Held]:
    """List that a data key is held; the key itself is nobody's to read."""
    found: list[Held] = []
    for some in chunked(sorted(subjects)):
        rows = select(SubjectKey.subject, SubjectKey.tree).where(col(SubjectKey.subject).in_(some))
        found += [Held("data key", subject, {"tree": tree}) for subject, tree in session.exec(rows)]
    return found


holder = Holder("vault", ("subject_key",), forget, export)
