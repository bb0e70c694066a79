"""Takes the declared fields out of what a vendor sent, and names what was left out; pure.

A field is taken only where something declares it, whole paths at a time: an object under a
declared name is not taken with it, since it may hold anything; `name.*` takes all of it.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

MOST_NAMES = 50
"""Most names of dropped fields that one item reports: names come from outside and may be endless."""

_NAME = re.compile(r"[^\W\d][\w .:/()（）・%\-\[\]]{0,79}")
_LONG_NUMBER = re.compile(r"\d{4}")

Tree = dict[str, "Tree"]


def at_path(value: Any, path: str) -> Any:
    """Return what stands at a dotted path through objects, or None."""
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def pick(properties: Mapping[str, Any], paths: tuple[str, ...]) -> tuple[dict[str, Any], list[str]]:
    """Return the declared part of the properties, and the names of what nothing declares."""
    dropped: list[str] = []
    return _pick(properties, _tree(paths), "", dropped), clean_names(dropped)


def rename(fields: Mapping[str, Any], names: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Return the values at the declared paths under their own names, and what nothing declares.

    A name with a dot becomes a part of an object (`address.city`). Where two paths lead to one
    name the first that is declared and filled wins.
    """
    kept, dropped = pick(fields, tuple(names))
    renamed: dict[str, Any] = {}
    for path, name in names.items():
        put(renamed, name, at_path(kept, path))
    return renamed, dropped


def put(traits: dict[str, Any], name: str, value: Any) -> None:
    """Set a trait, or a part of one, that was not set before; nothing is set to nothing."""
    if value in (None, "", []):
        return
    whole, _, part = name.partition(".")
    if part:
        traits.setdefault(whole, {}).setdefault(part, value)
    else:
        traits.setdefault(name, value)


def clean_names(names: Iterable[str]) -> list[str]:
    """Return names fit for a report: one that does not look like a field's name may be a value, and is `*`."""
    seen = dict.fromkeys(clean_name(name) for name in names)
    return list(seen)[:MOST_NAMES]


def clean_name(name: object) -> str:
    """Return the name as it may be reported."""
    text = str(name)
    return text if _NAME.fullmatch(text) and not _LONG_NUMBER.search(text) else "*"


@lru_cache(maxsize=1024)
def _tree(paths: tuple[str, ...]) -> Tree:
    root: Tree = {}
    for path in paths:
        node = root
        for part in path.split("."):
            node = node.setdefault(part, {})
    return root


def _pick(value: Mapping[str, Any], tree: Tree, prefix: str, dropped: list[str]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, inner in value.items():
        path = f"{prefix}{name}"
        if name not in tree:
            dropped.append(path)
        elif (taken := _take(inner, tree[name], path, dropped)) is not None:
            kept[name] = taken
    return kept


def _take(value: Any, tree: Tree, path: str, dropped: list[str]) -> Any:
    if "*" in tree:
        return value
    if isinstance(value, list):
        taken = (_take(one, tree, path, dropped) for one in value)
        return [one for one in taken if one is not None]
    if isinstance(value, Mapping):
        if not tree:
            dropped.append(path)
            return None
        return _pick(value, tree, f"{path}.", dropped)
    if tree and value is not None:
        dropped.append(path)
        return None
    return value
