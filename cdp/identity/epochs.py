"""Rotation of the blind index: every value goes from an older key to the newest, with all that stands on it.

A value moves with all that stands on it in one transaction, for everybody who has it: its evidence, its state, what
people decided of it, its cases and what was corrected. So nothing is counted twice, and who is who does not change.
New values are written under the newest key at once, values that are known where they stand (`places.find`); whoever
brings evidence locks its tokens under every live key. Whoever decides of a value that they read by its token keeps
every value where it is until they are done (`places.hold_still`).

In a copy that was restored after its key was gone, arrivals cannot meet what stands under that key: such a value
stands under two, until it moves and is made one.

A value is opened inside the vault to be named anew, and no older key is needed for it. One that is damaged wherever it
stands stays, and with it its key.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from operator import and_ as and_bits
from operator import or_ as or_bits
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Row,
    Table,
    and_,
    bindparam,
    delete,
    func,
    literal,
    select,
    tuple_,
    update,
)
from sqlmodel import Session, col

from cdp import statements, vault
from cdp.db import chunked, insert_ignoring
from cdp.errors import CiphertextCorrupt
from cdp.identity import graph, places, resolution, sealed
from cdp.identity.holder import let_go_of
from cdp.identity.model import Aside, CorrectedIdentifier, Identifier, IdentityCase, Override, OverrideValue, Token
from cdp.identity.rules import TokenKey
from cdp.statements import pair_of
from cdp.vault.indexing import Renamed, rename
from cdp.vault.state import State

FIRST: TokenKey = ("", b"")
"""Before every value, in the order in which they are gone through."""

CAUSE = "reindex"

_WEIGHTS = ("active", "conflict", "shared", "generic", "blocked")

_PASSING = int(Aside.EXPIRED | Aside.HELD)
"""Reasons that other evidence of the same ends: what was seen again is not over."""


@dataclass(slots=True)
class Moved:
    """What became of some values."""

    tokens: dict[bytes, bytes] = field(default_factory=dict)
    """Older token → newest: whoever keeps tokens beside this package follows in the same transaction."""
    rows: int = 0
    unreadable: int = 0
    """Values that stay where they are, since something is damaged; those of people who were erased are not counted."""


def count_behind(session: Session) -> int:
    """Count the rows of evidence that stand under an older key."""
    newest = vault.of(session).epoch
    counts = (select(func.count()).where(col(table.epoch) != newest) for table in (Identifier, CorrectedIdentifier))
    return sum(session.scalar(count) or 0 for count in counts)


def lost(session: Session, live: Collection[int]) -> list[int]:
    """Return the epochs that evidence stands under and whose keys are none of these: nobody meets it there."""
    return sorted(session.scalars(select(col(Identifier.epoch)).where(col(Identifier.epoch).not_in(live)).distinct()))


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

    Waits for whoever holds values still; then locks tokens, then subjects, each in order. People are resolved anew
    only where a value stood under several keys: in a copy that was restored after it had moved, or whose key was gone
    before somebody arrived.
    """
    places.begin_move(session)
    index = vault.of(session).keyring.state()  # one for all of it, whoever begins an epoch meanwhile
    older = {(space, token) for namespace, token in keys for space in vault.family(namespace)}
    known = _read(session, older, index.epoch)
    named, unreadable = _named(session, known, index)
    tokens = {token: new.token for token, new in named.items()}
    moved = Moved(tokens, unreadable=unreadable)
    if not tokens:
        return moved
    old = {key for key in older if key[1] in tokens}
    before = _by_new(old, tokens)
    graph.lock_tokens(session, old | before.keys())
    graph.lock_subjects(session, graph.holders(session, old | before.keys()))
    states = graph.states(session, old | before.keys())
    met = _with_evidence(session, before) | {key for key, several in before.items() if len(several) > 1}
    _let_go_of_doubles(session, {key: before[key] for key in met}, index)
    moved.rows = _write(session, _read(session, old, index.epoch), tokens, index)
    _carry_decisions(session, tokens)
    now = {key: _heaviest([states[key], *(states[one] for one in sorted(before[key]))]) for key in before}
    _carry_cases(session, before, now, at)
    _carry_states(session, before, states, now)
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


