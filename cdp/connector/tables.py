"""Reads rows out of text as shops export it: CSV, TSV or JSON lines; UTF-8, UTF-16 or CP932; pure."""

import codecs
import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from cdp.errors import Problem

ENCODINGS = ("utf-8", "cp932")
MOJIBAKE = "縺繧繝"
"""What the first bytes of kana in UTF-8 look like in CP932; hardly ever written on purpose."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells by column name, or None where it does not fit the header; and as it stood."""

    number: int
    """From 1, the header not counted."""
    cells: Mapping[str, str] | None = field(repr=False)
    stood: list[str] = field(repr=False)


@dataclass(slots=True)
class Trial:
    """One encoding, tried on a file."""

    decoder: codecs.IncrementalDecoder
    beyond_ascii: int = 0
    suspicious: int = 0

    def reads(self, chunk: bytes, final: bool = False) -> bool:
        """Whether the next piece can be read."""
        try:
            text = self.decoder.decode(chunk, final)
        except UnicodeDecodeError:
            return False
        if not text.isascii():
            self.beyond_ascii += sum(sign > "\x7f" for sign in text)
            self.suspicious += sum(map(text.count, MOJIBAKE))
        return True

    @property
    def is_garbled(self) -> bool:
        """Whether it looks like UTF-8 with a broken byte, read as CP932."""
        return self.suspicious * 20 > self.beyond_ascii


def detect_encoding(chunks: Iterable[bytes]) -> str:
    """Return the encoding of a file given piecewise; raises Problem for none that shops use.

    Every byte is looked at: a file may hold its first Japanese letter in its last row.
    """
    possible = {name: Trial(codecs.getincrementaldecoder(name)()) for name in ENCODINGS}
    for number, chunk in enumerate(chunks):
        if number == 0 and (marked := _by_mark(chunk)):
            possible = {marked: Trial(codecs.getincrementaldecoder(marked)())}
        possible = {name: trial for name, trial in possible.items() if trial.reads(chunk)}
    for name, trial in possible.items():
        if trial.reads(b"", final=True) and not trial.is_garbled:
            return name
    raise Problem(400, "encoding_unknown", "The file is neither UTF-8 nor CP932 (Shift_JIS).")


def read_rows(lines: Iterable[str], json_lines: bool) -> Iterator[Row]:
    """Yield every row that is not empty."""
    return _json_rows(lines) if json_lines else _csv_rows(lines)


def read_header(line: str) -> tuple[list[str], str]:
    """Return the column names of a header line and the delimiter between them."""
    delimiter = max(",\t;", key=line.count)
    return [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])], delimiter


def _csv_rows(lines: Iterable[str]) -> Iterator[Row]:
    source = iter(lines)
    first = next(source, "")
    table = csv.reader(chain([first], source), delimiter=read_header(first)[1])
    names = [name.strip() for name in next(table, [])]
    number = 0
    while True:
        number += 1
        try:
            stood = next(table)
        except StopIteration:
            return
        except csv.Error:
            yield Row(number, None, [])
            continue
        if any(cell.strip() for cell in stood):
            cells = dict(zip(names, stood, strict=True)) if len(stood) == len(names) else None
            yield Row(number, cells, stood)


def _json_rows(lines: Iterable[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            parsed = json.loads(line)
        except (ValueError, RecursionError):
            parsed = None
        yield Row(number, dict(_flat(parsed)) if isinstance(parsed, Mapping) else None, [line.rstrip("\r\n")])


def _flat(value: Mapping[str, Any], prefix: str = "", depth: int = 4) -> Iterator[tuple[str, str]]:
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            if depth:
                yield from _flat(inner, f"{prefix}{name}.", depth - 1)
        elif isinstance(inner, bool):
            yield f"{prefix}{name}", str(inner).lower()
        elif isinstance(inner, str | int | float):
            yield f"{prefix}{name}", str(inner)


def _by_mark(chunk: bytes) -> str:
    if chunk.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    return "utf-16" if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else ""
