"""What the product says of itself is true: docstrings, the table of settings, the commands."""

import re
from pathlib import Path

import click
import pytest

from cdp.ops.cli import main
from cdp.settings import Settings
from tests.architecture.tree import ROOT, modules, named, ours

README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]

COMMANDS = (
    "init",
    "serve",
    "worker",
    "migrate",
    "policy check",
    "policy decide",
    "policy reasons",
    "policy apply",
    "bench decide",
    "bench settle",
    "bench identity",
    "bench stream",
    "bench rebuild",
    "client create",
    "client list",
    "client revoke",
    "connector list",
    "connector types",
    "connector check",
    "connector add",
    "connector show",
    "connector change",
    "connector declare",
    "connector drops",
    "connector confirm",
    "connector doubt",
    "connector notified",
    "connector remove",
    "import",
    "evidence list",
    "evidence show",
    "subject find",
    "subject export",
    "subject erase",
    "subject restrict",
    "subject object",
    "subject mark",
    "suppress",
    "subject rectify",
    "subject disclosures",
    "subject journey",
    "subject merge",
    "subject split",
    "subject retract",
    "subject revoke",
    "identity cases",
    "identity show",
    "identity decide",
    "identity undo",
    "identity decisions",
    "identity explain",
    "identity rebuild",
    "identity train",
    "identity propose",
    "identity proposals",
    "identity accept",
    "identity decline",
    "identity take-back",
    "request list",
    "request show",
    "request verify",
    "request tell",
    "request accept",
    "request extend",
    "request close",
    "breach record",
    "breach list",
    "breach show",
    "breach amend",
    "breach report",
    "consent receipt",
    "consent verify",
    "disclosures list",
    "disclosures show",
    "disclosures trace",
    "disclosures prune",
    "records",
    "keys status",
    "keys reindex",
    "keys rotate",
    "keys escrow",
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


@pytest.mark.parametrize("command", sorted(commands() | set(COMMANDS)))
def test_a_command_that_others_rely_on_exists_and_a_new_one_is_listed(command: str) -> None:
    assert command in commands()
    assert command in COMMANDS


def unknown(words: list[str], group: click.Command = main) -> bool:
    """Say whether the words leave the tree of commands; what follows a whole command is its arguments."""
    if not words or not isinstance(group, click.Group):
        return False
    return words[0] not in group.commands or unknown(words[1:], group.commands[words[0]])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_documents_name_no_command_that_does_not_exist(page: Path) -> None:
    code = re.findall(r"```.*?```|`[^`\n]+`", page.read_text(encoding="utf-8"), re.DOTALL)
    told = {typed for piece in code for typed in re.findall(r"(?<![\w.-])cdp ([a-z]+(?: [a-z][a-z-]*)?)", piece)}
    assert not [typed for typed in told if unknown(typed.split())]


def test_a_second_word_that_a_group_does_not_have_is_noticed() -> None:
    assert unknown(["subject", "nonsense"]) and unknown(["nonsense"])
    assert not unknown(["subject", "export"]) and not unknown(["backup", "nonsense"])


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
