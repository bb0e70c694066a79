"""Whom a recipient means by a pseudonym: somebody whom it was given, sought from the latest page on, or nobody."""

from datetime import timedelta

import pytest
from pyroaring import BitMap64
from sqlmodel import Session

from cdp import gate, vault
from cdp.db import Database
from cdp.gate.given import AT_ONCE
from cdp.gate.model import Disclosed
from cdp.profile.model import Subject

LATEST, JOINED, LONG_AGO, NEVER = 7, 8, 9, 10


def give(session: Session, hours_ago: int, people: bytes, recipient: str = "ma_tool") -> None:
    """Write a page down as the gate does."""
    at = session.info["clock"].now() - timedelta(hours=hours_ago)
    what = {"purpose": "email_marketing", "channel": "email", "fields": "email", "kind": "page", "policy": 1}
    when = {"opened_at": at, "deadline": at, "state": "closed", "entry": "e"}
    row = Disclosed(id=f"{recipient}-{hours_ago}", recipient=recipient, people=people, count=1, **what, **when)
    session.add(row)


@pytest.fixture
def told(house: Database, clock) -> Database:
    """More pages than are read at a time; the oldest was damaged."""
    with house.transaction() as session:
        for number, person in {LATEST: LATEST, JOINED: LATEST, LONG_AGO: LONG_AGO, NEVER: NEVER}.items():
            session.add(
                Subject(number=number, person=person, source="s", fingerprint=bytes([number]), first_at=clock.now())
            )
        give(session, 1, BitMap64([LATEST, JOINED]).serialize())
        for hours in range(2, AT_ONCE + 20):
            give(session, hours, BitMap64([LATEST, LONG_AGO] if hours > AT_ONCE else [LATEST]).serialize())
        give(session, AT_ONCE + 20, b"damaged")
        give(session, 1, BitMap64([NEVER]).serialize(), "ma_tool_us")
    return house


def found(told: Database, subject: int, recipient: str = "ma_tool") -> int | None:
    with told.snapshot() as session:
        pseudonym = vault.of(session).pseudonym(recipient, subject)
        return gate.find_by_pseudonym(session, recipient, pseudonym)


def test_whoever_was_given_is_found_and_nothing_older_is_read(told: Database) -> None:
    assert found(told, LATEST) == LATEST
    assert found(told, LONG_AGO) == LONG_AGO
    assert found(told, NEVER, "ma_tool_us") == NEVER


def test_a_number_that_was_joined_leads_to_the_person(told: Database) -> None:
    assert found(told, JOINED) == LATEST


@pytest.mark.parametrize("pseudonym", ["", "unknown", "\N{SNOWMAN}", "\ud800"])
def test_a_pseudonym_that_nobody_was_given_under_is_nobodys(told: Database, pseudonym: str) -> None:
    with told.snapshot() as session:
        assert gate.find_by_pseudonym(session, "ma_tool_us", pseudonym) is None
        theirs = vault.of(session).pseudonym("ma_tool", LATEST)
        assert gate.find_by_pseudonym(session, "ma_tool_us", theirs) is None
