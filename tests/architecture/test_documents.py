"""What the product says of itself is true: docstrings, the table of settings, the commands."""

import re

import click
import pytest

from cdp.ops.cli import main
from cdp.settings import Settings
from tests.architecture.tree import ROOT, modules, named, ours

README = ROOT / "README.md"

COMMANDS = (
    "init",
    "serve",
    "worker",
    "migrate",
    "policy check",
    "policy decide",
    "client create",
    "client list",
    "client revoke",
    "connector list",
    "connector types",
    "connector check",
    "connector add",
    "connector show",
    "import",
    "subject find",
    "subject export",
    "subject erase",
    "subject restrict",
    "subject object",
    "subject rectify",
    "subject disclosures",
    "request list",
    "request verify",
    "request close",
    "subject merge",
    "subject split",
    "keys status",
    "keys rotate",
    "ledger verify",
    "backup",
    "restore",
    "doctor",
)
"""Names that other people's scripts rely on."""


def commands(group: click.Command = main, before: str = "") -> set[str]:
    """Return every command as it is typed after `cdp`."""
    if not isinstance(group, click.Group):
        return {before.strip()}
    return {typed for name, command in group.commands.items() for typed in commands(command, f"{before} {name}")}


def test_every_module_says_what_it_is() -> None:
    import ast

    silent = [named(path) for path, tree in modules("cdp", "connectors") if not ast.get_docstring(tree)]
    assert not silent


def test_every_package_says_its_purpose_in_one_line() -> None:
    import ast

    long = []
    for path, tree in modules("cdp"):
        first = (ast.get_docstring(tree) or "").split("\n")[0]
        if path.name == "__init__.py" and not first.endswith((".", ":")):
            long.append(named(path))
    assert not long, "the first line of a package's docstring is a whole sentence"


@pytest.mark.parametrize("setting", sorted(Settings.model_fields))
def test_the_readme_has_every_setting_in_its_table(setting: str) -> None:
    rows = [line for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    assert any(f"`CDP_{setting.upper()}`" in row for row in rows)


def test_the_readme_names_no_setting_that_does_not_exist() -> None:
    known = {f"CDP_{name.upper()}" for name in Settings.model_fields} | {"CDP_DEEP"}
    told = set(re.findall(r"\bCDP_[A-Z_]+\b", README.read_text(encoding="utf-8")))
    assert not told - known


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_that_others_rely_on_exists(command: str) -> None:
    assert command in commands()


def test_the_readme_names_no_command_that_does_not_exist() -> None:
    known = commands()
    starts = {words[0] for words in map(str.split, known)}
    told = re.findall(r"`cdp ([a-z]+)((?: [a-z]+)?)", README.read_text(encoding="utf-8"))
    missing = [f"{first}{second}" for first, second in told if first not in starts]
    assert not missing


def test_every_command_has_a_line_of_help() -> None:
    def silent(group: click.Command, typed: str) -> list[str]:
        below = group.commands.items() if isinstance(group, click.Group) else ()
        mine = [] if group.help else [typed]
        return mine + [found for name, command in below for found in silent(command, f"{typed} {name}")]

    assert not silent(main, "cdp")


def test_every_page_that_the_documents_link_to_exists() -> None:
    broken = [
        f"{named(path)} → {target}"
        for path in ours()
        if path.suffix == ".md" and path.name != "LICENSE"
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
        if not (path.parent / target).exists()
    ]
    assert not broken
