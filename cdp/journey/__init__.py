"""Knows each person's stage in every declared journey, and every move with its cause."""

from cdp.journey.declared import check, find
from cdp.journey.explanation import Explained, explain
from cdp.journey.holder import holder
from cdp.journey.sizes import Flow, Sizes, sizes
from cdp.journey.stages import due, moves_of, settle, stage_of

__all__ = [
    "Explained",
    "Flow",
    "Sizes",
    "check",
    "due",
    "explain",
    "find",
    "holder",
    "moves_of",
    "settle",
    "sizes",
    "stage_of",
]
