"""`cdp policy check` says what is wrong with a folder: it cannot be read, or answers otherwise than it states."""

from dataclasses import replace
from datetime import date
from pathlib import Path

from cdp.gate.rehearsal import check, run
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
    assert [line for line in check(folder, DAY) if line.startswith("purposes/")] == [
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
