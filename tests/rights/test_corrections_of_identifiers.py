"""What one person has put right of an identifier reaches whoever shares it: stored is what all the evidence says."""

import dataclasses
from collections.abc import Iterator, Mapping
from itertools import permutations
from typing import Any

import pytest
from sqlmodel import col, select

from cdp import identity, rights
from cdp.connector.kit import Claim
from cdp.identity import aside, breaker, config, rebuild, review
from cdp.identity.model import (
    Aside,
    CorrectedIdentifier,
    Identifier,
    IdentityCase,
    IdentityMark,
    Override,
    Token,
)
from cdp.identity.rules import TokenKey
from cdp.profile.model import Person, Subject
from cdp.rights.model import SubjectRequest
from tests.rights.conftest import Grounds
from tests.rights.test_corrections_stand import PHONE, take
from tests.rights.test_rectification import CRM, counted, named

HOME = "home@example.com"


@pytest.fixture(autouse=True)
def exact(grounds: Grounds) -> Iterator[None]:
    """Whatever a test does, what is stored is what a rebuild would store."""
    yield
    with grounds.database.snapshot() as session:
        graph = rebuild.read(session)
        found = rebuild.compare(graph, rebuild.compute(graph, dict(config.namespaces(session))))
        assert found.is_none, found
        assert rebuild.lost(session) == [], "nor is a decision one that was said of what a person added since"


def people(grounds: Grounds) -> list[int]:
    with grounds.database.snapshot() as session:
        return list(session.exec(select(Subject.person).order_by(Subject.number)))  # type: ignore[arg-type]


def correct(
    grounds: Grounds, user: str | int, *changes: Mapping[str, Any], traits: Mapping[str, Any] | None = None
) -> SubjectRequest:
    """Let whoever has this account, or this subject, ask for these changes."""
    grounds.clock.pass_(hours=1)
    with grounds.database.transaction() as session:
        corrections = rights.read(grounds.policy, traits or {}, changes)
        receive, by = (rights.receive_for, [user]) if isinstance(user, int) else (rights.receive, ("user_id", "", user))
        received = receive(
            session,
            "rectification",
            by,
            "subject",
            "desk",
            "",
            grounds.clock.now(),
            verified=True,
            corrections=corrections,
        )
    done = rights.advance(grounds, received.id)
    assert done.state == "completed"
    grounds.clock.pass_(hours=1)
    return done


def take_back(grounds: Grounds, request: SubjectRequest, subject: int = 1) -> None:
    with grounds.database.transaction() as session:
        at, asked = grounds.clock.now(), rights.Asked(revokes=request.id)
        undo = rights.receive_for(session, "rectification", [subject], "staff", "", "", at, verified=True, asked=asked)
    assert rights.advance(grounds, undo.id).state == "completed"
    grounds.clock.pass_(hours=1)


def test_an_address_that_one_of_two_accounts_gives_up_joins_the_other_and_whoever_had_none(grounds: Grounds) -> None:
    grounds.bring(HOME, user="u1")
    grounds.bring(HOME, user="u2")
    grounds.bring(HOME, user="u3")
    grounds.bring(HOME)
    assert people(grounds) == [1, 2, 3, 4]
    for user in ("u1", "u3"):
        assert counted(correct(grounds, user, {"remove": named(HOME)}))["identifiers"] == 1
    assert people(grounds) == [1, 2, 3, 2]


def test_an_address_that_stood_on_too_many_joins_the_others_again_once_one_gives_it_up(grounds: Grounds) -> None:
    terms = grounds.policy.namespaces
    few = {"email": dataclasses.replace(terms["email"], max_degree=6)}
    kept = {name: term for name, term in terms.items() if name != "email_canon"}
    grounds.database.context["policy"] = dataclasses.replace(grounds.policy, namespaces=kept | few)
    for number in range(7):
        grounds.browse(f"d{number}", HOME, user="u1" if number == 0 else "", verified=True)
    assert len(set(people(grounds))) == 7
    done = correct(grounds, "u1", {"remove": named(HOME)})
    assert people(grounds) == [1, *[2] * 6]
    take_back(grounds, done)
    assert len(set(people(grounds))) == 7


def test_others_whom_an_added_address_parted_are_one_again_when_it_is_taken_back(grounds: Grounds) -> None:
    grounds.bring("ada@example.com", user="u1")
    grounds.bring(HOME, user="u2")
    grounds.bring(HOME)
    grounds.bring("eve@example.com", user="u3")
    before = people(grounds)
    assert before == [1, 2, 2, 4]
    adds = [correct(grounds, user, {"add": named(HOME, verified=True)}) for user in ("u1", "u3")]
    assert people(grounds) == [1, 2, 3, 4]
    for done, subject in zip(adds, (1, 4), strict=True):
        take_back(grounds, done, subject)
    assert people(grounds) == before


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_an_address_given_up_given_back_and_given_up_is_as_it_was_once_all_is_taken_back(
    grounds: Grounds, order: tuple[int, ...]
) -> None:
    grounds.bring(HOME, user="u1")
    grounds.bring(HOME)
    before = people(grounds), evidence(grounds)
    changes = ({"remove": named(HOME)}, {"add": named(HOME)}, {"remove": named(HOME)})
    done = [correct(grounds, "u1", change) for change in changes]
    for number in order:
        take_back(grounds, done[number])
    assert (people(grounds), evidence(grounds)) == before


