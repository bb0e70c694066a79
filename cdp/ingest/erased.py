"""Who was erased does not come back by an import; a first-party act begins anew (law.md ruling R11).

An identifier whose erasure is in force is let in only where a source that readmits brings a
first-party act of later than the erasure, by a key that is not public; that ends the erasure's silence.
What is older than an erasure stays out for good, whoever sends it again.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import Table, or_, select
from sqlmodel import Session, col

from cdp import consent, identity, profile, statements, vault
from cdp.consent.model import Suppression
from cdp.consent.rules import IMPORT
from cdp.db import chunked, is_sqlite
from cdp.gate.model import Permission
from cdp.identity.model import Identifier
from cdp.ingest.batch import Batch, Context, Entry, reject
from cdp.profile.model import Subject
from cdp.statements import one_of

FIRST_PARTY_EVENTS = frozenset({"Order Completed", "Signed Up"})


class Overtaken(Exception):
    """An erasure came between the look and the lock: begin the batch again."""


def keep_out(batch: Batch, context: Context) -> Batch:
    """Refuse items that name someone erased; what begins anew lets in what follows it."""
    for entry in batch:
        entry.points = _points(context, entry)
    erasures = _erasures(context.session, {token for entry in batch for token in entry.points})
    silent = set(consent.suppressed_tokens(context.session, erasures, "erasure"))
    context.erased = frozenset(silent)
    under_way = _under_way(context.session, silent)
    kept = []
    for entry in batch:
        points = entry.points
        held = silent & set(points)
        if _is_old(entry, points, erasures) or (held and (held & under_way or not _is_first_party(entry, context))):
            reject(entry, "suppressed")
            continue
        context.readmitted |= {(points[token], token) for token in held}
        silent -= held
        kept.append(entry)
    return kept


def check_again(batch: Batch, context: Context) -> None:
    """Look once more under the locks of the tokens; raises Overtaken where an erasure was faster."""
    if is_sqlite(context.session) or not (context.fresh or context.readmitted):
        return
    tokens = {token for entry in batch for token in entry.points}
    if not consent.suppressed_tokens(context.session, sorted(tokens), "erasure") <= context.erased:
        raise Overtaken
    if _under_way(context.session, {token for _, token in context.readmitted}):
        raise Overtaken


def begin_anew(context: Context) -> None:
    """End the erasures of exactly the identifiers that first-party acts of this batch brought back."""
    if context.readmitted:
        consent.readmit(context.session, sorted(context.readmitted), context.at)


def let_go(context: Context) -> None:
    """Forget subjects that this batch made and of which nothing was kept: no purpose, no identifier."""
    kept = {entry.subject for entry in context.entries if not entry.refusal or entry.spoke}
    idle = sorted(context.fresh - kept)
    if idle:
        for holder in (identity.holder, profile.holder, vault.holder):
            holder.forget(context.session, idle)


def _points(context: Context, entry: Entry) -> dict[bytes, str]:
    """Return suppression token → namespace of what the item names, and of what that is evidence of."""
    return {context.silence_token(name): name.namespace for name in context.evidence(entry.names)}


def _is_first_party(entry: Entry, context: Context) -> bool:
    """Whether this item may begin anew what was erased before it."""
    if not context.source.readmits or context.source.public:
        return False
    spoken = any(signal.act and signal.status in ("given", "requested") for signal in entry.item.signals)
    explicit = spoken and context.source.actor != IMPORT  # a list revives nobody, however well it is proven
    return explicit or entry.item.event in FIRST_PARTY_EVENTS


def _is_old(entry: Entry, points: Iterable[bytes], erasures: Mapping[bytes, datetime]) -> bool:
    """Whether it was sent before an identifier of it was erased: nothing old returns."""
    return any(token in erasures and entry.item.at <= erasures[token] for token in points)


def _erasures(session: Session, tokens: Collection[bytes]) -> dict[bytes, datetime]:
    """Return when each identifier was last erased, also where it has come back since."""
    found: dict[bytes, datetime] = {}
    for some in chunked(sorted(tokens)):
        found.update(statements.rows(session, _ERASURES, some=some))
    return found


_SILENT: Table = Suppression.__table__  # type: ignore[attr-defined]
_ERASURES = (
    select(_SILENT.c.token, _SILENT.c.at)
    .where(one_of(_SILENT.c.token), _SILENT.c.reason == "erasure")
    .order_by(_SILENT.c.at)
)


def _under_way(session: Session, tokens: Collection[bytes]) -> set[bytes]:
    """Return the tokens that someone still has who is being erased."""
    found: set[bytes] = set()
    for some in chunked(sorted(tokens)):
        query = (
            select(col(Identifier.suppression_token))
            .join(Subject, col(Subject.number) == col(Identifier.subject))
            .join(Permission, col(Permission.person) == col(Subject.person), isouter=True)
            .where(col(Identifier.suppression_token).in_(some), or_(col(Subject.erasing), col(Permission.erasing)))
        )
        found.update(bytes(one) for one in session.scalars(query))
    return found
