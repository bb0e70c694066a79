"""Answers what people ask of us: access, portability, rectification, erasure, restriction, objection; each in time."""

from cdp.rights.asked import Asked, Corrections, read
from cdp.rights.disclosures import told
from cdp.rights.holders import HOLDERS
from cdp.rights.packages import expire_packages, package
from cdp.rights.plans import REQUESTERS, RIGHTS
from cdp.rights.replay import replay, reserve_numbers
from cdp.rights.requests import advance, by_due, overdue, pending, receive, receive_for, who
from cdp.rights.restriction import lift, object_to, restrict, unrestrict
from cdp.rights.words import accept, close, extend, tell, verify

__all__ = [
    "HOLDERS",
    "REQUESTERS",
    "RIGHTS",
    "Asked",
    "Corrections",
    "accept",
    "advance",
    "by_due",
    "close",
    "expire_packages",
    "extend",
    "lift",
    "object_to",
    "overdue",
    "package",
    "pending",
    "read",
    "receive",
    "receive_for",
    "replay",
    "reserve_numbers",
    "restrict",
    "tell",
    "told",
    "unrestrict",
    "verify",
    "who",
]
