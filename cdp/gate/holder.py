"""What the gate keeps of people: permissions and places in feeds, which go with them, and disclosures, which stay.

A disclosure names people by number only. After an erasure the number leads to nobody, and the
record that something was disclosed must stay (GDPR 5(2), 15(1)(c); APPI 29: three years). Where it must still say
whose data it was, a keyed reference or a sealed name stays as long (see `kept`): neither is forgotten here.
"""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlmodel import Session, col

from cdp.db import chunked
from cdp.gate import feed, history
from cdp.gate.given import Given, given
from cdp.gate.model import Permission
from cdp.holders import Held, Holder
from cdp.profile.model import Subject


def _forget(session: Session, subjects: Sequence[int]) -> int:
    gone = feed.forget(session, subjects, session.info["clock"].now())
    for some in chunked(subjects):
        people = select(col(Subject.person)).where(col(Subject.number).in_(some))
        gone += session.execute(delete(Permission).where(col(Permission.person).in_(people))).rowcount  # type: ignore[attr-defined]
        gone += history.forget(session, some)
    return gone


def _export(session: Session, subjects: Sequence[int]) -> list[Held]:
    disclosed = [Held("disclosure", one.subject, shown(one)) for one in given(session, subjects)]
    return disclosed + feed.export(session, subjects)


def shown(one: Given) -> dict[str, object]:
    """Return a disclosure as people are shown it, wherever they meet it."""
    return {
        "at": one.at.isoformat(),
        "recipient": one.recipient,
        "purpose": one.purpose,
        "channel": one.channel,
        "fields": list(one.fields),
        "kind": one.kind,
        "handed_over": one.handed_over_at is not None,
        "ledger_entry": one.entry,
    }


_TABLES = ("permission", "disclosure", "feed_member", "situated", "provision_subject", "provision_point")

holder = Holder("gate", _TABLES, forget=_forget, export=_export)
