"""Signing a statement that stands alone, such as an erasure certificate, with the ledger's key.

The prefix keeps such a signature from ever passing for a tree head, and the other way round.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cdp.ledger.checkpoints import Signer

_PREFIX = b"sekisho attestation 1\n"


def attest(signer: Signer, statement: bytes) -> bytes:
    """Return the ledger's signature of the statement."""
    return signer._key.sign(_PREFIX + statement)


def attested(public: bytes, statement: bytes, signature: bytes) -> bool:
    """Whether the holder of this public key attested the statement."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _PREFIX + statement)
    except (InvalidSignature, ValueError):
        return False
    return True
