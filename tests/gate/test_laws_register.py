"""Every refusal has its words, its article, its number, and a case in which it is the answer."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from cdp.errors import Refusal
from cdp.gate import reasons, register
from cdp.gate.decide import decide, recipient_refusals
from cdp.gate.permit import PageRequest, check_request
from cdp.gate.question import Decision, Standing
from cdp.gate.rehearsal import play
from cdp.ops.commands.scenarios import ALSO
from cdp.policy.terms import Basis, Law, Policy, Transfer, Use
from tests.policy.shipped import DAY, answer, codes, consent, person, reach, terms, use, with_purpose, with_recipient

MAIL = use("email_marketing", "ma_tool")
ADS = use("ads_sharing", "ad_platform", "ads")
LATE = date(2028, 1, 1)


def _mail(country: str = "DE", said: str = "given", silenced: str = "", **how: object) -> Decision:
    way = reach("email", consent("email_marketing", said), suppressed=(silenced,) if silenced else ())
    return answer(person(country, way, **how), MAIL)


def _with_bases(purpose: str, law: Law, basis: Basis | None) -> Policy:
    declared = terms().purposes[purpose]
    bases = {one: given for one, given in declared.bases if one is not law} | ({law: basis} if basis else {})
    return with_purpose(replace(declared, bases=tuple(bases.items())))


def _ask(of: Policy, what: Use, who: Standing, on: date = date(2026, 6, 1)) -> Decision:
    return answer(who, of.positions[what.purpose, what.recipient, what.channel], on, of)


def _notice(**how: object) -> Decision:
    return answer(person("DE", reach("email", consent("email_marketing", **how))), MAIL)  # type: ignore[arg-type]


def _superseded() -> Decision:
    purpose = replace(
        terms().purposes["email_marketing"],
        notices_current=(("newsletter", "2"),),
        notices_superseded=(("newsletter", "1"),),
    )
    return _ask(with_purpose(purpose), MAIL, person("DE", reach("email", consent("email_marketing"))))


def _silent_on_the_country() -> Decision:
    notices = {key: replace(notice, items=()) for key, notice in terms().notices.items()}
    return _ask(replace(terms(), notices=notices), ADS, person("JP", reach("ads", consent("ads_sharing"))))


def _to_the_third_party() -> Policy:
    return _with_bases("ads_sharing", Law.APPI, Basis("notified_purpose"))


def _abroad(purpose: str, law: Law, transfer: Transfer | None) -> Policy:
    receiver = terms().recipients["ma_tool_us"]
    transfers = {one: given for one, given in receiver.transfers if one is not law}
    return with_recipient(
        replace(receiver, transfers=tuple((transfers | ({law: transfer} if transfer else {})).items()))
    )


US = use("email_marketing", "ma_tool_us")
GIVEN_DE = person("DE", reach("email", consent("email_marketing")))
GIVEN_JP = person("JP", reach("email", consent("email_marketing")))

CASES: dict[str, Callable[[], Decision]] = {
    "unknown_use": lambda: decide(terms(), Use(0, "x", "y", "email"), GIVEN_DE, None, date(2026, 6, 1)),
    "erasing": lambda: _mail(erasing=True),
    "no_contact_point": lambda: answer(person("JP"), MAIL),
    "erased": lambda: _mail(silenced="erasure"),
    "complaint": lambda: _mail(silenced="complaint"),
    "bounced": lambda: _mail(silenced="bounce"),
    "unsubscribed": lambda: _mail(silenced="unsubscribe"),
    "contact_objected": lambda: _mail(silenced="objection"),
    "suppressed": lambda: _mail(silenced="a reason of tomorrow"),
    "contract_expired": lambda: answer(GIVEN_DE, MAIL, date(2031, 1, 1)),
    "supervision_overdue": lambda: answer(GIVEN_JP, MAIL, LATE),
    "restricted": lambda: _mail(restricted=True),
    "objected": lambda: _mail(objections=("direct_marketing",)),
    "interests_objected": lambda: answer(
        person("DE", objections=("legitimate_interests:*",)), use("customer_care_insight", "staff")
    ),
    "no_lawful_basis": lambda: _ask(_with_bases("email_marketing", Law.GDPR, None), MAIL, GIVEN_DE),
    "lia_missing_or_stale": lambda: answer(person("DE"), use("customer_care_insight", "staff"), LATE),
    "purpose_incompatible": lambda: _mail(collected_for=("service_delivery",)),
    "special_category": lambda: _ask(
        replace(terms(), categories={**terms().categories, "region": {"gdpr_class": "special_9"}}), MAIL, GIVEN_DE
    ),
    "not_explicit": lambda: _ask(
        _with_bases("personalisation", Law.GDPR, Basis("consent", explicit=True)),
        use("personalisation", "staff"),
        person("DE", reach("web", consent("personalisation", explicit=False))),
    ),
    "child": lambda: _mail(age=12),
    "child_advertising": lambda: answer(
        person("DE", reach("ads", consent("ads_sharing", by_guardian=True)), age=12), ADS
    ),
    "no_consent": lambda: answer(person("DE", reach("email")), MAIL),
    "refused": lambda: _mail(said="refused"),
    "withdrawn": lambda: _mail(said="withdrawn"),
    "unconfirmed": lambda: _mail(said="requested"),
    "expired": lambda: _mail(said="expired"),
    "unproven": lambda: _mail(said="unknown"),
    "invalidated": lambda: _mail(said="invalidated"),
    "needs_reconsent": _superseded,
    "third_party": lambda: _ask(_to_the_third_party(), ADS, person("JP", reach("ads"))),
    "transfer": lambda: _ask(_abroad("email_marketing", Law.GDPR, None), US, GIVEN_DE),
    "out_of_purpose": lambda: _mail("JP", collected_for=("service_delivery",)),
    "foreign_third_party": lambda: _ask(_abroad("email_marketing", Law.APPI, None), US, GIVEN_JP),
    "jp_equivalent_check_overdue": lambda: answer(GIVEN_JP, US, date(2027, 4, 2)),
    "foreign_information_missing": _silent_on_the_country,
    "gpc": lambda: answer(person("JP", gpc=True), use("analytics", "staff")),
    "no_optin_record": lambda: _mail("JP", said="unknown"),
}

NOT_BY_RULES = {"field_not_allowed", "small_audience", "not_settled"}


@pytest.mark.parametrize("code", CASES)
def test_a_refusal_is_the_answer_in_its_own_case(code: str) -> None:
    decision = CASES[code]()
    assert not decision.allow
    assert code in codes(decision)
    assert decision.bases == decision.obligations == ()


def test_every_reason_has_a_case_here_or_in_a_scenario_or_is_given_elsewhere() -> None:
    in_scenarios = {
        code for one in terms().scenarios for answer in play(terms(), one, DAY, ALSO).answers for code in answer.codes
    }
    assert set(register.REGISTER) <= set(CASES) | NOT_BY_RULES | in_scenarios


@pytest.mark.parametrize("code", register.REGISTER)
def test_a_reason_has_words_articles_and_a_remedy_in_both_languages(code: str) -> None:
    entry = register.REGISTER[code]
    assert entry.ja.endswith("。") and entry.remedy_ja.endswith("。")
    assert entry.en.endswith(".") and entry.remedy_en.endswith(".")
    assert entry.articles and all(entry.articles.values())
    assert set(entry.articles) <= set(reasons.LAWS)


def test_numbers_are_one_byte_each_and_stay_as_they_are() -> None:
    numbers = [entry.number for entry in register.REGISTER.values()]
    assert len(set(numbers)) == len(numbers)
    assert all(1 <= number <= 254 for code, number in reasons.NUMBERS.items() if code != "not_settled")
    assert reasons.NUMBERS["not_settled"] == register.STALE == 255
    # Stored permissions hold these bytes: a change here is a change of every row.
    assert {
        code: reasons.NUMBERS[code] for code in ("unknown_use", "unsubscribed", "withdrawn", "no_optin_record")
    } == {
        "unknown_use": 1,
        "unsubscribed": 7,
        "withdrawn": 24,
        "no_optin_record": 37,
    }


def test_the_article_is_that_of_the_law_that_protects() -> None:
    assert [(one.law, one.article) for one in _mail(said="withdrawn").reasons] == [
        ("GDPR", "7(3)"),
        ("EPRIVACY", "13(1)"),
    ]
    assert [(one.law, one.article) for one in _mail("JP", said="withdrawn").reasons] == [("TOKUTEI", "3(3)")]
    assert [one.law for one in _mail("JP", silenced="unsubscribe").reasons] == ["TOKUTEI"]
    assert [one.law for one in _mail("", silenced="unsubscribe").reasons][:2] == ["GDPR", "TOKUTEI"]
    by_line = answer(person("JP", reach("line", suppressed=("unsubscribe",))), use("line_marketing", "ma_tool"))
    assert (by_line.reasons[0].law, by_line.reasons[0].article) == ("APPI", "35(5)")


def test_a_field_beyond_purpose_or_recipient_is_refused() -> None:
    def judge(what: Use, *fields: str) -> object:
        return check_request(terms(), PageRequest(what, fields), datetime(2026, 6, 1, tzinfo=UTC))

    assert judge(MAIL, "email", "given_name") == Law(0)
    assert judge(MAIL, "email", "address") == Refusal("field_not_allowed", "address")
    assert judge(US, "birthday") == Refusal("field_not_allowed", "birthday")


def test_an_unknown_use_is_refused_under_every_law() -> None:
    assert {law: one.code for law, one in recipient_refusals(terms(), Use(0, "x", "y", "z"), LATE).items()} == {
        Law.GDPR: "unknown_use",
        Law.APPI: "unknown_use",
    }
