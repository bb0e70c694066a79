"""The checkout as the tests about the code see it: files of ours, nothing that a tool made."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MADE_BY_TOOLS = {"__pycache__", "build", "dist", "node_modules"}
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".html", ".css", ".js", ".mako", ".sh", ".json", ".txt", ".cfg", ".ini"}
WITHOUT_SUFFIX = {"Makefile", "run"}


def ours(folder: str = "") -> Iterator[Path]:
    """Yield every text file that a person wrote, below the folder."""
    for path in sorted((ROOT / folder).rglob("*")):
        if path.is_file() and _is_ours(path) and (path.suffix in TEXT or path.name in WITHOUT_SUFFIX):
            yield path


def modules(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    """Yield every Python file below the folders with its syntax tree."""
    for folder in folders:
        for path in ours(folder):
            if path.suffix == ".py":
                yield path, ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def named(path: Path) -> str:
    """Return the path as a reader of the repository would write it."""
    return path.relative_to(ROOT).as_posix()


def _is_ours(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    return not any(
        part in MADE_BY_TOOLS or part.endswith(".egg-info") or (part.startswith(".") and part != ".ci")
        for part in parts
    )
