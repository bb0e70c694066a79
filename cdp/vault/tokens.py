"""Keyed names for values: blind index, suppression, digests and pseudonyms, 128 bits each.

A token answers "is it the same value?" to whoever holds the key and nothing to anyone else.
Every purpose has its own key, and within it its own label, so that no token of one kind equals
one of another. Only identifiers of high cardinality may be indexed: a token of a prefecture
would be read off its frequency (Naveed, Kamara, Wright, CCS 2015).
"""

import base64
import hmac
from collections.abc import Mapping

from cdp.vault.sealing import length_prefixed, prefix

TOKEN_BYTES = 16

_FAMILIES: Mapping[str, tuple[str, ...]] = dict.fromkeys(("phone", "phone_fixed"), ("phone", "phone_fixed"))
"""Namespaces that share their tokens, under the first one's name. Whether a line is fixed is read from tables that
change, and neither a silence nor an erasure of the number may be lost by that."""


def family(namespace: str) -> tuple[str, ...]:
    """Return the namespaces in which the tokens of this one may stand; most share theirs with no other."""
    return _FAMILIES.get(namespace, (namespace,))


def index_token(key: bytes, namespace: str, scope: str, value: str) -> bytes:
    """Name an identifier in the blind index of one epoch."""
    return _keyed(key, prefix("cdp/v1/index", family(namespace)[0], scope), value.encode())


def suppression_token(key: bytes, namespace: str, scope: str, value: str) -> bytes:
    """Name an identifier that must stay unused, also after its subject is erased."""
    return _keyed(key, prefix("cdp/v1/suppression", family(namespace)[0], scope), value.encode())


def digest(key: bytes, label: str, content: bytes) -> bytes:
    """Name content under a label: message ids, fingerprints, secrets of high entropy."""
    return _keyed(key, prefix("cdp/v1/digest", label), content)


def pseudonym(key: bytes, recipient: str, person: int) -> str:
    """Name a person for one recipient; two recipients cannot join what they got."""
    name = _keyed(key, prefix("cdp/v1/pseudonym", recipient), str(person).encode())
    return base64.urlsafe_b64encode(name).rstrip(b"=").decode("ascii")


def subkey(key: bytes, label: str) -> bytes:
    """Derive a key of 256 bits for one use from one of the keyring's single keys."""
    return hmac.digest(key, length_prefixed(b"cdp/v1/subkey", label.encode()), "sha256")


def _keyed(key: bytes, label: bytes, content: bytes) -> bytes:
    return hmac.digest(key, label + len(content).to_bytes(4, "big") + content, "sha256")[:TOKEN_BYTES]
