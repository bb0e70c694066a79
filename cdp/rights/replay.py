"""Before any door opens, what was erased is erased again: a restored backup brings nobody back.

Every start reads the whole of `erasures.log`. What is gone already costs a look; what is there
again is punctured, deleted and silenced. Numbers that were ever erased are never given again.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy import func, select, text
from sqlmodel import Session, col

from cdp import consent, vault
from cdp.consent.model import Suppression
from cdp.db import chunked, is_sqlite
from cdp.profile.model import Subject
from cdp.rights import erasure, provisions, reach, tombstones
from cdp.rights.grounds import Grounds
from cdp.rights.model import SubjectRequest
from cdp.rights.reach import Points
from cdp.rights.tombstones import Tombstone

BATCH = 1000
"""Tombstones looked at in one snapshot."""

TOGETHER = 50
"""Tombstones buried again in one transaction."""

NEVER = datetime.min.replace(tzinfo=UTC)
FOREVER = datetime.max.replace(tzinfo=UTC)

Progress = Callable[[int, int], None]
"""Called with how many tombstones are done, of how many."""


def replay(grounds: Grounds, progress: Progress = lambda done, total: None) -> int:
    """Erase again whoever is back; returns how many subjects were. Raises StartRefused for a damaged log."""
    stones = tombstones.read(grounds.erasures)
    vault.puncture(grounds.vault, {subject for stone in stones for subject in stone.subjects})
    again = done = 0
    for some in chunked(stones, BATCH):
        for few in chunked(_undone(grounds, some), TOGETHER):
            with grounds.database.transaction() as session:
                again += sum(_bury(session, stone, grounds.clock.now()) for stone in few)
        done += len(some)
        progress(done, len(stones))
    highest = max((subject for stone in stones for subject in stone.subjects), default=0)
    if highest:
        with grounds.database.transaction() as session:
            reserve_numbers(session, highest)
    return again


def reserve_numbers(session: Session, highest: int) -> None:
    """Give no subject number up to `highest` from now on: an erased one opens nothing and names nobody."""
    if is_sqlite(session):
        params = {"highest": highest}
        given = session.execute(text("SELECT seq FROM sqlite_sequence WHERE name = 'subject'")).scalar()
        if given is None:
            session.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES ('subject', :highest)"), params)
        elif given < highest:
            session.execute(text("UPDATE sqlite_sequence SET seq = :highest WHERE name = 'subject'"), params)
        return
    sequence = session.execute(text("SELECT pg_get_serial_sequence('subject', 'number')")).scalar()
    given = session.execute(text(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}")).scalar()  # noqa: S608
    if (given or 0) < highest:
        session.execute(text("SELECT setval(:sequence, :highest)"), {"sequence": sequence, "highest": highest})


def highest_number(session: Session) -> int:
    """Return the highest subject number in the database."""
    return session.scalar(select(func.max(Subject.number))) or 0


def _undone(grounds: Grounds, stones: Sequence[Tombstone]) -> list[Tombstone]:
    """Return those of whose subjects one is there, or of whose identifiers one is not silent."""
    with grounds.database.snapshot() as session:
        present = set(_present(session, sorted({subject for stone in stones for subject in stone.subjects})))
        lost = _lost(session, stones)
    return [stone for stone in stones if present & set(stone.subjects) or lost[stone.request]]


def _lost(session: Session, stones: Sequence[Tombstone]) -> dict[str, Points]:
    """Return, by request, the points that neither are silent nor were readmitted after the erasure."""
    until = _silences(session, {token for stone in stones for _, token in stone.points})
    lost: dict[str, Points] = {stone.request: set() for stone in stones}
    for stone in stones:
        lost[stone.request] |= {point for point in stone.points if until.get(point[1], NEVER) < stone.at}
    return lost


def _silences(session: Session, tokens: Iterable[bytes]) -> dict[bytes, datetime]:
    """Return until when each suppression token was, or is, silent for an erasure."""
    until: dict[bytes, datetime] = {}
    for some in chunked(sorted(tokens)):
        query = select(col(Suppression.token), col(Suppression.lifted_at)).where(
            col(Suppression.token).in_(some), col(Suppression.reason) == "erasure", col(Suppression.channel) == "*"
        )
        for token, lifted_at in session.execute(query):
            until[bytes(token)] = max(lifted_at or FOREVER, until.get(bytes(token), NEVER))
    return until


def _bury(session: Session, stone: Tombstone, at: datetime) -> int:
    """Delete what is back of one tombstone and silence what was lost; returns how many subjects were back.

    An identifier that was readmitted since stays so, and whoever holds it by now is left alone.
    """
    lost = _lost(session, [stone])[stone.request]
    request = session.get(SubjectRequest, stone.request, with_for_update=True)
    back = _present(session, stone.subjects)
    if back:
        provisions.keep(session, stone.request, back, at, set(stone.points))
        unfinished = request if request and request.state in ("received", "in_progress") else None
        erasure.forget_rows(session, unfinished, list(stone.subjects), lost, at)
    else:
        reach.sever(session, lost, stone.subjects)
    consent.suppress_all(session, lost, "*", "erasure", stone.at)
    return len(back)


def _present(session: Session, subjects: Sequence[int]) -> list[int]:
    found: list[int] = []
    for some in chunked(subjects):
        found.extend(session.scalars(select(col(Subject.number)).where(col(Subject.number).in_(some))))
    return sorted(found)
