"""The invariants of the pure function (identity.md § 5, I1 to I8 and I13), on worlds that meet every bound."""

import random
from collections import defaultdict
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from cdp.identity import rules
from cdp.identity.rules import BIRTH_DATE, Evidence, Known, Link, Partition, cap, links
from tests.conftest import DEEP, EXAMPLES
from tests.identity.graphs import CLAIMING, CROWDED, NAMESPACES, ROWS, SUBJECTS, WORLDS, people

MANY = settings(max_examples=EXAMPLES if DEEP else 200, deadline=None)


def resolved(known: Known) -> Partition:
    return rules.resolve(known, NAMESPACES)


@MANY
@given(WORLDS, st.integers())
def test_i1_the_order_of_arrival_of_numbered_subjects_does_not_matter(known: Known, seed: int) -> None:
    chance = random.Random(seed)
    shuffled = replace(
        known,
        evidence=chance.sample(known.evidence, len(known.evidence)),
        marks=chance.sample(known.marks, len(known.marks)),
        links=chance.sample(list(known.links), len(known.links)),
    )
    assert resolved(shuffled) == resolved(known)


@MANY
@given(st.one_of(WORLDS, CLAIMING), SUBJECTS)
def test_i2_a_component_alone_is_what_it_is_within_everything(known: Known, subject: int) -> None:
    whole = resolved(known)
    wanted = raw(known)[subject]
    states = {key for key, state in whole.states.items() if state in ("generic", "shared")}
    part = replace(
        known,
        evidence=[row for row in known.evidence if row.subject in wanted],
        subjects=frozenset(wanted),
        blocked=known.blocked | states,
    )
    assert {one: whole.people[one] for one in wanted} == dict(resolved(part).people)


@MANY
@given(WORLDS)
def test_i3_what_is_said_twice_says_nothing_more(known: Known) -> None:
    twice = replace(known, evidence=[*known.evidence, *known.evidence], marks=[*known.marks, *known.marks])
    assert resolved(twice) == resolved(known)


@MANY
@given(WORLDS, ROWS)
def test_i4_evidence_added_and_retracted_leaves_no_trace(known: Known, more: Evidence) -> None:
    without = replace(known, evidence=[row for row in known.evidence if row[:3] != more[:3]])
    before = resolved(without)
    resolved(replace(without, evidence=[*without.evidence, more]))
    assert resolved(without) == before


@MANY
@given(WORLDS, SUBJECTS, SUBJECTS)
def test_i5_a_cannot_link_keeps_two_apart_and_revoked_leaves_no_trace(known: Known, one: int, other: int) -> None:
    if one == other:
        return
    before = resolved(known)
    apart = people(replace(known, links=[*known.links, Link("cannot", one, other)]))
    assert apart[one] != apart[other]
    assert resolved(known) == before


@MANY
@given(WORLDS)
def test_i6_no_person_exceeds_a_limit_unless_one_record_or_a_persons_word_does(known: Known) -> None:
    known = replace(known, links=[link for link in known.links if link.kind == "cannot"])
    found = resolved(known)
    accounts = people(replace(known, evidence=[row for row in known.evidence if NAMESPACES[row.namespace].unique]))
    held: dict[tuple[int, str, str], set[bytes]] = defaultdict(set)
    alone: dict[tuple[int, str, str], set[bytes]] = defaultdict(set)
    for row in known.evidence:
        term, key = NAMESPACES[row.namespace], (row.namespace, row.token)
        if term.limit_days or not term.limit or not links(term, row) or found.states.get(key) in ("generic", "shared"):
            continue
        scope = row.scope if term.per_scope else ""
        held[found.people[row.subject], row.namespace, scope].add(row.token)
        # An account is one person's, however many devices they signed in with.
        one = row.subject if term.verified_only else accounts.get(row.subject, row.subject)
        alone[one, row.namespace, scope].add(row.token)
    for (person, name, scope), tokens in held.items():
        members = [one for one, of in found.people.items() if of == person]
        term = NAMESPACES[name]
        ones = members if term.verified_only else [accounts.get(one, one) for one in members]
        most = max(len(alone[one, name, scope]) for one in ones)
        assert len(tokens) <= max(term.limit, term.limit_agreed, most)


@MANY
@given(WORLDS)
def test_i6_two_birth_dates_are_joined_by_nothing_but_an_account_or_a_common_name(known: Known) -> None:
    strong = {name for name, term in NAMESPACES.items() if term.priority < NAMESPACES[BIRTH_DATE].priority}
    dated = [mark for mark in known.marks if mark.namespace == BIRTH_DATE]
    weak = [row for row in known.evidence if row.namespace not in strong]
    found = people(replace(known, evidence=weak, marks=dated, links=()))
    dates: dict[int, set[int]] = defaultdict(set)
    for mark in dated:
        dates[found[mark.subject]].add(mark.value)
    assert all(len(values) == 1 for values in dates.values())


@MANY
@given(WORLDS)
def test_i7_people_only_ever_refine_the_raw_components(known: Known) -> None:
    components = raw(known)
    for subject, person in people(known).items():
        assert person in components[subject]


@MANY
@given(WORLDS)
def test_i8_everybody_is_one_person_named_by_the_lowest_subject(known: Known) -> None:
    found = people(known)
    assert set(found) == {row.subject for row in known.evidence} | known.subjects
    for person in set(found.values()):
        assert person == min(subject for subject, of in found.items() if of == person)


@MANY
@given(CROWDED, st.permutations([b"w", b"x", b"y", b"z"]))
def test_i12_another_key_of_the_index_makes_the_same_people(known: Known, names: list[bytes]) -> None:
    under = dict(zip([b"a", b"b", b"c", b"d"], names, strict=True))
    again = replace(known, evidence=[row._replace(token=under[row.token]) for row in known.evidence])
    before, after = resolved(known), resolved(again)
    assert after.people == before.people
    assert after.states == {(key[0], under[key[1]]): state for key, state in before.states.items()}
    assert after.conflicts == {(key[0], under[key[1]]): conflict for key, conflict in before.conflicts.items()}


@MANY
@given(WORLDS)
def test_i13_a_value_on_too_many_subjects_links_nothing(known: Known) -> None:
    found = resolved(known)
    holders: dict[tuple[str, bytes], set[int]] = defaultdict(set)
    for row in known.evidence:
        if links(NAMESPACES[row.namespace], row) and row.verified:
            holders[row.namespace, row.token].add(row.subject)
    for key, subjects in holders.items():
        if found.states.get(key) == "generic":
            assert len(subjects) > cap(NAMESPACES[key[0]])
            rest = replace(known, evidence=[row for row in known.evidence if (row.namespace, row.token) != key])
            assert people(replace(rest, subjects=known.subjects)) == people(known)


def raw(known: Known) -> dict[int, set[int]]:
    """Return the component of every subject over whatever may link at all."""
    found = {one: {one} for one in {row.subject for row in known.evidence} | known.subjects}

    def join(one: int, other: int) -> None:
        union = found[one] | found[other]
        for member in union:
            found[member] = union

    holders: dict[tuple[str, bytes], int] = {}
    for row in known.evidence:
        if links(NAMESPACES[row.namespace], row):
            join(row.subject, holders.setdefault((row.namespace, row.token), row.subject))
    for link in known.links:
        if link.kind == "must":
            join(link.subject, link.other)
    return found
