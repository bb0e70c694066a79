"""The vault: what the rest of the product may do with the keyring, and nothing more."""

import hmac
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from sqlalchemy import Table, select
from sqlmodel import Session

from cdp import statements
from cdp.db import chunked
from cdp.errors import CiphertextCorrupt, KeyDestroyed, KeyUnavailable
from cdp.statements import one_of
from cdp.vault import tokens
from cdp.vault.keyring import Keyring
from cdp.vault.model import SubjectKey
from cdp.vault.sealing import Cell, Dek, _unseal, check_capability, seal, unwrap, wrap
from cdp.vault.state import State


class Vault:
    """Mints, wraps and unwraps data keys, and names values; every call sees the newest keyring."""

    def __init__(self, keyring: Keyring) -> None:
        """Raises StartRefused when this machine lacks a cipher."""
        check_capability()
        self.keyring = keyring

    def mint(self, subject: int) -> tuple[Dek, dict[str, Any]]:
        """Make a new subject's data key; returns it with its row for SubjectKey.

        Raises KeyDestroyed for a number that was erased before: numbers are never used twice.
        """
        state = self.keyring.state()
        tree = state.generation
        dek = Dek(os.urandom(32))
        wrapped = wrap(state.trees[tree].leaf(subject), subject, tree, dek)
        return dek, {"subject": subject, "tree": tree, "wrapped": wrapped}

    def unwrap(self, subject: int, tree: int, wrapped: bytes) -> Dek:
        """Unwrap a data key; raises KeyDestroyed (final), CiphertextCorrupt, KeyUnavailable."""
        state = self.keyring.state()
        if tree not in state.trees:
            state = self.keyring.reload()
        return _unwrap(state, subject, tree, wrapped)

    def namer(self) -> "Namer":
        """Return what names values by the newest keys: many values, for one look at the disk."""
        return Namer(self.keyring.state())

    @property
    def epoch(self) -> int:
        """The index epoch that new tokens are written in."""
        return self.keyring.state().epoch

    def token(self, namespace: str, scope: str, value: str) -> bytes:
        """Name an identifier in the current epoch of the blind index."""
        state = self.keyring.state()
        return tokens.index_token(state.index[state.epoch], namespace, scope, value)

    def tokens(self, namespace: str, scope: str, value: str) -> dict[int, bytes]:
        """Name an identifier in every live epoch, by epoch."""
        return self.namer().tokens(namespace, scope, value)

    def suppression_token(self, namespace: str, scope: str, value: str) -> bytes:
        """Name an identifier for suppression: another key, and no epochs."""
        return self.namer().suppression_token(namespace, scope, value)

    def digest(self, label: str, data: bytes) -> bytes:
        """Name content under a label, 128 bits."""
        return self.namer().digest(label, data)

    def pseudonym(self, recipient: str, person: int) -> str:
        """Name a person for one recipient, safe in a URL."""
        return tokens.pseudonym(self._key("pseudonym"), recipient, person)

    def ledger_mac(self, data: bytes) -> bytes:
        """Authenticate a ledger entry before it is sealed."""
        return hmac.digest(self._key("ledger"), data, "sha256")

    def seal_credentials(self, name: str, value: bytes) -> bytes:
        """Seal a connector's credentials under their own key, bound to the connector's name."""
        return seal(Dek(self._key("credential")), value, _credential_cell(name))

    def open_credentials(self, name: str, sealed: bytes) -> bytes:
        """Open a connector's credentials; raises CiphertextCorrupt."""
        return _unseal(Dek(self._key("credential")), sealed, _credential_cell(name))

    def record_key(self) -> Dek:
        """Return the key of what the law keeps of people after their own keys are destroyed; of nothing else."""
        return Dek(tokens.subkey(self._key("digest"), "provision"))

    def _key(self, name: str) -> bytes:
        return self.keyring.state().keys[name]


class Namer:
    """Names values by the keys of one instant."""

    def __init__(self, state: State) -> None:
        self._index = dict(state.index)
        self._keys = state.keys

    @property
    def epochs(self) -> tuple[int, ...]:
        """The epochs that were live."""
        return tuple(self._index)

    def tokens(self, namespace: str, scope: str, value: str) -> dict[int, bytes]:
        """Name an identifier in every live epoch, by epoch."""
        return {epoch: tokens.index_token(key, namespace, scope, value) for epoch, key in self._index.items()}

    def suppression_token(self, namespace: str, scope: str, value: str) -> bytes:
        """Name an identifier for suppression: another key, and no epochs."""
        return tokens.suppression_token(self._keys["suppression"], namespace, scope, value)

    def digest(self, label: str, data: bytes) -> bytes:
        """Name content under a label, 128 bits."""
        return tokens.digest(self._keys["digest"], label, data)


def namer(session: Session, *, anew: bool = False) -> Namer:
    """Return what names values by the keys that were the newest when this transaction first asked, or asks anew."""
    found = session.info.get("namer")
    if anew or not isinstance(found, Namer):
        found = session.info["namer"] = of(session).namer()
    return found


def of(session: Session) -> Vault:
    """Return the session's vault; raises KeyUnavailable when its deployment was given none."""
    vault = session.info.get("vault")
    if not isinstance(vault, Vault):
        raise KeyUnavailable("keyring")
    return vault


def deks(session: Session, subjects: Iterable[int], damaged: set[int] | None = None) -> dict[int, Dek]:
    """Unwrap the data keys of many subjects; those without a key, or with a destroyed one, are absent.

    A row whose key is not found is read once more, for a rotation may have moved it meanwhile.
    Raises CiphertextCorrupt for a row that was moved or altered, unless those are to be put in `damaged`;
    KeyUnavailable.
    """
    vault = of(session)
    state = vault.keyring.state()
    found: dict[int, Dek] = {}
    missed: list[int] = []
    for subject, tree, wrapped in _rows(session, set(subjects)):
        try:
            found[subject] = _unwrap(state, subject, tree, wrapped)
        except KeyDestroyed:
            missed.append(subject)
        except CiphertextCorrupt:
            if damaged is None:
                raise
            damaged.add(subject)
    for subject, tree, wrapped in _rows(session, missed):
        with suppress(KeyDestroyed):
            found[subject] = vault.unwrap(subject, tree, wrapped)
    return found


_TABLE: Table = SubjectKey.__table__  # type: ignore[attr-defined]
_KEYS = select(_TABLE.c.subject, _TABLE.c.tree, _TABLE.c.wrapped).where(one_of(_TABLE.c.subject))


def _rows(session: Session, subjects: Iterable[int]) -> Iterator[tuple[int, int, bytes]]:
    for some in chunked(subjects):
        yield from statements.rows(session, _KEYS, some=some)


def _unwrap(state: State, subject: int, tree: int, wrapped: bytes) -> Dek:
    if tree not in state.trees:
        raise KeyDestroyed("the tree of this key was dropped")
    return unwrap(state.trees[tree].leaf(subject), subject, tree, bytes(wrapped))


def _credential_cell(name: str) -> Cell:
    return Cell(0, "credential", "sealed", name)
