"""Consent records: written once; what was said is never changed, a correction is another record."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Table, bindparam, insert, or_, select, update
from sqlmodel import Session

from cdp import identity, ledger, policy, statements, vault
from cdp.clock import EARLIEST
from cdp.consent import suppression
from cdp.consent.model import ConsentRecord, Objection
from cdp.consent.rules import IMPORT, INVALID_METHODS, NO, Said
from cdp.db import chunked, unsettle
from cdp.identity.model import Identifier
from cdp.identity.rules import TokenKey
from cdp.ids import new_id
from cdp.policy.terms import CONTACTS, Notice
from cdp.statements import one_of, pair_of

_TABLE: Table = ConsentRecord.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing said about consent, with what proves it."""

    purpose: str
    channel: str
    status: str
    method: str
    event_time: datetime | None
    """None where nobody knows: early for a yes, late for a no (law.md 4.5)."""
    source: str
    act: bool = True
    namespace: str = ""
    token: bytes = b""
    notice: str = ""
    notice_version: str = ""
    language: str = ""
    evidence: str = "full"
    actor: str = "subject"
    verification: str = ""
    verified: bool = False
    public: bool = False
    brand: str = ""
    valid_until: datetime | None = None
    proof: bytes = field(default=b"", repr=False)
    """What proves it (form, IP, document): sealed under the subject's key."""
    confirm_digest: bytes | None = None
    notice_sha256: str | None = None
    """Hash of the notice's text, where it was shown earlier; None = of the text that the policy has now."""
    lifts: bytes = b""
    """Suppression token of the contact point: an explicit yes by the identified person lifts an unsubscribe."""
    evidenced_by: str = ""
    """Id of the kept evidence that an imported yes rests on (ruling R13)."""


def record(session: Session, subject: int, statement: Statement, at: datetime) -> str:
    """Write one statement of a subject and return its record id."""
    return record_all(session, [(subject, statement)], at)[0]


def record_all(session: Session, said: Sequence[tuple[int, Statement]], at: datetime) -> list[str]:
    """Write many statements at once; returns the record ids in the same order.

    A yes asked for in a way that is no consent (pre-ticked, silence …) is kept as `invalidated`.
    """
    if not said:
        return []
    keys = vault.deks(session, {subject for subject, statement in said if statement.proof})
    shown = policy.of(session).notices
    rows = [_row(subject, statement, keys.get(subject), _sha256(statement, shown), at) for subject, statement in said]
    session.execute(insert(_TABLE), rows)
    ledger.note_all(session, [_act(session, row) for row in rows], at)
    explicit = [_lift(one, row) for (_, one), row in zip(said, rows, strict=True) if _lifts(one, row)]
    suppression.lift(session, explicit, at)
    others = at_points(session, {row["token"] for row in rows if row["status"] in NO})
    people = identity.people_of(session, {subject for subject, _ in said} | others)
    unsettle(session, {*people, *people.values()}, first="gate")
    return [str(row["record"]) for row in rows]


def beside(session: Session, subjects: Iterable[int]) -> set[int]:
    """Return the subjects who share a contact point with one of these, and these."""
    tokens: set[bytes] = set()
    for some in chunked(sorted(set(subjects))):
        tokens.update(statements.column(session, _HAD, some=some, within=CONTACTS))
    return at_points(session, tokens).union(subjects)


def at_points(session: Session, tokens: Iterable[bytes]) -> set[int]:
    """Return the subjects who have one of these contact points: a no that was said at it concerns them all."""
    found: set[int] = set()
    for some in chunked(sorted(set(tokens) - {b""})):
        found.update(statements.column(session, _HAVING, some=some, within=CONTACTS))
    return found


