"""Groups people by declared rules; who of them may be reached is the gate's answer, never the rule's."""

from cdp.audience.changes import follow
from cdp.audience.counting import Counted, count, previewed, rounded
from cdp.audience.declared import check, check_traits, find, load
from cdp.audience.explain import Clause, explain
from cdp.audience.members import name_of, page, refuse_small, smallest
from cdp.audience.reading import read
from cdp.audience.rule import Rule, clauses

__all__ = [
    "Clause",
    "Counted",
    "Rule",
    "check",
    "check_traits",
    "clauses",
    "count",
    "explain",
    "find",
    "follow",
    "load",
    "name_of",
    "page",
    "previewed",
    "read",
    "refuse_small",
    "rounded",
    "smallest",
]
