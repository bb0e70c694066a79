"""Decides each use of people's data, and opens it; nothing is opened anywhere else."""

from cdp.gate import feed, kept, provision, pruning
from cdp.gate.collecting import from_anyone
from cdp.gate.collection import collectable, erasing
from cdp.gate.disclosure import Disclosure, Page, read_page, wait_until_clear
from cdp.gate.due import expire_source, overdue, register_policy, settle_due, take_up, waiting
from cdp.gate.explanation import Explanation, explain
from cdp.gate.given import Given, find_by_pseudonym, given
from cdp.gate.holder import holder
from cdp.gate.matching import comparable, open_for_matching
from cdp.gate.opened import open_for_subject, open_words
from cdp.gate.permission import code_of, settle, settled
from cdp.gate.permit import PageRequest, check_request
from cdp.gate.reaching import Asked, Reached, reached

__all__ = [
    "Asked",
    "Disclosure",
    "Explanation",
    "Given",
    "Page",
    "PageRequest",
    "Reached",
    "check_request",
    "code_of",
    "collectable",
    "comparable",
    "erasing",
    "expire_source",
    "explain",
    "feed",
    "find_by_pseudonym",
    "from_anyone",
    "given",
    "holder",
    "kept",
    "open_for_matching",
    "open_for_subject",
    "open_words",
    "overdue",
    "provision",
    "pruning",
    "reached",
    "read_page",
    "register_policy",
    "settle",
    "settle_due",
    "settled",
    "take_up",
    "wait_until_clear",
    "waiting",
]
