"""Names sealed identifiers anew under the newest key of the blind index; they are opened here and given to nobody.

No older key is needed for it: the value is read from where it is sealed, so that what a destroyed key had named can
still be found again.
"""

import json
from collections.abc import Callable
from typing import NamedTuple

from cdp.vault.sealing import Cell, Dek, _unseal, seal
from cdp.vault.state import State
from cdp.vault.tokens import index_token


class Renamed(NamedTuple):
    """An identifier under the newest key."""

    token: bytes
    sealed: bytes
    """Sealed anew, since where it stands is bound to its token."""


def rename(keys: State, dek: Dek, sealed: bytes, here: Cell, namespace: str, there: Callable[[bytes], Cell]) -> Renamed:
    """Return the token of a sealed identifier in the newest epoch, and the value sealed for where that token stands.

    Newest by `keys`: give the same ones for all that has to agree, for an epoch may begin at any instant.
    `sealed` is JSON of scope and value. Raises CiphertextCorrupt when it was moved, altered or truncated.
    """
    content = _unseal(dek, sealed, here)
    known = json.loads(content)
    token = index_token(keys.index[keys.epoch], namespace, known["scope"], known["value"])
    return Renamed(token, seal(dek, content, there(token)))
