"""What the vault keeps of subjects: the wrapped data key of each, deleted when its leaf is destroyed."""

from collections.abc import Sequence

from sqlmodel import Session, col, delete, select

from cdp.db import chunked
from cdp.holders import Held, Holder
from cdp.vault.keys import of
from cdp.vault.marks import record_version
from cdp.vault.model import SubjectKey


def _forget(session: Session, subjects: Sequence[int]) -> int:
    """Delete the wrapped keys, and remember that the database has seen this version of the keyring."""
    gone = 0
    for some in chunked(subjects):
        gone += session.exec(delete(SubjectKey).where(col(SubjectKey.subject).in_(some))).rowcount
    record_version(session, of(session).keyring, session.info["clock"].now())
    return gone


def _export(session: Session, subjects: Sequence[int]) -> list[Held]:
    """List that a data key is held; the key itself is nobody's to read."""
    found: list[Held] = []
    for some in chunked(sorted(subjects)):
        rows = select(SubjectKey.subject, SubjectKey.tree).where(col(SubjectKey.subject).in_(some))
        found += [Held("data key", subject, {"tree": tree}) for subject, tree in session.exec(rows)]
    return found


holder = Holder("vault", ("subject_key",), forget=_forget, export=_export)
