"""How an identifier is sealed in its row, and compared with what is sealed there."""

import json

from cdp import vault
from cdp.errors import CiphertextCorrupt
from cdp.identity.normalise import Canonical


def plaintext(name: Canonical) -> bytes:
    """Return an identifier as it is sealed."""
    return f'{{"scope":{_quoted(name.scope)},"value":{_quoted(name.value)}}}'.encode()


_quoted = json.JSONEncoder(ensure_ascii=False).encode


def cell(subject: int, namespace: str, token: bytes) -> vault.Cell:
    """Return where a sealed identifier stands."""
    return vault.Cell(subject, "identifier", "sealed", namespace.encode() + b":" + token)


def is_same(dek: vault.Dek, sealed: bytes, where: vault.Cell, name: Canonical) -> bool:
    """Whether this identifier is sealed there; what does not open is not."""
    try:
        return vault.matches(dek, sealed, where, plaintext(name))
    except CiphertextCorrupt:
        return False