def _read(session: Session, keys: Collection[TokenKey], newest: int) -> _Rows:
    """Return everything of these values that stands under an older key."""
    found = _Rows()
    for some in chunked(sorted(keys), graph.MANY):
        rows = statements.rows(session, _STANDING, pairs=some, newest=newest)
        for row in [*rows, *statements.rows(session, _CORRECTED, pairs=some, newest=newest)]:
            found.setdefault((row[2], row[3]), []).append(_Row(*row))
    return found


def _named(session: Session, known: _Rows, index: State) -> tuple[dict[bytes, Renamed], int]:
    """Return each value's new name, by its token: of the first of its rows that can be opened.

    And how many values have none, though somebody who has them is not erased: something of them is damaged.
    """
    damaged = set[int]()
    deks = vault.deks(session, {row.subject for rows in known.values() for row in rows}, damaged)
    found: dict[bytes, Renamed] = {}
    for (_, token), rows in sorted(known.items()):
        names = (_renamed(index, deks, row) for row in rows)
        first = None if token in found else next(filter(None, names), None)
        if first is not None:
            found[token] = first
    there = damaged | deks.keys()
    left = {token for (_, token), rows in known.items() if any(row.subject in there for row in rows)}
    return found, len(left - found.keys())


def _renamed(index: State, deks: Mapping[int, vault.Dek], row: _Row) -> Renamed | None:
    if row.subject not in deks:
        return None

    def there(token: bytes) -> vault.Cell:
        return sealed.cell(row.subject, row.namespace, token)

    try:
        return rename(index, deks[row.subject], row.sealed, there(row.token), row.namespace, there)
    except CiphertextCorrupt:
        return None


def _by_new(old: Iterable[TokenKey], tokens: Mapping[bytes, bytes]) -> dict[TokenKey, set[TokenKey]]:
    """Return the older names of each value by its newest: more than one where arrivals met a copy whose key is gone."""
    found: dict[TokenKey, set[TokenKey]] = defaultdict(set)
    for namespace, token in old:
        found[namespace, tokens[token]].add((namespace, token))
    return dict(found)


def _let_go_of_doubles(session: Session, before: Mapping[TokenKey, set[TokenKey]], index: State) -> None:
    """Leave one row to whoever has a value under several keys; it says what all of them said."""
    for key, older in sorted(before.items()):
        here = graph.among(Identifier, {key, *older})
        many = select(col(Identifier.subject)).where(here).group_by(col(Identifier.subject)).having(func.count() > 1)
        for some in chunked(sorted(session.scalars(many)), graph.MANY):
            deks = vault.deks(session, some, set())
            whose: dict[int, list[Row[Any]]] = defaultdict(list)
            for row in session.execute(_DOUBLES.where(here, col(Identifier.subject).in_(some))):
                whose[row.subject].append(row)
            for rows in whose.values():
                rows.sort(key=lambda row: (bytes(row.token) != key[1], bytes(row.token)))
                _make_one(session, rows, [_renamed(index, deks, _evidence(row)) is not None for row in rows])


def _evidence(row: Row[Any]) -> _Row:
    return _Row(0, row.subject, row.namespace, bytes(row.token), bytes(row.sealed))


def _make_one(session: Session, rows: Sequence[Row[Any]], opens: Sequence[bool]) -> None:
    """Keep the first of these rows that opens: proved if any was, set aside for what anybody said of any."""
    stays = rows[opens.index(True) if True in opens else 0]
    for row in rows:
        if row is not stays:
            session.execute(delete(Identifier).where(_is(row)))
    anywhere = reduce(or_bits, (row.aside for row in rows))
    everywhere = reduce(and_bits, (row.aside for row in rows))
    merged = {
        "verified": any(row.verified for row in rows),
        "first_at": min(row.first_at for row in rows),
        "seen": max(row.seen for row in rows),
        "aside": (anywhere & ~_PASSING) | (everywhere & _PASSING),
    }
    session.execute(update(Identifier).where(_is(stays)).values(merged))


