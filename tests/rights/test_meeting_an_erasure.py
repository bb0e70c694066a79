"""What meets keys that an erasure has destroyed, before the rows are gone, ends and breaks nothing."""

import pytest
from sqlalchemy import select
from sqlmodel import col

from cdp import rights
from cdp.errors import Problem
from cdp.gate.model import Disclosed
from cdp.rights.asked import Corrections
from tests.rights.conftest import Grounds
from tests.rights.test_rectification import counted

MAIL = "eve@example.com"
BEGUN = pytest.mark.parametrize("stage", ["stop", "puncture", "forget"])


def corrections(grounds: Grounds) -> Corrections:
    return rights.read(grounds.policy, {"country": "DE"}, [{"remove": {"type": "email", "value": MAIL}}])


def fetched(grounds: Grounds, request: str) -> int:
    """Fetch a package; returns the status of the refusal."""
    with grounds.database.transaction() as session, pytest.raises(Problem) as refused:
        rights.package(session, request, grounds.clock.now(), "desk")
    return refused.value.status


def exports(grounds: Grounds) -> list[str]:
    with grounds.database.snapshot() as session:
        return list(session.scalars(select(col(Disclosed.purpose)).where(col(Disclosed.kind) == "export")))


@BEGUN
def test_a_package_is_gone_from_the_first_step_of_an_erasure_on(grounds: Grounds, stage: str) -> None:
    grounds.bring(MAIL)
    done = rights.advance(grounds, grounds.ask("access", MAIL))
    grounds.erase(MAIL, stop_after=stage)
    assert fetched(grounds, done.id) == 410
    assert exports(grounds) == ["subject_rights"], "what was gathered, and nothing since"


@BEGUN
def test_access_that_meets_an_erasure_gives_nothing_out(grounds: Grounds, stage: str) -> None:
    grounds.bring(MAIL)
    request = grounds.ask("access", MAIL)
    erasure = grounds.erase(MAIL, stop_after=stage)
    done = rights.advance(grounds, request)
    assert (done.state, counted(done, "gather")["held"], done.package) == ("completed", 0, None)
    assert exports(grounds) == []
    rights.advance(grounds, erasure.id)
    with grounds.database.transaction() as session:
        assert rights.package(session, request, grounds.clock.now(), "desk")["held"] == []


@BEGUN
def test_a_correction_that_meets_an_erasure_changes_nothing(grounds: Grounds, stage: str) -> None:
    grounds.bring(MAIL)
    request = grounds.ask("rectification", MAIL, corrections=corrections(grounds))
    erasure = grounds.erase(MAIL, stop_after=stage)
    done = rights.advance(grounds, request)
    assert (done.state, counted(done)["traits"], counted(done)["identifiers"]) == ("completed", 0, 0)
    assert done.sealed_words is None
    assert rights.advance(grounds, erasure.id).state == "completed"
    assert grounds.subjects() == []


@BEGUN
def test_what_is_asked_during_an_erasure_is_taken_in_and_answered(grounds: Grounds, stage: str) -> None:
    grounds.bring(MAIL)
    earlier = grounds.ask("rectification", MAIL, corrections=rights.read(grounds.policy, {"full_name": "Eve"}, []))
    rights.advance(grounds, earlier)
    grounds.erase(MAIL, stop_after=stage)
    for asked in (
        grounds.ask("access", MAIL),
        grounds.ask("rectification", MAIL, corrections=corrections(grounds)),
        grounds.ask("restriction", MAIL),
    ):
        assert rights.advance(grounds, asked).state == "completed"
