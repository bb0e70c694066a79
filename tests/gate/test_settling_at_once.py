"""PostgreSQL, two writers at once: who decides a person again never writes over a no acknowledged meanwhile."""

import threading
from typing import Any

import pytest
from sqlalchemy import event

from cdp import consent
from cdp.consent.withdrawal import point
from cdp.db import Database, unsettle
from tests.gate.test_permission import allowed, assert_equal_to_fresh, make_person, say

ADA = "ada@example.com"
SLOW = "the slow writer"


def withdraws(house: Database, person: int) -> None:
    with house.transaction() as session:
        consent.withdraw(session, point(session, "email", "", ADA), house.clock.now(), purpose="email_marketing")


def objects_by_herself(house: Database, person: int) -> None:
    say(house, person, "withdrawn", channel="*", namespace="", token=b"", lifts=b"")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("no", [withdraws, objects_by_herself])
@pytest.mark.parametrize("neighbour", [False, True], ids=["of the same person", "of a neighbour at the address"])
def test_an_acknowledged_no_outlives_a_settling_that_began_before_it(house: Database, neighbour: bool, no: Any) -> None:
    person = make_person(house)
    settled = make_person(house) if neighbour else person
    say(house, person, "given")
    house.clock.pass_(minutes=1)
    assert allowed(house, person)
    has_read, go_on = threading.Event(), threading.Event()

    def hold(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        if threading.current_thread().name == SLOW and statement.startswith("INSERT INTO permission"):
            has_read.set()
            go_on.wait(30)

    def settle() -> None:
        house.attempt(lambda session: unsettle(session, [settled]))

    event.listen(house.writer, "before_cursor_execute", hold)
    slow = threading.Thread(target=settle, name=SLOW)
    slow.start()
    assert has_read.wait(30)
    quick = threading.Thread(target=no, args=(house, person))
    quick.start()
    quick.join(0.5)  # so that it gets as far as it can: to its end, or to the person's lock
    go_on.set()
    for thread in (slow, quick):
        thread.join(30)
    house.clock.pass_(minutes=1)
    assert not allowed(house, person)
    assert_equal_to_fresh(house, person)
