"""What a person may say to a case, and what that does; everything said can be taken back.

allow     those on the value are one person (must-links; the rules' limits do not count, a cannot-link does)
cannot    they are different people for good
block     the value means nobody
shared    the value is several people's and joins none
expire    the value left those who had it before
release   what a source on hold brought counts from now on
keep      the source stays on hold
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations, pairwise

from sqlalchemy import select
from sqlmodel import Session, col

from cdp import ledger
from cdp.errors import Problem
from cdp.identity import aside, breaker, config, decisions, graph, kinship, places, resolution
from cdp.identity.explaining import Obstacle, explain, shown
from cdp.identity.model import IdentityCase, MatchProposal, Override, OverrideValue
from cdp.identity.rules import TokenKey
from cdp.policy.terms import DERIVED
from cdp.profile.model import Subject

OF_VALUES = ("allow", "cannot", "block", "shared", "expire")
OF_SOURCES = ("release", "keep")

MANY_PEOPLE = 8
"""More people than this on one value are nobody's to join or to part by one word; but an account is one customer's."""


def decide(session: Session, case_id: int, action: str, reason: str, actor: str, at: datetime) -> list[int]:
    """Close a case with a person's word; returns the numbers of the decisions that it made.

    Raises Problem 404 for an unknown case, 409 for one that is closed or has too many people for the action,
    400 for an action that this kind of case does not know.
    """
    case = _held(session, case_id)
    if case.state != "open":
        raise Problem(409, "case_closed", "This case is closed; take its decision back first.")
    known = OF_SOURCES if case.rule == "breaker" else OF_VALUES
    if action not in known:
        raise Problem(400, "unknown_action", f"This case can be answered with {', '.join(known)}.")
    if case.rule == "breaker":
        made = []
        if action == "release":
            aside.release(session, case, actor, at)
    else:
        made = _of_value(session, case, action, reason, actor, at)
    case.state, case.action, case.actor, case.closed_at = "decided", action, actor, at
    session.flush()
    header = {"case": case_id, "action": action, "actor": actor, "reason": reason, "decisions": made}
    ledger.note(session, "identity.case_decided", header, at)
    return made


def undo(session: Session, case_id: int, reason: str, actor: str, at: datetime) -> None:
    """Take back what was decided of a case: everything is as before, and the case open where it still stands.

    Raises Problem 404 for an unknown case, 409 for one that nobody decided.
    """
    case = _held(session, case_id)
    if case.state != "decided":
        raise Problem(409, "case_not_decided", "Nothing was decided of this case.")
    if case.hold_id is not None and case.action == "release":
        aside.hold_again(session, case, at)
    for number in reversed(_made(session, case_id)):
        decisions.revoke(session, number, actor, at)
    _reopen(session, case, at)
    ledger.note(session, "identity.case_reopened", {"case": case_id, "actor": actor, "reason": reason}, at)


def retract(session: Session, subject: int, value: str, reason: str, actor: str, at: datetime) -> int:
    """Say that a record was not seen with a value after all; returns the number of the decision.

    `value` as cases and explanations show it: `email ●3fa2b1`. Raises Problem 404 where the record has no such value,
    409 where somebody who has it is being erased.
    """
    places.hold_still(session)
    keys = [key for key in graph.keys_of(session, [subject]) if shown(session, key) == value]
    if len(keys) != 1:
        raise Problem(404, "unknown_evidence", "This record has no such value; an explanation shows what it has.")
    return decisions.retract(session, subject, keys[0], reason, actor, at)


def revoke(session: Session, decision: int, actor: str, at: datetime, reason: str = "") -> None:
    """Take back a decision that stands by itself.

    Raises Problem 409 for one of a case or a proposal, which is to be undone there, and what `decisions.revoke` raises.
    """
    row = session.get(Override, decision)
    accepted = select(col(MatchProposal.id)).where(col(MatchProposal.decision) == decision)
    if row is not None and (row.case_id is not None or session.scalar(accepted.limit(1)) is not None):
        raise Problem(409, "decided_elsewhere", "This was decided of a case or a proposal: take that back.")
    decisions.revoke(session, decision, actor, at, reason)


def _held(session: Session, case_id: int) -> IdentityCase:
    """Lock what a case is about, then the case: of two who answer it at once, the second finds it answered."""
    places.hold_still(session)
    case = find(session, case_id)
    if case.rule != "breaker":
        key = (case.namespace, bytes(case.token))
        decided = session.scalars(select(col(Override.id)).where(col(Override.case_id) == case_id))
        about = decisions.keys_of(session, [number for number in decided if number])
        states = graph.lock_tokens(session, {key, *kinship.of_value(session, key), *about})
        graph.hold(session, graph.counting(session, key, 1000) if states[key] not in graph.UNWALKED else (), states)
    return find(session, case_id, lock=True)


def _reopen(session: Session, case: IdentityCase, at: datetime) -> None:
    """Let the case stand as it did before somebody decided it, in place of the one that opened as that was undone."""
    key = (case.namespace, bytes(case.token))
    stands = case.rule == "breaker" or _stands(session, key)
    case.state, case.action, case.actor, case.closed_at = ("open", "", "", None) if stands else ("gone", "", "", at)
    if case.rule != "breaker":
        again = (col(IdentityCase.state) == "open", col(IdentityCase.id) != case.id)
        for other in session.scalars(select(IdentityCase).where(graph.among(IdentityCase, [key]), *again)):
            case.rule, case.severity = other.rule, other.severity
            session.delete(other)
    session.flush()
    if stands and case.namespace in DERIVED:  # by now one case may be enough
        resolution.resolve(session, graph.counting(session, key, 1000), at, f"reopened:{case.id}")


def find(session: Session, case_id: int, lock: bool = False) -> IdentityCase:
    """Return a case, locked where it is to be changed; raises Problem 404 for an unknown one."""
    case = session.get(IdentityCase, case_id, populate_existing=True, with_for_update=lock or None)
    if case is None:
        raise Problem(404, "unknown_case", "There is no such case.")
    return case


def listed(
    session: Session,
    states: Iterable[str] = ("open",),
    severities: Iterable[str] = (),
    after: int = 0,
    limit: int = 100,
) -> list[IdentityCase]:
    """Return cases in the order they were opened, from after a number."""
    query = select(IdentityCase).where(col(IdentityCase.id) > after, col(IdentityCase.state).in_(list(states)))
    if severities:
        query = query.where(col(IdentityCase.severity).in_(list(severities)))
    return list(session.scalars(query.order_by(col(IdentityCase.id)).limit(limit)))


def people_on(session: Session, key: TokenKey, limit: int = 1000) -> dict[int, list[int]]:
    """Return person → their subjects with a value, of evidence that counts; at most so many subjects."""
    found: dict[int, list[int]] = {}
    holders = graph.counting(session, key, limit)
    for subject, person in sorted(resolution.people_of(session, holders).items()):
        found.setdefault(person, []).append(subject)
    return found


def _of_value(session: Session, case: IdentityCase, action: str, reason: str, actor: str, at: datetime) -> list[int]:
    key = (case.namespace, bytes(case.token))
    if action in decisions.VALUES:
        return [decisions.judge(session, action, key, reason, actor, at, case_id=case.id)]
    people = people_on(session, key)
    is_account = action == "allow" and config.namespaces(session)[key[0]].unique
    if len(people) > MANY_PEOPLE and not is_account:
        text = f"More than {MANY_PEOPLE} people have this value: block it, or say that it is shared."
        raise Problem(409, "too_many_people", text)
    firsts = [subjects[0] for _, subjects in sorted(people.items())]
    pairs = list(pairwise(firsts)) if action == "allow" else list(combinations(firsts, 2))
    verb = decisions.must if action == "allow" else decisions.cannot
    return [verb(session, one, other, reason, actor, at, case_id=case.id) for one, other in pairs]


def _made(session: Session, case_id: int) -> tuple[int, ...]:
    """Return what was decided of a case and stands, without what came with a decision; a hold is what it is about."""
    of_case = (
        col(Override.case_id) == case_id,
        col(Override.kind) != "hold",
        col(Override.revoked_at).is_(None),
        col(Override.part_of).is_(None),
    )
    return tuple(
        number
        for number in session.scalars(select(col(Override.id)).where(*of_case).order_by(col(Override.id)))
        if number
    )


def _stands(session: Session, key: TokenKey) -> bool:
    state, _ = graph.states(session, [key]).get(key, ("active", ""))
    return state not in ("active", "blocked")


@dataclass(frozen=True, slots=True)
class Told:
    """A case as somebody who decides it sees it; no value is opened."""

    case: IdentityCase
    shown: str
    """The value as it is shown, or the name of the source."""
    people: Mapping[int, list[int]]
    """Person → their subjects that it is about."""
    obstacles: tuple[Obstacle, ...]
    actions: tuple[str, ...]
    """What it can be answered with; nothing once it is closed."""
    decisions: tuple[int, ...]
    """What was decided of it and stands."""


def tell(session: Session, case_id: int) -> Told:
    """Return everything that is shown of a case; raises Problem 404 for an unknown one."""
    case = find(session, case_id)
    standing = _made(session, case_id)
    if case.rule == "breaker":
        return Told(case, case.source, _brought(session, case), (), _answers(case), standing)
    key = (case.namespace, bytes(case.token))
    people = people_on(session, key)
    obstacles = _obstacles(session, case, people)
    return Told(case, shown(session, key), people, obstacles, _answers(case), standing)


def _answers(case: IdentityCase) -> tuple[str, ...]:
    """Return what an open case can be answered with; one that is closed is undone first."""
    if case.state != "open":
        return ()
    return OF_SOURCES if case.rule == "breaker" else OF_VALUES


def _obstacles(session: Session, case: IdentityCase, people: Mapping[int, list[int]]) -> tuple[Obstacle, ...]:
    """Say of a few pairs of these people what stands between them; nothing, where nothing does any more."""
    firsts = [subjects[0] for _, subjects in sorted(people.items())][:MANY_PEOPLE]
    found = {one: None for pair in pairwise(firsts) for one in explain(session, *pair).obstacles}
    if not found and case.state == "open":
        return (Obstacle(case.rule, case.namespace, shown(session, (case.namespace, bytes(case.token)))),)
    return tuple(found)


def _brought(session: Session, case: IdentityCase) -> dict[int, list[int]]:
    """Return whom a source brought while it was on hold, at most a thousand."""
    brought = select(col(OverrideValue.subject)).where(col(OverrideValue.override) == breaker.word_of(session, case))
    query = select(col(Subject.person), col(Subject.number)).where(col(Subject.number).in_(brought))
    query = query.order_by(col(Subject.number))
    found: dict[int, list[int]] = {}
    for person, number in session.execute(query.limit(1000)):
        found.setdefault(person, []).append(number)
    return found
