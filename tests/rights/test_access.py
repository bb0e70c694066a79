import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from cdp import rights
from cdp.errors import Problem
from cdp.gate.model import Disclosed
from cdp.rights import steps
from cdp.rights.model import SubjectRequest
from tests.rights.conftest import Grounds


def package(grounds: Grounds, mail: str, right: str = "access") -> dict:
    request = rights.advance(grounds, grounds.ask(right, mail))
    assert request.state == "completed"
    with grounds.database.transaction() as session:
        return rights.package(session, request.id, grounds.clock.now())


def test_a_package_holds_everything_and_nobody_else(grounds: Grounds) -> None:
    grounds.bring("ada@example.com", "ben@example.com")
    found = package(grounds, "ada@example.com")
    text = json.dumps(found, ensure_ascii=False)
    assert "ada@example.com" in text
    assert "Name of the address" in text
    assert "ben@example.com" not in text
    kinds = {one["held_as"] for one in found["held"]}
    assert {"subject", "identifier", "trait", "fact", "person", "data key", "request"} <= kinds


def test_a_package_names_purposes_recipients_sources_retention_and_rights(grounds: Grounds) -> None:
    grounds.bring("ada@example.com")
    package(grounds, "ada@example.com")
    found = package(grounds, "ada@example.com")
    assert found["sources"] == ["shop"]
    [told] = [one for one in found["recipients"] if one["recipient"] == "subject"]
    assert told["times"] >= 1
    assert {one["purpose"] for one in found["purposes"]} >= {"email_marketing", "service_delivery"}
    assert found["retention"]
    assert found["rights"]
    assert found["controller"]["name_en"]


def test_every_opening_for_the_person_is_a_disclosure_to_the_person(grounds: Grounds) -> None:
    grounds.bring("ada@example.com")
    package(grounds, "ada@example.com")
    with grounds.database.snapshot() as session:
        rows = session.scalars(select(Disclosed)).all()
    assert [row.recipient for row in rows] == ["subject", "subject"], "collected once, fetched once"


def test_a_package_rests_sealed_and_ends(grounds: Grounds) -> None:
    grounds.bring("ada@example.com")
    request = rights.advance(grounds, grounds.ask("access", "ada@example.com"))
    assert b"ada@example.com" not in request.package
    grounds.clock.pass_(days=15)
    with grounds.database.transaction() as session:
        assert rights.expire_packages(session, grounds.clock.now()) == 1
    with grounds.database.transaction() as session, pytest.raises(Problem) as gone:
        rights.package(session, request.id, grounds.clock.now())
    assert gone.value.status == 410


def test_an_erasure_takes_the_package_with_it(grounds: Grounds) -> None:
    grounds.bring("ada@example.com")
    request = rights.advance(grounds, grounds.ask("access", "ada@example.com"))
    grounds.erase("ada@example.com")
    with grounds.database.snapshot() as session:
        kept = session.get(SubjectRequest, request.id)
        assert (kept.package, steps.subjects_of(session, kept)) == (None, [])
    with grounds.database.transaction() as session, pytest.raises(Problem):
        rights.package(session, request.id, grounds.clock.now())


def test_of_an_unknown_identifier_a_package_says_that_nothing_is_held(grounds: Grounds) -> None:
    assert package(grounds, "nobody@example.com")["held"] == []


def test_japanese_access_is_the_same_picture(grounds: Grounds) -> None:
    grounds.bring("ada@example.com")
    assert "ada@example.com" in json.dumps(package(grounds, "ada@example.com", "appi_33"))


def test_japanese_law_is_answered_within_fourteen_days(grounds: Grounds) -> None:
    grounds.bring("ada@example.com")
    asked = grounds.ask("appi_33", "ada@example.com")
    with grounds.database.snapshot() as session:
        request = session.get(SubjectRequest, asked)
    assert timedelta(days=13) < request.due_at - request.received_at <= timedelta(days=15)
