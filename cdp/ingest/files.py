"""Imports a file through a source's mapping, group by group; what cannot be read goes to a file to mend.

Run again, it takes up where it stopped: a row that was received changes nothing. Rows that were
refused stand in `<file>.rejects.csv` with their reason, in the file's own encoding, for its owner only.
"""

import csv
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TextIO, TypeVar, cast

from sqlmodel import Session

from cdp.connector.kit import FileSource, Item, RowReader, SourceConfig
from cdp.connector.tables import Row, detect_encoding, read_header, read_rows
from cdp.db import Database, chunked
from cdp.errors import Problem, Refusal
from cdp.ingest import sources
from cdp.ingest.batches import GROUP, Outcome, Report, take

JSON_LINES = frozenset({".jsonl", ".ndjson"})
NOT_MENDABLE = frozenset({"suppressed", "erased", "unlawful"})
"""Refused for whom it is about, not for how it is written: not copied to a file."""
PIECE = 1 << 20

T = TypeVar("T")

Progress = Callable[[int, int], None]
"""Called with rows done and lines in all."""


@dataclass(slots=True)
class FileReport:
    """What became of a file's rows; names and reasons, never values."""

    rows: int = 0
    accepted: int = 0
    duplicates: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(what, reason) → how often: `field:<column>` …"""
    entries: list[str] = field(default_factory=list)
    """The ledger's entries."""
    rejects: Path | None = None
    """Where the refused rows stand, to mend and run again."""
    encoding: str = ""
    dry_run: bool = False

    def add(self, report: Report) -> None:
        self.rows += len(report.outcomes)
        self.accepted += report.accepted
        self.duplicates += report.duplicates
        self.refused += report.refused
        self.dropped += report.dropped
        self.entries += report.entries


def import_file(
    database: Database,
    source: str,
    path: Path,
    at: datetime,
    dry_run: bool = False,
    progress: Progress = lambda done, lines: None,
    group: int = GROUP,
) -> FileReport:
    """Take in every row of the file, `group` rows at once; a dry run tells the same and changes nothing.

    Raises Problem: no_such_file, unknown_source, no_file_source, encoding_unknown, layout_unknown.
    """
    if not path.is_file():
        raise Problem(400, "no_such_file", "There is no such file.")
    config, reader = _reader(database, source)
    lines, encoding = _survey(path)
    json_lines = path.suffix.lower() in JSON_LINES
    target = cast(Database, Rehearsal(database)) if dry_run else database
    report = FileReport(encoding=encoding, dry_run=dry_run)
    with path.open(encoding=encoding, newline="") as file, Rejects(path, encoding, json_lines) as rejects:
        plan = Plans(reader, config)
        for rows in chunked(read_rows(file, json_lines), group):
            items = [plan.read(row, at) for row in rows]
            told = take(target, config, items, at)
            report.add(told)
            if not dry_run:
                rejects.write(zip(rows, told.outcomes, strict=True))
            progress(report.rows, lines)
        report.rejects = rejects.written
    return report


class Undone(Exception):
    """Ends a rehearsal's transaction."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A database whose transactions do everything and keep nothing."""

    database: Database

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Open a transaction that is rolled back."""
        with suppress(Undone), self.database.transaction() as session:
            yield session
            raise Undone

    def attempt(self, work: Callable[[Session], T]) -> T:
        """Do the work in a transaction that is rolled back."""
        with self.transaction() as session:
            return work(session)


@dataclass(slots=True)
class Plans:
    """How rows are read, decided once for each set of columns."""

    source: FileSource
    config: SourceConfig
    made: dict[tuple[str, ...], RowReader] = field(default_factory=dict)

    def read(self, row: Row, at: datetime) -> Item | Refusal:
        """Return the row's item; raises Problem (layout_unknown) for columns that fit no layout."""
        pointer = f"row {row.number}"
        if row.cells is None:
            return Refusal("row_malformed", pointer)
        columns = tuple(row.cells)
        if columns not in self.made:
            plan = self.source.plan(columns, self.config)
            if isinstance(plan, Refusal):
                raise Problem(400, plan.reason, "The columns fit no layout; name one with the setting `layout`.")
            self.made[columns] = plan
        return self.made[columns](row.cells, pointer, at)


@dataclass(slots=True)
class Rejects:
    """The file of refused rows, made when the first one comes; an older one is never overwritten."""

    path: Path
    encoding: str
    json_lines: bool
    written: Path | None = None
    _file: TextIO | None = field(default=None, repr=False)

    def __enter__(self) -> "Rejects":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, told: Iterable[tuple[Row, Outcome]]) -> None:
        """Add the rows that were refused for how they are written."""
        for row, outcome in told:
            if outcome.status == "refused" and outcome.reason not in NOT_MENDABLE:
                self._write(row.stood, outcome)

    def _write(self, stood: list[str], outcome: Outcome) -> None:
        file = self._file = self._file or self._open()
        reason = outcome.reason + (
            f" ({column})" if (column := outcome.where.partition(" ")[2].partition(" ")[2]) else ""
        )
        if self.json_lines:
            file.write(json.dumps({"reason": reason, **_object(stood[0])}, ensure_ascii=False) + "\n")
        else:
            csv.writer(file, delimiter=self._header()[1]).writerow([reason, *stood])

    def _open(self) -> TextIO:
        suffix = ".jsonl" if self.json_lines else ".csv"
        names = (self.path.with_name(f"{self.path.name}.rejects{number}{suffix}") for number in _numbers())
        self.written = next(name for name in names if not name.exists())
        descriptor = os.open(self.written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        file = os.fdopen(descriptor, "w", encoding=self.encoding, newline="")
        if not self.json_lines:
            names_of_columns, delimiter = self._header()
            csv.writer(file, delimiter=delimiter).writerow(["reason", *names_of_columns])
        return file

    def _header(self) -> tuple[list[str], str]:
        with self.path.open(encoding=self.encoding, newline="") as file:
            return read_header(file.readline())


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


def _object(line: str) -> dict[str, object]:
    try:
        parsed = json.loads(line)
    except (ValueError, RecursionError):
        parsed = None
    return parsed if isinstance(parsed, dict) else {"line": line}


def _numbers() -> Iterator[str]:
    yield ""
    number = 2
    while True:
        yield f".{number}"
        number += 1
