"""Contact points that stay silent, and identifiers that must not come back.

A suppression belongs to the contact point, never to the person (ruling R10): a shared mailbox
that unsubscribed is silent for everyone behind it, and no one's other channels change.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Table, bindparam, select, update
from sqlmodel import Session, col

from cdp import ledger, statements
from cdp.consent import journal
from cdp.consent.journal import Silence
from cdp.consent.model import Suppression
from cdp.db import among, chunked, insert_ignoring, unsettle
from cdp.identity.model import Identifier
from cdp.profile.model import Subject
from cdp.statements import one_of

LIFTABLE = ("unsubscribe", "complaint", "objection")
"""What a later explicit consent by the identified person lifts; a bounce or an erasure it does not."""


class Lift(NamedTuple):
    """An explicit yes by the identified person for a contact point, which ends earlier silence there."""

    namespace: str
    token: bytes
    """Suppression token of the contact point."""
    channel: str
    said_at: datetime
    record: str
    brand: str = ""


class Silent(NamedTuple):
    """One suppression in force."""

    namespace: str
    token: bytes
    channel: str
    reason: str
    brand: str = ""
    except_brands: str = ""

    @property
    def said(self) -> str:
        """The reason, with the brand that it is limited to, or those that it leaves out (ruling R12)."""
        if self.brand:
            return f"{self.reason}:{self.brand}"
        return f"{self.reason}^{self.except_brands}" if self.except_brands else self.reason

    def covers(self, brand: str) -> bool:
        """Whether it silences all that this brand, or every brand (empty), says."""
        return (
            self.brand == brand
            if self.brand
            else not self.except_brands or brand not in ("", *_brands(self.except_brands))
        )


def suppress(
    session: Session, namespace: str, token: bytes, channel: str, reason: str, at: datetime, brand: str = ""
) -> None:
    """Silence the contact point with this suppression token on the channel (`*` = every channel)."""
    suppress_all(session, [(namespace, token)], channel, reason, at, brand)


def suppress_all(
    session: Session, points: Iterable[tuple[str, bytes]], channel: str, reason: str, at: datetime, brand: str = ""
) -> None:
    """Silence many contact points for one reason; those already silent for it stay as they are."""
    wanted = set(points)
    tokens = [token for _, token in wanted]
    standing = {one.token for one in in_force(session, tokens, reason, channel) if one.covers(brand)}
    rows = [
        {
            "namespace": namespace,
            "token": token,
            "channel": channel,
            "reason": reason,
            "brand": brand,
            "at": at,
            "lifted_at": None,
            "lifted_by": "",
        }
        for namespace, token in sorted(wanted)
        if token not in standing
    ]
    insert_ignoring(session, Suppression, rows)
    journal.note(session, rows)
    unsettle(session, holders_of(session, tokens))


def silence_again(session: Session, lost: Sequence[Silence], at: datetime) -> str:
    """Silence what `silences.log` knows of and this database does not; returns the ledger's entry."""
    for one in lost:
        suppress(session, one.namespace, one.token, one.channel, one.reason, one.at, one.brand)
    journal.forget(session)
    return ledger.note(session, "silences.restored", {"points": len(lost)}, at)


def lift(session: Session, yeses: Iterable[Lift], at: datetime) -> None:
    """End what later explicit consents may end, each for its channel.

    A consent that was said before the silence began lifts nothing, however late it arrives.
    """
    said = list(yeses)
    ended: dict[int, str] = {}
    excepted: dict[int, set[str]] = {}
    for silent in _liftable(session, sorted({one.token for one in said})):
        point = (bytes(silent.token), silent.channel)
        for one in (one for one in said if (one.token, one.channel) == point and silent.at < one.said_at):
            if one.brand and not silent.brand:  # silence for every brand stays, but for this one (ruling R12)
                excepted.setdefault(silent.id, _brands(silent.except_brands)).add(one.brand)
            elif not one.brand or silent.brand == one.brand:
                ended.setdefault(silent.id, one.record)
    if not ended and not excepted:
        return
    rows = [{"which": number, "lifted_at": at, "lifted_by": by} for number, by in sorted(ended.items())]
    _update(session, rows, lifted_at=bindparam("lifted_at"), lifted_by=bindparam("lifted_by"))
    names = [{"which": number, "names": ",".join(sorted(some))} for number, some in sorted(excepted.items())]
    _update(session, names, except_brands=bindparam("names"))
    unsettle(session, holders_of(session, sorted({one.token for one in said})), first="gate")


