"""Who is one person, rule by rule, each on the smallest example; the laws that hold of all are in test_invariants."""

from collections.abc import Mapping
from dataclasses import replace

from cdp.identity import rules
from cdp.identity.rules import Evidence, Known, Link, Mark, Partition
from cdp.policy.terms import Namespace
from tests.ingest.ground import NAMESPACES


def resolve(evidence: list[Evidence], links: list[Link], terms: Mapping[str, Namespace]) -> Partition:
    return rules.resolve(Known(evidence, links=links), terms)


def people(evidence: list[Evidence], links: list[Link] | None = None) -> dict[int, int]:
    return dict(resolve(evidence, links or [], NAMESPACES).people)


def seen(subject: int, **tokens: str) -> list[Evidence]:
    return [Evidence(subject, name, token.encode(), "", True) for name, token in tokens.items()]


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


def test_an_account_is_one_person_however_many_browsers_they_used() -> None:
    many = NAMESPACES["anonymous_id"].limit + 3
    evidence = [row for n in range(1, many + 1) for row in seen(n, user_id="u", anonymous_id=f"browser {n}")]
    assert set(people(evidence).values()) == {1}
    mailbox = [row for n in range(1, many + 1) for row in seen(n, phone="p", anonymous_id=f"browser {n}")]
    terms = {name: replace(term, max_degree=0) for name, term in NAMESPACES.items()}
    assert len(set(resolve(mailbox, [], terms).people.values())) == many, "what is no account may be several people's"


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


JUNE, LATER = 739768, 739768 + 31
"""First days of two months."""


def on(subject: int, day: int, **tokens: str) -> list[Evidence]:
    return [row._replace(seen=day) for row in seen(subject, **tokens)]


def under(evidence: list[Evidence], marks: list[Mark], **changed: Namespace) -> Partition:
    terms = {**NAMESPACES, **CONSTRAINTS, **changed}
    return rules.resolve(Known(evidence, marks), terms)


CONSTRAINTS = {
    name: Namespace(name, "constrain", priority)
    for name, priority in (("birth_date", 2), ("kana_name", 3), ("kanji_name", 3))
}


def test_a_limit_with_a_window_counts_what_was_seen_within_it() -> None:
    yearly = replace(NAMESPACES["phone"], limit=1, limit_days=366)
    both = [*on(1, JUNE, user_id="u", phone="old"), *on(2, JUNE + 800, user_id="u", phone="new")]
    assert under(both, [], phone=yearly).people == {1: 1, 2: 1}
    soon = [*on(1, JUNE, user_id="u", phone="old"), *on(2, LATER, user_id="u", phone="new")]
    assert under(soon, [], phone=yearly).people == {1: 1, 2: 2}


def test_two_birth_dates_on_one_mailbox_are_two_people() -> None:
    family = [*seen(1, email="home", phone="p"), *seen(2, email="home")]
    found = under(family, [Mark(1, "birth_date", 7), Mark(2, "birth_date", 8)])
    assert found.people == {1: 1, 2: 2}
    assert found.conflicts["email", b"home"].rule == "veto"
    assert found.conflicts["email", b"home"].namespace == "birth_date"


def test_another_name_is_no_obstacle_where_the_birth_date_is_the_same() -> None:
    same = [*seen(1, email="e"), *seen(2, email="e")]
    names = [Mark(1, "kanji_name", 1), Mark(2, "kanji_name", 2)]
    assert under(same, names).people == {1: 1, 2: 2}
    assert under(same, [*names, Mark(1, "birth_date", 7), Mark(2, "birth_date", 7)]).people == {1: 1, 2: 1}
    assert under(same, [*names, Mark(1, "kana_name", 3), Mark(2, "kana_name", 3)]).people == {1: 1, 2: 1}


def test_twins_on_one_mailbox_are_two_people() -> None:
    born = [Mark(1, "birth_date", 7), Mark(2, "birth_date", 7)]
    names = [Mark(1, "kanji_name", 1), Mark(2, "kanji_name", 2), Mark(1, "kana_name", 3), Mark(2, "kana_name", 4)]
    assert under([*seen(1, email="e"), *seen(2, email="e")], [*born, *names]).people == {1: 1, 2: 2}


