"""Reads `policies/notices/<name>.<version>.<language>.md`: the exact words shown, and what they tell.

A notice names where it tells each mandatory item (GDPR 13, APPI 21, 27(5), 28(2)); the heading must be
there, with words under it. A short notice may stand before a longer one (`layer_of`), which then tells
the rest. Versions are ordered by the day of publication; the first is always material.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, TypeAlias

import yaml
from marshmallow import ValidationError, fields

from cdp.policy.documents import Documents, Failures, Shape, names, parse, shaped
from cdp.policy.terms import Notice, Purpose

LANGUAGES = ("ja", "en")
FIRST_LAYER = frozenset({"controller", "purposes", "recipients", "withdrawal"})
"""What even the shortest notice tells by itself."""
MANDATORY = FIRST_LAYER | {
    "contact",
    "bases",
    "transfers",
    "retention",
    "rights",
    "complaint",
    "necessity",
    "automated_decisions",
}
"""GDPR 13(1)-(2); the purposes are also APPI 21's."""
SOMETIMES = frozenset(
    {"interests", "joint_use", "foreign_country", "foreign_system", "foreign_measures", "transfer_risks"}
)
"""`transfer_risks`: what a consent under GDPR 49(1)(a) must have been told of."""
FOREIGN = frozenset({"foreign_country", "foreign_system", "foreign_measures"})

Key: TypeAlias = tuple[str, str, str]

_FILE = re.compile(r"notices/(?P<name>[a-z0-9_]+)\.(?P<version>[0-9A-Za-z_-]+)\.(?P<language>[a-z]{2})\.md\Z")
_FRONT = re.compile(r"---\n(.*?)\n---\n(.*)\Z", re.DOTALL)


class _Materiality(fields.Field[Any]):
    """`true`, `false`, or the purposes for which something material changed."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> bool | tuple[str, ...]:
        if isinstance(value, bool):
            return value
        if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
            return tuple(value)
        raise ValidationError("true, false, or a list of purposes.")


class _NoticeShape(Shape):
    title = fields.String(required=True)
    published = fields.Date(required=True)
    material = _Materiality(required=True)
    brand = fields.String(load_default="")
    purposes = names(required=True)
    recipients = names(load_default=list)
    layer_of = fields.String(load_default="")
    items = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


def read_notices(documents: Documents, failures: Failures) -> dict[Key, Notice]:
    """Return every version of every notice in every language."""
    found: dict[Key, Notice] = {}
    layers: dict[Key, str] = {}
    for path, text in documents.notices.items():
        name = _FILE.match(path)
        front = _FRONT.match(text)
        if name is None or name["language"] not in LANGUAGES:
            failures.add(path, "a notice is named <name>.<version>.<ja|en>.md")
        elif front is None:
            failures.add(path, "the front matter between two lines of --- is missing")
        else:
            shape = _front_matter(front[1], path, failures)
            if shape is not None:
                key = (name["name"], name["version"], name["language"])
                found[key] = _notice(key, shape, text, front[2].strip())
                layers[key] = shape["layer_of"]
                _check_headings(shape["items"], front[2], path, failures)
    _check_layers(found, layers, failures)
    _check_translations(found, failures)
    return found


def file_of(key: Key) -> str:
    """Return the file that holds this notice."""
    return "notices/{}.{}.{}.md".format(*key)


def _front_matter(text: str, path: str, failures: Failures) -> dict[str, Any] | None:
    try:
        return shaped(_NoticeShape, parse(text), path, failures)
    except yaml.YAMLError:
        failures.add(path, "the front matter is not valid YAML")
        return None


def _notice(key: Key, shape: dict[str, Any], text: str, body: str) -> Notice:
    return Notice(
        *key,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        material=shape["material"],
        published=shape["published"],
        purposes=tuple(shape["purposes"]),
        recipients=tuple(shape["recipients"]),
        items=tuple(sorted(shape["items"])),
        title=shape["title"],
        brand=shape["brand"],
        body=body,
    )


def _check_headings(items: Mapping[str, str], body: str, path: str, failures: Failures) -> None:
    sections = {}
    for section in re.split(r"^#+ ", body, flags=re.MULTILINE)[1:]:
        heading, _, words = section.partition("\n")
        sections[heading.strip()] = words.strip()
    for item, heading in items.items():
        if item not in MANDATORY | SOMETIMES:
            failures.add(path, f"items: {item} is no item that a notice tells")
        elif not sections.get(heading):
            failures.add(path, f"items: nothing is told of {item} under the heading {heading!r}")


def _check_layers(found: Mapping[Key, Notice], layers: Mapping[Key, str], failures: Failures) -> None:
    for key, notice in found.items():
        told, needed = set(notice.items), MANDATORY
        behind = layers[key]
        if behind:
            longer = [one for other, one in found.items() if other[0] == behind and other[2] == key[2]]
            if not longer or not all(set(one.items) >= MANDATORY for one in longer):
                failures.add(file_of(key), f"layer_of: {behind} does not tell everything in this language")
            needed = FIRST_LAYER
        for item in sorted(needed - told):
            failures.add(file_of(key), f"the mandatory item {item} is missing (GDPR 13, APPI 21)")


def _check_translations(found: Mapping[Key, Notice], failures: Failures) -> None:
    for (name, version, language), notice in found.items():
        for other in LANGUAGES:
            twin = found.get((name, version, other))
            if twin is None:
                failures.add(file_of((name, version, language)), f"the same version is missing in {other}")
            elif _terms(twin) != _terms(notice):
                failures.add(file_of((name, version, language)), f"says something else than its version in {other}")


def _terms(notice: Notice) -> tuple[object, ...]:
    return (
        notice.published,
        notice.material,
        notice.brand,
        sorted(notice.purposes),
        sorted(notice.recipients),
        notice.items,
    )


def standing_versions(notices: Iterable[Notice], purpose: str, on: date) -> tuple[list[tuple[str, str]], ...]:
    """Return which (notice, version) name the purpose and still count on the day, and which no longer do."""
    published = sorted({(one.name, one.published, one.version): one for one in notices if one.published <= on}.items())
    current: list[tuple[str, str]] = []
    superseded: list[tuple[str, str]] = []
    for name in sorted({key[0] for key, _ in published}):
        versions = [one for key, one in published if key[0] == name]
        naming = [n for n, one in enumerate(versions) if purpose in one.purposes]
        if not naming:
            continue
        oldest = max(n for n in naming if versions[n].is_material_for(purpose) or n == naming[0])
        for n in naming:
            (current if n >= oldest else superseded).append((name, versions[n].version))
    return current, superseded


def needed_items(purpose: Purpose, kinds: set[str], roles: set[str], rests_abroad: bool) -> set[str]:
    """Return the items that a notice of this purpose must tell beyond the mandatory ones."""
    needed = {"interests"} if "legitimate_interests" in kinds else set()
    needed |= {"joint_use"} if "joint_user" in roles else set()
    return needed | (FOREIGN if rests_abroad else set())
