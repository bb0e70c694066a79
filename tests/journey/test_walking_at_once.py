"""PostgreSQL, two writers at once: one person's facts that come by two subjects make one stage, and both are told."""

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from cdp.connector.kit import Claim, Item, SourceConfig
from cdp.db import Database, unsettle
from cdp.ingest.batches import Brought, store
from cdp.journey.model import Stage, Transition
from cdp.profile.model import Subject
from tests.stories.day import SHOP

APP = replace(SHOP, name="app")
MAIL, LOGIN = Claim("email", "ada@example.com", verified=True), Claim("user_id", "u1", verified=True)
SLOW = "the slow writer"


def bring(house: Database, source: SourceConfig, kind: str, message: str, minutes: int) -> None:
    claims = (MAIL, LOGIN) if source is APP else (MAIL,)
    now = house.clock.now()
    at = now - timedelta(minutes=minutes)
    item = Item(at=at, claims=claims, message_id=message, event=kind, properties={"order_id": "1"})
    assert [report.accepted for report in store(house, [Brought(source, [item], now)])] == [1]


def walked(house: Database) -> tuple[list[Any], list[Any]]:
    moves = [column for column in Transition.__table__.columns if column.name != "id"]  # type: ignore[attr-defined]
    with house.snapshot() as session:
        places = session.execute(select(*Stage.__table__.columns)).all()  # type: ignore[attr-defined]
        return list(places), sorted(map(tuple, session.execute(select(*moves)).all()), key=str)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("first", ["Support Requested", "Product Viewed"], ids=["no stage yet", "a stage before"])
def test_two_subjects_of_one_person_at_once_walk_one_way(house: Database, first: str) -> None:
    bring(house, SHOP, first, "a", 60)
    bring(house, APP, first, "b", 60)
    has_walked, go_on = threading.Event(), threading.Event()
    errors: list[BaseException] = []

    def hold(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        if threading.current_thread().name == SLOW and statement.startswith("INSERT INTO ledger_entry"):
            has_walked.set()
            go_on.wait(30)

    def run(*what: Any) -> None:
        try:
            bring(house, *what)
        except BaseException as error:
            errors.append(error)

    event.listen(house.writer, "before_cursor_execute", hold)
    slow = threading.Thread(target=run, args=(SHOP, "Product Added", "c", 5), name=SLOW)
    slow.start()
    assert has_walked.wait(30)
    quick = threading.Thread(target=run, args=(APP, "Product Viewed", "d", 2))
    quick.start()
    quick.join(0.5)  # so that it gets as far as it can: to its end, or to the person's lock
    go_on.set()
    for thread in (slow, quick):
        thread.join(30)
    assert not errors
    left = walked(house)
    with house.transaction() as session:
        people = set(session.scalars(select(Subject.person)))
        assert len(people) == 1
        unsettle(session, people)
    assert left == walked(house)
    assert left[0]
