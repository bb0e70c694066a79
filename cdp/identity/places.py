"""Under which key of the index a value stands, while it is being rotated: one at a time (see `epochs`).

Whoever brings evidence locks its tokens under every live key and asks here again once they are locked. Whoever decides
of a value that they read by its token holds all values still before they read; that is rare, and moves are short.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import Table, select, text
from sqlmodel import Session

from cdp import statements, vault
from cdp.db import chunked, is_sqlite
from cdp.identity import naming
from cdp.identity.model import CorrectedIdentifier, Identifier, Token
from cdp.identity.normalise import Canonical
from cdp.identity.rules import TokenKey
from cdp.statements import one_of, pair_of

_PLACES = "identity_places"

_MANY = 4000

_LOCK = 0x5E_15_42
"""Names our advisory lock among those of others in the same database."""


class Place(NamedTuple):
    """Under which key of the index a value stands, and its token there."""

    epoch: int
    token: bytes


def hold_still(session: Session) -> None:
    """Let no value go to another key until this transaction ends; say it before any lock and before a token is read.

    Waits for the lot that is on its way. SQLite has one writer anyway.
    """
    if not is_sqlite(session):
        session.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": _LOCK})


def begin_move(session: Session) -> None:
    """Wait for all who hold values still, and let nobody else do so until this transaction ends."""
    if not is_sqlite(session):
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def renew(session: Session) -> bool:
    """Forget the tokens where an epoch began or ended since they were worked out; returns whether it did.

    Ask once they are locked: who had the older keys alone would write where nobody with the newer looks.
    """
    if vault.namer(session).epochs == vault.of(session).namer().epochs:
        return False
    naming.forget_tokens(session)
    _remembered(session).clear()
    return True


def is_rotating(session: Session) -> bool:
    """Whether several epochs were live when this transaction asked: a value may have moved until it is locked."""
    return len(vault.namer(session).epochs) > 1


def find(session: Session, names: Iterable[Canonical]) -> dict[Canonical, Place]:
    """Return where each identifier stands, or is to be written; final once its tokens or its subjects are locked.

    A value goes to the newest key with all that stands on it, and until then nothing of it is written there. Costs
    statements only while several epochs are live.
    """
    found = {name: naming.tokens(session, name) for name in names}
    older = {
        (namespace, token)
        for name, all_of_it in found.items()
        for epoch, token in all_of_it.items()
        for namespace in vault.family(name.namespace)
        if epoch < max(all_of_it)
    }
    standing = _standing(session, older, found) if older else set()
    return {name: _place(all_of_it, standing) for name, all_of_it in found.items()}


def find_one(session: Session, name: Canonical) -> Place:
    """Return where one identifier stands, and remember it: ask when it can go nowhere any more."""
    known = _remembered(session)
    if name not in known:
        known[name] = find(session, [name])[name]
    return known[name]


def _remembered(session: Session) -> dict[Canonical, Place]:
    found: dict[Canonical, Place] = session.info.setdefault(_PLACES, {})
    return found


def _place(all_of_it: Mapping[int, bytes], standing: Collection[bytes]) -> Place:
    epoch = next((epoch for epoch in sorted(all_of_it) if all_of_it[epoch] in standing), max(all_of_it))
    return Place(epoch, all_of_it[epoch])


def _standing(session: Session, keys: Iterable[TokenKey], names: Iterable[Canonical]) -> set[bytes]:
    """Return those of these tokens on which something stands: evidence, also removed, or that it means nobody."""
    found: set[bytes] = set()
    for some in chunked(sorted(keys), _MANY):
        found.update(statements.column(session, _WITH_EVIDENCE, pairs=some))
        found.update(statements.column(session, _BLOCKED, pairs=some))
    for silences in chunked(sorted({naming.silence_token(session, name) for name in names}), _MANY):
        found.update(statements.column(session, _CORRECTED, some=silences))
    return found


_NAMES: Table = Identifier.__table__  # type: ignore[attr-defined]
_TOKENS: Table = Token.__table__  # type: ignore[attr-defined]
_REMOVED: Table = CorrectedIdentifier.__table__  # type: ignore[attr-defined]
_WITH_EVIDENCE = select(_NAMES.c.token).where(pair_of(_NAMES.c.namespace, _NAMES.c.token)).distinct()
_BLOCKED = select(_TOKENS.c.token).where(pair_of(_TOKENS.c.namespace, _TOKENS.c.token), _TOKENS.c.state == "blocked")
_CORRECTED = select(_REMOVED.c.token).where(one_of(_REMOVED.c.suppression_token))
