"""Types and style are checked by the tools themselves, with the settings of pyproject.toml."""

import subprocess
import sys

import pytest

from tests.architecture.tree import ROOT, modules, named


@pytest.mark.parametrize(
    "tool",
    [
        pytest.param(["mypy", "--no-error-summary"], id="types are strict"),
        pytest.param(["ruff", "check", "--quiet", "cdp", "connectors", "tests"], id="style is clean"),
        pytest.param(["ruff", "format", "--check", "--quiet", "cdp", "connectors", "tests"], id="layout is formatted"),
    ],
)
def test_the_tools_find_nothing(tool: list[str]) -> None:
    found = subprocess.run([sys.executable, "-m", *tool], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_every_test_is_a_function_with_a_sentence_for_a_name() -> None:
    short = [
        f"{named(path)}: {node.name}"
        for path, tree in modules("tests")
        for node in getattr(tree, "body", [])
        if getattr(node, "name", "").startswith("test_") and node.name.count("_") < 3
    ]
    assert not short, f"a test's name says what holds, in a sentence: {short}"
