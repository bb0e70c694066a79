"""Reads the whole graph into arrays, in one snapshot."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Table, select
from sqlmodel import Session, col

from cdp.identity.model import Identifier, IdentityMark, Override, Token
from cdp.identity.rules import Evidence, Link, TokenKey
from cdp.profile.model import Subject

Ints = NDArray[np.int64]
Told = Callable[[int], None]
"""Hears how many rows of evidence were read."""

_LOT = 50_000


@dataclass(slots=True)
class Graph:
    """Evidence as parallel arrays; names are numbers into lists."""

    subjects: Ints
    people: Ints
    """Parallel to `subjects`: as stored."""
    of: Ints
    """Index of the subject of each row."""
    token: Ints
    """Index of the value of each row."""
    kind: Ints
    """Index of (namespace, scope) of each row."""
    verified: NDArray[np.bool_]
    seen: Ints
    keys: list[TokenKey]
    values: list[bytes]
    """Parallel to `keys`: names each value under whichever key of the index (`Evidence.value`)."""
    kinds: list[tuple[str, str]]
    marks: list[tuple[int, str, int]] = field(default_factory=list)
    """(index of the subject, namespace, value)"""
    links: list[Link] = field(default_factory=list)
    blocked: frozenset[TokenKey] = frozenset()
    states: Mapping[TokenKey, tuple[str, str]] = field(default_factory=dict)
    """As stored, of tokens that are not simply active."""

    def evidence(self, rows: Ints) -> list[Evidence]:
        """Return these rows as the rules know them."""
        found = []
        for row in rows.tolist():
            namespace, scope = self.kinds[self.kind[row]]
            token, value = self.keys[self.token[row]][1], self.values[self.token[row]]
            subject = int(self.subjects[self.of[row]])
            verified, seen = bool(self.verified[row]), int(self.seen[row])
            found.append(Evidence(subject, namespace, token, scope, verified, value, seen))
        return found


def read(session: Session, told: Told = lambda rows: None) -> Graph:
    """Read everything that counts."""
    query: Any = select(col(Subject.number), col(Subject.person)).order_by(col(Subject.number))
    pairs = np.array(session.execute(query).all(), dtype=np.int64).reshape(-1, 2)
    graph = assemble(pairs, _lots(session), told)
    numbers = select(IdentityMark.subject, IdentityMark.namespace, IdentityMark.value)  # type: ignore[call-overload]
    marks = session.execute(numbers).all()
    places = np.searchsorted(graph.subjects, np.array([row[0] for row in marks], dtype=np.int64))
    graph.marks = [(int(place), row[1], row[2]) for place, row in zip(places, marks, strict=True)]
    there = set(graph.subjects.tolist())
    graph.links = [link for link in _links(session) if link.subject in there and link.other in there]
    states = select(col(Token.namespace), col(Token.token), col(Token.state), col(Token.rule))
    rows = session.execute(states.where(col(Token.state) != "active"))
    graph.states = {(row[0], bytes(row[1])): (row[2], row[3]) for row in rows}
    graph.blocked = frozenset(key for key, (state, _) in graph.states.items() if state == "blocked")
    return graph


def _links(session: Session) -> list[Link]:
    query = select(col(Override.kind), col(Override.subject), col(Override.other_subject))
    standing = (col(Override.revoked_at).is_(None), col(Override.kind).in_(("must", "cannot")))
    return [Link(*row) for row in session.execute(query.where(*standing))]


Row = tuple[int, str, bytes, str, bool, bytes, int]
"""subject, namespace, token, scope, verified, value, seen"""


def assemble(pairs: Ints, rows: Iterable[Iterable[Row]], told: Told = lambda rows: None) -> Graph:
    """Return the graph of lots of evidence; `pairs` are subject and person, in the order of the subjects."""
    tokens: dict[tuple[str, bytes, bytes], int] = {}
    kinds: dict[tuple[str, str], int] = {}
    lots: list[NDArray[np.int64]] = []
    done = 0
    for some in rows:
        lot = np.array(
            [
                (
                    subject,
                    tokens.setdefault((namespace, token, value), len(tokens)),
                    kinds.setdefault((namespace, scope), len(kinds)),
                    verified,
                    seen,
                )
                for subject, namespace, token, scope, verified, value, seen in some
            ],
            dtype=np.int64,
        ).reshape(-1, 5)
        lots.append(lot)
        done += len(lot)
        told(done)
    whole = np.concatenate(lots) if lots else np.empty((0, 5), dtype=np.int64)
    of = np.searchsorted(pairs[:, 0], whole[:, 0])
    return Graph(
        subjects=pairs[:, 0],
        people=pairs[:, 1],
        of=of,
        token=whole[:, 1],
        kind=whole[:, 2],
        verified=whole[:, 3].astype(bool),
        seen=whole[:, 4],
        keys=[(namespace, token) for namespace, token, _ in tokens],
        values=[value for _, _, value in tokens],
        kinds=list(kinds),
    )


def _lots(session: Session) -> Iterable[Sequence[Row]]:
    """Yield the evidence that counts, some at a time and as the driver gives it: two million rows are not copied."""
    connection = session.connection()
    yield from connection.execute(_EVIDENCE, execution_options={"yield_per": _LOT}).partitions()


_NAMES: Table = Identifier.__table__  # type: ignore[attr-defined]
_COLUMNS = ("subject", "namespace", "token", "scope", "verified", "suppression_token", "seen")
_EVIDENCE = select(*(_NAMES.c[name] for name in _COLUMNS)).where(_NAMES.c.aside == 0).order_by(_NAMES.c.subject)
