"""Format v1: how a value is sealed under a subject's data key, and how that key is wrapped.

    ver(1) alg(1) kid(16) nonce(12) ciphertext tag(16)        46 bytes + padding

`kid` commits to the key: AES-GCM alone lets one ciphertext open under two keys. What is sealed
is bound to its cell, so a value moved to another row, column or subject does not open; an unknown
version or algorithm is an error, never plaintext, and no key is tried but the one that is named.
"""

import hmac
import os
from functools import lru_cache
from typing import NamedTuple

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV

from cdp.errors import CiphertextCorrupt, StartRefused

VERSION = 1
AES_256_GCM = 1
AES_256_GCM_SIV = 2
BUCKET = 32
OVERHEAD = 46
_HEAD = 18
_BODY = 30
_TAG = 16
_KID_LABEL = b"cdp/v1/kid"


class Cell(NamedTuple):
    """Where a sealed value stands; `subject` owns the key and is never the merged person."""

    subject: int
    table: str
    column: str
    row: bytes | str
    version: int = 1


class Dek:
    """A subject's data key; shows its commitment and nothing else, and cannot be pickled or copied."""

    __slots__ = ("_key", "_seals", "kid")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._seals = AESGCM(key)
        self.kid = key_commitment(key)

    def __repr__(self) -> str:
        return f"<Dek {self.kid.hex()}>"

    def __reduce__(self) -> str:
        raise TypeError("keys are not pickled")


def key_commitment(key: bytes) -> bytes:
    """Name a key by a value that only this key has."""
    return hmac.digest(key, _KID_LABEL, "sha256")[:16]


def seal(dek: Dek, value: bytes, cell: Cell, pad: int = BUCKET) -> bytes:
    """Seal a value for its cell; its length shows only in steps of `pad`, a multiple of 32."""
    if pad <= 0 or pad % BUCKET:
        raise ValueError("padding goes in multiples of 32")
    return _seal(dek, value, cell, pad, os.urandom(12))


def matches(dek: Dek, sealed: bytes, cell: Cell, value: bytes) -> bool:
    """Whether the sealed value is this one, in constant time; raises CiphertextCorrupt."""
    return hmac.compare_digest(_unseal(dek, sealed, cell), value)


def wrap(leaf: bytes, subject: int, tree: int, dek: Dek) -> bytes:
    """Wrap a data key under its subject's leaf of a tree."""
    return _wrap(leaf, subject, tree, dek, os.urandom(12))


def unwrap(leaf: bytes, subject: int, tree: int, wrapped: bytes) -> Dek:
    """Unwrap a data key and check its commitment; raises CiphertextCorrupt."""
    _check_head(wrapped, AES_256_GCM_SIV, _BODY + 32 + _TAG)
    if len(wrapped) != _BODY + 32 + _TAG:
        raise CiphertextCorrupt("a wrapped key has a wrong length")
    bound = _bind(wrapped[:_HEAD], Cell(subject, "subject_key", "wrapped", b"", tree))
    try:
        dek = Dek(AESGCMSIV(leaf).decrypt(wrapped[_HEAD:_BODY], wrapped[_BODY:], bound))
    except InvalidTag:
        raise CiphertextCorrupt("a wrapped key was moved or altered") from None
    if not hmac.compare_digest(dek.kid, wrapped[2:_HEAD]):
        raise CiphertextCorrupt("a wrapped key is not the one it names")
    return dek


def check_capability() -> None:
    """Refuse to start where OpenSSL lacks AES-GCM-SIV (before 3.2)."""
    try:
        AESGCMSIV(bytes(32))
    except UnsupportedAlgorithm:
        raise StartRefused("This OpenSSL has no AES-GCM-SIV: install the `cryptography` wheel from PyPI.") from None


def _seal(dek: Dek, value: bytes, cell: Cell, pad: int, nonce: bytes) -> bytes:
    head = bytes((VERSION, AES_256_GCM)) + dek.kid
    padded = len(value).to_bytes(4, "big") + value
    padded += bytes(-len(padded) % pad)
    return head + nonce + dek._seals.encrypt(nonce, padded, _bind(head, cell))


def _unseal(dek: Dek, sealed: bytes, cell: Cell) -> bytes:
    """Open a sealed value. Other packages reach this only through `vault.opening`."""
    _check_head(sealed, AES_256_GCM, OVERHEAD + BUCKET)
    if not hmac.compare_digest(sealed[2:_HEAD], dek.kid):
        raise CiphertextCorrupt("a sealed value names another key")
    try:
        padded = dek._seals.decrypt(sealed[_HEAD:_BODY], sealed[_BODY:], _bind(sealed[:_HEAD], cell))
    except InvalidTag:
        raise CiphertextCorrupt("a sealed value was moved or altered") from None
    end = 4 + int.from_bytes(padded[:4], "big")
    if end > len(padded) or len(padded) % BUCKET or any(padded[end:]):
        raise CiphertextCorrupt("a sealed value is padded wrongly")
    return padded[4:end]


def _wrap(leaf: bytes, subject: int, tree: int, dek: Dek, nonce: bytes) -> bytes:
    head = bytes((VERSION, AES_256_GCM_SIV)) + dek.kid
    bound = _bind(head, Cell(subject, "subject_key", "wrapped", b"", tree))
    return head + nonce + AESGCMSIV(leaf).encrypt(nonce, dek._key, bound)


def _check_head(sealed: bytes, algorithm: int, least: int) -> None:
    if len(sealed) < least or sealed[0] != VERSION or sealed[1] != algorithm:
        raise CiphertextCorrupt("a sealed value has no header of version 1")


def _bind(head: bytes, cell: Cell) -> bytes:
    """List what a ciphertext is bound to, each item after its length: no two cells read alike."""
    subject, table, column, row, version = cell
    where = row.encode() if isinstance(row, str) else row
    return b"".join(
        (
            *(len(head).to_bytes(4, "big"), head),
            *(_EIGHT, subject.to_bytes(8, "big")),
            prefix(table, column),
            *(len(where).to_bytes(4, "big"), where),
            *(_EIGHT, version.to_bytes(8, "big")),
        )
    )


_EIGHT = (8).to_bytes(4, "big")


@lru_cache(maxsize=1 << 10)
def prefix(*names: str) -> bytes:
    """Return names as `length_prefixed` begins with them: they are few, and said of every value."""
    return length_prefixed(*(name.encode() for name in names))


def length_prefixed(*items: bytes) -> bytes:
    """Join items so that no two different lists give the same bytes."""
    return b"".join([part for item in items for part in (len(item).to_bytes(4, "big"), item)])
