"""The whole decision: what holds whoever asks, about whom, for what."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from cdp.gate import reasons
from cdp.gate.codes import person_codes
from cdp.gate.decide import allowed_fields, decide, person_code, recipient_refusals, ways
from cdp.gate.question import Consent, Reach, Standing
from cdp.policy.terms import CHANNELS, Law, Use
from tests.policy.shipped import DAY, answer, person, reach, terms, use

STATUSES = ["given", "refused", "requested", "withdrawn", "expired", "invalidated", "unknown"]
NOTICES = ["newsletter", "line", "cookies", "ads", "privacy", ""]

consents = st.builds(
    Consent,
    purpose=st.sampled_from(sorted(terms().purposes)),
    status=st.sampled_from(STATUSES),
    notice=st.sampled_from(NOTICES),
    notice_version=st.sampled_from(["1", "2", "9"]),
    explicit=st.booleans(),
    by_guardian=st.booleans(),
)
reaches = st.builds(
    Reach,
    channel=st.sampled_from(CHANNELS),
    consents=st.lists(consents, max_size=4, unique_by=lambda one: one.purpose).map(tuple),
    suppressed=st.lists(
        st.sampled_from(["unsubscribe", "complaint", "bounce", "objection", "erasure"]), max_size=1
    ).map(tuple),
)
objections = ["direct_marketing", "legitimate_interests:*", "legitimate_interests:support"]
standings = st.builds(
    Standing,
    laws=st.sampled_from([Law.GDPR, Law.APPI, Law.GDPR | Law.APPI, Law(0)]),
    country=st.sampled_from(["DE", "AT", "JP", "US", ""]),
    age=st.none() | st.integers(8, 40),
    customer=st.booleans(),
    restricted=st.sampled_from([False, False, False, True]),
    erasing=st.sampled_from([False, False, False, True]),
    objections=st.lists(st.sampled_from(objections), max_size=1).map(tuple),
    gpc=st.booleans(),
    reaches=st.lists(reaches, max_size=3).map(tuple),
    collected_for=st.sampled_from([("*",), ("*",), ("service_delivery",)]),
)
uses = st.sampled_from(terms().uses)
days = st.integers(-500, 2000).map(lambda n: DAY + timedelta(days=n))


def allows(what: Use, who: Standing, on: date) -> bool:
    return any(decide(terms(), what, who, way, on).allow for way in ways(who, what.channel))


@given(uses, standings, days)
def test_the_two_halves_say_what_the_whole_says(what: Use, who: Standing, on: date) -> None:
    laws = who.laws or Law.GDPR | Law.APPI
    refused = [law for law in recipient_refusals(terms(), what, on) if law & laws]
    assert (person_code(terms(), what, who) == 0 and not refused) == allows(what, who, on)


@given(uses, standings, days)
def test_a_person_s_code_is_a_refusal_that_the_decision_names(what: Use, who: Standing, on: date) -> None:
    code = person_code(terms(), what, who)
    if code:
        named = {
            reason.code
            for way in ways(who, what.channel)
            for reason in decide(terms(), what, who, way, on).reasons
            if reason.deny
        }
        assert reasons.CODES[code] in named


@given(standings)
def test_all_codes_at_once_are_the_codes_one_by_one(who: Standing) -> None:
    assert list(person_codes(terms(), who)) == [person_code(terms(), what, who) for what in terms().uses]


@given(uses, standings, days)
def test_yes_under_both_laws_is_yes_under_each(what: Use, who: Standing, on: date) -> None:
    if allows(what, replace(who, laws=Law.GDPR | Law.APPI), on):
        assert allows(what, replace(who, laws=Law.GDPR), on)
        assert allows(what, replace(who, laws=Law.APPI), on)


@given(uses, standings, st.data())
def test_a_further_no_never_turns_a_no_into_a_yes(what: Use, who: Standing, data: st.DataObject) -> None:
    if allows(what, who, DAY):
        return
    more = data.draw(
        st.sampled_from(["restricted", "erasing", "gpc", *objections, "suppress", "withdraw"]), label="the further no"
    )
    assert not allows(what, _with(who, more, what), DAY)


def _with(who: Standing, no: str, what: Use) -> Standing:
    if no in ("restricted", "erasing", "gpc"):
        return replace(who, **{no: True})
    if no in objections:
        return replace(who, objections=(*who.objections, no))
    if no == "suppress":
        return replace(
            who, reaches=tuple(replace(way, suppressed=(*way.suppressed, "unsubscribe")) for way in who.reaches)
        )
    withdrawn = Consent(what.purpose, "withdrawn", "newsletter", "1", True)
    return replace(
        who,
        reaches=tuple(
            replace(way, consents=(withdrawn, *(one for one in way.consents if one.purpose != what.purpose)))
            for way in who.reaches
        ),
    )


@given(uses, standings, days)
def test_the_same_question_has_the_same_answer(what: Use, who: Standing, on: date) -> None:
    way = ways(who, what.channel)[0]
    assert decide(terms(), what, who, way, on) == decide(terms(), what, who, way, on)


@given(uses, standings)
def test_a_refusal_has_reasons_and_a_permission_has_a_basis(what: Use, who: Standing) -> None:
    for way in ways(who, what.channel):
        decision = decide(terms(), what, who, way, DAY)
        assert decision.allow == (decision.first_refusal == "")
        assert decision.reasons
        assert bool(decision.bases) == decision.allow


@settings(max_examples=20)
@given(uses)
def test_a_recipient_gets_no_field_beyond_purpose_and_itself(what: Use) -> None:
    fields = set(allowed_fields(terms(), what))
    assert fields <= set(terms().purposes[what.purpose].fields)
    assert fields <= set(terms().recipients[what.recipient].fields)


def test_of_several_ways_the_one_that_allows_opens_the_use() -> None:
    from tests.policy.shipped import consent

    silent = reach("email", consent("email_marketing"), suppressed=("unsubscribe",))
    open_ = reach("email", consent("email_marketing"))
    what = use("email_marketing", "ma_tool")
    assert person_code(terms(), what, person("JP", silent, open_)) == 0
    assert person_code(terms(), what, person("JP", silent)) == reasons.NUMBERS["unsubscribed"]


def test_of_several_refusals_the_one_nearest_to_a_yes_speaks() -> None:
    what = use("email_marketing", "ma_tool")
    dead, unasked = reach("email", suppressed=("bounce",)), reach("email")
    assert person_code(terms(), what, person("JP", dead, unasked)) == reasons.NUMBERS["no_consent"]


def test_a_person_whom_no_law_names_is_protected_by_all() -> None:
    who = replace(person("US", reach("email"), customer=True), laws=Law(0))
    assert not answer(who, use("email_marketing", "ma_tool")).allow


def test_unknown_residence_is_said_with_the_permission() -> None:
    assert [one.code for one in answer(person(""), use("subject_rights", "subject")).reasons] == [
        "legal_obligation",
        "jp_legal_obligation",
        "residence_unknown",
    ]


def test_every_rule_is_tried_so_that_every_reason_is_told() -> None:
    from tests.policy.shipped import codes

    who = person("DE", reach("email", suppressed=("unsubscribe",)), restricted=True, objections=("direct_marketing",))
    assert codes(answer(who, use("email_marketing", "ma_tool"))) == [
        "unsubscribed",
        "restricted",
        "objected",
        "no_consent",
        "no_consent",
    ]
