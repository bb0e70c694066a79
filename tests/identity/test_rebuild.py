"""Everybody resolved at once is what the rules say of everything, and what the stream kept."""

from hypothesis import given, settings
from hypothesis import strategies as st

from cdp.identity import rules
from cdp.identity.rebuild import compute
from cdp.identity.rules import Evidence, Known, Mark
from tests.conftest import DEEP, EXAMPLES
from tests.identity.graphs import CLAIMING, NAMESPACES, WORLDS, graph_of

MANY = settings(max_examples=EXAMPLES if DEEP else 400, deadline=None)


@MANY
@given(st.one_of(WORLDS, CLAIMING))
def test_arrays_and_rules_say_the_same_of_everybody(known: Known) -> None:
    graph = graph_of(known)
    found, wanted = compute(graph, NAMESPACES), rules.resolve(known, NAMESPACES)
    assert dict(zip(graph.subjects.tolist(), found.people.tolist(), strict=True)) == wanted.people
    assert found.states == wanted.states
    assert found.conflicts == wanted.conflicts


def test_two_who_claim_a_browser_are_not_believed_because_its_owner_is_joined_to_neither() -> None:
    rows = [
        Evidence(1, "user_id", b"a", "", True),
        Evidence(1, "anonymous_id", b"c", "", True),
        *(Evidence(one, "anonymous_id", b"c", "", True) for one in (2, 3)),
        *(Evidence(one, "user_id", b"b") for one in (2, 3)),
        *(Evidence(one, "device_id", b"d", "", True) for one in (2, 3)),
    ]
    known = Known(rows, [Mark(2, "birth_date", 1), Mark(3, "birth_date", 2)])
    found = compute(graph_of(known), NAMESPACES)
    assert found.people.tolist() == [1, 2, 3]
    assert found.states == rules.resolve(known, NAMESPACES).states == {("device_id", b"d"): "conflict"}
