"""Rotation of the blind index: every value goes from an older key to the newest, with all that stands on it.

At every instant a value stands under one key, for everybody who has it: its evidence, its state, what people decided
of it, its cases and what was corrected move in one transaction. So nothing has to be said twice or counted twice, and
who is who does not change. New values are written under the newest key at once, values that are known where they
stand (`naming.places`); whoever touches one locks its tokens under every live key.

A value is opened inside the vault to be named anew, and no older key is needed for it. One that nobody can open any
more stays, and with it its key.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Table, bindparam, delete, func, literal, or_, select, tuple_, update
from sqlmodel import Session, col

from cdp import statements, vault
from cdp.db import chunked
from cdp.errors import CiphertextCorrupt
from cdp.identity import graph, kinship, resolution
from cdp.identity.holder import let_go_of
from cdp.identity.model import CorrectedIdentifier, Identifier, IdentityCase, Override, Token
from cdp.identity.rules import TokenKey
from cdp.statements import pair_of
from cdp.vault.indexing import Renamed, rename

FIRST: TokenKey = ("", b"")
"""Before every value, in the order in which they are gone through."""

CAUSE = "reindex"


@dataclass(slots=True)
class Moved:
    """What became of some values."""

    tokens: dict[bytes, bytes] = field(default_factory=dict)
    """Older token → newest: whoever keeps tokens beside this package follows in the same transaction."""
    rows: int = 0
    unreadable: int = 0
    """Values that no key opens: they stay where they are."""


def count_behind(session: Session) -> int:
    """Count the rows of evidence that stand under an older key."""
    newest = vault.of(session).epoch
    counts = (select(func.count()).where(col(table.epoch) != newest) for table in (Identifier, CorrectedIdentifier))
    return sum(session.scalar(count) or 0 for count in counts)


def behind(session: Session, after: TokenKey, limit: int) -> list[TokenKey]:
    """Return the values under older keys that come next after one, in order; at most so many."""
    newest, found = vault.of(session).epoch, set[TokenKey]()
    for table in (Identifier, CorrectedIdentifier):
        key = (col(table.namespace), col(table.token))
        query = select(*key).where(col(table.epoch) != newest, tuple_(*key) > tuple_(*after))
        found.update((row[0], bytes(row[1])) for row in session.execute(query.distinct().order_by(*key).limit(limit)))
    return sorted(found)[:limit]


def move(session: Session, keys: Iterable[TokenKey], at: datetime) -> Moved:
    """Bring these values, each with everybody who has it, under the newest key of the index.

    Locks tokens, then subjects, each in order. People are resolved anew only where something of a value stands under
    the newest key already: a copy that was restored after it had moved.
    """
    older = {(space, token) for namespace, token in keys for space in vault.family(namespace)}
    known = _read(session, older)
    named = _named(session, known)
    tokens = {token: new.token for token, new in named.items()}
    moved = Moved(tokens, unreadable=len({token for _, token in known} - tokens.keys()))
    if not tokens:
        return moved
    old = {key for key in older if key[1] in tokens}
    new = {(space, tokens[token]) for space, token in old}
    states = graph.lock_tokens(session, old | new)
    graph.lock_subjects(session, graph.holders(session, old | new))
    met = _with_evidence(session, new)
    if met:
        _let_go_of_doubles(session, old, tokens)
    moved.rows = _write(session, _read(session, old), tokens)
    _carry_decisions(session, tokens)
    _carry_cases(session, old, tokens, met, at)
    _carry_states(session, old, tokens, states)
    back = graph.holders(session, resolution.reconsider(session, met, at)) if met else set[int]()
    resolution.resolve(session, back | graph.holders(session, met), at, CAUSE)
    return moved


def sweep(session: Session, after: TokenKey, limit: int) -> TokenKey | None:
    """Let go of the rows that stood for nothing but a lock under an older key; returns where to go on, None = done."""
    key = (col(Token.namespace), col(Token.token))
    rows = session.execute(select(*key).where(tuple_(*key) > tuple_(*after)).order_by(*key).limit(limit)).all()
    found = [(row[0], bytes(row[1])) for row in rows]
    unused = set(found) - _with_evidence(session, found)
    if unused:
        graph.lock_tokens(session, unused)
        let_go_of(session, unused)
    return found[-1] if len(found) == limit else None


class _Row(NamedTuple):
    """Evidence, or evidence that was corrected, under an older key."""

    id: int
    """Of a corrected one; 0 for evidence that stands."""
    subject: int
    namespace: str
    token: bytes
    sealed: bytes


_Rows = dict[TokenKey, list[_Row]]


def _read(session: Session, keys: Collection[TokenKey]) -> _Rows:
    """Return everything of these values that stands under an older key."""
    newest, found = vault.of(session).epoch, _Rows()
    for some in chunked(sorted(keys), graph.MANY):
        rows = statements.rows(session, _STANDING, pairs=some, newest=newest)
        for row in [*rows, *statements.rows(session, _CORRECTED, pairs=some, newest=newest)]:
            found.setdefault((row[2], row[3]), []).append(_Row(*row))
    return found


def _named(session: Session, known: _Rows) -> dict[bytes, Renamed]:
    """Return each value's new name, by its token: of the first of its rows that can be opened."""
    deks = vault.deks(session, {row.subject for rows in known.values() for row in rows})
    found: dict[bytes, Renamed] = {}
    for (_, token), rows in sorted(known.items()):
        names = (_renamed(session, deks, row) for row in rows)
        first = None if token in found else next(filter(None, names), None)
        if first is not None:
            found[token] = first
    return found


