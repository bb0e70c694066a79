"""Resolves a whole graph: arrays for what cannot be in conflict, the rules for the rest; equal to the rules on all."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cdp.identity import rules
from cdp.identity.rebuild.reading import Graph, Ints
from cdp.identity.rules import CROWD, MAX_CLUSTER, Conflict, Known, Link, Mark, TokenKey, belief, cap
from cdp.policy.terms import Namespace

Bools = NDArray[np.bool_]
Told = Callable[[int, int], None]
"""Hears how many of how many difficult components were resolved."""


@dataclass(slots=True)
class Computed:
    """Who is who by all the evidence."""

    people: Ints
    """Parallel to the graph's subjects."""
    states: dict[TokenKey, str] = field(default_factory=dict)
    conflicts: dict[TokenKey, Conflict] = field(default_factory=dict)
    components: int = 0
    difficult: int = 0
    """Components in which something could stand in the way."""


def compute(graph: Graph, namespaces: Mapping[str, Namespace], told: Told = lambda done, total: None) -> Computed:
    """Return the partition that the rules make of everything."""
    numbers = _Numbers(graph, namespaces)
    generic = _generic(graph, numbers, numbers.linking)
    linking = numbers.linking & ~generic[graph.token]
    linking &= ~_unbelieved(graph, numbers, linking, namespaces)
    shared = _shared(graph, numbers, linking)
    linking &= ~shared[graph.token]
    component = _components(graph, linking)
    hard = _difficult(graph, numbers, linking, component, namespaces)
    computed = Computed(_lowest(graph, component), components=int(component.max(initial=-1)) + 1)
    for chosen, state in ((generic, "generic"), (shared, "shared")):
        computed.states.update({graph.keys[one]: state for one in np.flatnonzero(chosen).tolist()})
    _resolve_hard(graph, namespaces, _parts(graph, linking, component, hard), computed, told)
    return computed


class _Numbers:
    """What the namespaces say, by row and by value."""

    def __init__(self, graph: Graph, namespaces: Mapping[str, Namespace]) -> None:
        terms = [namespaces.get(name) for name, _ in graph.kinds]
        of_kind = np.array([term is not None and term.role == "link" for term in terms], dtype=bool)
        trusted = np.array([term is not None and not term.verified_only for term in terms], dtype=bool)
        unique = np.array([term is not None and term.unique for term in terms], dtype=bool)
        blocked = np.array([key in graph.blocked for key in graph.keys], dtype=bool) if graph.blocked else None
        self.unique = unique[graph.kind]
        self.device = trusted[graph.kind]
        self.linking = of_kind[graph.kind] & (graph.verified | self.device)
        if blocked is not None:
            self.linking &= ~blocked[graph.token]
        of_key = [namespaces.get(name) for name, _ in graph.keys]
        self.caps = np.array([cap(term) if term else 0 for term in of_key], dtype=np.int64)
        self.max_unique = np.array([term.max_unique if term else 0 for term in of_key], dtype=np.int64)
        self.per_scope = [term is not None and term.per_scope for term in terms]


def _unbelieved(graph: Graph, numbers: _Numbers, linking: Bools, namespaces: Mapping[str, Namespace]) -> Bools:
    """Find rows on devices that claim, unproved, to be of another, and those of a crowd; seldom any."""
    found = np.zeros(len(graph.of), dtype=bool)
    claiming = np.zeros(len(graph.subjects), dtype=bool)
    claiming[graph.of[numbers.unique & ~graph.verified & ~numbers.device]] = True
    unproven = np.bincount(graph.token[linking & ~graph.verified], minlength=len(graph.keys))
    asked = np.zeros(len(graph.keys), dtype=bool)
    asked[graph.token[linking & numbers.device & claiming[graph.of]]] = True
    asked |= unproven > CROWD
    if not asked.any():
        return found
    there = np.zeros(len(graph.subjects), dtype=bool)
    there[graph.of[asked[graph.token]]] = True
    rows = np.flatnonzero(there[graph.of])
    evidence = graph.evidence(rows)
    places = dict(zip(evidence, rows.tolist(), strict=True))
    usable = [one for one, row in zip(evidence, rows.tolist(), strict=True) if linking[row]]
    kept = set(belief.uncrowded(evidence, belief.agreeing(evidence, usable, namespaces)))
    dropped = [places[one] for one in usable if one not in kept]
    found[[row for row in dropped if asked[graph.token[row]]]] = True
    return found


def _generic(graph: Graph, numbers: _Numbers, linking: Bools) -> Bools:
    degrees = np.bincount(graph.token[linking & graph.verified], minlength=len(graph.keys))
    return degrees > numbers.caps


def _shared(graph: Graph, numbers: _Numbers, linking: Bools) -> Bools:
    """Find values whose own records name more different people than allowed."""
    found = np.zeros(len(graph.keys), dtype=bool)
    proofs = np.flatnonzero(linking & numbers.unique)
    others = np.flatnonzero(linking & ~numbers.unique)
    if not len(proofs) or not len(others):
        return found
    order = np.argsort(graph.of[proofs], kind="stable")
    proofs = proofs[order]
    starts = np.searchsorted(graph.of[proofs], graph.of[others], side="left")
    ends = np.searchsorted(graph.of[proofs], graph.of[others], side="right")
    counts = ends - starts
    left = np.repeat(others, counts)
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    right = proofs[np.repeat(starts, counts) + offsets]
    triples = np.unique(np.stack((graph.token[left], graph.kind[right], graph.token[right]), axis=1), axis=0)
    pairs, distinct = np.unique(triples[:, :2], axis=0, return_counts=True)
    over = distinct > numbers.max_unique[pairs[:, 0]]
    found[pairs[over, 0]] = True
    return found