def rename(session: Session, tokens: Mapping[bytes, bytes]) -> int:
    """Let records be about the same contact points under another key of the index; returns how many were.

    Give older token → newer, in the transaction that moves the identifiers. What was said stays as it was said.
    """
    changed, speakers = 0, set[int]()
    for some in chunked(sorted(tokens)):
        found = session.execute(select(_TABLE.c.token, _TABLE.c.subject).where(_TABLE.c.token.in_(some))).all()
        speakers.update(row.subject for row in found)
        changed += len(found)
        about = sorted({bytes(row.token) for row in found})
        statements.write(session, _RENAMED, [{"older": token, "newer": tokens[token]} for token in about])
    unsettle(session, {*speakers, *identity.people_of(session, speakers).values()}, first="gate")
    return changed


def said_by(session: Session, subjects: Iterable[int], as_of: datetime | None = None) -> dict[int, list[Said]]:
    """Load what these subjects said, by subject; with `as_of`, a past instant, only what had been received by then."""
    found: dict[int, list[Said]] = {}
    for some in chunked(subjects):
        if as_of is None:
            rows = statements.rows(session, _SAID_BY, some=some)
        else:
            rows = statements.rows(session, _SAID_BY_THEN, some=some, then=as_of)
        for row in rows:
            found.setdefault(row[1], []).append(Said(*row))
    return found


_SAID = (
    "id",
    "subject",
    "purpose",
    "channel",
    "token",
    "status",
    "act",
    "verified",
    "public",
    "method",
    "evidence",
    "notice",
    "notice_version",
    "actor",
    "event_time",
    "received_time",
    "valid_until",
    "source",
    "brand",
    "verification",
)
_SAID_BY = select(*(_TABLE.c[name] for name in _SAID)).where(one_of(_TABLE.c.subject))
_RENAMED = update(_TABLE).where(_TABLE.c.token == bindparam("older")).values(token=bindparam("newer"))
_SAID_BY_THEN = _SAID_BY.where(_TABLE.c.received_time <= bindparam("then"))
_NOES = sorted(NO)
_NOES_AT = select(*(_TABLE.c[name] for name in _SAID)).where(
    one_of(_TABLE.c.token), one_of(_TABLE.c.status, "noes"), ~_TABLE.c.public
)
_NOES_AT_THEN = _NOES_AT.where(_TABLE.c.received_time <= bindparam("then"))
_NAMES: Table = Identifier.__table__  # type: ignore[attr-defined]
_OBJECTIONS: Table = Objection.__table__  # type: ignore[attr-defined]
_STOPPING = ("direct_marketing", "legitimate_interests", "restriction")
_ALL_AT = (
    select(_NAMES.c.token, _NAMES.c.subject, _OBJECTIONS.c.purpose, _OBJECTIONS.c.at)
    .join(_OBJECTIONS, _OBJECTIONS.c.subject == _NAMES.c.subject)
    .where(pair_of(_NAMES.c.namespace, _NAMES.c.token), _NAMES.c.verified, one_of(_OBJECTIONS.c.kind, "kinds"))
)
_OBJECTED_AT = _ALL_AT.where(_OBJECTIONS.c.lifted_at.is_(None))
_OBJECTED_AT_THEN = _ALL_AT.where(
    _OBJECTIONS.c.at <= bindparam("then"),
    or_(_OBJECTIONS.c.lifted_at.is_(None), _OBJECTIONS.c.lifted_at > bindparam("then")),
)
_HAVING = select(_NAMES.c.subject).distinct().where(one_of(_NAMES.c.namespace, "within"), one_of(_NAMES.c.token))
_HAD = select(_NAMES.c.token).distinct().where(one_of(_NAMES.c.subject), one_of(_NAMES.c.namespace, "within"))


def noes_at(session: Session, points: Iterable[TokenKey], as_of: datetime | None = None) -> dict[bytes, list[Said]]:
    """Load every no that was said at these contact points, by whomever: whose a mailbox is may be told apart later.

    Who objects to letters, or has them stopped, does so wherever they are proved to be reached. What a browser says is
    left out: a declared no through a public key silences the point itself.
    """
    keys, found = sorted(set(points)), dict[bytes, list[Said]]()
    then = {} if as_of is None else {"then": as_of}
    for some in chunked(sorted({token for _, token in keys})):
        for row in statements.rows(session, _NOES_AT_THEN if then else _NOES_AT, some=some, noes=_NOES, **then):
            one = Said(*row)
            found.setdefault(one.token, []).append(one)
    for pairs in chunked(keys):
        query = _OBJECTED_AT_THEN if then else _OBJECTED_AT
        for token, subject, purpose, at in statements.rows(session, query, pairs=pairs, kinds=_STOPPING, **then):
            found.setdefault(token, []).append(_objection(token, subject, purpose, at))
    return found


