"""The record that a client was told why somebody is in an audience or not: a disclosure like any other."""

from datetime import datetime

from pyroaring import BitMap64
from sqlalchemy import insert
from sqlmodel import Session

from cdp.gate.model import Disclosed
from cdp.gate.permission import policy_number
from cdp.ids import new_id
from cdp.policy.terms import Use


def record_explained(
    session: Session, use: Use, person: int, client: str, audience: str, clauses: bool, entry: str, at: datetime
) -> str:
    """Write the disclosure of an explanation, closed as soon as it is told; returns its id.

    `clauses`: the truth of the rule about the person was told, not refusals alone. `entry` is the
    ledger's entry of it.
    """
    name = new_id()
    row = {
        "id": name,
        "recipient": use.recipient,
        "client": client,
        "purpose": use.purpose,
        "channel": use.channel,
        "fields": "clauses" if clauses else "",
        "kind": "explain",
        "audience": audience[:64],
        "policy": policy_number(session),
        "people": BitMap64([person]).serialize(),
        "count": 1,
        "opened_at": at,
        "deadline": at,
        "state": "closed",
        "handed_over_at": at,
        "entry": entry,
    }
    session.execute(insert(Disclosed), row)
    return name
