import pytest

from cdp import rights
from cdp.consent.model import Objection
from cdp.gate.model import Permission
from tests.rights.conftest import Grounds


def standing(grounds: Grounds, mail: str) -> Permission:
    with grounds.database.snapshot() as session:
        return session.get(Permission, grounds.person(mail))


def may_deliver(grounds: Grounds, row: Permission) -> bool:
    return row.codes[grounds.policy.find_use("service_delivery", "ma_tool", "email").index] == 0


def test_a_restricted_person_is_used_for_nothing_until_it_is_lifted(grounds: Grounds) -> None:
    grounds.bring("ada@example.com")
    before = standing(grounds, "ada@example.com")
    assert may_deliver(grounds, before)
    assert rights.advance(grounds, grounds.ask("restriction", "ada@example.com")).state == "completed"
    during = standing(grounds, "ada@example.com")
    assert during.restricted
    assert not may_deliver(grounds, during)
    with grounds.database.transaction() as session:
        assert rights.unrestrict(session, [grounds.person("ada@example.com")], grounds.clock.now()) == 1
    assert standing(grounds, "ada@example.com").codes == before.codes


def test_restricting_twice_is_one_state(grounds: Grounds) -> None:
    grounds.bring("ada@example.com")
    with grounds.database.transaction() as session:
        assert rights.restrict(session, [1], grounds.clock.now()) == 1
    with grounds.database.transaction() as session:
        assert rights.restrict(session, [1], grounds.clock.now()) == 0


@pytest.mark.parametrize(
    ("right", "kinds"),
    [
        ("objection", {"direct_marketing", "legitimate_interests"}),
        ("appi_35", {"direct_marketing", "legitimate_interests", "restriction"}),
        ("restriction", {"restriction"}),
    ],
)
def test_each_right_begins_its_states(grounds: Grounds, right: str, kinds: set[str]) -> None:
    grounds.bring("ada@example.com")
    rights.advance(grounds, grounds.ask(right, "ada@example.com"))
    with grounds.database.snapshot() as session:
        assert {row.kind for row in session.query(Objection)} == kinds


def test_the_crash_between_the_two_steps_is_resumed(grounds: Grounds) -> None:
    grounds.bring("ada@example.com")
    paused = rights.advance(grounds, grounds.ask("objection", "ada@example.com"), "stop")
    assert paused.state == "in_progress"
    assert rights.advance(grounds, paused.id).state == "completed"
