"""The register of breaches (GDPR 33(5)): every one, also those that nobody must be told of.

Statements are added and never changed; what is known is what was said last of each thing. The ledger holds a digest
of every statement, so that one that was altered is found.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from cdp import ledger, policy
from cdp.errors import FieldError, Problem
from cdp.ids import new_id
from cdp.ledger.model import LedgerEntry
from cdp.policy.terms import Policy
from cdp.rights import periods, reasons
from cdp.rights.breach import checking, facts
from cdp.rights.breach.duties import TITLES, Duty, duties
from cdp.rights.breach.facts import Facts
from cdp.rights.model import BreachStatement


@dataclass(frozen=True, slots=True)
class Breach:
    """A breach as it is known now, with everything that was said of it in order."""

    id: str
    facts: Facts
    told: Mapping[str, datetime]
    """Duty → when it was first done."""
    statements: tuple[BreachStatement, ...]

    def duties(self, terms: Policy) -> list[Duty]:
        """Return whom it must be told, the most pressing first."""
        return duties(self.facts, periods.for_breaches(terms), terms.controller.time_zone, self.told)


def record(session: Session, known: Facts, at: datetime) -> Breach:
    """Open a breach; raises Problem 422 with a pointer to everything that cannot be so."""
    checking.check(policy.of(session), known, at)
    name = new_id()
    _say(session, name, "recorded", facts.written(known), "", at)
    return load(session, name)


def amend(session: Session, breach: str, changes: Mapping[str, Any], reason: str, at: datetime) -> Breach:
    """Say what is known better now, by the names of `Facts`; what was said before stays.

    Raises Problem 404, and 422 for a missing reason, for nothing that changes and for what cannot be so.
    """
    before = load(session, breach)
    after = replace(before.facts, **changes)
    checking.check(policy.of(session), after, at)
    old, new = facts.written(before.facts), facts.written(after)
    changed = {name: value for name, value in new.items() if value != old[name]}
    if not changed:
        raise Problem(422, "nothing_changed", "Say what is known better now: this stands already.")
    _say(session, breach, "amended", changed, reasons.demand(reason), at)
    return load(session, breach)


def report(
    session: Session, breach: str, duty: str, told_at: datetime, at: datetime, reference: str = "", why_late: str = ""
) -> Breach:
    """Say that somebody was told, and when; again for every further phase (GDPR 33(4)).

    Raises Problem 404, and 422 for an unknown duty, for an instant that is to come or before the awareness, for a
    reference that cannot be one, and for a first report after its due instant without a reason (33(1)).
    """
    before = load(session, breach)
    checking.check_report(before.facts, duty, told_at, at, reference)
    owed = next((one for one in before.duties(policy.of(session)) if one.name == duty), None)
    if owed and owed.done_at is None and told_at > owed.due_at and not why_late.strip():
        told = "It was due before: say why it is late."
        raise Problem(422, "late_without_reason", told, [FieldError("/why_late", "Give a reason.")])
    said = {"duty": duty, "told_at": told_at.isoformat(), "reference": reference}
    _say(session, breach, "reported", said, reasons.check(why_late), at)
    return load(session, breach)


def load(session: Session, breach: str) -> Breach:
    """Return one breach; raises Problem 404."""
    found = every(session, breach)
    if not found:
        raise Problem(404, "unknown_breach", "There is no such breach in the register.")
    return found[0]


def every(session: Session, breach: str = "") -> list[Breach]:
    """Return all breaches, or the one, in the order in which they were recorded."""
    query = select(BreachStatement).order_by(col(BreachStatement.id))
    if breach:
        query = query.where(col(BreachStatement.breach) == breach)
    said: dict[str, list[BreachStatement]] = {}
    for one in session.exec(query):
        said.setdefault(one.breach, []).append(one)
    return [_told(name, statements) for name, statements in said.items()]


def owed(session: Session, terms: Policy) -> list[tuple[Breach, Duty]]:
    """Return what is still to be told, the most pressing first."""
    open_ones = [(one, duty) for one in every(session) for duty in one.duties(terms) if duty.done_at is None]
    return sorted(open_ones, key=lambda pair: (pair[1].due_at, pair[0].id, pair[1].name))


def is_intact(session: Session, statement: BreachStatement) -> bool:
    """Say whether the statement is the one that the ledger knows."""
    entry = session.exec(select(LedgerEntry).where(col(LedgerEntry.entry) == statement.entry)).first()
    if entry is None or entry.act != f"breach.{statement.act}":
        return False
    mine = {"breach": statement.breach, "digest": _digest(statement.said, statement.reason)}
    return bool(mine.items() <= json.loads(entry.header)["header"].items())


def _told(name: str, statements: Iterable[BreachStatement]) -> Breach:
    known: dict[str, Any] = {}
    told: dict[str, datetime] = {}
    for one in statements:
        said = json.loads(one.said)
        if one.act == "reported":
            at = datetime.fromisoformat(said["told_at"])
            told[said["duty"]] = min(at, told.get(said["duty"], at))
        else:
            known |= said
    return Breach(name, facts.read(known), told, tuple(statements))


def _say(session: Session, breach: str, act: str, said: Mapping[str, Any], reason: str, at: datetime) -> None:
    text = json.dumps(said, ensure_ascii=False, sort_keys=True)
    header = {"breach": breach, "digest": _digest(text, reason)}
    if act == "reported":
        header |= {"duty": str(said["duty"]), "told_at": str(said["told_at"])}
    entry = ledger.note(session, f"breach.{act}", header, at)
    session.add(BreachStatement(breach=breach, at=at, act=act, said=text, reason=reason, entry=entry))
    session.flush()


def _digest(said: str, reason: str) -> str:
    return hashlib.sha256(json.dumps([said, reason]).encode()).hexdigest()


__all__ = ["TITLES", "Breach", "amend", "every", "is_intact", "load", "owed", "record", "report"]
