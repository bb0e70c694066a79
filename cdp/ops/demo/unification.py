"""Reads, as the operator may, which record went to which person: tokens and numbers only, nothing is opened."""

from collections import Counter, defaultdict
from dataclasses import dataclass

from sqlmodel import col, select

from cdp import vault
from cdp.db import Database
from cdp.identity.model import Identifier
from cdp.ops.demo.people import Someone
from cdp.ops.demo.quality import Quality, measure
from cdp.ops.demo.records import Key
from cdp.profile.model import Subject


@dataclass(frozen=True, slots=True)
class Unified:
    """Where each record of the truth ended, and one example of each kind."""

    quality: Quality
    unshared: Quality
    """The same without devices that several people used: whose visit one was, nobody can say."""
    subjects: int
    people: int
    found: dict[tuple[str, str, str], int]
    """(namespace, scope, value) → person."""
    truth: list[Key]

    def merged(self, people: list[Someone]) -> Someone | None:
        """Return somebody seen in three systems or more, all of it found to be one person."""
        for one in people:
            ends = self._ends(one.number)
            if len(ends) >= 4 and len(set(ends.values())) == 1:
                return one
        return None

    def kept_apart(self, people: list[Someone]) -> tuple[Someone, Someone] | None:
        """Return two people of one mailbox who were not taken for one."""
        sharing: dict[str, list[Someone]] = defaultdict(list)
        for one in people:
            sharing[one.email].append(one)
        for pair in sharing.values():
            if len(pair) == 2 and self._apart(*pair):
                return pair[0], pair[1]
        return None

    def _apart(self, one: Someone, other: Someone) -> bool:
        mine, theirs = set(self._ends(one.number).values()), set(self._ends(other.number).values())
        return bool(mine) and bool(theirs) and not mine & theirs

    def _ends(self, number: int) -> dict[str, int]:
        return {
            f"{key.namespace} {key.scope}": person
            for key in self.truth
            if key.person == number and (person := self.found.get((key.namespace, key.scope, key.value))) is not None
        }


def look(database: Database, truth: list[Key]) -> Unified:
    """Find every record's person by its own key, and compare with the truth, pair by pair."""
    with database.snapshot() as session:
        keeper = vault.of(session)
        rows = session.execute(
            select(col(Identifier.namespace), col(Identifier.token), col(Subject.person)).join(
                Subject, col(Subject.number) == col(Identifier.subject)
            )
        )
        persons = {(namespace, token): person for namespace, token, person in rows}
        subjects = len(session.exec(select(Subject.number)).all())
        people = len(set(session.exec(select(Subject.person)).all()))
    found = {}
    for key in truth:
        token = keeper.token(key.namespace, key.scope, key.value)
        if (key.namespace, token) in persons:
            found[key.namespace, key.scope, key.value] = persons[key.namespace, token]
    return Unified(_measured(truth, found), _measured(_unshared(truth), found), subjects, people, found, truth)


def _measured(truth: list[Key], found: dict[tuple[str, str, str], int]) -> Quality:
    ends = ((found.get((key.namespace, key.scope, key.value)), key.person) for key in truth)
    return measure([(end, person) for end, person in ends if end is not None])


def _unshared(truth: list[Key]) -> list[Key]:
    owners = Counter((key.namespace, key.scope, key.value) for key in truth)
    return [key for key in truth if owners[key.namespace, key.scope, key.value] == 1]
