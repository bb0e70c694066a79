"""Reads the files of `policies/`: strict YAML, notices with front matter, and one list of everything wrong.

It refuses what YAML lets pass silently: a key written twice, `NO` read as false, a date read as a date.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from marshmallow import RAISE, Schema, ValidationError, fields, validate

from cdp.errors import StartRefused


class PolicyError(StartRefused):
    """The folder of policies cannot be used; `failures` has one line per mistake, each with its file."""

    def __init__(self, failures: list[str]) -> None:
        more = f" (and {len(failures) - 1} more; see `cdp policy check`)" if len(failures) > 1 else ""
        super().__init__(f"The policies cannot be used: {failures[0]}{more}")
        self.failures = failures


@dataclass(slots=True)
class Failures:
    """Everything wrong so far: reading goes on, so that one run shows all of it."""

    lines: list[str] = field(default_factory=list)

    def add(self, where: str, what: str) -> None:
        self.lines.append(f"{where}: {what}")


@dataclass(frozen=True, slots=True)
class Documents:
    """The contents of the folder by relative path: YAML trees, and notices as text."""

    trees: Mapping[str, Any]
    notices: Mapping[str, str]

    def under(self, folder: str) -> Iterator[tuple[str, str, Any]]:
        """Yield (path, name, tree) of every YAML file of a sub-folder."""
        for path, tree in self.trees.items():
            if path.startswith(folder + "/"):
                yield path, Path(path).stem, tree


def overlaid(documents: Documents, said: Mapping[str, Any]) -> Documents:
    """Return the documents with some said otherwise: mappings are merged, all else replaced, `null` takes away.

    A key that ends in `+` adds to a list. A path of a notice holds its text, or what its front matter says otherwise.
    """
    trees, notices = dict(documents.trees), dict(documents.notices)
    for path, tree in said.items():
        kept: dict[str, Any] = notices if path.endswith(".md") else trees
        if tree is None:
            kept.pop(path, None)
        elif path.endswith(".md") and isinstance(tree, dict):
            kept[path] = _with_front(kept.get(path, ""), tree)
        else:
            kept[path] = _merged(kept.get(path), tree)
    return Documents(trees, notices)


def _with_front(text: str, said: dict[str, Any]) -> str:
    """Return a notice's text with keys of its front matter said otherwise; what has none stays as it is."""
    mark, front, body = text.split("---\n", 2) if text.count("---\n") > 1 else ("", "", "")
    if mark or not front:
        return text
    merged = yaml.safe_dump(_merged(parse(front), said), allow_unicode=True, sort_keys=False, width=1000)
    return f"---\n{merged}---\n{body}"


def _merged(old: Any, new: Any) -> Any:
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    merged = dict(old)
    for key, value in new.items():
        if key.endswith("+") and isinstance(value, list):
            merged[key[:-1]] = [*merged.get(key[:-1], []), *value]
        elif value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(merged.get(key), value)
    return merged


if TYPE_CHECKING:
    _Loader = yaml.SafeLoader
else:  # ten times faster where PyYAML was built with libyaml, and the same language
    _Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _StrictLoader(_Loader):
    """YAML without surprises."""


_StrictLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":bool", ":timestamp"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_StrictLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"true|false"), list("tf"))


def _mapping_without_duplicates(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    for key in keys:
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is no text", node.start_mark)
        if keys.count(key) > 1:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", node.start_mark)
    return loader.construct_mapping(node, deep=True)


_StrictLoader.add_constructor("tag:yaml.org,2002:map", _mapping_without_duplicates)


def parse(text: str) -> Any:
    """Read one YAML document; raises yaml.YAMLError."""
    return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader


Files = tuple[tuple[str, str | None], ...]
"""(path within the folder, text) of every file in order; None where it is not written in UTF-8."""


def read_files(folder: Path) -> Files:
    """Return what stands in a folder, hidden files left out."""
    paths = ((path, path.relative_to(folder)) for path in sorted(folder.rglob("*")) if not path.is_dir())
    return tuple((name.as_posix(), _text(path)) for path, name in paths if not any(one[0] == "." for one in name.parts))


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def read(files: Files, failures: Failures) -> Documents:
    """Return the contents of files; unreadable ones are failures, files of another kind are too."""
    trees: dict[str, Any] = {}
    notices: dict[str, str] = {}
    for name, text in files:
        path = Path(name)
        if path.suffix != ".yaml" and not (path.suffix == ".md" and name.startswith("notices/")):
            if path.name != "README.md":
                failures.add(name, "no policy is kept in a file of this kind")
        elif text is None:
            failures.add(name, "not written in UTF-8")
        elif path.suffix == ".md":
            notices[name] = text
        else:
            try:
                trees[name] = parse(text)
            except yaml.YAMLError as error:
                failures.add(name, f"not valid YAML ({getattr(error, 'problem', None) or 'unreadable'})")
    return Documents(trees, notices)


class Shape(Schema):
    """A declared thing; keys that it does not know are refused."""

    class Meta:
        unknown = RAISE


class Bilingual(Shape):
    """The same words in both languages."""

    ja = fields.String(required=True, validate=validate.Length(1))
    en = fields.String(required=True, validate=validate.Length(1))


def shaped(shape: type[Shape], tree: object, where: str, failures: Failures) -> dict[str, Any] | None:
    """Return the tree as its shape has it, or None after noting everything that differs."""
    if not isinstance(tree, dict):
        failures.add(where, "keys and values are expected here")
        return None
    try:
        return dict(_schema(shape).load(tree))
    except ValidationError as error:
        for place, what in _flat(error.messages):
            failures.add(where, f"{place}: {what}" if place else what)
        return None


@cache
def _schema(shape: type[Shape]) -> Shape:
    """Make each schema once: that takes longer than what it loads."""
    return shape()


def _flat(messages: Any, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(messages, dict):
        for key, inner in messages.items():
            yield from _flat(inner, f"{place}.{key}" if place else str(key))
    elif isinstance(messages, list):
        for inner in messages:
            yield from _flat(inner, place)
    else:
        yield place, str(messages)


def names(**options: Any) -> fields.List[Any]:
    """A list of names."""
    return fields.List(fields.String(validate=validate.Length(1)), **options)
