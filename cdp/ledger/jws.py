"""Signing a document for outsiders with the ledger's key: a detached JSON Web Signature (RFC 7515 appendix F).

What is signed begins with an encoded header, so that it never passes for a tree head or an attestation, nor
the other way round. Reading it takes no header at its word: the one that a key would have written is compared.
"""

from collections.abc import Iterable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cdp.ledger.checkpoints import Signer
from cdp.ledger.keys import key_id, raw, text


def sign_detached(signer: Signer, kind: str, payload: bytes) -> str:
    """Return `header..signature` over the payload; `kind` is the header's `typ`."""
    header = _header(kind, signer.public)
    return f"{header}..{text(signer._key.sign(_input(header, payload)))}"


def claimed_by(publics: Iterable[bytes], kind: str, jws: str) -> bytes | None:
    """Return which of these keys a signature says it is of; nothing is verified."""
    header = jws.partition("..")[0]
    return next((public for public in publics if _header(kind, public) == header), None)


def verifies(public: bytes, kind: str, payload: bytes, jws: str) -> bool:
    """Whether the holder of this key signed the payload as this kind of document."""
    header, _, signature = jws.partition("..")
    try:
        if header != _header(kind, public):
            return False
        Ed25519PublicKey.from_public_bytes(public).verify(raw(signature), _input(header, payload))
    except (InvalidSignature, ValueError):
        return False
    return True


def _header(kind: str, public: bytes) -> str:
    # The name that says which curve (RFC 9864); the older `EdDSA` is deprecated, and receipts are kept for years.
    return text(f'{{"alg":"Ed25519","kid":"{key_id(public)}","typ":"{kind}"}}'.encode())


def _input(header: str, payload: bytes) -> bytes:
    return f"{header}.{text(payload)}".encode("ascii")
