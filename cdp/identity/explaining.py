"""Why two records are one person, or are not: the evidence that joined them, or what stood in the way.

Nothing is opened: a value is named by a few letters of a keyed digest, the same on every record of this
deployment and nowhere else. Whoever may see the value itself asks the gate for it.
"""

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from cdp import vault
from cdp.db import chunked
from cdp.errors import Problem
from cdp.identity import config, graph, obstacles, resolution, rules
from cdp.identity.model import Identifier, Override, OverrideValue
from cdp.identity.obstacles import Grounds, Row
from cdp.identity.rules import Evidence, Partition, TokenKey, belief


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
    """What keeps two apart: somebody's word, or a value that both have, or that leads from one to the other."""

    rule: str
    """As in `obstacles.Cause`, or `WAITING`."""
    namespace: str = ""
    value: str = ""
    counted: str = ""
    """Of which namespace there would be too many, where the rule is limit or veto."""
    decision: int = 0
    """Whose word it is, where it is somebody's."""


WAITING = "rebuild"
"""The rule that is named where two are not yet what the configuration taken up last makes of them."""


@dataclass(frozen=True, slots=True)
class Told:
    """The answer for two subjects."""

    one: int
    other: int
    people: tuple[int, int]
    path: tuple[Step, ...] = ()
    """From one to the other, where they are one person."""
    obstacles: tuple[Obstacle, ...] = ()
    """Where they are not, or will not be; empty = nothing is on both, or leads from one to the other."""

    @property
    def is_one(self) -> bool:
        return self.people[0] == self.people[1]


def explain(session: Session, one: int, other: int) -> Told:
    """Say why two subjects are one person, or why not; raises Problem 404 for an unknown subject."""
    stored = resolution.people_of(session, [one, other])
    if stored.keys() != {one, other}:
        raise Problem(404, "unknown_subject", "One of the subjects is not known.")
    region = graph.load(session, {one, other})
    partition, believed = rules.trace(region.known, config.namespaces(session))
    people = (partition.people[one], partition.people[other])
    said = _said(session, region.subjects)
    if people[0] == people[1]:
        found = _way(_joining(partition, believed, said), one, other)
        told = Told(one, other, people, path=tuple(_step(session, *step) for step in found))
    else:
        told = Told(one, other, people, obstacles=_obstacles(session, region, partition, said, people))
    now = (stored[one], stored[other])
    if (now[0] == now[1]) == told.is_one:
        return told
    return Told(one, other, now, obstacles=(Obstacle(WAITING), *told.obstacles))


def shown(session: Session, key: TokenKey) -> str:
    """Return how a value is shown to whoever may not see it."""
    return f"{key[0]} ●{vault.of(session).digest('identity.shown', key[0].encode() + key[1])[:3].hex()}"


class _Word(NamedTuple):
    """What somebody said of two subjects, and stands."""

    kind: str
    one: int
    other: int
    number: int


_MUST = "must"
"""Stands for the namespace where a person's word, and no value, leads from one to another."""


def _joining(
    partition: Partition, believed: Iterable[Evidence], said: Iterable[_Word]
) -> dict[TokenKey, dict[int, None]]:
    """Return what joined, and which subjects."""
    found: dict[TokenKey, dict[int, None]] = defaultdict(dict)
    for word in said:
        if word.kind == _MUST and partition.people.get(word.one) == partition.people.get(word.other):
            found[_MUST, str(word.number).encode()] = {word.one: None, word.other: None}
    for row in believed:
        key = (row.namespace, row.token)
        conflict = partition.conflicts.get(key)
        if conflict is None or row.subject in conflict.together:
            found[key][row.subject] = None
    return found


def _way(holders: Mapping[TokenKey, Collection[int]], start: int, end: int) -> list[tuple[int, TokenKey, int]]:
    """Return the shortest way from one to the other; empty where nothing leads there.

    A person's word is taken first: without it, what is on both may not have joined them.
    """
    leading: dict[int, list[TokenKey]] = defaultdict(list)
    for key in sorted(holders, key=lambda one: (one[0] != _MUST, one)):
        for one in holders[key]:
            leading[one].append(key)
    came: dict[int, tuple[int, TokenKey]] = {start: (0, ("", b""))}
    waiting, taken = deque([start]), set[TokenKey]()
    while waiting and end not in came:
        here = waiting.popleft()
        for key in leading[here]:
            new = [] if key in taken else sorted(set(holders[key]) - came.keys())
            taken.add(key)
            came.update(dict.fromkeys(new, (here, key)))
            waiting.extend(new)
    steps, at = [], end
    while at != start and at in came:
        before, key = came[at]
        steps.append((before, key, at))
        at = before
    return steps[::-1]


def _step(session: Session, one: int, key: TokenKey, other: int) -> Step:
    is_said = key[0] == _MUST
    return Step(one, other, key[0], "" if is_said else shown(session, key), int(key[1]) if is_said else 0)