# What was decided of a value that is corrected away


GIVEN_UP = {"remove": {"type": "phone", "value": PHONE.value}}


def bring_two(grounds: Grounds) -> int:
    """Two accounts give one telephone; returns the case."""
    for user in ("u1", "u2"):
        take(grounds, CRM, PHONE, Claim("user_id", user, verified=True))
    with grounds.database.snapshot() as session:
        (case,) = review.listed(session)
    return case.id or 0


def decide(grounds: Grounds, case: int, action: str) -> list[int]:
    with grounds.database.transaction() as session:
        return review.decide(session, case, action, "looked", "staff", grounds.clock.now())


def undo(grounds: Grounds, case: int) -> None:
    with grounds.database.transaction() as session:
        review.undo(session, case, "a slip", "staff", grounds.clock.now())
        standing = select(Override).where(col(Override.revoked_at).is_(None))
        assert session.exec(standing).all() == []


def evidence(grounds: Grounds) -> list[tuple[Any, ...]]:
    with grounds.database.snapshot() as session:
        rows = session.exec(select(Identifier)).all()
        return sorted((row.subject, row.namespace, bytes(row.token), row.aside, row.verified) for row in rows)


@pytest.mark.parametrize("action", ["allow", "cannot", "block", "shared", "expire"])
def test_what_a_case_decided_is_taken_back_though_nobody_has_the_value_any_more(grounds: Grounds, action: str) -> None:
    case = bring_two(grounds)
    before = people(grounds), evidence(grounds)
    decide(grounds, case, action)
    corrected = [correct(grounds, user, GIVEN_UP) for user in ("u1", "u2")]
    assert {row[1] for row in evidence(grounds)} == {"user_id"}
    undo(grounds, case)
    for subject in (2, 1):
        take_back(grounds, corrected[subject - 1], subject)
    assert (people(grounds), evidence(grounds)) == before
    with grounds.database.snapshot() as session:
        assert [one.rule for one in review.listed(session)] == ["limit"]


def test_of_two_who_gave_a_value_up_the_erasure_of_one_leaves_the_other_what_was_decided(grounds: Grounds) -> None:
    case = bring_two(grounds)
    decide(grounds, case, "block")
    given_up = [correct(grounds, user, GIVEN_UP) for user in ("u1", "u2")]
    erase(grounds, "u1")
    undo(grounds, case)
    take_back(grounds, given_up[1], 2)
    assert [row[:2] for row in evidence(grounds)] == [(2, "phone"), (2, "user_id")]


def test_with_the_last_who_gave_a_value_up_everything_that_was_decided_of_it_goes(grounds: Grounds) -> None:
    case = bring_two(grounds)
    decide(grounds, case, "block")
    for user in ("u1", "u2"):
        correct(grounds, user, GIVEN_UP)
        erase(grounds, user)
    with grounds.database.snapshot() as session:
        for table in (Identifier, CorrectedIdentifier, Token, Override, IdentityCase):
            assert session.exec(select(table)).all() == []


def test_what_a_case_said_of_others_can_be_revoked_once_its_value_was_erased(grounds: Grounds) -> None:
    for user in ("u1", "u2", "u3"):
        grounds.browse("tablet", f"{user}@example.com", user=user, verified=True)
    with grounds.database.snapshot() as session:
        (case,) = review.listed(session)
    decide(grounds, case.id or 0, "cannot")
    erase(grounds, "u1")
    with grounds.database.transaction() as session:
        (left,) = session.exec(select(Override)).all()
        assert (left.subject, left.other_subject) == (2, 3)
        review.revoke(session, left.id or 0, "staff", grounds.clock.now())


def erase(grounds: Grounds, user: str) -> None:
    with grounds.database.transaction() as session:
        by = ("user_id", "", user)
        at = grounds.clock.now()
        asked = rights.receive(session, "erasure", by, "subject", "desk", "", at, verified=True).id
    assert rights.advance(grounds, asked).state == "completed"


# What is said of a value while it is corrected away


def key_of(grounds: Grounds) -> TokenKey:
    with grounds.database.snapshot() as session:
        row = session.exec(select(Identifier).where(col(Identifier.namespace) == "phone")).first()
        assert row is not None
        return "phone", bytes(row.token)


def asides(grounds: Grounds) -> dict[int, int]:
    return {row[0]: row[3] for row in evidence(grounds) if row[1] == "phone"}


