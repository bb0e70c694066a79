"""Who is one person is a function of the evidence: no order, no repetition and no history changes it."""

import random
from collections import Counter
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from cdp.identity import rules
from cdp.identity.rules import Evidence, Known, Link, Partition
from cdp.policy.terms import Namespace
from tests.ingest.ground import NAMESPACES

SUBJECTS = st.integers(1, 12)
ROWS = st.builds(
    Evidence,
    subject=SUBJECTS,
    namespace=st.sampled_from(["user_id", "crm_id", "email", "phone", "anonymous_id", "note"]),
    token=st.sampled_from([b"a", b"b", b"c", b"d"]),
    scope=st.sampled_from(["", "x"]),
    verified=st.booleans(),
    epoch=st.just(1),
)
EVIDENCE = st.lists(ROWS, max_size=40)
LINKS = st.lists(st.builds(Link, st.sampled_from(["must", "cannot"]), SUBJECTS, SUBJECTS), max_size=3).map(
    lambda links: [link for link in links if link.subject != link.other]
)


def resolve(evidence: list[Evidence], links: list[Link], terms: Mapping[str, Namespace]) -> Partition:
    return rules.resolve(Known(evidence, links=links), terms)


def people(evidence: list[Evidence], links: list[Link] | None = None) -> dict[int, int]:
    return dict(resolve(evidence, links or [], NAMESPACES).people)


def seen(subject: int, **tokens: str) -> list[Evidence]:
    return [Evidence(subject, name, token.encode(), "", True) for name, token in tokens.items()]


@given(EVIDENCE, LINKS, st.integers())
def test_the_order_of_arrival_does_not_matter(evidence: list[Evidence], links: list[Link], seed: int) -> None:
    shuffled = evidence + evidence
    random.Random(seed).shuffle(shuffled)
    assert resolve(shuffled, links[::-1], NAMESPACES) == resolve(evidence, links, NAMESPACES)


@given(EVIDENCE, LINKS, ROWS)
def test_adding_and_retracting_evidence_is_as_if_it_had_never_been(
    evidence: list[Evidence], links: list[Link], more: Evidence
) -> None:
    without = [row for row in evidence if row != more]
    before = people(without, links)
    people([*without, more], links)
    assert people([row for row in [*without, more] if row != more], links) == before


@given(EVIDENCE, SUBJECTS, SUBJECTS)
def test_a_cannot_link_keeps_two_apart_until_it_is_revoked(evidence: list[Evidence], one: int, other: int) -> None:
    if one == other:
        return
    evidence = [*evidence, *seen(one, phone="z"), *seen(other, phone="z")]
    apart = people(evidence, [Link("cannot", one, other)])
    assert apart[one] != apart[other]


@given(EVIDENCE, LINKS)
def test_every_subject_has_one_person_named_by_its_lowest_subject(evidence: list[Evidence], links: list[Link]) -> None:
    found = people(evidence, links)
    assert set(found) == {row.subject for row in evidence}
    for person in set(found.values()):
        assert person == min(subject for subject, of in found.items() if of == person)


@given(EVIDENCE, LINKS)
def test_people_only_ever_refine_the_raw_components(evidence: list[Evidence], links: list[Link]) -> None:
    raw = {row.subject: {row.subject} for row in evidence}

    def join(one: int, other: int) -> None:
        union = raw[one] | raw[other]
        for member in union:
            raw[member] = union

    holders: dict[tuple[str, bytes], int] = {}
    for row in evidence:
        if row.namespace != "note" and (row.verified or not NAMESPACES[row.namespace].verified_only):
            join(row.subject, holders.setdefault((row.namespace, row.token), row.subject))
    for link in links:
        if link.kind == "must" and link.subject in raw and link.other in raw:
            join(link.subject, link.other)
    for subject, person in people(evidence, links).items():
        assert person in raw[subject]


@given(EVIDENCE)
def test_no_person_exceeds_a_limit_unless_one_record_alone_does(evidence: list[Evidence]) -> None:
    found = resolve(evidence, [], NAMESPACES)
    held: dict[tuple[int, str, str], set[bytes]] = {}
    alone: Counter[tuple[int, str, str]] = Counter()
    for row in set(evidence):
        term = NAMESPACES[row.namespace]
        if not term.limit or (term.verified_only and not row.verified):
            continue
        if found.states.get((row.namespace, row.token)) in ("generic", "shared"):
            continue
        kind = row.namespace, row.scope if term.per_scope else ""
        held.setdefault((found.people[row.subject], *kind), set()).add(row.token)
        alone[row.subject, *kind] = len({r.token for r in evidence if _same(r, row, term)})
    for (person, *kind), tokens in held.items():
        most = max(alone[subject, *kind] for subject, of in found.people.items() if of == person)
        assert len(tokens) <= max(NAMESPACES[kind[0]].limit, most)


