"""What identifiers are evidence of, and their tokens: worked out once in a transaction, and forgotten with it.

Spelling a mailbox and hashing take as long as finding the subject, and one arrival asks for them several times.
While the index is being rotated a value has a token under each key, and stands under one of them (see `epochs`).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Table, select
from sqlmodel import Session

from cdp import policy, statements, vault
from cdp.db import chunked
from cdp.identity import config
from cdp.identity.model import Aside, CorrectedIdentifier, Identifier, Token
from cdp.identity.normalise import Canonical, derived, is_role_mailbox
from cdp.identity.rules import TokenKey
from cdp.statements import one_of, pair_of

_NAME = "identity_naming"

_MANY = 4000


class Place(NamedTuple):
    """Under which key of the index a value stands, and its token there."""

    epoch: int
    token: bytes


@dataclass(slots=True)
class _Known:
    also: dict[tuple[Canonical, bool], tuple[Canonical, ...]] = field(default_factory=dict)
    tokens: dict[Canonical, Mapping[int, bytes]] = field(default_factory=dict)
    places: dict[Canonical, Place] = field(default_factory=dict)
    silences: dict[Canonical, bytes] = field(default_factory=dict)


def evidence(session: Session, names: Iterable[Canonical]) -> list[Canonical]:
    """Return the identifiers with all that they are evidence of."""
    known, found = _known(session).also, list[Canonical]()
    for name in names:
        key = (name, name.verified)
        if key not in known:
            known[key] = (name, *derived(policy.of(session), name))
        found += known[key]
    return found


def tokens(session: Session, name: Canonical) -> Mapping[int, bytes]:
    """Return an identifier's token in every epoch that was live when this transaction first asked: lock them all."""
    known = _known(session)
    if name not in known.tokens:
        known.tokens[name] = vault.namer(session).tokens(name.namespace, name.scope, name.value)
    return known.tokens[name]


def renew(session: Session) -> bool:
    """Forget the tokens where an epoch began or ended since they were worked out; returns whether it did.

    Ask once they are locked: who had the older keys alone would write where nobody with the newer looks.
    """
    if vault.namer(session).epochs == vault.of(session).namer().epochs:
        return False
    vault.namer(session, anew=True)
    known = _known(session)
    known.tokens.clear()
    known.places.clear()
    return True


def is_rotating(session: Session) -> bool:
    """Whether several epochs were live when this transaction asked: a value may have moved until it is locked."""
    return len(vault.namer(session).epochs) > 1


def places(session: Session, names: Iterable[Canonical]) -> dict[Canonical, Place]:
    """Return where each identifier stands, or is to be written; final once its tokens or its subjects are locked.

    A value goes to the newest key with all that stands on it, and until then nothing of it is written there. Costs
    statements only while several epochs are live.
    """
    found = {name: tokens(session, name) for name in names}
    older = {
        (namespace, token)
        for name, all_of_it in found.items()
        for epoch, token in all_of_it.items()
        for namespace in vault.family(name.namespace)
        if epoch < max(all_of_it)
    }
    standing = _standing(session, older, found) if older else set()
    return {name: _place(all_of_it, standing) for name, all_of_it in found.items()}


def place(session: Session, name: Canonical) -> Place:
    """Return where an identifier stands, and remember it: ask when it can go nowhere any more."""
    known = _known(session).places
    if name not in known:
        known[name] = places(session, [name])[name]
    return known[name]


def _place(all_of_it: Mapping[int, bytes], standing: Collection[bytes]) -> Place:
    epoch = next((epoch for epoch in sorted(all_of_it) if all_of_it[epoch] in standing), max(all_of_it))
    return Place(epoch, all_of_it[epoch])


def _standing(session: Session, keys: Iterable[TokenKey], names: Iterable[Canonical]) -> set[bytes]:
    """Return those of these tokens on which something stands: evidence, also removed, or that it means nobody."""
    found: set[bytes] = set()
    for some in chunked(sorted(keys), _MANY):
        found.update(statements.column(session, _WITH_EVIDENCE, pairs=some))
        found.update(statements.column(session, _BLOCKED, pairs=some))
    for silences in chunked(sorted({silence_token(session, name) for name in names}), _MANY):
        found.update(statements.column(session, _CORRECTED, some=silences))
    return found


def silence_token(session: Session, name: Canonical) -> bytes:
    """Return an identifier's suppression token."""
    known = _known(session).silences
    if name not in known:
        known[name] = vault.namer(session).suppression_token(name.namespace, name.scope, name.value)
    return known[name]


def aside(session: Session, name: Canonical) -> int:
    """Return why an identifier never counts, as bits of `Aside`: a role mailbox joins nobody. 0 = it counts."""
    return int(Aside.ROLE) if is_role_mailbox(config.namespaces(session), name) else 0


def _known(session: Session) -> _Known:
    found = session.info.get(_NAME)
    if not isinstance(found, _Known):
        found = session.info[_NAME] = _Known()
    return found


_NAMES: Table = Identifier.__table__  # type: ignore[attr-defined]
_TOKENS: Table = Token.__table__  # type: ignore[attr-defined]
_REMOVED: Table = CorrectedIdentifier.__table__  # type: ignore[attr-defined]
_WITH_EVIDENCE = select(_NAMES.c.token).where(pair_of(_NAMES.c.namespace, _NAMES.c.token)).distinct()
_BLOCKED = select(_TOKENS.c.token).where(pair_of(_TOKENS.c.namespace, _TOKENS.c.token), _TOKENS.c.state == "blocked")
_CORRECTED = select(_REMOVED.c.token).where(one_of(_REMOVED.c.suppression_token))
