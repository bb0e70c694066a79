"""How long each law gives is said by its file of policies; what cannot be a period is refused."""

from dataclasses import replace

import pytest

from cdp.errors import Problem
from cdp.policy.terms import Law, Policy
from cdp.rights import periods
from cdp.rights.periods import BreachTerms, Periods
from tests.conftest import shipped_policy


def saying(law: Law, **values: object) -> Policy:
    """Return the shipped policy with other numbers in one law's file."""
    policy = shipped_policy()
    pack = policy.packs[law]
    return replace(policy, packs={**policy.packs, law: replace(pack, values={**pack.values, **values})})


def test_the_shipped_files_say_what_the_law_says() -> None:
    assert periods.for_requests(shipped_policy()) == Periods()
    assert periods.for_breaches(shipped_policy()) == BreachTerms()
    assert periods.check(shipped_policy()) == []
    for law, numbers in periods.STATUTORY.items():
        assert not set(numbers) - set(shipped_policy().packs[law].values), "a lawyer reads every number there"


def test_a_reform_is_a_change_of_the_file() -> None:
    reformed = saying(Law.GDPR, breach_authority_hours=96, breach_authority_from="high", access_months=2)
    assert periods.for_breaches(reformed).authority_hours == 96
    assert periods.for_breaches(reformed).authority_from == "high"
    assert periods.for_requests(reformed).access_months == 2
    assert periods.for_requests(saying(Law.APPI, disclosure_days=7)).disclosure_days == 7


def test_a_file_that_is_silent_or_absent_leaves_the_clocks_of_the_law() -> None:
    policy = shipped_policy()
    silent = replace(policy, packs={law: replace(pack, values={}) for law, pack in policy.packs.items()})
    for terms in (silent, replace(policy, packs={})):
        assert (periods.for_requests(terms), periods.for_breaches(terms)) == (Periods(), BreachTerms())


@pytest.mark.parametrize("value", [0, -1, 1.5, "72", True, 10_001])
def test_what_cannot_be_a_period_is_refused(value: object) -> None:
    with pytest.raises(Problem) as caught:
        periods.for_breaches(saying(Law.GDPR, breach_authority_hours=value))
    assert "breach_authority_hours" in caught.value.detail
    assert periods.check(saying(Law.GDPR, breach_authority_hours=value)) == [caught.value.detail]


def test_a_risk_that_does_not_exist_is_refused() -> None:
    with pytest.raises(Problem) as caught:
        periods.for_breaches(saying(Law.GDPR, breach_authority_from="some"))
    assert "breach_authority_from" in caught.value.detail