def test_another_birth_date_is_no_obstacle_where_the_name_is_the_same() -> None:
    same = [*seen(1, email="e"), *seen(2, email="e")]
    dates = [Mark(1, "birth_date", 7), Mark(2, "birth_date", 8)]
    assert under(same, dates).people == {1: 1, 2: 2}
    assert under(same, [*dates, Mark(1, "kana_name", 3), Mark(2, "kana_name", 3)]).people == {1: 1, 2: 1}


def test_a_value_that_the_person_had_put_right_stands_against_nobody() -> None:
    stale = [*seen(1, email="e"), *seen(2, email="e")]
    dates = [Mark(1, "birth_date", 7), Mark(2, "birth_date", 8)]
    assert under(stale, [*dates, Mark(1, rules.DENIED + "birth_date", 8)]).people == {1: 1, 2: 1}


def test_an_account_joins_whoever_spells_a_name_otherwise() -> None:
    married = [*seen(1, user_id="u"), *seen(2, user_id="u")]
    assert under(married, [Mark(1, "kanji_name", 1), Mark(2, "kanji_name", 2)]).people == {1: 1, 2: 1}


def test_one_customer_entered_twice_is_one_where_the_name_agrees_and_nothing_differs() -> None:
    twice = [*seen(1, crm_id="1", phone="p"), *seen(2, crm_id="2", phone="p")]
    agreeing = replace(NAMESPACES["crm_id"], limit_agreed=2)
    named = [Mark(1, "kana_name", 3), Mark(2, "kana_name", 3)]
    assert under(twice, named, crm_id=agreeing).people == {1: 1, 2: 1}
    assert under(twice, [], crm_id=agreeing).people == {1: 1, 2: 2}
    born = [Mark(1, "birth_date", 7), Mark(2, "birth_date", 8)]
    assert under(twice, [*named, *born], crm_id=agreeing).people == {1: 1, 2: 2}


def test_a_login_cookie_goes_to_whoever_was_seen_with_it_last() -> None:
    latest = replace(NAMESPACES["anonymous_id"], on_conflict="latest")
    shared = [*on(1, JUNE, user_id="u", anonymous_id="k"), *on(2, LATER, user_id="v", anonymous_id="k")]
    assert under([*shared, *on(3, JUNE, anonymous_id="k")], [], anonymous_id=latest).people == {1: 1, 2: 2, 3: 2}
    tied = [*on(1, JUNE, user_id="u", anonymous_id="k"), *on(2, JUNE, user_id="v", anonymous_id="k")]
    assert under([*tied, *on(3, JUNE, anonymous_id="k")], [], anonymous_id=latest).people == {1: 1, 2: 2, 3: 3}


def test_two_people_of_many_records_are_joined_by_a_weak_value_only_by_somebody() -> None:
    heavy = replace(NAMESPACES["phone"], hold_above=2)
    many = [row for n in range(1, 4) for row in seen(n, user_id="u")] + [
        row for n in range(5, 8) for row in seen(n, crm_id="c")
    ]
    held = under([*many, *seen(3, phone="p"), *seen(7, phone="p")], [], phone=heavy)
    assert held.conflicts["phone", b"p"].rule == "weight"
    assert set(held.people.values()) == {1, 5}


def test_a_conflict_says_whom_it_touched_and_whom_it_joined_all_the_same() -> None:
    evidence = [*seen(1, user_id="u", anonymous_id="k"), *seen(2, user_id="v", anonymous_id="k")]
    evidence += [*seen(3, anonymous_id="k"), *seen(4, anonymous_id="k")]
    conflict = resolve(evidence, [], NAMESPACES).conflicts["anonymous_id", b"k"]
    assert (conflict.rule, conflict.namespace) == ("limit", "user_id")
    assert (conflict.people, conflict.together) == ((1, 2, 3, 4), frozenset({3, 4}))
