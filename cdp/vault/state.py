"""What a keyring holds, as a value: trees, index keys by epoch, and five single keys.

Written as two lines: format and checksum, then JSON. The checksum finds damage, not forgery:
whoever can write the keyring has every key already.
"""

import base64
import hashlib
import json
import os
from dataclasses import dataclass, field, replace
from typing import Any

from cdp.ids import new_id
from cdp.vault.tree import Tree

FORMAT = "sekisho-keyring-1"
SINGLE_KEYS = ("suppression", "digest", "pseudonym", "credential", "ledger")


class Damaged(ValueError):
    """These bytes are not a whole keyring."""


@dataclass(frozen=True, slots=True)
class State:
    """One version of a keyring."""

    id: str
    version: int
    trees: dict[int, Tree] = field(repr=False)
    since: dict[int, int]
    """When each tree was started, in seconds since 1970."""
    index: dict[int, bytes] = field(repr=False)
    keys: dict[str, bytes] = field(repr=False)

    def __reduce__(self) -> str:
        raise TypeError("keys are not pickled")

    @property
    def generation(self) -> int:
        """The tree that new data keys hang on."""
        return max(self.trees)

    @property
    def epoch(self) -> int:
        """The index epoch that new tokens are written in."""
        return max(self.index)

    def next(self, **changes: Any) -> "State":
        return replace(self, version=self.version + 1, **changes)


def new_state(now: int) -> State:
    """Make a keyring of fresh random keys."""
    keys = {name: os.urandom(32) for name in SINGLE_KEYS}
    return State(new_id(), 1, {1: Tree.grow()}, {1: now}, {1: os.urandom(32)}, keys)


def encode(state: State) -> bytes:
    """Write a state as text."""
    body = {
        "id": state.id,
        "version": state.version,
        "trees": {
            str(number): {"since": state.since[number], "nodes": _text(tree.pack())}
            for number, tree in state.trees.items()
        },
        "index": {str(epoch): _text(key) for epoch, key in state.index.items()},
        "keys": {name: _text(key) for name, key in state.keys.items()},
    }
    line = json.dumps(body, separators=(",", ":")).encode("ascii") + b"\n"
    return f"{FORMAT} {hashlib.sha256(line).hexdigest()}\n".encode("ascii") + line


def decode(content: bytes) -> State:
    """Read a state; raises Damaged for anything but a whole keyring of this format."""
    head, _, line = content.partition(b"\n")
    if head != f"{FORMAT} {hashlib.sha256(line).hexdigest()}".encode("ascii"):
        raise Damaged("not a whole keyring")
    try:
        return _state(json.loads(line))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Damaged("not a whole keyring") from None


def _state(body: dict[str, Any]) -> State:
    trees = {int(number): Tree.unpack(_bytes(tree["nodes"])) for number, tree in body["trees"].items()}
    since = {int(number): int(tree["since"]) for number, tree in body["trees"].items()}
    index = {int(epoch): _bytes(key) for epoch, key in body["index"].items()}
    keys = {name: _bytes(body["keys"][name]) for name in SINGLE_KEYS}
    if not trees or not index or any(len(key) != 32 for key in (*index.values(), *keys.values())):
        raise Damaged
    return State(str(body["id"]), int(body["version"]), trees, since, index, keys)


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
