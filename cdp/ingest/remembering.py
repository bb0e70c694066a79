"""What was received: a keyed digest per message, so that a replay changes nothing."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Table, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from cdp import statements, vault
from cdp.connector.kit import Claim
from cdp.db import chunked, is_sqlite
from cdp.ingest.batch import Context, Entry
from cdp.ingest.model import Received
from cdp.statements import one_of

_TABLE: Table = Received.__table__  # type: ignore[attr-defined]
_KNOWN = select(_TABLE.c.digest).where(_TABLE.c.source == bindparam("of"), one_of(_TABLE.c.digest))


def ref(context: Context, message_id: str, claims: Iterable[Claim] = ()) -> bytes:
    """Return what a message of this source is remembered by, and its fact referred to.

    Through a public key a message is remembered with whom it names: nobody else can use up its id before it comes.
    """
    named = sorted([claim.type, claim.scope, claim.value] for claim in claims) if context.source.public else []
    return vault.namer(context.session).digest("fact", json.dumps([context.source.name, message_id, *named]).encode())


def remember(session: Session, source: str, digests: Sequence[bytes], at: datetime) -> set[bytes]:
    """Remember messages; returns those that were not known. A process with the same message waits for ours.

    Sorted, so that two processes with the same messages never wait for each other.
    """
    rows = [{"source": source, "digest": one, "at": at} for one in sorted(set(digests))]
    if not rows:
        return set()
    return {digest for (digest,) in statements.insert(session, _new(is_sqlite(session)), rows)}


@cache
def _new(sqlite_: bool) -> Any:
    insert = sqlite.insert(_TABLE) if sqlite_ else postgresql.insert(_TABLE)
    return insert.on_conflict_do_nothing().returning(_TABLE.c.digest)


def retract(context: Context, refs: Iterable[bytes]) -> None:
    """Remember that these facts were taken back: one that comes later is not kept, whatever else its message says."""
    remember(context.session, context.source.name, [_taken_back(context, one) for one in refs], context.at)


def retracted(context: Context, refs: Iterable[bytes]) -> set[bytes]:
    """Return those of these facts that were taken back before they came."""
    marks = {_taken_back(context, one): one for one in refs}
    found: set[bytes] = set()
    for some in chunked(sorted(marks)):
        known = statements.column(context.session, _KNOWN, of=context.source.name, some=some)
        found.update(marks[one] for one in known)
    return found


def _taken_back(context: Context, ref: bytes) -> bytes:
    return vault.namer(context.session).digest("retracted", ref)


def forget(session: Session, source: str, entries: Iterable[Entry]) -> None:
    """Forget messages that were refused whole, so that they may come again, mended."""
    whole = [one for one in entries if one.refusal and one.item.message_id and not (one.duplicate or one.spoke)]
    refused = [one.ref for one in whole]
    for some in chunked(sorted(refused)):
        session.execute(delete(Received).where(col(Received.source) == source, col(Received.digest).in_(some)))
