"""A confirmation is asked for once, and one reminder may follow (ruling R14, scenario S11)."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from cdp.errors import Problem
from tests.consent.speaking import Desk


def refused(desk: Desk, **more: str) -> bool:
    """Ask once more; returns whether that was one letter too many."""
    try:
        desk.ask(**more)
    except Problem as problem:
        assert (problem.status, problem.type) == (409, "reminder_sent")
        return True
    return False


def test_one_reminder_may_follow_and_no_second(desk: Desk) -> None:
    assert [refused(desk) for _ in range(4)] == [False, False, True, True]


def test_a_refused_letter_leaves_nothing_behind(desk: Desk) -> None:
    for _ in range(2):
        asked, _ = desk.ask()
    assert refused(desk)
    assert desk.states(asked, "record") == ["ConsentRequested"], "nothing was recorded after it"


@pytest.mark.parametrize("pressed", [0, 1])
def test_either_link_turns_the_request_into_one_consent(desk: Desk, pressed: int) -> None:
    links = [desk.ask()[1] for _ in range(2)]
    given = desk.confirm(links[pressed])
    assert desk.confirm(links[1 - pressed]) == given == desk.confirm(links[pressed])
    assert desk.states(given) == ["ConsentRequested", "ConsentRequested", "ConsentGiven"]


def test_after_seven_days_it_is_asked_anew(desk: Desk) -> None:
    assert not refused(desk)
    desk.house.clock.pass_(days=3)
    assert not refused(desk)
    desk.house.clock.pass_(days=3)
    assert refused(desk), "both links still work"
    desk.house.clock.pass_(days=1, seconds=1)
    assert not refused(desk), "the first link is too old to be confirmed, so that one still waits"
    assert refused(desk)


def test_who_confirmed_may_ask_anew(desk: Desk) -> None:
    desk.ask()
    desk.confirm(desk.ask()[1])
    assert not refused(desk)


def test_a_no_is_no_reason_for_more_letters(desk: Desk) -> None:
    for _ in range(2):
        desk.ask()
    desk.say("refused")
    assert refused(desk)


def test_a_yes_that_nothing_proves_is_no_reason_either(desk: Desk) -> None:
    for _ in range(2):
        desk.ask()
    desk.say("given", evidence="none", method="import")
    assert refused(desk)


def test_another_address_or_purpose_is_another_request(desk: Desk) -> None:
    for _ in range(2):
        desk.ask()
    assert not refused(desk, mail="ben@people.example")
    assert not refused(desk, purpose="support")
    assert refused(desk)


def test_many_at_once_send_two_letters_together(desk: Desk) -> None:
    desk.subject()
    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(lambda _: refused(desk), range(6)))
    assert sorted(outcomes) == [False, False, True, True, True, True]
