"""Web and worker carry one request at once: who is held up and comes second takes no step again, and undoes nothing."""

import pytest

from cdp import rights
from cdp.gate.standing import load
from cdp.rights import erasure, packages, plans, steps
from cdp.rights.asked import Asked
from cdp.rights.steps import Step
from tests.rights.conftest import Grounds

MAIL = "ada@example.com"


def next_of(grounds: Grounds, request: str) -> tuple[str, Step | None]:
    """Look which step is next, as `advance` does before it is held up."""
    with grounds.database.snapshot() as session:
        return plans.next_step(steps.load(session, request))


def stands(grounds: Grounds, right: str) -> bool:
    person = grounds.person(MAIL)
    with grounds.database.snapshot() as session:
        standing = load(session, [person], grounds.clock.now())[person].standing
    return standing.restricted if right == "restriction" else bool(standing.objections)


def carried(grounds: Grounds, right: str, **asked: bool) -> None:
    assert rights.advance(grounds, grounds.ask(right, MAIL, asked=Asked(**asked))).state == "completed"
    grounds.clock.pass_(hours=1)


def held_up(grounds: Grounds, request: str, before: str) -> Step:
    """Carry a request on to before this step, and return the step as the one who is held up holds it."""
    while True:
        name, step = next_of(grounds, request)
        assert step
        if name == before:
            return step
        step(grounds, request)


@pytest.mark.parametrize("right", ["restriction", "objection"])
def test_a_lift_that_comes_late_ends_nothing_that_was_asked_for_since(grounds: Grounds, right: str) -> None:
    grounds.bring(MAIL)
    carried(grounds, right)
    lift = grounds.ask(right, MAIL, asked=Asked(lift=True))
    late = held_up(grounds, lift, "lift")
    assert rights.advance(grounds, lift).state == "completed"
    grounds.clock.pass_(hours=1)
    carried(grounds, right)
    assert stands(grounds, right)
    late(grounds, lift)
    assert stands(grounds, right)


def test_a_beginning_that_comes_late_brings_back_no_state_that_has_ended_since(grounds: Grounds) -> None:
    grounds.bring(MAIL)
    request = grounds.ask("restriction", MAIL)
    late = held_up(grounds, request, "stop")
    assert rights.advance(grounds, request).state == "completed"
    carried(grounds, "restriction", lift=True)
    late(grounds, request)
    assert not stands(grounds, "restriction")


def test_a_dispute_that_was_closed_by_hand_restricts_nobody_afterwards(grounds: Grounds) -> None:
    grounds.bring(MAIL)
    corrections = rights.read(grounds.policy, {"full_name": "Ada"}, [])
    asked = Asked(restrict_meanwhile=True)
    request = grounds.ask("rectification", MAIL, asked=asked, corrections=corrections)
    late = held_up(grounds, request, "stop")
    with grounds.database.transaction() as session:
        rights.close(session, request, "refused", "not the person", grounds.clock.now())
    late(grounds, request)
    assert not stands(grounds, "restriction")


def test_a_package_is_gathered_once(grounds: Grounds) -> None:
    grounds.bring(MAIL)
    request = grounds.ask("access", MAIL)
    rights.advance(grounds, request)
    before = told(grounds)
    packages.gather(grounds, request)
    assert told(grounds) == before


def told(grounds: Grounds) -> int:
    with grounds.database.snapshot() as session:
        return len(rights.told(session, grounds.subjects()))


def test_no_row_is_deleted_while_a_key_of_the_erasure_stands(grounds: Grounds) -> None:
    """Who found more to erase has gone back to the first step; who is late finds the keys of those still there."""
    grounds.bring(MAIL)
    request = grounds.erase(MAIL, stop_after="stop")
    erasure.forget(grounds, request.id)
    assert grounds.subjects() != []
    assert rights.advance(grounds, request.id).state == "completed"
    assert grounds.subjects() == []