def _same(one: Evidence, row: Evidence, term: Namespace) -> bool:
    same_scope = not term.per_scope or one.scope == row.scope
    believed = one.verified or not term.verified_only
    return (one.subject, one.namespace) == (row.subject, row.namespace) and same_scope and believed


def test_a_shared_device_joins_only_what_nobody_is_identified_by() -> None:
    evidence = [*seen(1, user_id="u", anonymous_id="k"), *seen(2, user_id="v", anonymous_id="k")]
    evidence += [*seen(3, anonymous_id="k", phone="p"), *seen(4, anonymous_id="k")]
    found = resolve(evidence, [], NAMESPACES)
    assert found.people == {1: 1, 2: 2, 3: 3, 4: 3}
    assert found.states == {("anonymous_id", b"k"): "conflict"}


def test_a_value_with_more_owners_than_people_have_is_shared() -> None:
    evidence = [row for n in range(1, 4) for row in seen(n, user_id=f"u{n}", anonymous_id="kiosk")]
    found = resolve([*evidence, *seen(9, anonymous_id="kiosk")], [], NAMESPACES)
    assert found.states == {("anonymous_id", b"kiosk"): "shared"}
    assert found.people == {1: 1, 2: 2, 3: 3, 9: 9}


def test_a_value_that_turns_generic_parts_what_it_had_joined() -> None:
    few = [row for n in range(1, 7) for row in seen(n, email="info")]
    assert set(people(few).values()) == {1}
    many = resolve([*few, *seen(7, email="info")], [], NAMESPACES)
    assert many.states == {("email", b"info"): "generic"}
    assert set(many.people.values()) == set(range(1, 8))


def test_an_unverified_address_joins_nobody() -> None:
    evidence = [*seen(1, email="a"), Evidence(2, "email", b"a", "", False)]
    assert people(evidence) == {1: 1, 2: 2}


def test_no_claim_counts_towards_any_bound() -> None:
    proven = [*seen(1, phone="p", user_id="u"), *seen(2, phone="p", anonymous_id="k")]
    claimed = [Evidence(n, name, token, "", False) for n in range(10, 40) for name, token in (("phone", b"p"),)]
    claimed += [Evidence(n, "user_id", str(n).encode(), "", False) for n in range(10, 40)]
    found = resolve([*proven, *claimed], [], NAMESPACES)
    assert (found.people[1], found.people[2], found.states) == (1, 1, {})
    assert all(found.people[n] == n for n in range(10, 40))


def test_who_claims_to_be_another_than_the_devices_owner_stays_out_alone() -> None:
    owner = [*seen(1, user_id="u", anonymous_id="k"), *seen(2, anonymous_id="k")]
    claims = [Evidence(3, "user_id", b"u", "", False), Evidence(4, "user_id", b"v", "", False)]
    on_it = [Evidence(n, "anonymous_id", b"k", "", False) for n in (3, 4)]
    assert people([*owner, *claims, *on_it]) == {1: 1, 2: 1, 3: 1, 4: 4}


def test_two_claims_on_one_device_are_two_people() -> None:
    claims = [Evidence(1, "user_id", b"u", "", False), Evidence(2, "user_id", b"v", "", False)]
    on_it = [Evidence(n, "anonymous_id", b"k", "", False) for n in (1, 2, 3, 4)]
    assert people([*claims, *on_it]) == {1: 1, 2: 2, 3: 3, 4: 3}


def test_two_systems_may_number_one_person_but_one_system_not_twice() -> None:
    def numbered(subject: int, token: bytes, scope: str) -> Evidence:
        return Evidence(subject, "crm_id", token, scope, True)

    joined = [*seen(1, phone="p"), numbered(1, b"1", "shop"), *seen(2, phone="p"), numbered(2, b"2", "club")]
    assert people(joined) == {1: 1, 2: 1}
    parted = [*seen(1, phone="p"), numbered(1, b"1", "shop"), *seen(2, phone="p"), numbered(2, b"2", "shop")]
    assert people(parted) == {1: 1, 2: 2}


def test_a_person_may_join_over_a_limit_but_not_over_a_cannot_link() -> None:
    evidence = [*seen(1, user_id="u"), *seen(2, user_id="v")]
    assert people(evidence, [Link("must", 1, 2)]) == {1: 1, 2: 1}
    assert people(evidence, [Link("must", 1, 2), Link("cannot", 2, 1)]) == {1: 1, 2: 2}


def test_an_identifier_under_two_keys_counts_once() -> None:
    old = [Evidence(1, "user_id", b"u-old", "", True, 1), Evidence(1, "user_id", b"u-new", "", True, 2)]
    other = [Evidence(2, "user_id", b"u-old", "", True, 1), Evidence(2, "phone", b"p", "", True, 1)]
    more = [Evidence(3, "user_id", b"u-new", "", True, 2), Evidence(3, "phone", b"p", "", True, 1)]
    assert set(people([*old, *other, *more]).values()) == {1}
