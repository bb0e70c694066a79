"""Proves what somebody said: ISO/IEC TS 27560 records and receipts, signed, and checked by anyone offline."""

from cdp.consent.receipts.checking import Verdict, check
from cdp.consent.receipts.issuing import FORMATS, Issued, issue

__all__ = ["FORMATS", "Issued", "Verdict", "check", "issue"]
