"""What a law's file dates holds from its day on, without a restart; before it, nothing of it does."""

from datetime import UTC, date, datetime, timedelta

import pytest

from cdp import policy
from cdp.db import Database
from cdp.errors import Unavailable
from cdp.gate.rehearsal import check
from cdp.policy.loading import vary
from cdp.policy.terms import Law
from tests.policy.shipped import DAY, FOLDER, terms

OMNIBUS = "laws/digital_omnibus.yaml"


def on(day: date, **said) -> policy.Policy:
    found, wrong = vary(terms(), [{path.replace("__", "/") + ".yaml": tree for path, tree in said.items()}], day)
    assert found is not None, wrong
    return found


def test_a_pending_law_is_off_until_it_is_switched_on_and_its_day_has_come() -> None:
    hours = "breach_authority_hours"
    late = date(2028, 6, 1)
    assert on(late).packs[Law.GDPR].values[hours] == 72
    assert on(DAY, laws__digital_omnibus={"enabled": True}).packs[Law.GDPR].values[hours] == 72
    assert on(late, laws__digital_omnibus={"enabled": True}).packs[Law.GDPR].values[hours] == 96


def test_every_pack_of_a_law_to_come_is_off_as_it_ships() -> None:
    for path, tree in terms().documents.trees.items():
        if path.startswith("laws/") and "amends" in tree:
            assert tree["enabled"] is False, path


def test_a_dated_value_holds_on_its_days() -> None:
    rows = [{"name": "provision_record_months", "value": 60, "since": "2027-01-01", "reference": "a reform"}]
    said = {"laws__appi": {"dated_values": rows}}
    assert on(DAY, **said).packs[Law.APPI].values["provision_record_months"] == 36
    assert on(date(2027, 1, 1), **said).packs[Law.APPI].values["provision_record_months"] == 60


def test_the_profile_of_the_mark_asks_before_it_calls_on_anybody() -> None:
    marked = on(DAY, laws__pmark={"enabled": True})
    assert marked.packs[Law.APPI].values["contact_needs_consent"] is True
    assert "contact_needs_consent" not in terms().packs[Law.APPI].values


def test_a_new_day_s_ages_hold_from_midnight_without_a_restart(house: Database) -> None:
    ages = [{"country": "DE", "age": 14, "since": "2026-06-02"}, {"country": "DE", "age": 16, "since": "2018-05-25"}]
    house.context["policy"] = on(date(2026, 6, 1), laws__gdpr={"consent_ages": ages})
    house.renewals.append(policy.follow_the_day)
    with house.snapshot() as session:
        assert policy.of(session).packs[Law.GDPR].age_of_consent("DE") == 16
        before = policy.of(session)
    house.clock.pass_(hours=14)
    with house.snapshot() as session:
        assert policy.of(session) is before, "still the same day"
    house.clock.pass_(hours=2)
    with house.snapshot() as session:
        assert policy.of(session).packs[Law.GDPR].age_of_consent("DE") == 14
        assert policy.of(session).digest != before.digest


def test_a_day_that_changes_nothing_leaves_the_policy_as_it_is(house: Database) -> None:
    house.context["policy"] = before = on(date(2026, 6, 1))
    house.renewals.append(policy.follow_the_day)
    house.clock.pass_(days=1)
    with house.snapshot() as session:
        assert policy.of(session) is before


def test_contents_that_make_no_policy_on_the_day_permit_nothing(house: Database) -> None:
    broken, wrong = vary(terms(), [{"controller.yaml": {"time_zone": "Nowhere/Land"}}], date(2026, 6, 1))
    assert broken is not None and wrong
    house.context["policy"] = broken
    house.renewals.append(policy.follow_the_day)
    house.clock.instant = datetime(2026, 6, 3, tzinfo=UTC) + timedelta(hours=1)
    with pytest.raises(Unavailable), house.snapshot():
        pass


def test_every_reference_of_a_reason_stands_in_the_register_of_articles(tmp_path) -> None:
    lines = check(FOLDER, DAY)
    assert [line for line in lines if line.startswith("laws/")] == []
    found, _ = vary(terms(), [{"laws/telecom.yaml": {"articles": {"27-12": None}}}], DAY)
    from cdp.gate.rehearsal import unregistered

    assert list(unregistered(found)) == ["laws/: tag_unregistered rests on TELECOM 27-12, which no `articles` has"]
