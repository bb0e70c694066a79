"""Why: one decision about one person, with every reason, for those who may have it explained."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from cdp import identity, policy
from cdp.gate import history, records
from cdp.gate.decide import allowed_fields, decide
from cdp.gate.question import NOTHING_BEYOND, Beyond, Decision, Standing
from cdp.gate.standing import load
from cdp.ids import new_id
from cdp.policy.terms import Policy, Use

LONGEST = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision, and until when it holds by itself."""

    decision: Decision
    standing: Standing
    expires_at: datetime
    """A decision is never used again beyond a minute, or beyond what time alone changes (ruling R9)."""
    fields: tuple[str, ...] = ()
    """The most that may be given; none with a no."""
    policy: str = ""
    """Digest of the policy version that it was decided by."""


def explain(
    session: Session,
    person: int,
    use: Use,
    at: datetime,
    beyond: Beyond = NOTHING_BEYOND,
    *,
    as_of: datetime | None = None,
    subject: int | None = None,
) -> Explanation | None:
    """Decide one use for one person afresh, with all reasons; None for a person without subjects.

    With `as_of`, by the policy of that past instant and from the situation that was kept then; where time alone had
    changed it since, from what had been written by then. `subject`: whoever that one belonged to then.
    """
    past = None if as_of is None else history.find(session, subject or person, as_of)
    if past is not None:
        return _explained(past.policy, use, past.standing, past.changes_at, at, beyond)
    situation = load(session, [person], at, as_of=as_of).get(person)
    if situation is None:
        return None
    terms = (history.policy_at(session, as_of) if as_of is not None else None) or policy.of(session)
    return _explained(terms, use, situation.standing, situation.changes_at, at, beyond)


def _explained(
    terms: Policy, use: Use, standing: Standing, changes_at: datetime, at: datetime, beyond: Beyond
) -> Explanation:
    use = terms.find_use(use.purpose, use.recipient, use.channel) or use
    decision = best(terms, use, standing, at, beyond)
    open_to = allowed_fields(terms, use) if decision.allow else ()
    kept = tuple(name for name in open_to if terms.category_of(name) not in standing.lapsed)
    return Explanation(decision, standing, min(changes_at, at + LONGEST), kept, terms.digest)


def record_explanation(
    session: Session, use: Use, person: int, client: str, audience: str, clauses: bool, entry: str, at: datetime
) -> str:
    """Record that a client was told why somebody is in an audience or not, a disclosure like any other; returns its id.

    `clauses`: the truth of the rule about the person was told, not refusals alone. `entry` is the
    ledger's entry of it.
    """
    name = new_id()
    records.write(
        session,
        name=name,
        kind="explain",
        recipient=use.recipient,
        purpose=use.purpose,
        channel=use.channel,
        people=records.bitmap(identity.subjects_of(session, person)),
        at=at,
        entry=entry,
        client=client,
        fields="clauses" if clauses else "",
        audience=audience,
    )
    return name


def best(terms: Policy, use: Use, standing: Standing, at: datetime, beyond: Beyond = NOTHING_BEYOND) -> Decision:
    """Decide over every way to the person on the channel: a yes if any is one, else the first way's no."""
    ways = standing.on(use.channel) or (None,)
    decisions = [decide(terms, use, standing, reach, at.date(), beyond) for reach in ways]
    return next((one for one in decisions if one.allow), decisions[0])
