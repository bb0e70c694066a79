"""Sekisho: a customer data platform that nobody's data leaves without a permit."""

__version__ = "0.1.0"
