"""Writes a record of processing: JSON for programs, CSV for a spreadsheet, one page to print and hand over."""

import csv
import io
import json
from collections.abc import Callable

from jinja2 import Environment, PackageLoader, StrictUndefined

from cdp.policy import processing
from cdp.policy.processing import Record
from cdp.web.processing.texts import TEXTS

BOM = "\ufeff"
"""By it a spreadsheet knows UTF-8; without it Japanese is noise."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for a formula at the beginning of a cell."""


def write(record: Record, form: str, view: str = "inventory") -> str:
    """Return the record in one of FORMATS; `view` says which table a CSV holds."""
    return FORMATS[form](record, view)


def to_json(record: Record, view: str) -> str:
    return json.dumps(record.document(), ensure_ascii=False, indent=1)


def to_csv(record: Record, view: str) -> str:
    """Return RFC 4180 with a BOM; a cell never begins a formula."""
    table, text = processing.table(record, view), io.StringIO()
    writer = csv.writer(text)
    writer.writerows([[_inert(cell) for cell in row] for row in (table.columns, *table.rows)])
    return BOM + text.getvalue()


def to_html(record: Record, view: str) -> str:
    """Return a page that stands alone: its style is in it, and it loads nothing from anywhere."""
    tables = {name: processing.table(record, name) for name in processing.VIEWS}
    page = _templates().get_template("records.html")
    return page.render(record=record, text=TEXTS[record.language], inventory=tables["inventory"])


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _templates() -> Environment:
    return Environment(loader=PackageLoader("cdp.web"), autoescape=True, undefined=StrictUndefined)


FORMATS: dict[str, Callable[[Record, str], str]] = {"json": to_json, "csv": to_csv, "html": to_html}
