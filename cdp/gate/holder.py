"""What the gate keeps of people: permissions and places in feeds, which go with them, and disclosures, which stay.

A disclosure names people by number only. After an erasure the number leads to nobody, and the
record that something was disclosed must stay (GDPR 5(2), 15(1)(c); APPI 29: three years).
"""

from collections.abc import Sequence

from pyroaring import BitMap64
from sqlalchemy import delete, select
from sqlmodel import Session, col

from cdp.db import chunked
from cdp.gate import feed
from cdp.gate.model import Disclosed, Permission
from cdp.holders import Held, Holder
from cdp.profile.model import Subject


def _forget(session: Session, subjects: Sequence[int]) -> int:
    # Feeds before permissions, as their readers lock them.
    gone = feed.forget(session, subjects, session.info["clock"].now())
    for some in chunked(subjects):
        people = select(col(Subject.person)).where(col(Subject.number).in_(some))
        gone += session.execute(delete(Permission).where(col(Permission.person).in_(people))).rowcount  # type: ignore[attr-defined]
    return gone


def _export(session: Session, subjects: Sequence[int]) -> list[Held]:
    wanted = BitMap64(subjects)
    held = []
    for row in session.scalars(select(Disclosed).order_by(col(Disclosed.opened_at))):
        concerned = wanted & BitMap64.deserialize(row.people)
        if concerned:
            held.append(_disclosed(row, concerned.min()))
    return held + feed.export(session, subjects)


def _disclosed(row: Disclosed, subject: int) -> Held:
    plain = {
        "recipient": row.recipient,
        "purpose": row.purpose,
        "channel": row.channel,
        "fields": row.fields.split(),
        "kind": row.kind,
        "at": (row.handed_over_at or row.opened_at).isoformat(),
    }
    return Held("disclosure", subject, plain)


holder = Holder("gate", ("permission", "disclosure", "feed_member"), forget=_forget, export=_export)
