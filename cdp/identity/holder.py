"""What this package holds of subjects: exported whole, forgotten whole; those left behind are resolved anew."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, or_, select, update
from sqlmodel import Session, col

from cdp.clock import Clock
from cdp.db import chunked
from cdp.holders import Held, Holder
from cdp.identity import graph, resolution, sealed
from cdp.identity.model import (
    Alias,
    CorrectedIdentifier,
    Identifier,
    IdentityCase,
    IdentityMark,
    MatchProposal,
    Move,
    Override,
    OverrideValue,
    Token,
)
from cdp.identity.rules import TokenKey


def forget(session: Session, subjects: Sequence[int]) -> int:
    """Delete identifiers, decisions, aliases, and tokens that nobody uses any more; returns how many went.

    Whoever shared an identifier is resolved anew: what stood between two people may be gone.
    """
    going = set(subjects)
    neighbours = graph.load_locked(session, going).subjects - going
    keys = graph.keys_of(session, going)
    graph.lock_tokens(session, keys)
    gone = sum(_delete(session, some) for some in chunked(sorted(going)))
    gone += let_go_of(session, keys) + _let_go_of_words(session, keys)
    at = _now(session)
    resolution.reconsider(session, keys, at)
    resolution.resolve(session, neighbours | (graph.holders(session, keys) - going), at, "erasure")
    for some in chunked(sorted(going)):
        gone += _count(session.execute(delete(Alias).where(col(Alias.person).in_(some))))
    return gone


def export(session: Session, subjects: Sequence[int]) -> list[Held]:
    """List identifiers, decisions about the subjects, and numbers they went by."""
    found: list[Held] = []
    for some in chunked(sorted(set(subjects))):
        rows = select(Identifier).where(col(Identifier.subject).in_(some)).order_by(col(Identifier.subject))
        found += [_identifier(row) for row in session.scalars(rows)]
        wrong = select(CorrectedIdentifier).where(col(CorrectedIdentifier.subject).in_(some))
        found += [_corrected(row) for row in session.scalars(wrong.order_by(col(CorrectedIdentifier.id)))]
        decided = or_(col(Override.subject).in_(some), col(Override.other_subject).in_(some))
        found += [_decision(row, set(some)) for row in session.scalars(select(Override).where(decided))]
        held = select(IdentityMark).where(col(IdentityMark.subject).in_(some)).order_by(col(IdentityMark.subject))
        found += [_mark(row) for row in session.scalars(held)]
        moved = select(Move).where(col(Move.subject).in_(some)).order_by(col(Move.seq))
        found += [_move(row) for row in session.scalars(moved)]
        compared = or_(col(MatchProposal.subject_one).in_(some), col(MatchProposal.subject_other).in_(some))
        found += [_proposal(row, set(some)) for row in session.scalars(select(MatchProposal).where(compared))]
        names = select(Alias).where(col(Alias.old_person).in_(some))
        found += [Held("earlier number", row.old_person, {"from": row.from_at}) for row in session.scalars(names)]
    return found


def let_go_of(session: Session, keys: Collection[TokenKey]) -> int:
    """Delete tokens that nobody has any more, and cases of them that nobody decided; returns how many went.

    What somebody decided stays, so that it can be undone: the value may come back.
    """
    gone = 0
    for some in chunked(sorted(keys)):
        unused = (graph.among(Token, some), ~_is_had(Token, Identifier), col(Token.state) != "blocked")
        gone += _count(session.execute(delete(Token).where(*unused)))
        cases = (graph.among(IdentityCase, some), ~_is_had(IdentityCase, Identifier))
        gone += _count(session.execute(delete(IdentityCase).where(*cases, col(IdentityCase.state) != "decided")))
    return gone


def _delete(session: Session, subjects: Sequence[int]) -> int:
    named = or_(col(Override.subject).in_(subjects), col(Override.other_subject).in_(subjects))
    compared = or_(col(MatchProposal.subject_one).in_(subjects), col(MatchProposal.subject_other).in_(subjects))
    decided = select(col(Override.id)).where(named)
    said = or_(col(OverrideValue.subject).in_(subjects), col(OverrideValue.override).in_(decided))
    statements = (
        delete(OverrideValue).where(said),
        delete(Identifier).where(col(Identifier.subject).in_(subjects)),
        delete(CorrectedIdentifier).where(col(CorrectedIdentifier.subject).in_(subjects)),
        delete(IdentityMark).where(col(IdentityMark.subject).in_(subjects)),
        delete(Move).where(col(Move.subject).in_(subjects)),
        delete(Override).where(named),
        delete(MatchProposal).where(compared),
        delete(Alias).where(col(Alias.old_person).in_(subjects)),
    )
    return sum(_count(session.execute(statement)) for statement in statements)


def _let_go_of_words(session: Session, keys: Collection[TokenKey]) -> int:
    """Delete what was decided of values that nobody has, nor had corrected away; returns how many rows went.

    What such a case decided of other people stands by itself from then on, so that it can be revoked; so does what was
    said of a value and of others of its address.
    """
    gone = 0
    for some in chunked(sorted(keys)):
        for table in (Token, OverrideValue):
            gone += _count(session.execute(delete(table).where(*_nobodys(table, some))))
        for row in session.scalars(select(Override).where(*_nobodys(Override, some))).all():
            others = select(OverrideValue).where(col(OverrideValue.override) == row.id)
            left = session.scalars(others.order_by(col(OverrideValue.namespace), col(OverrideValue.token))).first()
            if left is not None:
                row.namespace, row.token = left.namespace, left.token
            else:
                session.delete(row)
                gone += 1
        cases = select(col(IdentityCase.id)).where(*_nobodys(IdentityCase, some))
        session.execute(update(Override).where(col(Override.case_id).in_(cases)).values(case_id=None))
        gone += _count(session.execute(delete(IdentityCase).where(*_nobodys(IdentityCase, some))))
    return gone


_Said = type[Token | Override | OverrideValue | IdentityCase]


def _nobodys(table: _Said, keys: Sequence[TokenKey]) -> tuple[ColumnElement[bool], ...]:
    """Match what is said of those of these values that nobody has, nor had corrected away."""
    return graph.among(table, keys), ~_is_had(table, Identifier), ~_is_had(table, CorrectedIdentifier)


def _is_had(table: _Said, by: type[Identifier | CorrectedIdentifier]) -> ColumnElement[bool]:
    return exists().where(col(by.namespace) == col(table.namespace), col(by.token) == col(table.token))


def _identifier(row: Identifier) -> Held:
    plain = {"type": row.namespace, "verified": row.verified, "first_at": row.first_at}
    cell = sealed.cell(row.subject, row.namespace, bytes(row.token))
    return Held("identifier", row.subject, plain, row.sealed, cell.table, cell.column, cell.row, cell.version)


def _corrected(row: CorrectedIdentifier) -> Held:
    """List an identifier that was removed or added at the person's word."""
    plain = {"type": row.namespace, "removed": row.removed, "request": row.request, "at": row.at}
    cell = sealed.cell(row.subject, row.namespace, bytes(row.token))
    return Held("corrected identifier", row.subject, plain, row.sealed, cell.table, cell.column, cell.row, cell.version)