def test_a_reason_that_is_taken_back_while_the_value_is_away_does_not_come_back_with_it(grounds: Grounds) -> None:
    bring_two(grounds)
    with grounds.database.transaction() as session:
        word = identity.retract(session, 1, key_of(grounds), "not hers", "staff", grounds.clock.now())
    assert asides(grounds) == {1: Aside.RETRACTED, 2: 0}
    done = correct(grounds, "u1", GIVEN_UP)
    with grounds.database.transaction() as session:
        identity.revoke(session, word, "staff", grounds.clock.now())
    take_back(grounds, done)
    assert asides(grounds) == {1: 0, 2: 0}


def test_a_value_that_left_while_it_was_away_has_left_when_it_comes_back(grounds: Grounds) -> None:
    take(grounds, CRM, PHONE, Claim("user_id", "u1", verified=True))
    grounds.clock.pass_(days=62)
    take(grounds, CRM, PHONE, Claim("user_id", "u2", verified=True))
    done = correct(grounds, "u1", GIVEN_UP)
    with grounds.database.transaction() as session:
        word = identity.judge(session, "expire", key_of(grounds), "another's", "staff", grounds.clock.now())
    take_back(grounds, done)
    assert asides(grounds)[1] == Aside.LEFT
    with grounds.database.transaction() as session:
        identity.revoke(session, word, "staff", grounds.clock.now())
    assert asides(grounds) == {1: 0, 2: 0}


def test_a_source_on_hold_that_is_released_lets_the_value_count_that_was_away(grounds: Grounds) -> None:
    take(grounds, CRM, PHONE, Claim("user_id", "u1", verified=True))
    key = key_of(grounds)
    with grounds.database.transaction() as session:
        case = breaker.hold(session, CRM.name, "too many", grounds.clock.now())
        aside.hold_back(session, case, {(*key, 1)}, grounds.clock.now())
    done = correct(grounds, 1, GIVEN_UP)
    with grounds.database.transaction() as session:
        aside.release(session, session.get_one(IdentityCase, case.id), "staff", grounds.clock.now())
    take_back(grounds, done)
    assert (key_of(grounds), asides(grounds)) == (key, {1: 0})


def test_what_a_person_on_hold_had_put_right_counts_after_a_release_that_was_undone(grounds: Grounds) -> None:
    grounds.bring(HOME, user="u9")
    with grounds.database.transaction() as session:
        case = breaker.hold(session, CRM.name, "too many", grounds.clock.now()).id or 0
    take(grounds, CRM, PHONE, Claim("user_id", "u1", verified=True))
    correct(grounds, 2, {"add": named("new@example.com", verified=True)})
    before = evidence(grounds)
    assert len({row[3] for row in before if row[0] == 2}) == 2, "the address counts, what the source brought does not"
    with grounds.database.transaction() as session:
        review.decide(session, case, "release", "looked", "staff", grounds.clock.now())
    take(grounds, CRM, Claim("user_id", "u5", verified=True))
    late = [row for row in evidence(grounds) if row[0] == 3]
    with grounds.database.transaction() as session:
        review.undo(session, case, "because", "staff", grounds.clock.now())
    assert evidence(grounds) == before + late, "what came after the release was never held"


def test_a_number_that_a_person_on_hold_gives_up_and_adds_again_is_theirs_and_no_lost_hold(grounds: Grounds) -> None:
    with grounds.database.transaction() as session:
        breaker.hold(session, CRM.name, "too many", grounds.clock.now())
    take(grounds, CRM, PHONE, Claim("user_id", "u1", verified=True))
    correct(grounds, 1, GIVEN_UP)
    correct(grounds, 1, {"add": {**GIVEN_UP["remove"], "verified": True}})
    assert asides(grounds)[1] == 0
    with grounds.database.snapshot() as session:
        assert rebuild.lost(session) == []


# Birth dates


def marks(grounds: Grounds) -> list[tuple[Any, ...]]:
    with grounds.database.snapshot() as session:
        names = ("subject", "namespace", "value", "at", "ref")
        rows = session.execute(select(*(col(getattr(IdentityMark, name)) for name in names)))  # type: ignore[call-overload]
        return sorted((*row[:-1], bytes(row[-1])) for row in rows)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_birth_dates_that_were_put_right_and_taken_back_in_any_order_leave_the_first(
    grounds: Grounds, order: tuple[int, ...]
) -> None:
    take(grounds, CRM, PHONE, Claim("user_id", "u1", verified=True), birthday="1990-05-05")
    before, dates, done = marks(grounds), [], []
    for year in (1991, 1992, 1993):
        done.append(correct(grounds, "u1", traits={"birthday": f"{year}-05-05"}))
        dates.append(date_of_birth(grounds))
    left = [0, 1, 2]
    for number in order:
        take_back(grounds, done[number])
        left.remove(number)
        if left:
            assert date_of_birth(grounds) == dates[left[-1]]
        assert said_year(grounds) == (1991 + left[-1] if left else 1990)
    assert marks(grounds) == before


def said_year(grounds: Grounds) -> int | None:
    with grounds.database.snapshot() as session:
        return session.get_one(Person, 1).birth_year


def date_of_birth(grounds: Grounds) -> tuple[Any, ...]:
    (found,) = [row for row in marks(grounds) if row[1] == "birth_date"]
    return found
