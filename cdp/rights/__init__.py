"""Answers what people ask of us: access, erasure, restriction, objection, each within its time."""

from cdp.rights.access import expire_packages, package
from cdp.rights.holders import HOLDERS
from cdp.rights.replay import replay, reserve_numbers
from cdp.rights.requests import RIGHTS, advance, close, overdue, pending, receive, receive_for, verify, who
from cdp.rights.restriction import lift, object_to, restrict, unrestrict

__all__ = [
    "HOLDERS",
    "RIGHTS",
    "advance",
    "close",
    "expire_packages",
    "lift",
    "object_to",
    "overdue",
    "package",
    "pending",
    "receive",
    "receive_for",
    "replay",
    "reserve_numbers",
    "restrict",
    "unrestrict",
    "verify",
    "who",
]
