"""Random evidence of a small world, hard on purpose, and graphs made of it."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from cdp.identity import rules
from cdp.identity.rebuild.reading import Graph, assemble
from cdp.identity.rules import Evidence, Known, Link, Mark
from tests.ingest.ground import NAMESPACES as SHOP

MONTHS = (738000, 738031, 738800, 739600)

NAMESPACES = {
    **SHOP,
    "crm_id": replace(SHOP["crm_id"], limit_agreed=2, max_degree=4, on_conflict="review"),
    "email": replace(SHOP["email"], limit=2, limit_days=366, max_degree=5, hold_above=2),
    "phone": replace(SHOP["phone"], limit=2, max_degree=4, on_conflict="household"),
    "device_id": replace(SHOP["anonymous_id"], name="device_id", max_degree=6, on_conflict="latest"),
    "birth_date": replace(SHOP["note"], name="birth_date", role="constrain", priority=2),
    "kana_name": replace(SHOP["note"], name="kana_name", role="constrain", priority=3),
}
"""Bounds so low that a dozen subjects meet every one of them."""

SUBJECTS = st.integers(1, 12)
ROWS = st.builds(
    Evidence,
    subject=SUBJECTS,
    namespace=st.sampled_from(["user_id", "crm_id", "email", "phone", "anonymous_id", "device_id", "note"]),
    token=st.sampled_from([b"a", b"b", b"c", b"d"]),
    scope=st.sampled_from(["", "x"]),
    verified=st.sampled_from([True, True, True, False]),
    value=st.just(b""),
    seen=st.sampled_from(MONTHS),
)
MARKS = st.builds(Mark, SUBJECTS, st.sampled_from(["birth_date", "kana_name"]), st.integers(1, 2))
WORDS = st.builds(Link, st.sampled_from(["must", "cannot"]), SUBJECTS, SUBJECTS).filter(
    lambda link: link.subject != link.other
)


def named(namespace: str, token: bytes) -> bytes:
    """Name a value as the keyring's other key does: in another order than the index."""
    return hashlib.sha256(namespace.encode() + token).digest()[:4]


def _one_of_each(known: Known) -> Known:
    """Keep one row per key, as the tables do."""
    rows = {
        (row.subject, row.namespace, row.token): row._replace(value=named(row.namespace, row.token))
        for row in known.evidence
    }
    marks = {(mark.subject, mark.namespace): mark for mark in known.marks}
    return replace(known, evidence=sorted(rows.values()), marks=sorted(marks.values()))


WORLDS = st.builds(
    Known,
    evidence=st.lists(ROWS, max_size=45),
    marks=st.lists(MARKS, max_size=8),
    links=st.lists(WORDS, max_size=3),
    blocked=st.sampled_from([frozenset(), frozenset({("email", b"a")})]),
    subjects=st.just(frozenset(range(1, 13))),
).map(_one_of_each)


def _claiming(known: Known) -> Known:
    """Put everybody on the browser of one of them; the others may claim there to be somebody else."""
    owner = [Evidence(1, "crm_id", b"a", "", True), Evidence(1, "anonymous_id", b"c", "", True)]
    of = {row.subject for row in known.evidence} - {1}
    others = [Evidence(one, "anonymous_id", b"c", "", True) for one in of]
    claims = [Evidence(one, "crm_id", b"b") for one in of if one % 4]
    return _one_of_each(replace(known, evidence=[*owner, *others, *claims, *known.evidence]))


CLAIMING = st.builds(
    Known,
    evidence=st.lists(
        st.builds(
            Evidence,
            subject=st.integers(2, 6),
            namespace=st.sampled_from(["crm_id", "email", "device_id"]),
            token=st.sampled_from([b"a", b"b"]),
            verified=st.just(True),
            seen=st.just(MONTHS[0]),
        ),
        max_size=10,
    ),
    marks=st.lists(MARKS, max_size=8),
    links=st.lists(WORDS, max_size=1),
    subjects=st.just(frozenset(range(1, 13))),
).map(_claiming)
"""Worlds of a browser that many claim: who is believed hangs on who is no longer joined to those who are not."""


CROWDED = st.builds(
    Known,
    evidence=st.lists(ROWS, min_size=15, max_size=45),
    marks=st.lists(MARKS, max_size=8),
    links=st.lists(WORDS, max_size=3),
    subjects=st.just(frozenset(range(1, 13))),
).map(_one_of_each)
"""Worlds of which half are in conflict somewhere: there the order of the values decides."""


def people(known: Known) -> dict[int, int]:
    return dict(rules.resolve(known, NAMESPACES).people)


def graph_of(known: Known) -> Graph:
    """Return the evidence as the rebuild reads it."""
    numbers = sorted({row.subject for row in known.evidence} | known.subjects)
    pairs = np.array([(number, number) for number in numbers], dtype=np.int64).reshape(-1, 2)
    rows = (
        (row.subject, row.namespace, row.token, row.scope, row.verified, row.value, row.seen) for row in known.evidence
    )
    graph = assemble(pairs, [list(rows)])
    places = {number: place for place, number in enumerate(numbers)}
    graph.marks = [(places[mark.subject], mark.namespace, mark.value) for mark in known.marks]
    graph.links = list(_there(known.links, places))
    graph.blocked = frozenset(known.blocked)
    return graph


def _there(links: Iterable[Link], places: dict[int, int]) -> Iterable[Link]:
    return (link for link in links if link.subject in places and link.other in places)
