"""Which rows of an old list are consents that an evidence bundle speaks for, and what each of them says (ruling R13).

A row that says no itself is covered by nothing, nor is one from outside the cohort's period. A row without a
readable time of the act counts as the first day of the period, the earliest that is possible, and is proven in
part at most (law.md 4.5-3). The consent goes beside the row's own item: a list that was imported before without
its proof is not taken in again for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from hashlib import sha256

from cdp.connector import cells
from cdp.connector.kit import Claim, Item, Signal, SourceConfig
from cdp.connector.reading import Malformed
from cdp.connector.tables import Row
from cdp.consent.bundles import Bundle, Graded
from cdp.consent.evidence import Rows
from cdp.consent.rules import IMPORT, INVALID_METHODS
from cdp.errors import FieldError, Problem
from cdp.ingest.batch import NO_STATUSES
from cdp.policy.terms import CONTACT_CHANNELS

EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)
"""When an act of no known time and period took place; what is older counts as a broken clock."""


@dataclass(frozen=True, slots=True)
class Proven:
    """One row's consent, as far as it is proven."""

    place: int
    """Which cohort, by its place in the bundle."""
    evidence: str
    contact: Claim | None
    item: Item | None
    """None where the row has no contact point to be recorded for."""


@dataclass(slots=True)
class Found:
    """What the bundle says of one row."""

    item: Item
    """The row's own item, without the unproven claims that a cohort speaks for."""
    proven: list[Proven] = field(default_factory=list)
    says_no: int = 0
    outside_period: int = 0

    @property
    def items(self) -> tuple[Item, ...]:
        return (self.item, *(one.item for one in self.proven if one.item is not None))

    @property
    def unproven_claims(self) -> int:
        """How many claims of a yes in the row itself no cohort speaks for."""
        return sum(signal.status == "unknown" for signal in self.item.signals)


@dataclass(slots=True)
class Matching:
    """A bundle over the rows of a source's file."""

    bundle: Bundle
    config: SourceConfig
    _folded: dict[tuple[str, ...], dict[str, str]] = field(default_factory=dict)

    def check_columns(self, names: Sequence[str]) -> None:
        """Refuse a bundle that speaks of columns which the file does not have; raises Problem 400."""
        known = {cells.fold(name) for name in names}
        wrong = [
            FieldError(f"/cohorts/{place}/{where}", "The file has no such column.")
            for place, one in enumerate(self.bundle.cohorts)
            for where, column in (("rows/column", one.cohort.rows.column), ("time", one.cohort.time))
            if column and cells.fold(column) not in known
        ]
        if wrong:
            raise Problem(400, "column_missing", "The evidence bundle does not fit the file:", wrong)

    def beside(self, row: Row, item: Item) -> tuple[Item, ...]:
        """Return the row's item and its consents."""
        return self.find(row, item).items

    def find(self, row: Row, item: Item) -> Found:
        """Say what the bundle says of the row; of cohorts for one purpose and channel the first one speaks."""
        found, spoken = Found(item), set[tuple[str, str]]()
        named = self._named(row)
        for place, graded in enumerate(self.bundle.cohorts):
            use = (graded.cohort.purpose, graded.cohort.channel)
            if use in spoken or not _covers(graded.cohort.rows, named):
                continue
            if _says_no(item, *use):
                found.says_no += 1
                continue
            when, is_outside = self._when(graded, named)
            if is_outside:
                found.outside_period += 1
                continue
            spoken.add(use)
            found.proven.append(_proven(place, graded, item, when))
        found.item = _without_claims(item, spoken)
        return found

    def _named(self, row: Row) -> Mapping[str, str]:
        """Return the row's cells by folded column name."""
        if row.cells is None:
            return {}
        columns = tuple(row.cells)
        if columns not in self._folded:
            self._folded[columns] = {name: cells.fold(name) for name in columns}
        folded = self._folded[columns]
        return {folded[name]: cell for name, cell in row.cells.items()}

    def _when(self, graded: Graded, named: Mapping[str, str]) -> tuple[datetime | None, bool]:
        """Return the time of the act, None where it cannot be read, and whether it lies outside the period."""
        cohort = graded.cohort
        cell = cells.clean(named.get(cells.fold(cohort.time), "")) if cohort.time else ""
        try:
            when = cells.read_instant(cell, self.config.settings.get("date_order", ""), self.config.region)
        except Malformed:
            return None, False
        day = when.astimezone(cells.JAPAN if self.config.region == "JP" else UTC).date()
        early = cohort.first_day is not None and day < cohort.first_day
        return when, early or (cohort.last_day is not None and day > cohort.last_day)


def as_list(config: SourceConfig) -> SourceConfig:
    """Return the source as one that speaks for nobody: what it brings is a list's word, and revives no one."""
    return replace(config, actor=IMPORT, readmits=False)


def _covers(rows: Rows, named: Mapping[str, str]) -> bool:
    if not rows.column:
        return True
    cell = named.get(cells.fold(rows.column))
    return cell is not None and cells.fold(cell) in {cells.fold(one) for one in rows.equals}


def _says_no(item: Item, purpose: str, channel: str) -> bool:
    said = any(
        signal.status in NO_STATUSES and signal.purpose in (purpose, "*") and signal.channel in (channel, "*")
        for signal in item.signals
    )
    return said or any(silence.channel in (channel, "*") for silence in item.silences)


def _proven(place: int, graded: Graded, item: Item, when: datetime | None) -> Proven:
    cohort = graded.cohort
    evidence = "partial" if when is None and graded.grade.evidence == "full" else graded.grade.evidence
    needed = CONTACT_CHANNELS.get(cohort.channel)
    contact = next((claim for claim in item.claims if needed and claim.type in needed), None)
    if needed and contact is None:
        return Proven(place, evidence, None, None)
    first = datetime.combine(cohort.first_day, time(), UTC) if cohort.first_day else EARLIEST
    said = Item(
        at=max(when or first, EARLIEST),
        claims=item.claims,
        message_id=sha256(f"{item.message_id} {graded.id}".encode()).hexdigest(),
        signals=(_signal(graded, evidence, contact),),
        pointer=item.pointer,
    )
    return Proven(place, evidence, contact, said)


def _signal(graded: Graded, evidence: str, contact: Claim | None) -> Signal:
    """Say what a covered row says; what is no consent is named as it was asked, so that it is kept as invalid."""
    cohort = graded.cohort
    is_invalid = cohort.method in INVALID_METHODS
    return Signal(
        purpose=cohort.purpose,
        channel=cohort.channel,
        status="unknown" if evidence == "none" and not is_invalid else "given",
        act=True,
        method=cohort.method if is_invalid else IMPORT,
        notice=cohort.notice,
        notice_version=cohort.notice_version,
        language=cohort.language,
        evidence=evidence,
        contact=contact,
        evidenced_by=graded.id,
    )


def _without_claims(item: Item, spoken: set[tuple[str, str]]) -> Item:
    kept = tuple(_left(item.signals, spoken))
    return item if len(kept) == len(item.signals) else replace(item, signals=kept)


def _left(signals: Sequence[Signal], spoken: set[tuple[str, str]]) -> Iterator[Signal]:
    for signal in signals:
        if signal.status != "unknown" or (signal.purpose, signal.channel) not in spoken:
            yield signal