def _renamed(session: Session, deks: Mapping[int, vault.Dek], row: _Row) -> Renamed | None:
    if row.subject not in deks:
        return None

    def there(token: bytes) -> vault.Cell:
        return resolution.cell(row.subject, row.namespace, token)

    try:
        return rename(vault.of(session), deks[row.subject], row.sealed, there(row.token), row.namespace, there)
    except CiphertextCorrupt:
        return None


def _let_go_of_doubles(session: Session, keys: Iterable[TokenKey], tokens: Mapping[bytes, bytes]) -> None:
    """Delete older rows of whoever has the value under the newest key, too."""
    rows = select(col(Identifier.subject), col(Identifier.namespace), col(Identifier.token))
    for namespace, token in sorted(keys):
        there = set(graph.holders(session, [(namespace, tokens[token])]))
        here = session.execute(rows.where(graph.among(Identifier, [(namespace, token)]))).all()
        double = [row.subject for row in here if row.subject in there]
        for some in chunked(double, graph.MANY):
            gone = delete(Identifier).where(graph.among(Identifier, [(namespace, token)]))
            session.execute(gone.where(col(Identifier.subject).in_(some)))


def _write(session: Session, known: _Rows, tokens: Mapping[bytes, bytes]) -> int:
    """Write all rows of these values under the newest key; what cannot be opened goes along as it is."""
    rows = [row for some in known.values() for row in some]
    deks, newest = vault.deks(session, {row.subject for row in rows}), vault.of(session).epoch
    standing, corrected = [], []
    for row in rows:
        renamed = _renamed(session, deks, row)
        sealed = renamed.sealed if renamed is not None and renamed.token == tokens[row.token] else row.sealed
        now = {"now": tokens[row.token], "newest": newest, "again": sealed}
        if row.id:
            corrected.append({"number": row.id, **now})
        else:
            standing.append({"of": row.subject, "within": row.namespace, "named": row.token, **now})
    statements.write(session, _MOVED, standing)
    statements.write(session, _CORRECTED_MOVED, corrected)
    return len(rows)


def _carry_decisions(session: Session, tokens: Mapping[bytes, bytes]) -> None:
    """Let what people decided of these values, and took back, be about their newest tokens."""
    for some in chunked(sorted(tokens), graph.MANY):
        for row in session.scalars(select(Override).where(or_(col(Override.token).in_(some), col(Override.kin) != ""))):
            row.token = tokens.get(bytes(row.token), row.token)
            kin = [(namespace, tokens.get(token, token)) for namespace, token in kinship.read(row.kin)]
            row.kin = kinship.written(sorted(kin))
    session.flush()


