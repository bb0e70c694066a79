"""Who is one person: a pure function of evidence and of what people decided, never of order or time.

A token joins the clusters it touches only if no limit, no cannot-link and no size would break;
otherwise it is in conflict and keeps together only records that nobody is identified by. What is
blocked, generic (on too many subjects) or shared (on too many identified people) joins nothing, so a
value turning generic splits what it had joined. Evidence that nobody vouches for joins nothing and
counts towards nothing, but for devices: those it joins, and never makes generic, so that nobody parts a
stranger from the stranger's browser; a record that claims to be another than a device's owner stays out.
The label is the lowest subject number, hence the same evidence gives the same people in any order of
arrival. Protection only ever splits.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import NamedTuple

from cdp.policy.terms import Namespace

MAX_CLUSTER = 2000
"""Subjects in one person; a token that would make more is in conflict, one on more is generic."""

CROWD = 1000
"""Unproven records on one device that are too many to believe in any but the device's own (see `crowding`)."""

TokenKey = tuple[str, bytes]
"""(namespace, token)"""

_Names = set[tuple[str, str, int, bytes]]
"""(namespace, scope, epoch, token)"""


class Evidence(NamedTuple):
    """A subject was seen with an identifier."""

    subject: int
    namespace: str
    token: bytes
    scope: str = ""
    verified: bool = False
    epoch: int = 1
    """Limits count per epoch, so that an identifier written under two keys counts once."""


class Link(NamedTuple):
    """A person's word on two subjects."""

    kind: str
    """must | cannot"""
    subject: int
    other: int


@dataclass(frozen=True, slots=True)
class Partition:
    """Who is who, and which identifiers could not be believed."""

    people: Mapping[int, int]
    """subject → person, total over the subjects of the evidence."""
    states: Mapping[TokenKey, str]
    """generic | shared | conflict, of tokens that are not simply active."""


@dataclass(slots=True)
class _Cluster:
    members: list[int]
    values: dict[tuple[str, str, int], set[bytes]] = field(default_factory=lambda: defaultdict(set))
    """(namespace, scope, epoch) → distinct tokens, of limited namespaces."""
    apart: set[int] = field(default_factory=set)
    """Subjects that must not be in here."""
    identified: bool = False


def resolve(
    evidence: Iterable[Evidence],
    overrides: Iterable[Link],
    namespaces: Mapping[str, Namespace],
    blocked: Set[TokenKey] = frozenset(),
) -> Partition:
    """Return the partition of the evidence's subjects into people (identity.md 4.3, steps 1-4)."""
    rows = sorted(set(evidence))
    usable, states = _usable(rows, namespaces, blocked)
    clusters = _Clusters(sorted({row.subject for row in rows}), usable, overrides, namespaces)
    for first, second in sorted(clusters.must):
        clusters.join_by_hand(first, second)
    for key, subjects in _in_order(usable, namespaces):
        if not clusters.join(subjects):
            states[key] = "conflict"
    return Partition(clusters.people(), states)


def _usable(
    rows: list[Evidence], namespaces: Mapping[str, Namespace], blocked: Set[TokenKey]
) -> tuple[list[Evidence], dict[TokenKey, str]]:
    """Drop tokens that are blocked, generic or shared; what is left may link."""
    linking = [
        row for row in rows if links(namespaces.get(row.namespace), row) and (row.namespace, row.token) not in blocked
    ]
    linking = _agreeing(rows, linking, namespaces)
    linking = _uncrowded(rows, linking)
    degrees = Counter((row.namespace, row.token) for row in linking if row.verified)
    states = {key: "generic" for key, degree in degrees.items() if degree > cap(namespaces[key[0]])}
    linking = [row for row in linking if (row.namespace, row.token) not in states]
    states.update(dict.fromkeys(_shared(linking, namespaces), "shared"))
    return [row for row in linking if (row.namespace, row.token) not in states], states


def cap(term: Namespace) -> int:
    """Return on how many subjects a value may be before it is generic."""
    return term.max_degree or MAX_CLUSTER


def links(term: Namespace | None, row: Evidence) -> bool:
    """Whether this kind of evidence may join people at all."""
    return term is not None and term.role == "link" and (row.verified or not term.verified_only)


def _agreeing(rows: list[Evidence], linking: list[Evidence], namespaces: Mapping[str, Namespace]) -> list[Evidence]:
    """Keep out of a device's records those that claim, unproven, to be someone other than the device's owner.

    Of claims alone no two may differ. A claim keeps out its own record, and never a proven one.
    """
    proven, claimed = _names(linking, namespaces, True), _names(rows, namespaces, False)
    owners: dict[TokenKey, _Names] = defaultdict(set)
    claims: dict[TokenKey, _Names] = defaultdict(set)
    for row in linking:
        owners[row.namespace, row.token] |= proven.get(row.subject, set())
        claims[row.namespace, row.token] |= claimed.get(row.subject, set())

    def agrees(row: Evidence) -> bool:
        own, key = claimed.get(row.subject, set()) - proven.get(row.subject, set()), (row.namespace, row.token)
        return not own or not _differ(own, owners[key] or claims[key])

    return [row for row in linking if namespaces[row.namespace].verified_only or agrees(row)]


def _uncrowded(rows: list[Evidence], linking: list[Evidence]) -> list[Evidence]:
    """Keep of a crowd of unproven records on one value those that name nothing else beside it."""
    unproven = Counter((row.namespace, row.token) for row in linking if not row.verified)
    crowded = {key for key, count in unproven.items() if count > CROWD}
    if not crowded:
        return linking
    named = Counter((row.subject, row.epoch) for row in rows)
    return [
        row
        for row in linking
        if row.verified or (row.namespace, row.token) not in crowded or named[row.subject, row.epoch] == 1
    ]


