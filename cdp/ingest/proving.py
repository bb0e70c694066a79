"""Imports an old list with the evidence for its consents: told first, then written, then told as written.

The report before is no estimate: every row goes through all steps, with all others that it hangs together with,
in transactions that are rolled back. The report after reads what was written. Others who write meanwhile may make
the two differ; then the second is right.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import cast

from sqlmodel import Session

from cdp import gate, identity
from cdp.connector.kit import Item
from cdp.consent import proofs
from cdp.consent.bundles import Bundle
from cdp.db import Database
from cdp.ingest.batches import GROUP
from cdp.ingest.entangled import MOST_HELD, Ordering, Sharing
from cdp.ingest.evidenced import Matching, as_list
from cdp.ingest.files import FileReport, import_table, take_rows
from cdp.ingest.reach import Question, Reach, Spelling, Tally, look
from cdp.ingest.rehearsal import Rehearsal
from cdp.ingest.rows import Read, Table, open_table

Progress = Callable[[str, int, int], None]
"""Called with what is done (reading, rehearsing, writing, checking), rows done and lines in all."""


@dataclass(slots=True)
class Proving:
    """One list with its bundle; `rehearse` first, then perhaps `write`."""

    database: Database
    table: Table
    matching: Matching
    progress: Progress = lambda what, done, lines: None
    group: int = GROUP
    most_held: int = MOST_HELD
    """Rows that the rehearsal holds back for others of theirs."""
    _tally: Tally = field(init=False)

    def __post_init__(self) -> None:
        self._tally = Tally(self.matching.bundle)

    def rehearse(self, at: datetime) -> tuple[FileReport, Reach]:
        """Tell what would become of the rows and who would become reachable; nothing is changed."""
        sharing = Sharing()
        done = 0
        for rows in self.table.read(at, self.group):
            with self.database.snapshot() as session:
                self._look_through(session, rows, sharing, at)
            done += len(rows)
            self.progress("reading", done, self.table.lines)
        ordering = Ordering(sharing.groups(), self.group, self.most_held)
        report = FileReport(encoding=self.table.encoding, dry_run=True)
        for rows in ordering.arrange(self.table.read(at, self.group)):
            self._try(rows, report, at)
            self.progress("rehearsing", report.rows, self.table.lines)
        self._tally.reach.apart = ordering.apart
        return report, self._tally.reach

    def write(self, at: datetime) -> tuple[FileReport, Reach]:
        """Keep the evidence, take the rows in, and tell who is reachable by what was written."""
        with self.database.transaction() as session:
            proofs.keep(session, self.matching.bundle, self.matching.config.name, at)

        def told(done: int, lines: int) -> None:
            self.progress("writing", done, lines)

        report = import_table(self.database, self.table, at, told, self.group, self.matching.beside)
        tally, done = self._tally.again(), 0
        for rows in self.table.read(at, self.group):
            with self.database.snapshot() as session:
                found, questions = look(session, self.matching, rows)
                tally.count_rows(found)
                tally.count(questions, tally.ask(session, questions, self.database.clock.now()))
            done += len(rows)
            self.progress("checking", done, self.table.lines)
        return report, tally.reach

    def _look_through(self, session: Session, rows: list[Read], sharing: Sharing, at: datetime) -> None:
        """Remember who can be reached before, and which rows hang together."""
        found, questions = look(session, self.matching, rows)
        self._tally.count_rows(found)
        self._tally.remember(questions, self._tally.ask(session, questions, at))
        spelling = Spelling(session, self.matching.config)
        own = {row.number: spelling.keys(item) for row, item in rows if isinstance(item, Item)}
        holders = identity.having(session, {key for keys in own.values() for key in keys})
        theirs = identity.tokens_of(session, {person for people in holders.values() for person in people})
        for row, keys in own.items():
            people = {person for key in keys for person in holders.get(key, ())}
            leading = {token for _, token in keys}
            sharing.add(row, leading.union(*(theirs[person] for person in people if person in theirs)))

    def _try(self, rows: list[Read], report: FileReport, at: datetime) -> None:
        """Let these rows be taken in, look, and undo it."""
        questions: list[Question] = []
        answers: list[gate.Reached] = []

        def see(session: Session) -> None:
            questions[:] = look(session, self.matching, rows)[1]
            answers[:] = self._tally.ask(session, questions, at)

        target = cast(Database, Rehearsal(self.database, see))
        report.add(take_rows(target, self.table, rows, at, self.matching.beside))
        self._tally.count(questions, answers)


def prove(
    database: Database, source: str, path: Path, bundle: Bundle, progress: Progress = lambda what, done, lines: None
) -> Proving:
    """Open a list with its evidence; raises Problem: what `open_table` raises, and `column_missing`."""
    table = open_table(database, source, path)
    table.config = as_list(table.config)
    matching = Matching(bundle, table.config)
    if not table.is_json_lines:
        matching.check_columns(table.header()[0])
    return Proving(database, table, matching, progress)
