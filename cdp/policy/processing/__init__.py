"""Records of processing, written from what is declared and registered (GDPR 30, 個人情報管理台帳), never by hand."""

from cdp.policy.processing.gaps import gaps
from cdp.policy.processing.holdings import Feed, Holdings, Reader, categories
from cdp.policy.processing.naming import field_title
from cdp.policy.processing.record import FORM, Record, describe
from cdp.policy.processing.tables import VIEWS, Table, table

__all__ = [
    "FORM",
    "VIEWS",
    "Feed",
    "Holdings",
    "Reader",
    "Record",
    "Table",
    "categories",
    "describe",
    "field_title",
    "gaps",
    "table",
]
