"""Refuses a keyring that is not this database's, or is an old copy that would revive the erased."""

from datetime import datetime

from sqlmodel import Session, col, select, update

from cdp.db import insert_ignoring
from cdp.errors import CiphertextCorrupt, KeyDestroyed, StartRefused
from cdp.vault.keyring import Keyring
from cdp.vault.keys import Vault
from cdp.vault.model import KeyringMark, SubjectKey

SAMPLE = 32


def check_mark(session: Session, keyring: Keyring, at: datetime) -> None:
    """Compare the keyring with what this database has seen, and record a newer version.

    Raises StartRefused for a foreign keyring, one older than the newest seen here, and one that
    opens none of a sample of data keys.
    """
    for mark in session.exec(select(KeyringMark)):
        if mark.keyring != keyring.id:
            raise StartRefused(
                "This keyring belongs to another database: name the keyring that this one was made with."
            )
        if mark.version > keyring.version:
            raise StartRefused(
                f"This keyring is an old copy (version {keyring.version}, and the database has seen {mark.version}) "
                "and would revive people who were erased: bring back the newest copy."
            )
    _check_sample(session, Vault(keyring))
    record_version(session, keyring, at)


def record_version(session: Session, keyring: Keyring, at: datetime) -> None:
    """Remember the newest version of the keyring that this database has seen."""
    version = keyring.version
    insert_ignoring(session, KeyringMark, [{"keyring": keyring.id, "version": version, "at": at}])
    older = (col(KeyringMark.keyring) == keyring.id, col(KeyringMark.version) < version)
    session.execute(update(KeyringMark).where(*older).values(version=version, at=at))


def confirm_mark(session: Session, keyring: Keyring, at: datetime) -> None:
    """Note when this database was last written to by a holder of its keyring; changes nothing else."""
    session.execute(update(KeyringMark).where(col(KeyringMark.keyring) == keyring.id).values(at=at))


def _check_sample(session: Session, vault: Vault) -> None:
    """Unwrap the newest and oldest data keys: one that opens proves the keyring right."""
    seen = 0
    for order in (col(SubjectKey.subject).desc(), col(SubjectKey.subject).asc()):
        for key in session.exec(select(SubjectKey).order_by(order).limit(SAMPLE)):
            try:
                vault.unwrap(key.subject, key.tree, key.wrapped)
            except KeyDestroyed:  # an erasure that was broken off: its rows are still there, and prove nothing
                continue
            except CiphertextCorrupt:
                seen += 1
                continue
            return
    if seen:
        raise StartRefused("This keyring opens none of the data keys that were tried: it is not this database's.")
