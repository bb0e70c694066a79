"""The register of breaches: everything said stays, nothing said names anybody, and what is late says why."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import select

from cdp.errors import Problem
from cdp.ledger.model import LedgerEntry
from cdp.rights import breach
from cdp.rights.breach import Breach, Facts
from cdp.rights.model import BreachStatement
from tests.rights.conftest import Grounds

DAY = timedelta(days=1)
MISTAKE = {"malicious": False, "property_damage": 0, "risk": "none"}


def facts(grounds: Grounds, **more: Any) -> Facts:
    known = {"aware_by": "night shift", "categories": ("contact",), "happened": "a list was sent to a wrong address"}
    return Facts(**{"aware_at": grounds.clock.now(), **known, **more})


def record(grounds: Grounds, **more: Any) -> Breach:
    with grounds.database.transaction() as session:
        return breach.record(session, facts(grounds, **more), grounds.clock.now())


def amend(grounds: Grounds, one: Breach, reason: str = "counted", **changes: Any) -> Breach:
    with grounds.database.transaction() as session:
        return breach.amend(session, one.id, changes, reason, grounds.clock.now())


def report(grounds: Grounds, one: Breach, duty: str, told_at: datetime | None = None, **more: str) -> Breach:
    with grounds.database.transaction() as session:
        now = grounds.clock.now()
        return breach.report(session, one.id, duty, told_at or now, now, **more)


def owed(grounds: Grounds) -> list[str]:
    with grounds.database.snapshot() as session:
        return [duty.name for _, duty in breach.owed(session, grounds.policy)]


def refused(grounds: Grounds, act: Any, *words: Any, **more: Any) -> set[str]:
    with pytest.raises(Problem) as caught:
        act(grounds, *words, **more)
    assert caught.value.status == 422
    return {one.pointer for one in caught.value.errors} or {caught.value.type}


def test_a_breach_of_which_nobody_must_be_told_is_registered_too(grounds: Grounds) -> None:
    one = record(grounds, people=3, **MISTAKE)
    assert one.duties(grounds.policy) == [] and owed(grounds) == []
    with grounds.database.snapshot() as session:
        assert [found.id for found in breach.every(session)] == [one.id]


def test_what_is_not_known_yet_counts_as_the_worst(grounds: Grounds) -> None:
    record(grounds)
    assert set(owed(grounds)) == {
        "gdpr_authority",
        "gdpr_subjects",
        "appi_preliminary",
        "appi_subjects",
        "appi_final",
    }


def test_what_is_known_better_sets_the_clocks_anew_and_nothing_said_is_lost(grounds: Grounds) -> None:
    one = record(grounds, people=12, **MISTAKE)
    assert owed(grounds) == []
    grounds.clock.pass_(hours=5)
    one = amend(grounds, one, reason="the logs show an intrusion", malicious=True, people=40)
    assert "appi_preliminary" in owed(grounds)
    grounds.clock.pass_(hours=5)
    one = amend(grounds, one, reason="another count", people=41)
    said = [(entry.act, json.loads(entry.said).get("people"), entry.reason) for entry in one.statements]
    assert said == [
        ("recorded", 12, ""),
        ("amended", 40, "the logs show an intrusion"),
        ("amended", 41, "another count"),
    ]
    assert (one.facts.people, one.facts.malicious) == (41, True)


def test_an_amendment_says_only_what_changed_so_that_a_colleagues_stands(grounds: Grounds) -> None:
    one = record(grounds, people=12)
    amend(grounds, one, people=13)
    now = amend(grounds, one, people=13, property_damage=2)
    assert json.loads(now.statements[-1].said) == {"property_damage": 2}
    assert (now.facts.people, now.facts.property_damage) == (13, 2)


def test_who_was_told_is_told_no_more(grounds: Grounds) -> None:
    one = record(grounds, laws=("appi",), people=2000)
    grounds.clock.pass_(days=1)
    report(grounds, one, "appi_preliminary", reference="26-0017")
    assert owed(grounds) == ["appi_final", "appi_subjects"]
    report(grounds, one, "appi_subjects")
    done = report(grounds, one, "appi_final")
    assert owed(grounds) == []
    assert {duty.state(grounds.clock.now()) for duty in done.duties(grounds.policy)} == {"done"}


def test_a_late_report_says_why_and_a_further_phase_needs_no_excuse(grounds: Grounds) -> None:
    one = record(grounds, laws=("gdpr",), risk="risk")
    grounds.clock.pass_(hours=72, seconds=1)
    assert refused(grounds, report, one, "gdpr_authority") == {"/why_late"}
    late = report(grounds, one, "gdpr_authority", why_late="their form was out of order")
    assert [duty.state(grounds.clock.now()) for duty in late.duties(grounds.policy)] == ["done_late"]
    again = report(grounds, one, "gdpr_authority")
    assert again.told == late.told, "the first telling is the one that counts"


def test_a_report_made_in_time_may_be_noted_late(grounds: Grounds) -> None:
    one = record(grounds, laws=("gdpr",), risk="risk")
    in_time = grounds.clock.now() + timedelta(hours=72)
    grounds.clock.pass_(days=5)
    noted = report(grounds, one, "gdpr_authority", in_time)
    assert [duty.state(grounds.clock.now()) for duty in noted.duties(grounds.policy)] == ["done"]


def test_an_entrustee_lets_its_entruster_report(grounds: Grounds) -> None:
    one = record(grounds, laws=("appi",), role="processor", malicious=True, people=1)
    assert owed(grounds) == ["appi_entruster", "appi_preliminary", "appi_final", "appi_subjects"]
    report(grounds, one, "appi_entruster")
    assert owed(grounds) == []


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"happened": "ada@example.com was in it"}, "/happened"),
        ({"measures": "we called 090-1234-5678"}, "/measures"),
        ({"aware_by": "ben＠example.com"}, "/aware_by"),
        ({"aware_by": " "}, "/aware_by"),
        ({"happened": ""}, "/happened"),
        ({"effects": "x" * 2001}, "/effects"),
        ({"categories": ("no_such_kind",)}, "/categories"),
        ({"categories": ()}, "/categories"),
        ({"laws": ("ccpa",)}, "/laws"),
        ({"types": ("curiosity",)}, "/types"),
        ({"role": "bystander"}, "/role"),
        ({"risk": "small"}, "/risk"),
        ({"protection": "rot13"}, "/protection"),
        ({"people": -1}, "/people"),
        ({"people": 3, "special_care": 4}, "/special_care"),
        ({"people": 3, "property_damage": 4}, "/property_damage"),
        ({"categories": ("health",)}, "/special_care"),
    ],
)
def test_what_cannot_be_so_is_refused_where_it_stands(grounds: Grounds, wrong: dict[str, Any], where: str) -> None:
    assert refused(grounds, record, **wrong) == {where}


def test_nobody_becomes_aware_in_the_future(grounds: Grounds) -> None:
    assert refused(grounds, record, aware_at=grounds.clock.now() + DAY) == {"/aware_at"}


def test_an_amendment_that_changes_nothing_or_says_no_reason_is_refused(grounds: Grounds) -> None:
    one = record(grounds, people=12)
    assert refused(grounds, amend, one, people=12) == {"nothing_changed"}
    assert refused(grounds, amend, one, reason=" ", people=13) == {"/reason"}
    assert refused(grounds, amend, one, reason="ada@example.com wrote", people=13) == {"/reason"}
    with grounds.database.snapshot() as session:
        assert len(breach.load(session, one.id).statements) == 1


@pytest.mark.parametrize(("duty", "days", "where"), [("nobody", 0, "/duty"), ("appi_final", 1, "/told_at")])
def test_a_report_that_cannot_have_been_is_refused(grounds: Grounds, duty: str, days: int, where: str) -> None:
    one = record(grounds)
    assert refused(grounds, report, one, duty, grounds.clock.now() + days * DAY) == {where}
    assert refused(grounds, report, one, "appi_final", grounds.clock.now() - DAY) == {"/told_at"}
    assert refused(grounds, report, one, "appi_final", reference="ada@example.com") == {"/reference"}


def test_an_unknown_breach_is_not_found(grounds: Grounds) -> None:
    for act, more in ((amend, {"people": 1}), (report, {"duty": "appi_final"})):
        with pytest.raises(Problem) as caught:
            act(grounds, Breach("0" * 32, facts(grounds), {}, ()), **more)  # type: ignore[operator]
        assert caught.value.status == 404


def test_every_statement_stands_in_the_ledger_without_its_words(grounds: Grounds) -> None:
    one = report(grounds, amend(grounds, record(grounds), reason="a secret detail", people=2), "appi_final")
    with grounds.database.snapshot() as session:
        entries = session.exec(select(LedgerEntry)).all()
        assert [entry.act for entry in entries] == ["breach.recorded", "breach.amended", "breach.reported"]
        assert [entry.entry for entry in entries] == [said.entry for said in one.statements]
        assert not [entry for entry in entries if "wrong address" in entry.header or "secret" in entry.header]


@pytest.mark.parametrize("changed", [{"said": "{}"}, {"reason": "another"}, {"breach": "0" * 32}, {"act": "amended"}])
def test_a_statement_that_was_altered_is_found(grounds: Grounds, changed: dict[str, str]) -> None:
    one = record(grounds)
    with grounds.database.transaction() as session:
        [said] = one.statements
        assert breach.is_intact(session, said)
        session.execute(update(BreachStatement).values(**changed))
    with grounds.database.snapshot() as session:
        [altered] = session.exec(select(BreachStatement)).all()
        assert not breach.is_intact(session, altered)
