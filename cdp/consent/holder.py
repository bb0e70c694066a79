"""What consent keeps of people, and how it lets go.

Suppressions are not listed as a subject's rows: they hold only a keyed token, and they must
survive the erasure that made them, or the next import would bring the person back.
"""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlmodel import Session, col

from cdp import identity
from cdp.consent import records, suppression
from cdp.consent.model import ConsentRecord, Objection
from cdp.db import chunked, unsettle
from cdp.holders import Held, Holder
from cdp.identity.model import Identifier


def _forget(session: Session, subjects: Sequence[int]) -> int:
    gone = 0
    for some in chunked(subjects):
        tokens = session.scalars(select(col(ConsentRecord.token)).where(col(ConsentRecord.subject).in_(some)))
        others = records.at_points(session, tokens) | records.beside(session, some)
        unsettle(session, identity.people_of(session, others).values(), first="gate")  # a no of theirs was these, too
        for table in (ConsentRecord, Objection):
            gone += session.execute(delete(table).where(table.subject.in_(some))).rowcount  # type: ignore[attr-defined]
    return gone


def _export(session: Session, subjects: Sequence[int]) -> list[Held]:
    held: list[Held] = []
    for some in chunked(subjects):
        held.extend(map(_consent, session.scalars(select(ConsentRecord).where(col(ConsentRecord.subject).in_(some)))))
        held.extend(map(_objection, session.scalars(select(Objection).where(col(Objection.subject).in_(some)))))
        held.extend(_suppressions(session, some))
    return held


def _consent(row: ConsentRecord) -> Held:
    shown = (
        "record", "purpose", "channel", "status", "method", "notice", "notice_version", "language",
        "notice_sha256",
        "evidence", "evidenced_by", "actor", "source", "brand",
    )  # fmt: skip
    plain = {name: getattr(row, name) for name in shown}
    plain |= {"said_at": row.event_time.isoformat(), "received_at": row.received_time.isoformat()}
    return Held(
        "consent",
        row.subject,
        plain,
        sealed=row.sealed_evidence,
        table="consent_record",
        column="sealed_evidence",
        row=row.record,
    )


def _objection(row: Objection) -> Held:
    ended = row.lifted_at.isoformat() if row.lifted_at else None
    plain = {"kind": row.kind, "purpose": row.purpose, "since": row.at.isoformat(), "until": ended}
    return Held("objection", row.subject, plain)


def _suppressions(session: Session, subjects: Sequence[int]) -> list[Held]:
    query = select(col(Identifier.suppression_token), col(Identifier.subject), col(Identifier.namespace)).where(
        col(Identifier.subject).in_(subjects)
    )
    owners = {token: (subject, namespace) for token, subject, namespace in session.execute(query)}
    return [
        Held(
            "suppression",
            owners[one.token][0],
            {"contact_point": one.namespace, "channel": one.channel, "reason": one.said},
        )
        for one in suppression.in_force(session, owners)
    ]


holder = Holder("consent", ("consent_record", "objection", "suppression"), forget=_forget, export=_export)