def _obstacles(
    session: Session, region: graph.Region, partition: Partition, said: Sequence[_Word], people: tuple[int, int]
) -> tuple[Obstacle, ...]:
    """Return whose word keeps two people apart, and why what both have, or what leads there, does not join them."""
    apart = [
        (word.number, {partition.people.get(word.one), partition.people.get(word.other)})
        for word in said
        if word.kind == "cannot"
    ]
    found = [Obstacle("cannot", decision=number) for number, pair in apart if pair == {*people}]
    rows = _rows(session, region, partition)
    direct = [(people[0], key, people[1]) for key in sorted(rows) if {*people} <= rows[key].keys()]
    steps = direct or _way(rows, *people)
    grounds = _grounds(session, region, partition, apart, [key for _, key, _ in steps])
    for one, key, other in steps:
        value = shown(session, key)
        causes = obstacles.between(grounds, key, rows[key][one], rows[key][other])
        found += [Obstacle(cause.rule, key[0], value, cause.counted, cause.decision) for cause in causes]
    return tuple(dict.fromkeys(found))


def _rows(session: Session, region: graph.Region, partition: Partition) -> dict[TokenKey, dict[int, list[Row]]]:
    """Return what these people were seen with of what may link, whether it counts or not: value → person → rows."""
    terms = {name: term for name, term in config.namespaces(session).items() if term.role == "link"}
    columns = (col(Identifier.subject), col(Identifier.namespace), col(Identifier.token), col(Identifier.aside))
    found: dict[TokenKey, dict[int, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for some in chunked(sorted(region.subjects), graph.MANY):
        query = select(*columns, col(Identifier.verified)).where(col(Identifier.subject).in_(some))
        for subject, namespace, token, aside, verified in session.execute(query.order_by(col(Identifier.subject))):
            if namespace in terms:
                key, proved = (namespace, bytes(token)), verified or not terms[namespace].verified_only
                found[key][partition.people[subject]].append(Row(subject, key, aside, proved))
    return found


def _grounds(
    session: Session,
    region: graph.Region,
    partition: Partition,
    apart: Sequence[tuple[int, set[int | None]]],
    keys: Sequence[TokenKey],
) -> Grounds:
    kept_apart = {}
    for key in keys:
        if (conflict := partition.conflicts.get(key)) is not None and conflict.rule == "cannot":
            among = {partition.people[first] for first in conflict.people}
            kept_apart[key] = next((number for number, pair in apart if pair <= among), 0)
    states = {key: state for key, (state, _) in region.states.items() if state in graph.UNWALKED}
    return Grounds(
        {**partition.states, **states},
        partition.conflicts,
        kept_apart,
        _unbelieved(session, region),
        _words(session, keys),
    )


def _unbelieved(session: Session, region: graph.Region) -> dict[tuple[int, TokenKey], str]:
    """Return the rows of devices that join nobody for what their record says beside, or for their number."""
    terms, unwalked = config.namespaces(session), region.unwalked
    linking = [
        row
        for row in sorted(set(region.evidence))
        if rules.links(terms.get(row.namespace), row) and (row.namespace, row.token) not in unwalked
    ]
    agreeing = belief.agreeing(region.evidence, linking, terms)
    few = belief.uncrowded(region.evidence, agreeing)
    found = {(row.subject, (row.namespace, row.token)): "claim" for row in set(linking) - set(agreeing)}
    return found | {(row.subject, (row.namespace, row.token)): "crowd" for row in set(agreeing) - set(few)}


def _words(session: Session, keys: Sequence[TokenKey]) -> dict[tuple[str, TokenKey, int], list[int]]:
    """Return what people said of these values, and stands: (kind, value, subject or 0) → the decisions."""
    found: dict[tuple[str, TokenKey, int], list[int]] = defaultdict(list)
    columns = (col(OverrideValue.namespace), col(OverrideValue.token), col(OverrideValue.subject), col(Override.id))
    query = select(col(Override.kind), *columns).where(
        col(OverrideValue.override) == col(Override.id), col(Override.revoked_at).is_(None)
    )
    for some in chunked(sorted(set(keys)), graph.MANY):
        asked = query.where(graph.among(OverrideValue, some)).order_by(col(Override.id))
        for kind, namespace, token, subject, number in session.execute(asked):
            found[kind, (namespace, bytes(token)), subject].append(number)
    return found


def _said(session: Session, subjects: Iterable[int]) -> list[_Word]:
    """Return the standing words on pairs of these subjects, in the order in which they were said."""
    columns = (col(Override.kind), col(Override.subject), col(Override.other_subject), col(Override.id))
    query = select(*columns).where(col(Override.kind).in_((_MUST, "cannot")), col(Override.revoked_at).is_(None))
    rows = [
        _Word(*row)
        for some in chunked(sorted(subjects), graph.MANY)
        for row in session.execute(query.where(col(Override.subject).in_(some)))
    ]
    return sorted(rows, key=lambda word: word.number)