def _mark(row: IdentityMark) -> Held:
    return Held("sign of birth date or name", row.subject, {"of": row.namespace, "value": row.value, "at": row.at})


def _move(row: Move) -> Held:
    plain = {"from": row.before, "to": row.after, "at": row.at, "cause": row.cause}
    return Held("joined or parted", row.subject, plain)


def _decision(row: Override, subjects: set[int]) -> Held:
    subject = row.subject if row.subject in subjects else row.other_subject
    plain = {"kind": row.kind, "reason": row.reason, "at": row.at, "revoked_at": row.revoked_at}
    return Held("decision on identity", subject, plain)


def _proposal(row: MatchProposal, subjects: set[int]) -> Held:
    """List that somebody was compared and with what result; who the other is, is the other's."""
    subject = row.subject_one if row.subject_one in subjects else row.subject_other
    plain = {"probability": row.probability, "agreement": json.loads(row.levels), "state": row.state}
    return Held("thought to be registered twice", subject, plain)


def _count(result: Any) -> int:
    return int(result.rowcount)


def _now(session: Session) -> datetime:
    clock: Clock = session.info["clock"]
    return clock.now()


_TABLES = (
    "identifier",
    "identity_mark",
    "corrected_identifier",
    "token",
    "identity_override",
    "identity_override_value",
    "identity_case",
    "match_proposal",
    "person_alias",
    "person_move",
)

holder = Holder("identity", _TABLES, forget=forget, export=export)