def _update(session: Session, rows: Sequence[dict[str, Any]], **values: Any) -> None:
    table = Suppression.__table__  # type: ignore[attr-defined]
    statement = update(table).where(table.c.id == bindparam("which"), table.c.lifted_at.is_(None)).values(**values)
    if rows:
        session.connection().execute(statement, rows)


def _brands(names: str) -> set[str]:
    return set(names.split(",")) - {""}


def readmit(session: Session, points: Iterable[tuple[str, bytes]], at: datetime) -> None:
    """End the erasure of these identifiers: their owner has come back by an act of their own (ruling R11)."""
    for token in sorted({token for _, token in points}):
        session.execute(
            update(Suppression)
            .where(
                col(Suppression.token) == token,
                col(Suppression.reason) == "erasure",
                col(Suppression.lifted_at).is_(None),
            )
            .values(lifted_at=at, lifted_by="readmitted")
        )


def _liftable(session: Session, tokens: Iterable[bytes]) -> list[Any]:
    columns = (
        col(getattr(Suppression, name))
        for name in ("id", "namespace", "token", "channel", "brand", "except_brands", "at")
    )
    query = select(*columns).where(col(Suppression.reason).in_(LIFTABLE), col(Suppression.lifted_at).is_(None))
    return [row for some in chunked(tokens) for row in session.execute(query.where(col(Suppression.token).in_(some)))]


def in_force(
    session: Session, tokens: Iterable[bytes], reason: str = "", channel: str = "", as_of: datetime | None = None
) -> list[Silent]:
    """List the suppressions on these tokens that nothing has lifted.

    They count whatever instant they bear: another host's clock may be ahead. With `as_of`, what held at a past one.
    """
    found: list[Silent] = []
    columns = (col(getattr(Suppression, name)) for name in Silent._fields)
    wanted = select(*columns)
    for some in chunked(tokens):
        if not (reason or channel or as_of):
            found.extend(Silent(*row) for row in statements.rows(session, _SILENT, some=some))
            continue
        query = wanted.where(among(session, col(Suppression.token), some), _holds(as_of))
        if reason:
            query = query.where(col(Suppression.reason) == reason)
        if channel:
            query = query.where(col(Suppression.channel) == channel)
        found.extend(Silent(*row) for row in session.execute(query))
    return found


_TABLE: Table = Suppression.__table__  # type: ignore[attr-defined]
_SILENT = select(*(_TABLE.c[name] for name in Silent._fields)).where(
    one_of(_TABLE.c.token), _TABLE.c.lifted_at.is_(None)
)


def _holds(as_of: datetime | None) -> ColumnElement[bool]:
    if as_of is None:
        return col(Suppression.lifted_at).is_(None)
    return (col(Suppression.at) <= as_of) & (
        col(Suppression.lifted_at).is_(None) | (col(Suppression.lifted_at) > as_of)
    )


def suppressed_tokens(session: Session, tokens: Iterable[bytes], reason: str) -> set[bytes]:
    """Return those of the suppression tokens that are suppressed for this reason."""
    return {silent.token for silent in in_force(session, tokens, reason)}


def holders_of(session: Session, tokens: Iterable[bytes]) -> set[int]:
    """Return the subjects that have a contact point with one of these suppression tokens, and whose they are."""
    found: set[int] = set()
    for some in chunked(tokens):
        query = (
            select(col(Subject.number), col(Subject.person))
            .join(Identifier, col(Identifier.subject) == col(Subject.number))
            .where(col(Identifier.suppression_token).in_(some))
        )
        found.update(number for row in session.execute(query) for number in row)
    return found
