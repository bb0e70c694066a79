"""The record of processing of a running deployment: gathered from it, and written as JSON, CSV or a page."""

from cdp.web.processing.gathering import holdings, record
from cdp.web.processing.writing import FORMATS, write

__all__ = ["FORMATS", "holdings", "record", "write"]
