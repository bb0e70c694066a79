"""A person's word on a proposal: accepted it joins as any other word does, declined it is remembered, both undone.

Accepting needs nobody's hand where the controller turned that on, and where people's word on a random sample of this
very model says that it is right: then the word is `automatic`'s, and is taken back like any other.
"""

import json
from datetime import datetime

from sqlmodel import Session

from cdp import ledger, policy
from cdp.errors import Problem
from cdp.identity import decisions, graph, matches, places, resolution
from cdp.identity.model import MatchProposal
from cdp.identity.proposals import Sample, may_accept

AUTOMATIC = "automatic"


def find(session: Session, number: int) -> MatchProposal:
    """Return a proposal; raises Problem 404 for an unknown one."""
    row = session.get(MatchProposal, number)
    if row is None:
        raise _unknown()
    return row


def state_of(session: Session, row: MatchProposal) -> str:
    """Return what has become of a proposal: an open one whose clusters are others by now is gone."""
    return "gone" if row.state == "open" and not matches.standing(session, [row]) else row.state


def accept(session: Session, number: int, reason: str, actor: str, at: datetime) -> int:
    """Join the two; returns the number of the decision, which keeps the reviewer's name.

    Raises Problem 404 for an unknown proposal, 409 for one that is closed or gone, whose people are being erased, or
    where a standing word or veto keeps them apart all the same.
    """
    row = _open(session, number)
    one, other = row.subject_one, row.subject_other
    decision = decisions.must(session, one, other, reason, actor, at)
    people = resolution.people_of(session, [one, other])
    if people[one] != people[other]:
        raise Problem(409, "kept_apart", "Somebody's word keeps them apart: take that back first.")
    row.decision = decision
    _close(session, row, "accepted", actor, at)
    return decision


def decline(session: Session, number: int, reason: str, actor: str, at: datetime) -> None:
    """Say that it is not established: the pair is not proposed again while it looks as it does. Raises as `accept`."""
    row = _open(session, number)
    _close(session, row, "declined", actor, at, reason)


def take_back(session: Session, number: int, actor: str, at: datetime, reason: str = "") -> None:
    """Undo what was said of a proposal: everybody is as before, and it is open again where both still stand.

    Raises Problem 404 for an unknown proposal, 409 for one that nobody decided or whose people are being erased.
    """
    places.hold_still(session)
    row = _locked(session, number)
    if row.state not in ("accepted", "declined"):
        raise Problem(409, "proposal_not_decided", "Nothing was decided of this proposal.")
    if row.decision is not None:
        decisions.revoke(session, row.decision, actor, at)
    row.state, row.actor, row.closed_at, row.decision = "open", "", None, None
    if not matches.standing(session, [row]):
        row.state, row.closed_at = "gone", at
    session.flush()
    ledger.note(session, "identity.proposal_reopened", {"proposal": number, "actor": actor, "reason": reason}, at)


def accept_automatically(session: Session, number: int, sample: Sample, at: datetime) -> bool:
    """Accept a proposal without a person where that is turned on and measured; returns whether it was."""
    row, turned_on = _open(session, number), policy.of(session).proposals.accept
    levels = json.loads(row.levels)
    if row.sampled or not may_accept(row.probability, levels, row.model_version, sample, turned_on):
        return False
    accept(session, number, f"proposal {number}, model {row.model_version[:12]}", AUTOMATIC, at)
    return True


def _open(session: Session, number: int) -> MatchProposal:
    row = _locked(session, number)
    state = state_of(session, row)
    if state == "gone":
        raise Problem(409, "proposal_gone", "The two are others by now: the next run says what it makes of them.")
    if state != "open":
        raise Problem(409, "proposal_closed", "This proposal is decided; take that back first.")
    return row


def _locked(session: Session, number: int) -> MatchProposal:
    """Lock the two people, then the proposal: an erasure takes them in this order, too."""
    found = find(session, number)
    graph.lock_subjects(session, {found.subject_one, found.subject_other})
    row = session.get(MatchProposal, number, with_for_update=True, populate_existing=True)
    if row is None:
        raise _unknown()
    return row


def _unknown() -> Problem:
    return Problem(404, "unknown_proposal", "There is no such proposal.")


def _close(session: Session, row: MatchProposal, state: str, actor: str, at: datetime, reason: str = "") -> None:
    row.state, row.actor, row.closed_at = state, actor, at
    session.flush()
    header = {"proposal": row.id, "state": state, "actor": actor, "decision": row.decision, "reason": reason}
    ledger.note(session, "identity.proposal_decided", header, at)
