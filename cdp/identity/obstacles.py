"""Why a value that two people have does not join them: what is against the row of each, then against the value.

Every cause is named, with whose word it is: once all of them are gone, the value joins, or meets a rule that was not
asked before. No session, no clock.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cdp.identity.model import Aside
from cdp.identity.rules import Conflict, TokenKey

_SAID = {Aside.RETRACTED: "retract", Aside.LEFT: "expire"}
"""Reasons for which evidence is set aside by somebody's word, and which word it is."""

_JUDGED = {"block": "blocked", "shared": "shared"}


class Row(NamedTuple):
    """A subject was seen with a value, whether that counts or not."""

    subject: int
    key: TokenKey
    aside: int
    proved: bool
    """Somebody vouches for it, or it is a device's, of which nobody has to."""


class Cause(NamedTuple):
    """One thing that keeps a value from joining."""

    rule: str
    """limit | veto | cannot | size | weight | generic | shared | blocked | unproved | expired | held | retracted |
    left | role | claim (says, unproved, to be another than the device's owner) | crowd (of too many on a device)"""
    counted: str = ""
    """Of which namespace there would be too many, where the rule is limit or veto."""
    decision: int = 0
    """Whose word it is, where it is somebody's."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the reasons rest on, of the values that are asked about."""

    states: Mapping[TokenKey, str]
    """generic | shared | blocked | conflict, of values that are not simply active."""
    conflicts: Mapping[TokenKey, Conflict]
    apart: Mapping[TokenKey, int]
    """Whose word keeps people apart on a value, where that is the conflict."""
    unbelieved: Mapping[tuple[int, TokenKey], str]
    """Rows of devices that join nobody: claim | crowd."""
    words: Mapping[tuple[str, TokenKey, int], Sequence[int]]
    """(kind, value, subject or 0 for everybody) → the standing decisions that say so."""


def between(grounds: Grounds, key: TokenKey, one: Iterable[Row], other: Iterable[Row]) -> list[Cause]:
    """Return everything that keeps a value from joining two people, of whom these are the rows with it.

    What somebody has several times is as good as the best of it. A rule of resolution is asked last: it never saw a
    row that does not count.
    """
    flaws = [cause for rows in (one, other) for cause in min((_of_row(grounds, row) for row in rows), key=len)]
    found = list(dict.fromkeys([*flaws, *_of_value(grounds, key)]))
    conflict = grounds.conflicts.get(key)
    if found or conflict is None:
        return found
    return [Cause(conflict.rule, conflict.namespace, grounds.apart.get(key, 0))]


def _of_row(grounds: Grounds, row: Row) -> list[Cause]:
    found: list[Cause] = []
    for reason in Aside:
        if row.aside & reason:
            said = _said(grounds, _SAID.get(reason, ""), row.key, (row.subject, 0))
            found += [Cause(str(reason.name).lower(), decision=number) for number in said]
    if not row.proved:
        found.append(Cause("unproved"))
    unbelieved = grounds.unbelieved.get((row.subject, row.key))
    return [*found, Cause(unbelieved)] if unbelieved else found


def _of_value(grounds: Grounds, key: TokenKey) -> list[Cause]:
    state = grounds.states.get(key, "")
    if state != "blocked":
        return [Cause(state)] if state in ("generic", "shared") else []
    said = [
        Cause(rule, decision=one) for kind, rule in _JUDGED.items() for one in grounds.words.get((kind, key, 0), ())
    ]
    return said or [Cause("blocked")]


def _said(grounds: Grounds, kind: str, key: TokenKey, subjects: tuple[int, ...]) -> list[int]:
    """Return the decisions that say this of the value of one of these; 0 where it is nobody's word."""
    return [number for subject in subjects for number in grounds.words.get((kind, key, subject), ())] or [0]
