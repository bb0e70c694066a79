"""Imports a file through a source's mapping, group by group; what cannot be read goes to a file to mend.

Run again, it takes up where it stopped: a row that was received changes nothing. Rows that were
refused stand in `<file>.rejects.csv` with their reason, in the file's own encoding, for its owner only.
"""

import csv
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TextIO, cast

from cdp.connector.kit import Item
from cdp.connector.tables import Row
from cdp.db import Database
from cdp.errors import Refusal
from cdp.ingest.batches import GROUP, Outcome, Report, take
from cdp.ingest.rehearsal import Rehearsal
from cdp.ingest.rows import Read, Table, open_table

NOT_MENDABLE = frozenset({"suppressed", "erased", "unlawful"})
"""Refused for whom it is about, not for how it is written: not copied to a file."""

Progress = Callable[[int, int], None]
"""Called with rows done and lines in all."""

Beside = Callable[[Row, Item], tuple[Item, ...]]
"""What is taken in of a row: its item, and what else is known of it."""


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
    table = open_table(database, source, path)
    target = cast(Database, Rehearsal(database)) if dry_run else database
    return import_table(target, table, at, progress, group, dry_run=dry_run)


def import_table(
    database: Database,
    table: Table,
    at: datetime,
    progress: Progress,
    group: int = GROUP,
    beside: Beside = lambda row, item: (item,),
    dry_run: bool = False,
) -> FileReport:
    """Take in every row of an opened file."""
    report = FileReport(encoding=table.encoding, dry_run=dry_run)
    with Rejects(table) as rejects:
        for rows in table.read(at, group):
            told = take_rows(database, table, rows, at, beside)
            report.add(told)
            if not dry_run:
                rejects.write(zip((row for row, _ in rows), told.outcomes, strict=True))
            progress(report.rows, table.lines)
        report.rejects = rejects.written
    return report


def take_rows(database: Database, table: Table, rows: list[Read], at: datetime, beside: Beside) -> Report:
    """Take in some rows with what is known beside them, in one transaction; tells of the rows alone."""
    items: list[Item | Refusal] = []
    places = []
    for row, item in rows:
        places.append(len(items))
        items += [item] if isinstance(item, Refusal) else beside(row, item)
    told = take(database, table.config, items, at, group=max(GROUP, len(items)))
    return Report([told.outcomes[place] for place in places], told.dropped, told.entries)


@dataclass(slots=True)
class Rejects:
    """The file of refused rows, made when the first one comes; an older one is never overwritten."""

    table: Table
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
        if self.table.is_json_lines:
            file.write(json.dumps({"reason": reason, **_object(stood[0])}, ensure_ascii=False) + "\n")
        else:
            csv.writer(file, delimiter=self.table.header()[1]).writerow([reason, *stood])

    def _open(self) -> TextIO:
        path, suffix = self.table.path, ".jsonl" if self.table.is_json_lines else ".csv"
        names = (path.with_name(f"{path.name}.rejects{number}{suffix}") for number in _numbers())
        self.written = next(name for name in names if not name.exists())
        descriptor = os.open(self.written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        file = os.fdopen(descriptor, "w", encoding=self.table.encoding, newline="")
        if not self.table.is_json_lines:
            names_of_columns, delimiter = self.table.header()
            csv.writer(file, delimiter=delimiter).writerow(["reason", *names_of_columns])
        return file


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
