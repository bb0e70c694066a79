"""Records of disclosures: a row for everything that anybody was given, by the subjects whose it was."""

from collections.abc import Iterable
from datetime import datetime

from pyroaring import BitMap64
from sqlalchemy import insert
from sqlmodel import Session

from cdp.gate import provision
from cdp.gate.model import Disclosed
from cdp.gate.versions import policy_number


def write(
    session: Session,
    *,
    name: str,
    kind: str,
    recipient: str,
    purpose: str,
    channel: str,
    people: bytes,
    at: datetime,
    entry: str,
    client: str = "",
    fields: str = "",
    audience: str = "",
    count: int = 1,
    deadline: datetime | None = None,
) -> None:
    """Write one disclosure: a lease that is open until its deadline; without one, what is told at once.

    `people` as `bitmap` makes it, `entry` is the ledger's entry of it.
    """
    number = policy_number(session)
    provision.keep_terms(session, number, recipient, purpose, channel, at)
    row = {
        "id": name,
        "recipient": recipient,
        "client": client,
        "purpose": purpose,
        "channel": channel,
        "fields": fields,
        "kind": kind,
        "audience": audience[:64],
        "policy": number,
        "people": people,
        "count": count,
        "opened_at": at,
        "deadline": deadline or at,
        "state": "open" if deadline else "closed",
        "handed_over_at": None if deadline else at,
        "entry": entry,
    }
    session.execute(insert(Disclosed), row)


def bitmap(subjects: Iterable[int]) -> bytes:
    """Return the people of a disclosure as its row keeps them: all their subjects."""
    return BitMap64(subjects).serialize()
