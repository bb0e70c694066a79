import json
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import col

from cdp import identity, rights
from cdp.consent import suppression
from cdp.consent.model import Objection
from cdp.errors import Problem
from cdp.gate.model import Permission
from cdp.identity.model import Override
from cdp.profile.model import Subject
from cdp.rights import steps, tombstones
from cdp.rights.model import SubjectRequest
from tests.rights.conftest import Grounds
from tests.rights.test_replay import put_aside, put_back

EVE = "eve@example.com"


def said(request: SubjectRequest) -> dict:
    return json.loads(request.certificate)["body"]


def erasing(grounds: Grounds) -> set[int]:
    with grounds.database.snapshot() as session:
        return set(session.scalars(select(col(Subject.number)).where(col(Subject.erasing))))


def test_a_browser_in_which_the_address_was_typed_goes_with_the_person(grounds: Grounds) -> None:
    grounds.bring(EVE)
    grounds.browse("b1", EVE)
    grounds.browse("b1")
    grounds.browse("b2")
    assert len(grounds.holders(EVE)) == 2
    done = grounds.erase(EVE)
    assert grounds.holders(EVE) == []
    assert grounds.device("b1") is None
    assert grounds.device("b2") is not None
    assert (said(done)["subjects"], said(done)["unproved_holders"]) == (3, 2)


def test_a_browser_alone_with_the_address_is_erased_by_it_too(grounds: Grounds) -> None:
    grounds.browse("b1", EVE)
    grounds.browse("b2", EVE)
    assert len(grounds.holders(EVE)) == 2
    done = grounds.erase(EVE)
    assert grounds.subjects() == []
    assert said(done)["held"] is True


def test_what_else_was_typed_in_that_browser_is_not_silenced(grounds: Grounds) -> None:
    grounds.bring(EVE, "bob@example.com")
    grounds.browse("b1", EVE, "bob@example.com")
    done = grounds.erase(EVE)
    assert said(done)["silenced"] == 1
    assert grounds.person("bob@example.com") is not None
    assert grounds.bring("bob@example.com").accepted == 1
    assert grounds.bring(EVE).accepted == 0


def test_a_family_member_with_a_login_stays_and_loses_only_the_typed_address(grounds: Grounds) -> None:
    grounds.bring(EVE)
    grounds.bring("bob@example.com", user="bob")
    grounds.browse("b1", EVE, user="bob")
    bob = grounds.person("bob@example.com")
    assert bob in grounds.holders(EVE)
    done = grounds.erase(EVE)
    assert grounds.holders(EVE) == []
    assert grounds.person("bob@example.com") == bob
    assert grounds.device("b1") == bob
    assert said(done)["shared_identifiers_removed"] == 1
    assert said(done)["subjects"] == 1
    with grounds.database.snapshot() as session:
        assert not session.get(Permission, bob).erasing


def test_whoever_else_holds_it_with_proof_is_not_touched(grounds: Grounds) -> None:
    grounds.bring("family@example.com", user="u1")
    grounds.bring("family@example.com", user="u2")
    with grounds.database.transaction() as session:
        [one, two] = identity.find_all(session, "email", "", "family@example.com")
        request = rights.receive_for(session, "erasure", [one], "subject", "", "", grounds.clock.now(), verified=True)
    rights.advance(grounds, request.id)
    assert grounds.holders("family@example.com") == [two]


def test_an_erasure_by_number_reaches_the_browsers_as_well(grounds: Grounds) -> None:
    grounds.bring(EVE)
    grounds.browse("b1", EVE)
    with grounds.database.transaction() as session:
        people = [grounds.person(EVE)]
        request = rights.receive_for(session, "erasure", people, "staff", "", "", grounds.clock.now(), verified=True)
    rights.advance(grounds, request.id)
    assert grounds.subjects() == []


@pytest.mark.parametrize("step", ["stop", "wait", "log", "puncture", "forget"])
def test_a_browser_that_proves_somebody_else_meanwhile_takes_nobody_along(grounds: Grounds, step: str) -> None:
    grounds.bring(EVE, "bob@example.com")
    grounds.browse("b1", EVE)
    bob, browser = grounds.person("bob@example.com"), grounds.device("b1")
    paused = grounds.erase(EVE, stop_after=step)
    if step != "forget":
        with grounds.database.transaction() as session:
            at = grounds.clock.now()
            session.add(Override(kind="must", subject=bob, other_subject=browser, reason="", actor="", at=at))
            session.flush()
            identity.resolve(session, [bob, browser], at, "test")
    done = rights.advance(grounds, paused.id)
    assert done.state == "completed"
    assert grounds.subjects() == [bob]
    with grounds.database.snapshot() as session:
        assert not session.get(Permission, bob).erasing