def _components(graph: Graph, linking: Bools) -> Ints:
    """Return the raw component of every subject, over values that may link and must-links."""
    subjects, keys = len(graph.subjects), len(graph.keys)
    must = _ends(graph, (link for link in graph.links if link.kind == "must"))
    one = np.concatenate((graph.of[linking], must[:, 0]))
    other = np.concatenate((graph.token[linking] + subjects, must[:, 1]))
    size = subjects + keys
    edges = coo_array((np.ones(len(one), dtype=np.int8), (one, other)), shape=(size, size))
    labels = connected_components(edges, directed=False)[1][:subjects]
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _difficult(
    graph: Graph, numbers: _Numbers, linking: Bools, component: Ints, namespaces: Mapping[str, Namespace]
) -> Bools:
    """Find the components in which a limit, a constraint, a word or a size could stand in the way."""
    total = int(component.max(initial=-1)) + 1
    heaviest = min((term.hold_above for term in namespaces.values() if term.hold_above), default=MAX_CLUSTER)
    hard = np.bincount(component, minlength=total) > min(heaviest, MAX_CLUSTER)
    hard[component[_ends(graph, graph.links).ravel()]] = True
    hard[_over_limits(graph, numbers, linking, component, namespaces)] = True
    signs: dict[tuple[int, str], int] = {}
    constraints = {name for name, term in namespaces.items() if term.role == "constrain"}
    of = component.tolist()
    for subject, namespace, value in graph.marks:
        if namespace in constraints and signs.setdefault((of[subject], namespace), value) != value:
            hard[of[subject]] = True
    return hard


def _over_limits(
    graph: Graph, numbers: _Numbers, linking: Bools, component: Ints, namespaces: Mapping[str, Namespace]
) -> Ints:
    kinds: dict[tuple[str, str], int] = {}
    same, limits = [], []
    for (name, scope), per_scope in zip(graph.kinds, numbers.per_scope, strict=True):
        same.append(kinds.setdefault((name, scope if per_scope else ""), len(kinds)))
        limits.append(term.limit if (term := namespaces.get(name)) else 0)
    by_kind = dict(zip(same, limits, strict=True))
    rows = np.flatnonzero(linking & (np.array(limits, dtype=np.int64)[graph.kind] > 0))
    kind = np.array(same, dtype=np.int64)[graph.kind[rows]]
    held = np.unique(np.stack((component[graph.of[rows]], kind, graph.token[rows]), axis=1), axis=0)
    pairs, distinct = np.unique(held[:, :2], axis=0, return_counts=True)
    allowed = np.array([by_kind.get(one, 0) for one in range(len(kinds))], dtype=np.int64)
    over: Ints = pairs[distinct > allowed[pairs[:, 1]], 0]
    return over


def _lowest(graph: Graph, component: Ints) -> Ints:
    """Name every component by its lowest subject; subjects stand in their order."""
    firsts = np.unique(component, return_index=True)[1]
    named: Ints = graph.subjects[firsts][component]
    return named


def _resolve_hard(
    graph: Graph, namespaces: Mapping[str, Namespace], parts: "_Parts", computed: Computed, told: Told
) -> None:
    computed.difficult = len(parts.members)
    for done, (one, members) in enumerate(parts.members.items()):
        subjects = frozenset(graph.subjects[members].tolist())
        known = Known((), parts.marks[one], parts.links[one], subjects=subjects)
        found = rules.join(known, sorted(graph.evidence(parts.rows[one])), namespaces)
        for member in members:
            computed.people[member] = found.people[int(graph.subjects[member])]
        computed.states.update(found.states)
        computed.conflicts.update(found.conflicts)
        if done % 500 == 0:
            told(done, computed.difficult)
    told(computed.difficult, computed.difficult)


@dataclass(slots=True)
class _Parts:
    """What each difficult component rests on."""

    rows: dict[int, Ints]
    """What is believed: whether it is hangs on others, too, whom nothing joins to these."""
    members: dict[int, list[int]]
    marks: dict[int, list[Mark]]
    links: dict[int, list[Link]]


def _parts(graph: Graph, linking: Bools, component: Ints, hard: Bools) -> _Parts:
    of_row = component[graph.of]
    mine = np.flatnonzero(hard[of_row] & linking)
    order = mine[np.argsort(of_row[mine], kind="stable")]
    names, starts = np.unique(of_row[order], return_index=True)
    rows: dict[int, Ints] = defaultdict(lambda: np.empty(0, dtype=np.int64))
    rows.update(dict(zip(names.tolist(), np.split(order, starts[1:]), strict=True)) if len(names) else {})
    parts = _Parts(rows, defaultdict(list), defaultdict(list), defaultdict(list))
    for member in np.flatnonzero(hard[component]).tolist():
        parts.members[int(component[member])].append(member)
    for subject, namespace, value in graph.marks:
        if hard[component[subject]]:
            parts.marks[int(component[subject])].append(Mark(int(graph.subjects[subject]), namespace, value))
    for link, ends in zip(graph.links, _ends(graph, graph.links).tolist(), strict=True):
        for one in {int(component[end]) for end in ends if hard[component[end]]}:
            parts.links[one].append(link)
    return parts


def _ends(graph: Graph, links: Iterable[Link]) -> Ints:
    """Return the places of the two subjects of each word."""
    pairs = [(link.subject, link.other) for link in links]
    return np.searchsorted(graph.subjects, np.array(pairs, dtype=np.int64).reshape(-1, 2))
