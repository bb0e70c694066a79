"""Files as shops and CRMs export them: HubSpot, Salesforce, Japanese retail, orders; CSV or JSON lines.

An import never makes consent of a flag: an opt-in without evidence is `unknown`, an opt-out is a
withdrawal. A row is named by its content, so that the same row again changes nothing. Refuses
rows with no identifier, with cells that cannot be read, or that do not fit the header.
"""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from cdp.connector import cells
from cdp.connector.kit import COLUMN_KINDS, Claim, FileSource, Incoming, Item, RowReader, Signal, Silence, SourceConfig
from cdp.connector.mapping import clean_names, put
from cdp.connector.reading import LONGEST, Malformed, is_storable
from cdp.connector.tables import detect_encoding, read_rows
from cdp.errors import Problem, Refusal
from cdp.policy.terms import CONTACT_CHANNELS


class Csv(FileSource):
    """Rows of files."""

    def verify(self, incoming: Incoming, credentials: Mapping[str, str], at: datetime) -> Refusal | None:
        return None  # a file is handed over by an operator, not by a stranger

    def welcome(self, config: SourceConfig) -> list[tuple[str, str]]:
        return [("import", f"cdp import FILE --source {config.name}")]

    def read(self, incoming: Incoming, config: SourceConfig) -> Iterator[Item | Refusal]:
        text = incoming.body.decode(detect_encoding([incoming.body]))
        plans: dict[tuple[str, ...], RowReader | Refusal] = {}
        for row in read_rows(io.StringIO(text, newline=""), json_lines=text.lstrip().startswith("{")):
            pointer = f"row {row.number}"
            if row.cells is None:
                yield Refusal("row_malformed", pointer)
                continue
            plan = plans.setdefault(tuple(row.cells), self.plan(list(row.cells), config))
            if isinstance(plan, Refusal):
                raise Problem(400, plan.reason, "The columns fit no layout of this source.")
            yield plan(row.cells, pointer, incoming.at)

    def plan(self, columns: Sequence[str], config: SourceConfig) -> RowReader | Refusal:
        by_fold = {cells.fold(column): column for column in columns}
        wanted = config.settings.get("layout", "auto")
        layouts = config.layouts.values() if wanted == "auto" else [config.layouts[wanted]]
        fitting = [layout for layout in layouts if _fits(layout, by_fold)]
        if not fitting:
            return Refusal("layout_unknown")
        layout = max(fitting, key=lambda one: len(_targets(one, by_fold)))
        targets = _targets(layout, by_fold) | {
            by_fold[key]: f"text:{trait}"
            for path, trait in config.trait_paths.items()
            if (key := cells.fold(path)) in by_fold
        }
        dropped = [column for key, column in by_fold.items() if column not in targets and key != "reason"]
        words = {cells.fold(word): meaning for word, meaning in layout.get("words", {}).items()}
        return Plan(config, layout, targets, words, tuple(clean_names(dropped))).item


