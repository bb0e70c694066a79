"""`cdp policy check` says what is wrong with a folder: it cannot be read, or answers otherwise than it states."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from cdp.gate.rehearsal import check, decisive, play, run
from cdp.gate.rehearsal.opposites import opposites
from cdp.policy.documents import Documents, Failures
from cdp.policy.scenarios import read_scenarios
from cdp.policy.terms import Scenario
from tests.policy.shipped import DAY, copied, terms


def test_a_folder_that_cannot_be_loaded_is_reported_line_by_line(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / "controller.yaml").unlink()
    (folder / "traits.yaml").write_bytes(b"\xff\xfe")
    lines = check(folder, DAY)
    assert "controller.yaml: keys and values are expected here" in lines
    assert "traits.yaml: not written in UTF-8" in lines


def test_a_change_of_basis_shows_in_the_examples(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    path = folder / "purposes/email_marketing.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('kind: soft_opt_in, iri: "eprivacy:A13-2"', "kind: consent"), encoding="utf-8")
    assert [line for line in check(folder, DAY) if not line.startswith("scenarios/")] == [
        "purposes/email_marketing.yaml 'a German customer who never said no hears of our own goods': "
        "expected allow; the answer is deny, because no_consent"
    ]


def test_an_overdue_review_shows_on_its_day() -> None:
    example = next(one for one in terms().examples if "staff may answer" in one.where)
    assert run(terms(), example, DAY) == ""
    assert run(terms(), example, date(2027, 4, 2)).endswith("the answer is deny, because lia_missing_or_stale")


def test_an_example_of_what_nobody_declared_is_reported() -> None:
    example = terms().examples[0]
    assert run(terms(), replace(example, channel="phone"), DAY).endswith("the policy declares no such use")
    assert run(terms(), replace(example, because="mood"), DAY).endswith("there is no reason mood")


def _scenario(**tree: Any) -> Scenario:
    """Return a scenario as a file would state it."""
    whole = {"title": {"ja": "例", "en": "A case"}, "references": ["GDPR 7(3)"], "scenario": "case", **tree}
    documents = Documents({"scenarios/case.yaml": whole}, {})
    failures = Failures()
    found = read_scenarios(documents, failures)
    assert failures.lines == []
    return found[0]


MAIL = {"purpose": "email_marketing", "recipient": "ma_tool", "channel": "email"}


def test_what_is_said_after_the_question_has_not_been_said() -> None:
    said = [
        {"at": "2026-05-01T08:00:00Z", "status": "given", "purpose": "email_marketing"},
        {"at": "2026-05-20T09:05:00Z", "status": "withdrawn", "purpose": "email_marketing"},
    ]
    case = _scenario(
        given={"country": "DE", "said": said},
        asks=[
            {**MAIL, "at": "2026-05-20T09:04:59Z", "then": "allow"},
            {**MAIL, "at": "2026-05-20T09:05:00Z", "then": "deny", "because": "withdrawn"},
        ],
    )
    assert play(terms(), case, DAY).failures == ()


def test_a_question_may_declare_something_else_than_its_scenario() -> None:
    late, early = {"supervised": "2020-01-01"}, {"supervised": "2026-05-01"}
    case = _scenario(
        declares={"recipients/ma_tool.yaml": late},
        given={"country": "DE", "customer": True},
        asks=[
            {**MAIL, "then": "deny", "because": "supervision_overdue"},
            {**MAIL, "declares": {"recipients/ma_tool.yaml": early}, "then": "allow"},
        ],
    )
    assert [answer.then for answer in play(terms(), case, DAY).answers] == ["deny", "allow"]
    assert play(terms(), case, DAY).answers[0].because == "supervision_overdue"
    only_the_question = _scenario(
        given={"country": "DE", "customer": True},
        asks=[{**MAIL, "declares": {"recipients/ma_tool.yaml": early}, "then": "allow"}],
    )
    turned = {fact for fact, _ in opposites(only_the_question.tree)}
    assert "asks.0.declares.recipients/ma_tool.yaml.supervised earlier" in turned


def test_a_statement_is_turned_round_and_never_made_nonsense() -> None:
    said = [{"at": "2026-05-01T08:00:00Z", "status": "given", "purpose": "email_marketing"}]
    case = _scenario(given={"country": "DE", "said": said}, asks=[{**MAIL, "then": "allow"}])
    turned = decisive(terms(), case, DAY)
    assert turned is not None and turned.became == "deny (no_consent)"
    for _, tree in opposites(case.tree):
        assert play(terms(), replace(case, tree=tree), DAY).answers
