"""Everybody resolved at once is what the rules say of everything, and what the stream kept."""

from hypothesis import given, settings

from cdp.identity import rules
from cdp.identity.rebuild import compute
from cdp.identity.rules import Known
from tests.conftest import DEEP, EXAMPLES
from tests.identity.graphs import NAMESPACES, WORLDS, graph_of

MANY = settings(max_examples=EXAMPLES if DEEP else 400, deadline=None)


@MANY
@given(WORLDS)
def test_arrays_and_rules_say_the_same_of_everybody(known: Known) -> None:
    graph = graph_of(known)
    found, wanted = compute(graph, NAMESPACES), rules.resolve(known, NAMESPACES)
    assert dict(zip(graph.subjects.tolist(), found.people.tolist(), strict=True)) == wanted.people
    assert found.states == wanted.states
    assert found.conflicts == wanted.conflicts
