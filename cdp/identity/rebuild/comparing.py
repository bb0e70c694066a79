"""Says where what is stored differs from what all the evidence says."""

from dataclasses import dataclass

import numpy as np

from cdp.identity.rebuild.computing import Computed
from cdp.identity.rebuild.reading import Graph
from cdp.identity.rules import TokenKey


@dataclass(frozen=True, slots=True)
class Difference:
    """Who would be another person, and which values would be believed otherwise."""

    subjects: tuple[int, ...]
    """Those whose person differs."""
    touched: tuple[int, ...]
    """Those and everybody who is one person with them, or would be: whose person gains or loses records."""
    joined: int
    """People of now who would be one with another."""
    parted: int
    """People of now whose records would be several people's."""
    generic: tuple[TokenKey, ...]
    """Values that would be generic, or would be no more."""
    values: tuple[TokenKey, ...]
    """Others that would be in conflict or shared, or would be no more."""

    @property
    def is_none(self) -> bool:
        return not (self.subjects or self.generic or self.values)


def compare(graph: Graph, computed: Computed) -> Difference:
    """Compare the stored people, and the states of values, with the computed ones."""
    moved = np.flatnonzero(graph.people != computed.people)
    touched = np.isin(graph.people, graph.people[moved]) | np.isin(computed.people, computed.people[moved])
    pairs = np.unique(np.stack((graph.people[touched], computed.people[touched]), axis=1), axis=0)
    into = dict(zip(*np.unique(pairs[:, 1], return_counts=True), strict=True))
    out = dict(zip(*np.unique(pairs[:, 0], return_counts=True), strict=True))
    stored = {key: state for key, (state, _) in graph.states.items() if state != "blocked"}
    wanted = {key: state for key, state in computed.states.items() if key not in graph.blocked}
    other = {key for key in stored.keys() | wanted.keys() if stored.get(key) != wanted.get(key)}
    turning = {key for key in other if "generic" in (stored.get(key), wanted.get(key))}
    return Difference(
        tuple(graph.subjects[moved].tolist()),
        tuple(graph.subjects[touched].tolist()),
        sum(int(count) for count in into.values() if count > 1),
        sum(1 for count in out.values() if count > 1),
        tuple(sorted(turning)),
        tuple(sorted(other - turning)),
    )
