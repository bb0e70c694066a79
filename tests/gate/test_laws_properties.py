"""What holds of the rules whatever is declared and whoever is asked about (properties P1 to P8 of the law)."""

from dataclasses import replace
from datetime import date

from hypothesis import assume, event, given
from hypothesis import strategies as st

from cdp.gate import history, reasons, register
from cdp.gate.decide import decide, person_code, recipient_refusals, ways
from cdp.gate.question import NOTHING_BEYOND, Beyond, Consent, Decision, Standing
from cdp.policy.terms import Law, Policy, Use
from tests.gate.strategies import OBJECTIONS, SILENCES, anybody, benign, beyond, calm, days, declarations
from tests.policy.shipped import DAY, terms

Declared = tuple[Policy, Use]
STATES = ["restricted", "erasing", "gpc", "deceased", "quarantined", "held", "provision_stopped", "from_opt_out"]


def decided(what: Declared, who: Standing, on: date = DAY, more: Beyond = NOTHING_BEYOND) -> list[Decision]:
    policy, use = what
    return [decide(policy, use, who, way, on, more) for way in ways(who, use.channel)]


def allows(what: Declared, who: Standing, on: date = DAY, more: Beyond = NOTHING_BEYOND) -> bool:
    return any(one.allow for one in decided(what, who, on, more))


@given(declarations | benign, anybody | calm, st.data())
def test_p1_a_further_no_never_turns_a_no_into_a_yes(what: Declared, who: Standing, data: st.DataObject) -> None:
    further = data.draw(st.sampled_from([*STATES, *OBJECTIONS, *SILENCES, "withdrawal", "refusal"]))
    if allows(what, _with(who, further)):
        event("yes")
        assert allows(what, who)


@given(declarations, anybody, days)
def test_p2_what_is_kept_per_person_and_asked_per_request_say_together_what_the_whole_says(
    what: Declared, who: Standing, on: date
) -> None:
    policy, use = what
    laws = who.laws or Law.GDPR | Law.APPI
    refused = [law for law in recipient_refusals(policy, use, on) if law & laws]
    assert (person_code(policy, use, who) == 0 and not refused) == allows(what, who, on)


@given(declarations, anybody, days, beyond)
def test_p3_the_same_snapshot_gives_the_same_answer_after_it_was_written_down(
    what: Declared, who: Standing, on: date, more: Beyond
) -> None:
    again = history.read(history.written(who))
    assert again == who
    assert decided(what, again, on, more) == decided(what, who, on, more)


@given(declarations | benign, anybody | calm, beyond)
def test_p4_yes_under_both_laws_is_yes_under_each(what: Declared, who: Standing, more: Beyond) -> None:
    more = replace(more, categories=frozenset())
    both, one, other = (replace(who, laws=laws) for laws in (Law.GDPR | Law.APPI, Law.GDPR, Law.APPI))
    if allows(what, both, more=more):
        event("yes")
        assert allows(what, one, more=more)
        assert allows(what, other, more=more)


@given(benign, calm, st.data())
def test_p5_narrower_never_turns_a_yes_into_a_no_but_where_nothing_is_left(
    what: Declared, who: Standing, data: st.DataObject
) -> None:
    policy, use = what
    assume(allows(what, who))
    purpose, recipient = policy.purposes[use.purpose], policy.recipients[use.recipient]
    fewer = tuple(name for name in purpose.fields if data.draw(st.booleans(), label=name))
    narrower = replace(policy, purposes={**policy.purposes, purpose.name: replace(purpose, fields=fewer)})
    assert allows((narrower, use), who) or _is_only((narrower, use), who, {"minimised_to_nothing", "retention_expired"})
    asked = frozenset(policy.category_of(name) for name in purpose.fields if name in recipient.fields)
    some = frozenset(name for name in sorted(asked) if data.draw(st.booleans(), label=name))
    assert allows(what, who, more=Beyond(categories=some))


@given(declarations, anybody, beyond)
def test_p8_a_refusal_is_said_in_both_languages_with_an_article_of_the_register(
    what: Declared, who: Standing, more: Beyond
) -> None:
    for decision in decided(what, who, DAY, more):
        assert decision.reasons
        assert decision.allow == (decision.first_refusal == "")
        for one in decision.reasons:
            assert one.ja.endswith("。") and one.en.endswith(".")
            for law, article in reasons.references(one.law, one.article):
                assert article in _articles(law), (law, article)
        for name in decision.obligations:
            assert reasons.OBLIGATIONS[name]


@given(declarations, anybody)
def test_nobody_is_told_less_than_every_reason(what: Declared, who: Standing) -> None:
    """Each law that protects says what it has against it, whatever the others say."""
    for decision in decided(what, replace(who, laws=Law.GDPR | Law.APPI)):
        ranks = [reasons.RANKS[one.code] for one in decision.reasons if one.deny]
        assert all(code in register.REGISTER for code in (one.code for one in decision.reasons if one.deny))
        assert decision.allow or ranks


def _articles(law: str) -> set[str]:
    return set(terms().articles.get(law, {}))


def _is_only(what: Declared, who: Standing, codes: set[str]) -> bool:
    return any({one.code for one in decision.reasons} <= codes for decision in decided(what, who))


def _with(who: Standing, no: str) -> Standing:
    if no in STATES:
        return replace(who, **{no: True})
    if no in OBJECTIONS:
        return replace(who, objections=tuple(sorted({*who.objections, no})))
    if no in SILENCES:
        quiet = tuple(replace(way, suppressed=tuple(sorted({*way.suppressed, no}))) for way in who.reaches)
        return replace(who, reaches=quiet)
    ways_after = []
    for way in who.reaches:
        before = way.consent("anything")
        status = "withdrawn" if no == "withdrawal" else "refused"
        taken_back = before is not None and (before.status == "given" or before.once_given)
        said = Consent("anything", status, "privacy", "2", explicit=True, once_given=taken_back)
        ways_after.append(replace(way, consents=(said,)))
    return replace(who, reaches=tuple(ways_after))