def _is(row: Row[Any]) -> ColumnElement[bool]:
    return and_(col(Identifier.subject) == row.subject, graph.among(Identifier, [(row.namespace, bytes(row.token))]))


def _write(session: Session, known: _Rows, tokens: Mapping[bytes, bytes], index: State) -> int:
    """Write all rows of these values under the newest key; what cannot be opened goes along as it is."""
    rows = [row for some in known.values() for row in some]
    deks = vault.deks(session, {row.subject for row in rows}, set())
    standing, corrected = [], []
    for row in rows:
        renamed = _renamed(index, deks, row)
        if renamed is not None and renamed.token != tokens[row.token]:
            raise CiphertextCorrupt("two values have one token")  # written on, it could never be opened again
        again = renamed.sealed if renamed is not None else row.sealed
        now = {"now": tokens[row.token], "newest": index.epoch, "again": again}
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
        here = col(OverrideValue.token).in_(some)
        said = [row.model_dump() for row in session.scalars(select(OverrideValue).where(here))]
        if not said:
            continue
        session.execute(delete(OverrideValue).where(here))
        insert_ignoring(session, OverrideValue, [{**row, "token": tokens[bytes(row["token"])]} for row in said])
        decisions = col(Override.id).in_({row["override"] for row in said})
        for row in session.scalars(select(Override).where(decisions)):
            row.token = tokens.get(bytes(row.token), row.token)
    session.flush()


def _heaviest(states: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """Return the state of a value that had several: blocked stays blocked, all else is resolved from there."""
    return max(states, key=lambda one: (_WEIGHTS.index(one[0]), one[1] != "cannot"))


def _carry_cases(
    session: Session, before: Mapping[TokenKey, set[TokenKey]], now: Mapping[TokenKey, tuple[str, str]], at: datetime
) -> None:
    """Let cases be about the newest tokens; of several open ones of a value the first stands, of a blocked one none."""
    newest = {one: key for key, older in before.items() for one in (key, *older)}
    waiting: dict[TokenKey, list[IdentityCase]] = defaultdict(list)
    for some in chunked(sorted(newest), graph.MANY):
        for row in session.scalars(select(IdentityCase).where(graph.among(IdentityCase, some))):
            key = newest[row.namespace, bytes(row.token)]
            row.token = key[1]
            if row.state == "open":
                waiting[key].append(row)
    for key, several in waiting.items():
        several.sort(key=lambda row: row.id or 0)
        state, rule = now[key]
        telling = next((row for row in several if row.rule == (rule or state)), several[0])
        several[0].rule, several[0].severity = telling.rule, telling.severity
        for row in several if state == "blocked" else several[1:]:
            row.state, row.closed_at = "gone", at
    session.flush()


def _carry_states(
    session: Session,
    before: Mapping[TokenKey, set[TokenKey]],
    states: Mapping[TokenKey, tuple[str, str]],
    now: Mapping[TokenKey, tuple[str, str]],
) -> None:
    """Give the newest tokens their states; the older tokens go."""
    changed = [(key, *state) for key, state in sorted(now.items()) if state != states[key]]
    rows = [{"within": key[0], "named": key[1], "now": state, "why": rule} for key, state, rule in changed]
    statements.write(session, _STATE, rows)
    for some in chunked(sorted(one for older in before.values() for one in older), graph.MANY):
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
_DOUBLES = select(
    *(_NAMES.c[name] for name in ("subject", "namespace", "token", "sealed", "verified", "first_at", "seen", "aside"))
)
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