def test_a_restored_copy_gives_the_family_member_the_address_back_for_no_moment(grounds: Grounds) -> None:
    if not grounds.database.is_sqlite:
        pytest.skip("copies one file")
    grounds.bring(EVE)
    grounds.browse("b1", EVE, user="bob")
    grounds.browse("b2", EVE)
    copy = put_aside(grounds)
    grounds.erase(EVE)
    left = grounds.subjects()
    put_back(grounds, copy)
    assert rights.replay(grounds) == 2
    assert grounds.subjects() == left
    assert grounds.holders(EVE) == []


def test_every_subject_says_that_its_erasure_has_begun(grounds: Grounds) -> None:
    grounds.bring(EVE, "bob@example.com")
    grounds.bring(EVE, user="u1")
    grounds.browse("b1", EVE)
    grounds.erase(EVE, stop_after="stop")
    assert len(erasing(grounds)) == 3


def test_nobody_decides_who_is_who_while_one_of_them_is_being_erased(grounds: Grounds) -> None:
    grounds.bring(EVE, "ada@example.com", "bob@example.com")
    eve, ada, bob = (grounds.person(mail) for mail in (EVE, "ada@example.com", "bob@example.com"))
    at = grounds.clock.now()
    with grounds.database.transaction() as session:
        decided = identity.must(session, eve, ada, "same", "staff", at)
    paused = grounds.erase(EVE, stop_after="stop")
    acts = (
        lambda session: identity.must(session, bob, ada, "same", "staff", at),
        lambda session: identity.cannot(session, eve, ada, "two", "staff", at),
        lambda session: identity.revoke(session, decided, "staff", at),
    )
    for act in acts:
        with grounds.database.transaction() as session, pytest.raises(Problem) as refused:
            act(session)
        assert (refused.value.status, refused.value.type) == (409, "erasure_under_way")
    rights.advance(grounds, paused.id)
    assert grounds.subjects() == [bob]


@pytest.mark.parametrize("right", ["restriction", "objection", "appi_35"])
def test_restriction_and_objection_reach_every_holder_of_the_identifier(grounds: Grounds, right: str) -> None:
    grounds.bring(EVE, "bob@example.com")
    grounds.browse("b1", EVE)
    grounds.browse("b2", EVE)
    bob = grounds.person("bob@example.com")
    done = rights.advance(grounds, grounds.ask(right, EVE))
    assert (done.state, done.points) == ("completed", "[]")
    with grounds.database.snapshot() as session:
        assert set(session.scalars(select(col(Objection.subject)))) == set(grounds.subjects()) - {bob}


def test_several_unproved_holders_are_no_reason_to_refuse_an_erasure_and_are_one_to_refuse_access(
    grounds: Grounds,
) -> None:
    grounds.browse("b1", EVE)
    grounds.browse("b2", EVE)
    with pytest.raises(Problem) as refused:
        grounds.ask("access", EVE)
    assert refused.value.type == "ambiguous_identifier"
    for right in ("restriction", "erasure"):
        assert rights.advance(grounds, grounds.ask(right, EVE)).state == "completed"
    assert grounds.subjects() == []


def test_what_was_readmitted_since_stays_readmitted(grounds: Grounds) -> None:
    grounds.bring(EVE)
    grounds.erase(EVE)
    [stone] = tombstones.read(grounds.erasures)
    grounds.clock.pass_(days=1)
    with grounds.database.transaction() as session:
        suppression.readmit(session, stone.points, grounds.clock.now())
    grounds.clock.pass_(days=1)
    assert grounds.bring(EVE).accepted == 1
    back = grounds.subjects()
    rights.replay(grounds)
    assert grounds.subjects() == back
    assert grounds.bring(EVE).accepted == 1
    grounds.erase(EVE)
    rights.replay(grounds)
    assert grounds.bring(EVE).accepted == 0


def test_a_lift_that_is_older_than_the_erasure_readmits_nobody(grounds: Grounds) -> None:
    grounds.bring(EVE)
    grounds.erase(EVE)
    [stone] = tombstones.read(grounds.erasures)
    with grounds.database.transaction() as session:
        suppression.readmit(session, stone.points, stone.at.replace(year=2020))
    rights.replay(grounds)
    assert grounds.bring(EVE).accepted == 0


