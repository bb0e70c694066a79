"""Packages depend downwards only, and the walls around opening, encrypting and the network stand."""

import io
from contextlib import redirect_stdout

from importlinter.cli import lint_imports

from tests.architecture.tree import ROOT


def test_every_import_contract_is_kept() -> None:
    said = io.StringIO()
    with redirect_stdout(said):
        status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert status == 0, said.getvalue()
