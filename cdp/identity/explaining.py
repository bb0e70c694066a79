"""Why two records are one person, or are not: the evidence that joined them, or what stood in the way.

Nothing is opened: a value is named by a few letters of a keyed digest, the same on every record of this
deployment and nowhere else. Whoever may see the value itself asks the gate for it.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from cdp import vault
from cdp.errors import Problem
from cdp.identity import config, graph, rules
from cdp.identity.model import Aside, Identifier, Override
from cdp.identity.rules import Evidence, Partition, TokenKey
from cdp.profile.model import Subject


class Step(NamedTuple):
    """Two records and what is on both."""

    one: int
    other: int
    namespace: str
    """Of the identifier; `must` where a person said that they are one."""
    value: str
    """How the identifier is shown: never itself."""
    decision: int = 0


class Obstacle(NamedTuple):
    """What is on both, or between them, and does not join."""

    rule: str
    """limit | veto | cannot | size | weight | generic | shared | blocked | unproved | expired | held | retracted |
    left | role"""
    namespace: str = ""
    value: str = ""
    counted: str = ""
    """Of which namespace there would be too many, where the rule is limit or veto."""
    decision: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """The answer for two subjects."""

    one: int
    other: int
    people: tuple[int, int]
    path: tuple[Step, ...] = ()
    """From one to the other, where they are one person."""
    obstacles: tuple[Obstacle, ...] = ()
    """Where they are not; empty = nothing is on both, or leads from one to the other."""

    @property
    def is_one(self) -> bool:
        return self.people[0] == self.people[1]


def explain(session: Session, one: int, other: int) -> Told:
    """Say why two subjects are one person, or why not; raises Problem 404 for an unknown subject."""
    numbers = session.scalars(select(col(Subject.number)).where(col(Subject.number).in_([one, other])))
    if set(numbers) != {one, other}:
        raise Problem(404, "unknown_subject", "One of the subjects is not known.")
    region = graph.load(session, {one, other})
    partition, believed = rules.trace(region.known, config.namespaces(session))
    people = (partition.people[one], partition.people[other])
    said = _said(session, region.subjects)
    if people[0] == people[1]:
        return Told(one, other, people, path=_path(session, _edges(partition, believed, said), one, other))
    return Told(one, other, people, obstacles=_obstacles(session, region, partition, said, people))


def shown(session: Session, key: TokenKey) -> str:
    """Return how a value is shown to whoever may not see it."""
    return f"{key[0]} ●{vault.of(session).digest('identity.shown', key[0].encode() + key[1])[:3].hex()}"


def _edges(
    partition: Partition, believed: Iterable[Evidence], said: Mapping[tuple[str, int, int], int]
) -> dict[int, list[tuple[int, TokenKey, int]]]:
    """Return what joined: subject → (neighbour, by which value, by which decision)."""
    holders: dict[TokenKey, list[int]] = defaultdict(list)
    for row in believed:
        key = (row.namespace, row.token)
        conflict = partition.conflicts.get(key)
        if conflict is None or row.subject in conflict.together:
            holders[key].append(row.subject)
    edges: dict[int, list[tuple[int, TokenKey, int]]] = defaultdict(list)
    # A person's word first: without it, what is on both may not have joined them.
    for (kind, one, other), number in sorted(said.items()):
        if kind == "must" and partition.people.get(one) == partition.people.get(other):
            edges[one].append((other, ("must", b""), number))
            edges[other].append((one, ("must", b""), number))
    for key, subjects in sorted(holders.items()):
        first, *rest = sorted(set(subjects))
        for subject in rest:
            edges[first].append((subject, key, 0))
            edges[subject].append((first, key, 0))
    return edges


def _path(
    session: Session, edges: Mapping[int, list[tuple[int, TokenKey, int]]], start: int, end: int
) -> tuple[Step, ...]:
    """Return the shortest way from one to the other."""
    came: dict[int, tuple[int, TokenKey, int]] = {start: (0, ("", b""), 0)}
    waiting = deque([start])
    while waiting and end not in came:
        here = waiting.popleft()
        for there, key, number in edges.get(here, ()):
            if there not in came:
                came[there] = (here, key, number)
                waiting.append(there)
    steps, at = [], end
    while at != start:
        before, key, number = came[at]
        steps.append(Step(before, at, key[0], "" if number else shown(session, key), number))
        at = before
    return tuple(reversed(steps))


def _obstacles(
    session: Session,
    region: graph.Region,
    partition: Partition,
    said: Mapping[tuple[str, int, int], int],
    people: tuple[int, int],
) -> tuple[Obstacle, ...]:
    found = [
        Obstacle("cannot", decision=number)
        for (kind, one, other), number in sorted(said.items())
        if kind == "cannot" and {partition.people.get(one), partition.people.get(other)} == set(people)
    ]
    between = _between(session, region, partition, people)
    for key in sorted(between):
        conflict = partition.conflicts.get(key)
        state = region.states[key][0] if region.states[key][0] in graph.UNWALKED else partition.states.get(key, "")
        if conflict is not None:
            found.append(Obstacle(conflict.rule, key[0], shown(session, key), conflict.namespace))
        else:
            found.append(Obstacle(state or between[key], key[0], shown(session, key)))
    return tuple(found)


def _between(
    session: Session, region: graph.Region, partition: Partition, people: tuple[int, int]
) -> dict[TokenKey, str]:
    """Return the values on the shortest way from one person to the other, each with why its row does not count."""
    holders: dict[TokenKey, dict[int, str]] = defaultdict(dict)
    terms = config.namespaces(session)
    query = select(col(Identifier.subject), col(Identifier.namespace), col(Identifier.token), col(Identifier.aside))
    rows = session.execute(
        query.add_columns(col(Identifier.verified)).where(col(Identifier.subject).in_(region.subjects))
    )
    for subject, namespace, token, aside, verified in rows:
        term = terms.get(namespace)
        if term is not None and term.role == "link":
            why = _named(aside) or ("" if verified or not term.verified_only else "unproved")
            key = (namespace, bytes(token))
            person = partition.people[subject]
            holders[key][person] = why if person not in holders[key] else min(why, holders[key][person])
    edges: dict[int, list[tuple[int, TokenKey]]] = defaultdict(list)
    for key, those in sorted(holders.items()):
        first, *rest = sorted(those)
        for person in rest:
            edges[first].append((person, key))
            edges[person].append((first, key))
    direct = {key: max(those.values()) for key, those in holders.items() if set(people) <= set(those)}
    return direct or {key: max(holders[key].values()) for key in _way(edges, *people)}


def _named(aside: int) -> str:
    """Name the first reason for which evidence does not count."""
    return next((str(reason.name).lower() for reason in Aside if aside & reason), "")


def _way(edges: Mapping[int, list[tuple[int, TokenKey]]], start: int, end: int) -> list[TokenKey]:
    came: dict[int, tuple[int, TokenKey]] = {start: (0, ("", b""))}
    waiting = deque([start])
    while waiting and end not in came:
        here = waiting.popleft()
        for there, key in edges.get(here, ()):
            if there not in came:
                came[there] = (here, key)
                waiting.append(there)
    found, at = [], end
    while at != start and at in came:
        before, key = came[at]
        found.append(key)
        at = before
    return found if at == start else []


def _said(session: Session, subjects: Iterable[int]) -> dict[tuple[str, int, int], int]:
    """Return the standing words on pairs of these subjects, with the number of the decision."""
    some = sorted(subjects)
    query = select(Override).where(
        col(Override.kind).in_(("must", "cannot")), col(Override.revoked_at).is_(None), col(Override.subject).in_(some)
    )
    return {(row.kind, row.subject, row.other_subject): row.id or 0 for row in session.scalars(query)}
