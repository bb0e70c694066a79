"""The public keys that others check our signatures with: as a JSON Web Key, read back from what people keep them in."""

import base64
import hashlib
import json
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

LENGTH = 32


def key_id(public: bytes) -> str:
    """Name a key by its thumbprint (RFC 7638, 8037)."""
    members = {"crv": "Ed25519", "kty": "OKP", "x": text(public)}
    return text(hashlib.sha256(json.dumps(members, sort_keys=True, separators=(",", ":")).encode()).digest())


def key_set(*publics: bytes) -> dict[str, Any]:
    """Return the keys as a JSON Web Key Set."""
    return {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "use": "sig",
                "alg": "Ed25519",
                "kid": key_id(public),
                "x": text(public),
            }
            for public in publics
        ]
    }


def read_keys(content: bytes) -> list[bytes]:
    """Read Ed25519 keys from a JWKS, a JWK, PEM or 64 hexadecimal digits; raises ValueError for anything else."""
    stripped = content.strip()
    if stripped.startswith(b"{"):
        found = _from_json(stripped)
    elif stripped.startswith(b"-----BEGIN"):
        found = [_from_pem(stripped)]
    else:
        found = [bytes.fromhex(stripped.decode("ascii"))]
    if not found or not all(len(public) == LENGTH for public in found):
        raise ValueError("no Ed25519 key")
    return found


def text(raw: bytes) -> str:
    """Write bytes as JOSE does: base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def raw(encoded: str) -> bytes:
    """Read base64url without padding; raises ValueError for any other spelling of the same bytes."""
    found = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    if text(found) != encoded:
        raise ValueError("not the one spelling of base64url")
    return found


def _from_json(content: bytes) -> list[bytes]:
    read = json.loads(content)
    entries = read.get("keys", [read])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("no key set")
    return [raw(str(entry.get("x"))) for entry in entries if entry.get("crv") == "Ed25519"]


def _from_pem(content: bytes) -> bytes:
    try:
        key = load_pem_public_key(content)
    except UnsupportedAlgorithm:
        raise ValueError("no key that we know") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("no Ed25519 key")
    return key.public_bytes_raw()
