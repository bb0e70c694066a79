"""Which breaches must be told, to whom and by when: tables of both laws, and thousands against a second opinion."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.rights.breach import duties, rules
from cdp.rights.breach.duties import Duty
from cdp.rights.breach.facts import PROTECTIONS, RISKS, ROLES, TYPES, Facts
from cdp.rights.periods import BreachTerms
from tests.rights import almanac

TERMS = BreachTerms()
AWARE = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)
TOKYO = "Asia/Tokyo"
MISTAKE = Facts(
    aware_at=AWARE,
    aware_by="support",
    laws=("appi",),
    people=1,
    property_damage=0,
    malicious=False,
    risk="none",
    happened="a letter to the wrong customer",
)
EU = replace(MISTAKE, laws=("gdpr",), risk="risk")


def owed(facts: Facts, terms: BreachTerms = TERMS, **done: datetime) -> dict[str, Duty]:
    return {one.name: one for one in duties.duties(facts, terms, TOKYO, done)}


def tokyo(year: int, month: int, day: int) -> datetime:
    """The last second of a day in Tokyo."""
    return datetime(year, month, day, 23, 59, 59, tzinfo=ZoneInfo(TOKYO))


@pytest.mark.parametrize(
    ("facts", "classes", "final"),
    [
        pytest.param(replace(MISTAKE, people=1000), (), None, id="1,000 ordinary records by mistake: no"),
        pytest.param(replace(MISTAKE, people=1001), (4,), (2027, 1, 4), id="1,001: class 4"),
        pytest.param(replace(MISTAKE, special_care=1), (1,), (2027, 1, 4), id="1 special-care record: class 1"),
        pytest.param(replace(MISTAKE, malicious=True), (3,), (2027, 1, 29), id="1 by intrusion: class 3, 60 days"),
        pytest.param(replace(MISTAKE, property_damage=1), (2,), (2027, 1, 4), id="1 credit card: class 2"),
        pytest.param(replace(MISTAKE, people=None), (4,), (2027, 1, 4), id="how many is not known yet: as many"),
        pytest.param(replace(MISTAKE, property_damage=None), (2,), (2027, 1, 4), id="nobody knows what it may cost"),
        pytest.param(
            replace(MISTAKE, malicious=None), (3,), (2027, 1, 4), id="perhaps on purpose: told, by the shorter day"
        ),
        pytest.param(
            replace(MISTAKE, people=5000, special_care=9, property_damage=3, malicious=True),
            (1, 2, 3, 4),
            (2027, 1, 29),
            id="every class, the longer day",
        ),
        pytest.param(
            replace(MISTAKE, people=5000, special_care=9, malicious=True, protection="encrypted"),
            (),
            None,
            id="advanced encryption and the key is safe: register only",
        ),
        pytest.param(
            replace(MISTAKE, people=5000, protection="pseudonymised"), (), None, id="pseudonymised: register only"
        ),
        pytest.param(replace(MISTAKE, people=0, malicious=True), (), None, id="nobody was hit"),
    ],
)
def test_what_is_told_in_japan(facts: Facts, classes: tuple[int, ...], final: tuple[int, int, int] | None) -> None:
    assert rules.japanese_classes(facts, TERMS) == classes
    found = owed(facts)
    assert set(found) == ({"appi_preliminary", "appi_subjects", "appi_final"} if final else set())
    if final:
        assert found["appi_final"].due_at == found["appi_subjects"].due_at == tokyo(*final)
        assert found["appi_preliminary"].alarm_at == tokyo(2026, 12, 3), "day 3, the alarm"
        assert found["appi_preliminary"].due_at == tokyo(2026, 12, 5), "day 5, a Saturday: it does not move"


@pytest.mark.parametrize(
    ("aware", "malicious", "final"),
    [
        ("2026-12-01", False, "2027-01-04"),  # day 30 is 30 December
        ("2026-11-05", True, "2027-01-04"),  # day 60 is 3 January
        ("2026-11-10", False, "2026-12-09"),
        ("2026-04-04", False, "2026-05-07"),  # day 30 is 3 May, and three more days off follow
        ("2026-08-24", False, "2026-09-24"),  # day 30 is a day between two holidays
    ],
)
def test_the_day_of_awareness_is_the_first(aware: str, malicious: bool, final: str) -> None:
    days = TERMS.final_days_malicious if malicious else TERMS.final_days
    assert duties.final_day(date.fromisoformat(aware), days) == date.fromisoformat(final)


def test_the_day_of_awareness_is_the_controllers_day() -> None:
    late = replace(MISTAKE, people=2000, aware_at=datetime(2026, 11, 30, 15, 30, tzinfo=UTC))
    assert owed(late)["appi_final"].due_at == tokyo(2027, 1, 4), "it was half past midnight on 1 December in Tokyo"
    assert owed(replace(late, aware_at=late.aware_at - timedelta(hours=1)))["appi_final"].due_at == tokyo(2027, 1, 4)
    before = replace(late, aware_at=late.aware_at - timedelta(days=3))
    assert owed(before)["appi_final"].due_at == tokyo(2026, 12, 28), "day 30 is a Sunday"


@pytest.mark.parametrize(
    ("facts", "names"),
    [
        pytest.param(replace(EU, risk="none"), set(), id="no risk: register only"),
        pytest.param(EU, {"gdpr_authority"}, id="risk: the authority"),
        pytest.param(replace(EU, risk="high"), {"gdpr_authority", "gdpr_subjects"}, id="high risk: people too"),
        pytest.param(
            replace(EU, risk="high", protection="encrypted"), {"gdpr_authority"}, id="unintelligible: not the people"
        ),
        pytest.param(
            replace(EU, risk="high", protection="encrypted", types=("confidentiality", "availability")),
            {"gdpr_authority", "gdpr_subjects"},
            id="encryption brings nothing back that was lost",
        ),
        pytest.param(
            replace(EU, risk="high", protection="pseudonymised"),
            {"gdpr_authority", "gdpr_subjects"},
            id="a pseudonym is not unintelligible",
        ),
        pytest.param(replace(EU, role="processor", risk="none"), {"gdpr_controller"}, id="processor: its controller"),
    ],
)
def test_what_is_told_in_europe(facts: Facts, names: set[str]) -> None:
    assert set(owed(facts)) == names


@pytest.mark.parametrize("aware", [datetime(2026, 12, 25, 22, 0, tzinfo=UTC), datetime(2026, 4, 3, 0, 0, tzinfo=UTC)])
def test_the_hours_of_europe_run_over_weekends_and_feasts(aware: datetime) -> None:
    found = owed(replace(EU, aware_at=aware))["gdpr_authority"]
    assert found.due_at == aware + timedelta(hours=72)
    controller = owed(replace(EU, aware_at=aware, role="processor"))["gdpr_controller"]
    assert controller.due_at == aware + timedelta(hours=24)


def test_a_change_to_summer_time_adds_no_hour() -> None:
    aware = datetime(2026, 3, 28, 12, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    found = owed(replace(EU, aware_at=aware))["gdpr_authority"]
    assert found.due_at == datetime(2026, 3, 31, 11, 0, tzinfo=UTC)


def test_a_reform_of_the_hours_is_a_change_of_the_terms() -> None:
    """COM(2025) 837 proposes 96 hours, and the authority for high risk only."""
    terms = BreachTerms(authority_hours=96, authority_from="high")
    assert owed(EU, terms) == {}
    assert owed(replace(EU, risk="high"), terms)["gdpr_authority"].due_at == AWARE + timedelta(hours=96)


def test_an_entrustee_that_tells_its_entruster_in_time_need_not_report_itself() -> None:
    facts = replace(MISTAKE, role="processor", people=1001)
    assert set(owed(facts)) == {"appi_entruster", "appi_preliminary", "appi_subjects", "appi_final"}
    assert set(owed(facts, appi_entruster=tokyo(2026, 12, 5))) == {"appi_entruster"}
    too_late = owed(facts, appi_entruster=tokyo(2026, 12, 6))
    assert set(too_late) == {"appi_entruster", "appi_preliminary", "appi_subjects", "appi_final"}
    assert too_late["appi_entruster"].state(tokyo(2026, 12, 7)) == "done_late"


def test_a_duty_presses_before_it_is_overdue() -> None:
    due = owed(replace(MISTAKE, people=2000))["appi_preliminary"]
    states = [due.state(tokyo(2026, 12, day) + timedelta(seconds=1)) for day in (2, 3, 5)]
    assert states == ["due", "pressing", "overdue"]
    assert replace(due, done_at=due.due_at).state(tokyo(2027, 1, 1)) == "done"


def facts_of_any_kind() -> st.SearchStrategy[Facts]:
    minutes = st.integers(0, 40 * 365 * 24 * 60)
    return st.builds(
        Facts,
        aware_at=minutes.map(lambda passed: datetime(2020, 1, 2, tzinfo=UTC) + timedelta(minutes=passed)),
        aware_by=st.just("night shift"),
        role=st.sampled_from(ROLES),
        types=st.lists(st.sampled_from(TYPES), min_size=1, unique=True).map(tuple),
        laws=st.sampled_from([("gdpr",), ("appi",), ("gdpr", "appi")]),
        people=st.none() | st.integers(0, 3000),
        special_care=st.integers(0, 2),
        property_damage=st.none() | st.integers(0, 2),
        malicious=st.none() | st.booleans(),
        protection=st.sampled_from(PROTECTIONS),
        risk=st.sampled_from(RISKS),
    )


@given(facts_of_any_kind(), st.sampled_from([TOKYO, "Europe/Berlin", "UTC"]))
def test_every_due_instant_agrees_with_a_count_by_hand(facts: Facts, zone: str) -> None:
    aware = facts.aware_at.astimezone(ZoneInfo(zone)).date()
    for duty in duties.duties(facts, TERMS, zone, {}):
        here = duty.due_at.astimezone(ZoneInfo(zone))
        assert facts.aware_at <= duty.alarm_at <= duty.due_at
        if duty.name.startswith("gdpr"):
            hours = 24 if duty.name == "gdpr_controller" else 72
            assert (duty.due_at - facts.aware_at).total_seconds() == hours * 3600
            continue
        assert here.time().isoformat() == "23:59:59"
        if duty.name in ("appi_preliminary", "appi_entruster"):
            assert here.date() == almanac.counted(aware, 5)
        else:
            last = almanac.counted(aware, 60 if facts.malicious else 30)
            assert here.date() == almanac.open_day("JP", last) >= last
            assert not almanac.is_closed("JP", here.date()), "the authority is open"


WORSE = {"special_care": 5, "property_damage": 5, "malicious": True, "people": None, "risk": "high"}


@given(facts_of_any_kind(), st.sampled_from(sorted(WORSE)))
def test_what_turns_out_worse_takes_no_duty_away(facts: Facts, name: str) -> None:
    worse = replace(facts, **{name: WORSE[name]})
    assert {one.name for one in duties.duties(facts, TERMS, TOKYO, {})} <= {
        one.name for one in duties.duties(worse, TERMS, TOKYO, {})
    }