def _names(rows: list[Evidence], namespaces: Mapping[str, Namespace], verified: bool) -> dict[int, _Names]:
    """Return by subject the identifiers of which each person has one."""
    found: dict[int, _Names] = defaultdict(set)
    for row in rows:
        term = namespaces.get(row.namespace)
        if term is not None and term.unique and (row.verified or not term.verified_only) == verified:
            found[row.subject].add((row.namespace, row.scope, row.epoch, row.token))
    return found


def _differ(one: _Names, other: _Names) -> bool:
    """Whether two sets name different people: another value of the same kind."""
    return any(mine[:3] == theirs[:3] and mine != theirs for mine in one for theirs in other)


def _shared(rows: list[Evidence], namespaces: Mapping[str, Namespace]) -> set[TokenKey]:
    """Find tokens whose own records name more than `max_unique` different people."""
    proofs: dict[int, set[tuple[str, str, int, bytes]]] = defaultdict(set)
    for row in rows:
        if namespaces[row.namespace].unique:
            proofs[row.subject].add((row.namespace, row.scope, row.epoch, row.token))
    seen: dict[TokenKey, dict[tuple[str, str, int], set[bytes]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        if not namespaces[row.namespace].unique:
            for namespace, scope, epoch, token in proofs.get(row.subject, ()):
                seen[row.namespace, row.token][namespace, scope, epoch].add(token)
    return {key for key, people in seen.items() if max(map(len, people.values())) > namespaces[key[0]].max_unique}


def _in_order(rows: list[Evidence], namespaces: Mapping[str, Namespace]) -> list[tuple[TokenKey, list[int]]]:
    """Sort tokens by strength: the priority of their namespace, then the token itself."""
    subjects: dict[TokenKey, list[int]] = defaultdict(list)
    for row in rows:
        subjects[row.namespace, row.token].append(row.subject)
    return sorted(subjects.items(), key=lambda entry: (namespaces[entry[0][0]].priority, entry[0]))


class _Clusters:
    """Disjoint clusters that know what they hold, so that a join can be refused."""

    def __init__(
        self,
        subjects: list[int],
        usable: list[Evidence],
        overrides: Iterable[Link],
        namespaces: Mapping[str, Namespace],
    ) -> None:
        self.namespaces = namespaces
        self.of = {subject: _Cluster([subject]) for subject in subjects}
        for row in usable:
            self._learn(row)
        self.must: set[tuple[int, int]] = set()
        for kind, first, second in overrides:
            if first in self.of and second in self.of:
                self._override(kind, first, second)

    def _learn(self, row: Evidence) -> None:
        term, cluster = self.namespaces[row.namespace], self.of[row.subject]
        cluster.identified |= term.unique
        if term.limit:
            cluster.values[row.namespace, row.scope if term.per_scope else "", row.epoch].add(row.token)

    def _override(self, kind: str, first: int, second: int) -> None:
        if kind == "must":
            self.must.add((min(first, second), max(first, second)))
        else:
            self.of[first].apart.add(second)
            self.of[second].apart.add(first)

    def join_by_hand(self, first: int, second: int) -> None:
        """Join what a person said is one; only another person's cannot-link stands against it."""
        pair = self._distinct([first, second])
        if len(pair) == 2 and not self._kept_apart(pair):
            self._merge(pair)

    def join(self, subjects: list[int]) -> bool:
        """Join all clusters of these subjects, or, in conflict, only those nobody is identified by."""
        touched = self._distinct(subjects)
        if len(touched) == 1:
            return True
        if self._allowed(touched):
            self._merge(touched)
            return True
        nameless = [cluster for cluster in touched if not cluster.identified]
        if len(nameless) > 1 and self._allowed(nameless):
            self._merge(nameless)
        return False

    def people(self) -> dict[int, int]:
        return {subject: min(cluster.members) for subject, cluster in self.of.items()}

    def _distinct(self, subjects: Iterable[int]) -> list[_Cluster]:
        return list({id(self.of[subject]): self.of[subject] for subject in subjects}.values())

    def _allowed(self, clusters: list[_Cluster]) -> bool:
        if sum(len(cluster.members) for cluster in clusters) > MAX_CLUSTER:
            return False
        return not self._kept_apart(clusters) and not self._over_limit(clusters)

    def _kept_apart(self, clusters: list[_Cluster]) -> bool:
        apart = set().union(*(cluster.apart for cluster in clusters))
        return bool(apart) and any(member in apart for cluster in clusters for member in cluster.members)

    def _over_limit(self, clusters: list[_Cluster]) -> bool:
        """Whether joined they would hold more distinct values than allowed, and more than one already does."""
        held: dict[tuple[str, str, int], set[bytes]] = defaultdict(set)
        most: dict[tuple[str, str, int], int] = {}
        for cluster in clusters:
            for key, tokens in cluster.values.items():
                held[key] |= tokens
                most[key] = max(most.get(key, self.namespaces[key[0]].limit), len(tokens))
        return any(len(tokens) > most[key] for key, tokens in held.items())

    def _merge(self, clusters: list[_Cluster]) -> None:
        into, *rest = sorted(clusters, key=lambda cluster: -len(cluster.members))
        for cluster in rest:
            into.members += cluster.members
            into.apart |= cluster.apart
            into.identified |= cluster.identified
            for key, tokens in cluster.values.items():
                into.values[key] |= tokens
            for member in cluster.members:
                self.of[member] = into