def _carry_cases(
    session: Session, old: Iterable[TokenKey], tokens: Mapping[bytes, bytes], met: Collection[TokenKey], at: datetime
) -> None:
    """Let cases be about the newest tokens; of two open ones of one value the earlier stands."""
    for some in chunked(sorted(met), graph.MANY):
        query = select(IdentityCase).where(graph.among(IdentityCase, some), col(IdentityCase.state) == "open")
        later = {(row.namespace, bytes(row.token)): row for row in session.scalars(query)}
        before = {(namespace, token) for namespace, token in old if (namespace, tokens[token]) in later}
        query = select(IdentityCase).where(graph.among(IdentityCase, before), col(IdentityCase.state) == "open")
        for row in session.scalars(query) if before else ():
            other = later[row.namespace, tokens[bytes(row.token)]]
            other.state, other.closed_at = "gone", at
    for some in chunked(sorted(old), graph.MANY):
        for row in session.scalars(select(IdentityCase).where(graph.among(IdentityCase, some))):
            row.token = tokens[bytes(row.token)]
    session.flush()


def _carry_states(
    session: Session, old: Iterable[TokenKey], tokens: Mapping[bytes, bytes], before: Mapping[TokenKey, str]
) -> None:
    """Give the newest tokens the states of the older ones, which go; what somebody blocked stays blocked."""
    rows = []
    for (namespace, token), (state, rule) in graph.states(session, old).items():
        there = before[namespace, tokens[token]]
        if state != "active" and there != "blocked":
            rows.append({"within": namespace, "named": tokens[token], "now": state, "why": rule})
    statements.write(session, _STATE, rows)
    for some in chunked(sorted(old), graph.MANY):
        session.execute(delete(Token).where(graph.among(Token, some)))


def _with_evidence(session: Session, keys: Iterable[TokenKey]) -> set[TokenKey]:
    """Return those of these values that anybody has."""
    found: set[TokenKey] = set()
    for some in chunked(sorted(keys), graph.MANY):
        found.update(statements.rows(session, _USED, pairs=some))
    return found


_NAMES: Table = Identifier.__table__  # type: ignore[attr-defined]
_REMOVED: Table = CorrectedIdentifier.__table__  # type: ignore[attr-defined]
_TOKENS: Table = Token.__table__  # type: ignore[attr-defined]
_STANDING = select(literal(0), _NAMES.c.subject, _NAMES.c.namespace, _NAMES.c.token, _NAMES.c.sealed).where(
    pair_of(_NAMES.c.namespace, _NAMES.c.token), _NAMES.c.epoch != bindparam("newest")
)
_CORRECTED = select(_REMOVED.c.id, _REMOVED.c.subject, _REMOVED.c.namespace, _REMOVED.c.token, _REMOVED.c.sealed).where(
    pair_of(_REMOVED.c.namespace, _REMOVED.c.token), _REMOVED.c.epoch != bindparam("newest")
)
_USED = select(_NAMES.c.namespace, _NAMES.c.token).where(pair_of(_NAMES.c.namespace, _NAMES.c.token)).distinct()
_MOVED = (
    update(_NAMES)
    .where(
        _NAMES.c.subject == bindparam("of"),
        _NAMES.c.namespace == bindparam("within"),
        _NAMES.c.token == bindparam("named"),
    )
    .values(token=bindparam("now"), epoch=bindparam("newest"), sealed=bindparam("again"))
)
_CORRECTED_MOVED = (
    update(_REMOVED)
    .where(_REMOVED.c.id == bindparam("number"))
    .values(token=bindparam("now"), epoch=bindparam("newest"), sealed=bindparam("again"))
)
_STATE = (
    update(_TOKENS)
    .where(_TOKENS.c.namespace == bindparam("within"), _TOKENS.c.token == bindparam("named"))
    .values(state=bindparam("now"), rule=bindparam("why"))
)