@dataclass(frozen=True, slots=True)
class Plan:
    """How the rows of one file are read."""

    config: SourceConfig
    layout: Mapping[str, Any]
    targets: Mapping[str, str]
    """Column → what it holds, as the layout says; by comma where it holds several things."""
    words: Mapping[str, str]
    """The layout's words for what the policy names otherwise, folded."""
    dropped: tuple[str, ...]

    def item(self, row: Mapping[str, str], pointer: str, at: datetime) -> Item | Refusal:
        taken = Taken()
        for column, targets in self.targets.items():
            try:
                for target in targets.split(","):
                    self._take(taken, target, row[column], at)
            except Malformed as error:
                return Refusal(error.reason, f"{pointer} {column}")
        if not taken.claims:
            return Refusal("no_identifier", pointer)
        event = self.layout.get("event", "")
        return Item(
            at=min(taken.when or taken.changed or at, at),
            claims=tuple(dict.fromkeys(taken.claims)),
            message_id=self._name(row, taken),
            event=event,
            channel=self.config.events[event].channel if event else "none",
            properties=taken.properties,
            traits=taken.traits,
            signals=tuple(taken.signals()),
            silences=tuple(taken.silences()),
            pointer=pointer,
            dropped=self.dropped,
        )

    def _take(self, taken: "Taken", target: str, raw: str, at: datetime) -> None:
        kind, _, name = target.partition(":")
        if not is_storable(raw):
            raise Malformed("unprintable_text")
        if kind in ("optin", "optout"):
            taken.flags.append((kind, name, raw))
        elif cell := cells.clean(raw):
            self._take_cell(taken, kind, name, cell, at)

    def _take_cell(self, taken: "Taken", kind: str, name: str, cell: str, at: datetime) -> None:
        if kind == "claim":
            taken.claims.append(self._claim(name, cell))
        elif kind in COLUMN_KINDS:
            put(taken.traits, name, self._value(kind, name, cell, at))
        elif kind in ("property", "amount"):
            taken.properties[name] = cells.amount(cell) if kind == "amount" else cell[:LONGEST]
        else:
            instant = cells.read_instant(cell, self.config.settings.get("date_order", ""), self.region)
            if kind == "when":
                taken.when = instant
            else:
                taken.changed = instant

    def _claim(self, namespace: str, cell: str) -> Claim:
        if len(cell) > LONGEST:
            raise Malformed("identifier_malformed")
        if namespace == "email" and not all(cells.fold(cell).partition("@")):
            raise Malformed("email_malformed")
        value = cells.phone(cell, self.region) if namespace == "phone" else cell
        system = self.config.settings.get("system") or self.config.name
        return Claim(namespace, value, system if namespace == "crm_id" else "", verified=True)

    def _value(self, kind: str, name: str, cell: str, at: datetime) -> str | int | float:
        if kind == "number":
            return cells.amount(cell)
        if kind == "postal":
            return cells.postal_code(cell, self.region)
        if kind == "date":
            day = cells.read_date(cell, self.config.settings.get("date_order", ""))
            if name == "birthday" and day > at.date():
                raise Malformed("date_malformed")
            return day.isoformat()
        if kind == "word":
            return self.words.get(cells.fold(cell), cell)
        return cells.name_part(cell, kind) if kind in ("family", "given") else cell

    @property
    def region(self) -> str:
        return str(self.layout.get("region") or self.config.region)

    def _name(self, row: Mapping[str, str], taken: "Taken") -> str:
        """Name a row by what it says; an order by its number, since exports repeat it for every line of goods."""
        said = {column: cell for column, cell in row.items() if cell.strip() and cells.fold(column) != "reason"}
        named: Any = taken.properties.get("order_id") or sorted(said.items())
        return sha256(json.dumps([self.config.name, named], ensure_ascii=False).encode()).hexdigest()


@dataclass(slots=True)
class Taken:
    """What the cells of one row gave so far."""

    claims: list[Claim] = field(default_factory=list)
    traits: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    flags: list[tuple[str, str, str]] = field(default_factory=list)
    """(optin or optout, purpose/channel, cell)"""
    when: datetime | None = None
    changed: datetime | None = None

    def signals(self) -> Iterator[Signal]:
        for kind, place, raw in self.flags:
            status = _said(kind, raw)
            purpose, _, channel = place.partition("/")
            if status and not (purpose == "*" and status == "unknown"):
                yield Signal(
                    purpose, channel, status, kind == "optout", "import", evidence="none", contact=self.contact(channel)
                )

    def silences(self) -> Iterator[Silence]:
        """An opt-out from everything on a channel silences the contact point itself."""
        for kind, place, raw in self.flags:
            purpose, _, channel = place.partition("/")
            contact = self.contact(channel)
            if kind == "optout" and purpose == "*" and contact is not None and _said(kind, raw):
                yield Silence(contact, channel, "unsubscribe")

    def contact(self, channel: str) -> Claim | None:
        return next((claim for claim in self.claims if claim.type in CONTACT_CHANNELS.get(channel, ())), None)


def _said(kind: str, raw: str) -> str:
    """Return the status that a flag stands for, '' for none; what cannot be read is never a yes."""
    flag = cells.yes_or_no(raw)
    if kind == "optout":
        return "withdrawn" if flag or (flag is None and cells.clean(raw)) else ""
    return "refused" if flag is False else "unknown" if raw.strip() else ""


def _fits(layout: Mapping[str, Any], by_fold: Mapping[str, str]) -> bool:
    return any(all(cells.fold(name) in by_fold for name in names) for names in layout["requires"])


def _targets(layout: Mapping[str, Any], by_fold: Mapping[str, str]) -> dict[str, str]:
    return {by_fold[key]: target for name, target in layout["columns"].items() if (key := cells.fold(name)) in by_fold}
