"""Who was erased does not come back by an import; a first-party act begins anew (law.md ruling R11).

An identifier whose erasure is in force is let in only where someone who is not being erased has it
again, or where a source that readmits brings a first-party act, by a key that is not public.
"""

from collections.abc import Collection, Iterable

from sqlalchemy import select
from sqlmodel import Session, col

from cdp import consent, identity, profile, vault
from cdp.db import chunked, is_sqlite
from cdp.gate.model import Permission
from cdp.identity.model import Identifier
from cdp.ingest.batch import Batch, Context, Entry, reject
from cdp.profile.model import Subject

FIRST_PARTY_EVENTS = frozenset({"Order Completed", "Signed Up"})


class Overtaken(Exception):
    """An erasure came between the look and the lock: begin the batch again."""


def keep_out(batch: Batch, context: Context) -> Batch:
    """Refuse items that name someone erased."""
    context.erased = silent = _silent(context, batch)
    back = _readmitted(context.session, silent)
    kept = []
    for entry in batch:
        held = silent & _tokens(context, entry)
        if held and not (held <= back or _readmits(entry, context, held, back)):
            reject(entry, "suppressed")
        else:
            kept.append(entry)
    return kept


def check_again(batch: Batch, context: Context) -> None:
    """Look once more under the locks of the tokens; raises Overtaken where an erasure was faster."""
    if context.fresh and not is_sqlite(context.session) and not _silent(context, batch) <= context.erased:
        raise Overtaken


def let_go(context: Context) -> None:
    """Forget subjects that this batch made and of which nothing was kept: no purpose, no identifier."""
    kept = {entry.subject for entry in context.entries if not entry.refusal or entry.spoke}
    idle = sorted(context.fresh - kept)
    if idle:
        for holder in (identity.holder, profile.holder, vault.holder):
            holder.forget(context.session, idle)


def _silent(context: Context, batch: Iterable[Entry]) -> frozenset[bytes]:
    tokens = sorted({token for entry in batch for token in _tokens(context, entry)})
    return frozenset(consent.suppressed_tokens(context.session, tokens, "erasure"))


def _tokens(context: Context, entry: Entry) -> set[bytes]:
    return {context.silence_token(name) for name in entry.names}


def _readmits(entry: Entry, context: Context, held: Collection[bytes], back: Collection[bytes]) -> bool:
    """Whether this item may begin anew what was erased; not while the erasure is still under way."""
    if not context.source.readmits or context.source.public or _holding(context.session, set(held) - set(back)):
        return False
    explicit = any(signal.act and signal.status in ("given", "requested") for signal in entry.item.signals)
    return explicit or entry.item.event in FIRST_PARTY_EVENTS


def _readmitted(session: Session, tokens: Collection[bytes]) -> set[bytes]:
    """Return the tokens that someone has who is not being erased."""
    return _holding(session, tokens) - _holding(session, tokens, erasing=True)


def _holding(session: Session, tokens: Collection[bytes], erasing: bool = False) -> set[bytes]:
    found: set[bytes] = set()
    for some in chunked(sorted(tokens)):
        query = select(col(Identifier.suppression_token)).where(col(Identifier.suppression_token).in_(some))
        if erasing:
            query = (
                query.join(Subject, col(Subject.number) == col(Identifier.subject))
                .join(Permission, col(Permission.person) == col(Subject.person))
                .where(col(Permission.erasing))
            )
        found.update(bytes(one) for one in session.scalars(query))
    return found
