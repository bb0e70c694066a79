"""The record as tables, for a spreadsheet or a terminal: the ledger of personal information, and the activities."""

from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass

from cdp.policy.processing.record import Activity, Record
from cdp.policy.processing.words import pick

_COLUMNS = (
    ("個人情報の名称", "Personal information"),
    ("項目", "Items"),
    ("利用目的", "Purposes of use"),
    ("取得元", "Obtained"),
    ("保管場所", "Place of storage"),
    ("保管方法", "Method of storage"),
    ("アクセス権", "Access"),
    ("件数", "People"),
    ("利用期限", "Kept"),
    ("委託先", "Processors"),
    ("提供先", "Other controllers"),
    ("要配慮個人情報", "Special care-required"),
)

_ACTIVITY_COLUMNS = (
    ("活動", "Activity"),
    ("利用目的", "Purpose"),
    ("根拠", "Legal basis"),
    ("本人の種類", "Data subjects"),
    ("個人データの種類", "Categories of data"),
    ("提供先の種類", "Recipients"),
    ("域外・国外への移転と保護措置", "Transfers and safeguards"),
    ("消去の期限", "Time limits for erasure"),
    ("取得元", "Sources"),
    ("通知", "Notice"),
)


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows of text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def table(record: Record, view: str) -> Table:
    """Return one of VIEWS of the record as a table."""
    return VIEWS[view](record)


def _inventory(record: Record) -> Table:
    rows = tuple(tuple(str(cell) for cell in astuple(item)) for item in record.inventory)
    return Table(_titles(_COLUMNS, record), rows)


def _activities(record: Record) -> Table:
    return Table(_titles(_ACTIVITY_COLUMNS, record), tuple(_row(one) for one in record.activities))


def _row(one: Activity) -> tuple[str, ...]:
    return (
        one.title,
        one.text,
        _lines(f"{ground.law}: {ground.basis} {ground.assessment}".strip() for ground in one.grounds),
        one.people,
        _lines(f"{category.title}: {', '.join(category.items)}" for category in one.categories),
        _lines(f"{to.title} ({to.role}, {to.country})" for to in one.receivers),
        _lines(
            f"{to.title}: GDPR {to.transfer_gdpr or '-'} / APPI {to.transfer_appi or '-'}"
            for to in one.receivers
            if to.transfer_gdpr or to.transfer_appi
        ),
        _lines(f"{category.title}: {'; '.join(category.limits)}" for category in one.categories),
        _lines(one.sources),
        one.notice,
    )


def _titles(columns: Iterable[tuple[str, str]], record: Record) -> tuple[str, ...]:
    return tuple(pick(column, record.language) for column in columns)


def _lines(texts: Iterable[str]) -> str:
    return "\n".join(texts)


VIEWS: dict[str, Callable[[Record], Table]] = {"inventory": _inventory, "activities": _activities}
"""What there is to see: 個人情報管理台帳, and the activities of Article 30(1)."""