def test_nothing_in_the_clear_is_left_in_the_files_after_the_certificate(grounds: Grounds) -> None:
    grounds.bring("ada@example.com")
    grounds.browse("b1", EVE, verified=True, prefecture="Atlantis-Prefecture", acquisition_channel="word-of-eve")
    path = Path(grounds.database.url.removeprefix("sqlite:///"))
    files = [path, path.with_name(path.name + "-wal")] if grounds.database.is_sqlite else []
    clear = (b"Atlantis-Prefecture", b"word-of-eve")
    before = b"".join(file.read_bytes() for file in files)
    assert any(value in before for value in clear) or not files
    done = grounds.erase(EVE)
    after = b"".join(file.read_bytes() for file in files)
    assert not any(value in after for value in clear)
    assert said(done)["journal_emptied"] is (True if files else None)


def test_a_journal_that_a_reader_holds_is_named_in_the_certificate(grounds: Grounds) -> None:
    if not grounds.database.is_sqlite:
        pytest.skip("PostgreSQL keeps its own log")
    grounds.bring(EVE)
    paused = grounds.erase(EVE, stop_after="puncture")
    with grounds.database.snapshot() as session:
        session.scalars(select(Subject)).all()
        done = rights.advance(grounds, paused.id)
    assert said(done)["journal_emptied"] is False


@pytest.mark.parametrize(
    "reason",
    [
        "write to eve＠example.com",
        "call 090-1234-5678",
        "call 09012345678",
        "+81 90 1234 5678",
        "０９０ー１２３４ー５６７８",
    ],
)
def test_a_reason_that_names_somebody_is_refused_with_its_place(grounds: Grounds, reason: str) -> None:
    at = grounds.clock.now()
    with grounds.database.transaction() as session, pytest.raises(Problem) as refused:
        rights.receive(session, "access", ("email", "", EVE), "subject", "desk", reason, at)
    assert (refused.value.status, [one.pointer for one in refused.value.errors]) == (422, ["/reason"])
    request = grounds.ask("rectification", EVE)
    with grounds.database.transaction() as session, pytest.raises(Problem):
        rights.close(session, request, "refused", reason, at)


@pytest.mark.parametrize("reason", ["", "ticket 12345678", "form of 2026-05-03, ticket 4711", "2026-05-03 2026/05/04"])
def test_a_ticket_or_a_date_is_a_reason(grounds: Grounds, reason: str) -> None:
    with grounds.database.transaction() as session:
        named = ("email", "", EVE)
        assert rights.receive(session, "access", named, "subject", "", reason, grounds.clock.now()).reason == reason


def test_a_request_about_nobody_names_nobody(grounds: Grounds) -> None:
    with grounds.database.snapshot() as session:
        asked = session.get(SubjectRequest, grounds.ask("access", "nobody@example.com"))
        assert steps.subjects_of(session, asked) == []


def retract(grounds: Grounds, mail: str) -> int:
    """Let staff say that the person was never seen with the address."""
    with grounds.database.transaction() as session:
        key = ("email", grounds.vault.token("email", "", mail))
        [person] = identity.find_all(session, "email", "", mail)
        identity.retract(session, person, key, "somebody else's", "staff", grounds.clock.now())
        return person


@pytest.mark.parametrize("right", ["access", "erasure"])
def test_who_has_an_address_that_was_another_persons_is_not_taken_for_them(grounds: Grounds, right: str) -> None:
    grounds.bring(EVE, user="u1")
    retract(grounds, EVE)
    with pytest.raises(Problem) as refused:
        grounds.ask(right, EVE)
    assert (refused.value.status, refused.value.type) == (409, "ambiguous_identifier"), "nor told that nothing is held"
    grounds.bring(EVE, user="u2")
    with grounds.database.snapshot() as session:
        person, _ = rights.who(session, ("email", "", EVE))
    assert person == max(grounds.subjects())


@pytest.mark.parametrize("right", ["restriction", "objection"])
def test_a_no_by_an_address_reaches_who_is_said_to_have_it_no_more(grounds: Grounds, right: str) -> None:
    grounds.bring(EVE, user="u1")
    person = retract(grounds, EVE)
    assert rights.advance(grounds, grounds.ask(right, EVE)).state == "completed"
    with grounds.database.snapshot() as session:
        assert person in session.scalars(select(col(Objection.subject))).all()
