"""A file as its source's mapping reads it: looked through once for its encoding, then read group by group."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from cdp.connector.kit import FileSource, Item, RowReader, SourceConfig
from cdp.connector.tables import Row, detect_encoding, read_header, read_rows
from cdp.db import Database, chunked
from cdp.errors import Problem, Refusal
from cdp.ingest import sources

JSON_LINES = frozenset({".jsonl", ".ndjson"})
PIECE = 1 << 20

Read: TypeAlias = tuple[Row, Item | Refusal]


@dataclass(slots=True)
class Table:
    """One file of one source."""

    path: Path
    config: SourceConfig
    source: FileSource
    lines: int
    encoding: str
    made: dict[tuple[str, ...], RowReader] = field(default_factory=dict)
    """How rows are read, decided once for each set of columns."""

    @property
    def is_json_lines(self) -> bool:
        return self.path.suffix.lower() in JSON_LINES

    def read(self, at: datetime, group: int) -> Iterator[list[Read]]:
        """Yield its rows, `group` at once; raises Problem (layout_unknown) for columns that fit no layout."""
        with self.path.open(encoding=self.encoding, newline="") as file:
            for rows in chunked(read_rows(file, self.is_json_lines), group):
                yield [(row, self._item(row, at)) for row in rows]

    def header(self) -> tuple[list[str], str]:
        """Return the names of its columns and the delimiter between them."""
        with self.path.open(encoding=self.encoding, newline="") as file:
            return read_header(file.readline())

    def _item(self, row: Row, at: datetime) -> Item | Refusal:
        pointer = f"row {row.number}"
        if row.cells is None:
            return Refusal("row_malformed", pointer)
        columns = tuple(row.cells)
        if columns not in self.made:
            self.made[columns] = self._plan(columns)
        return self.made[columns](row.cells, pointer, at)

    def _plan(self, columns: Sequence[str]) -> RowReader:
        plan = self.source.plan(columns, self.config)
        if isinstance(plan, Refusal):
            raise Problem(400, plan.reason, "The columns fit no layout; name one with the setting `layout`.")
        return plan


def open_table(database: Database, source: str, path: Path) -> Table:
    """Look the file through and return it as its source reads it.

    Raises Problem: no_such_file, unknown_source, no_file_source, encoding_unknown.
    """
    if not path.is_file():
        raise Problem(400, "no_such_file", "There is no such file.")
    config, reader = _reader(database, source)
    lines, encoding = _survey(path)
    return Table(path, config, reader, lines, encoding)


def _reader(database: Database, name: str) -> tuple[SourceConfig, FileSource]:
    with database.snapshot() as session:
        source = sources.get(session, name)
        reader = sources.type_of(session, source.type).source
        if not isinstance(reader, FileSource):
            raise Problem(400, "no_file_source", "This source takes no files; add one of type csv.")
        return sources.configured(session, source), reader


def _survey(path: Path) -> tuple[int, str]:
    """Read the file through once; returns its lines and its encoding."""
    lines = 0

    def pieces() -> Iterator[bytes]:
        nonlocal lines
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                lines += piece.count(b"\n")
                yield piece

    encoding = detect_encoding(pieces())
    return lines, encoding
