"""Names say what a thing is, and nothing in the tree knows the machine it was written on."""

import ast
import re
from pathlib import Path

from tests.architecture.tree import modules, named, ours

I_DID_NOT_FIND_THE_NOUN = {
    "util",
    "helper",
    "common",
    "core",
    "misc",
    "base",
    "manager",
    "service",
    "handler",
    "data",
    "info",
}

MACHINE = re.compile(
    r"(?:^|[^A-Za-z0-9_.])/(?:work|tmp|root|home|farm)/[a-z.]"  # a folder of somebody's machine
    r"|(?:index-url|find-links|registry) *= *[\"']?\w+://"  # where packages were fetched from
    r"|\"resolved\": *\"http",
    re.MULTILINE,
)
FAKES = re.compile(r"mock\.patch|from unittest import mock|from unittest\.mock|import unittest\.mock|\bmocker\b")
THIS_FILE = Path(__file__).resolve()


def words(name: str) -> list[str]:
    """Split `ThisName` or `this_names` into singular lower-case words."""
    return [word.lower().removesuffix("s") for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]


def is_empty_name(name: str) -> bool:
    found = words(name)
    return bool(found) and (
        found[-1] in I_DID_NOT_FIND_THE_NOUN or found[0] in I_DID_NOT_FIND_THE_NOUN - {"service", "data"}
    )


def test_no_module_has_a_name_that_means_nothing() -> None:
    bad = [
        named(path)
        for path, _ in modules("cdp", "connectors", "tests")
        if any(is_empty_name(part.removesuffix(".py")) for part in Path(named(path)).parts)
    ]
    assert not bad, f"find the noun for {bad}"


def test_no_class_has_a_name_that_means_nothing() -> None:
    bad = [
        f"{named(path)}: {node.name}"
        for path, tree in modules("cdp", "connectors", "tests")
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and is_empty_name(node.name)
    ]
    assert not bad, f"find the noun for {bad}"


def test_nothing_in_the_tree_names_a_machine_or_a_registry() -> None:
    bad = [
        f"{named(path)}:{text.count(chr(10), 0, match.start()) + 1}"
        for path in ours()
        if path != THIS_FILE
        for text in [path.read_text(encoding="utf-8", errors="replace")]
        for match in MACHINE.finditer(text)
    ]
    assert not bad, f"a reader's machine is another one: {bad}"


def test_no_test_replaces_a_part_of_the_product() -> None:
    bad = [
        named(path) for path in ours("tests") if path != THIS_FILE and FAKES.search(path.read_text(encoding="utf-8"))
    ]
    assert not bad, f"only the key store, the wire and the clock have a fake: {bad}"