def _objection(token: bytes, subject: int, purpose: str, at: datetime) -> Said:
    """Return an objection as what it is to others at the same contact point: a no, until they say yes themselves."""
    return Said(
        order=0,
        subject=subject,
        purpose=purpose,
        channel="*",
        token=token,
        status="withdrawn",
        act=True,
        verified=True,
        public=False,
        method="objection",
        evidence="full",
        notice="",
        notice_version="",
        actor="subject",
        at=at,
        received=at,
    )


def given_by(status: str, method: str) -> str:
    """Return the status as it counts: a yes asked for in a way that is no consent is invalidated (GDPR 4(11))."""
    return "invalidated" if status == "given" and method in INVALID_METHODS else status


def _sha256(statement: Statement, shown: Mapping[tuple[str, str, str], Notice]) -> str:
    """Return the hash of the text that was shown; empty where the policy declares none, as for a no."""
    if statement.notice_sha256 is not None:
        return statement.notice_sha256
    declared = shown.get((statement.notice, statement.notice_version, statement.language))
    return declared.sha256 if declared else ""


def _row(subject: int, statement: Statement, key: vault.Dek | None, sha256: str, at: datetime) -> dict[str, Any]:
    name = new_id()
    status = given_by(statement.status, statement.method)
    sealed = None
    if statement.proof and key is not None:
        cell = vault.Cell(subject, "consent_record", "sealed_evidence", name)
        sealed = vault.seal(key, statement.proof, cell)
    return {
        "record": name,
        "subject": subject,
        "namespace": statement.namespace,
        "token": statement.token,
        "purpose": statement.purpose,
        "channel": statement.channel,
        "status": status,
        "act": statement.act,
        "verified": statement.verified,
        "public": statement.public,
        "notice": statement.notice,
        "notice_version": statement.notice_version,
        "language": statement.language,
        "notice_sha256": sha256,
        "method": statement.method,
        "evidence": statement.evidence,
        "sealed_evidence": sealed,
        "actor": statement.actor,
        "verification": statement.verification,
        "source": statement.source,
        "brand": statement.brand,
        "event_time": _said_at(statement, at),
        "received_time": at,
        "valid_until": statement.valid_until,
        "confirm_digest": statement.confirm_digest,
        "evidenced_by": statement.evidenced_by,
    }


def _said_at(statement: Statement, at: datetime) -> datetime:
    if statement.event_time is None:
        return EARLIEST if statement.status == "given" else at
    return min(statement.event_time, at)


def _act(session: Session, row: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    act = "consent.withdrawn" if row["status"] == "withdrawn" else "consent.recorded"
    kept = (
        *("record", "purpose", "channel", "status", "notice", "notice_version", "language", "notice_sha256"),
        *("method", "source"),
    )
    digest = vault.of(session).digest("ledger.consent", json.dumps([row["record"], row["subject"]]).encode())
    return act, {name: row[name] for name in kept} | {"subject": digest.hex()}


def _lifts(statement: Statement, row: dict[str, Any]) -> bool:
    """Whether it is an explicit yes by the identified person for a contact point; an import's is none."""
    explicit = statement.act and statement.verified and not statement.public and statement.evidence == "full"
    if statement.actor == IMPORT:
        return False
    return bool(statement.lifts) and row["status"] == "given" and explicit


def _lift(statement: Statement, row: dict[str, Any]) -> suppression.Lift:
    return suppression.Lift(
        statement.namespace,
        statement.lifts,
        statement.channel,
        row["event_time"],
        str(row["record"]),
        statement.brand,
    )
