"""Evidence bundles as operators write them: read whole, and every mistake told by its place."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from cdp.consent import bundles
from cdp.errors import Problem
from tests.conftest import shipped_policy

TODAY = date(2026, 6, 1)
PNG = b"\x89PNG\r\n\x1a\n and the rest of a picture"
COHORT: dict[str, Any] = {
    "name": "form",
    "rows": "all",
    "purpose": "email_marketing",
    "channel": "email",
    "notice": {"name": "newsletter", "version": "1"},
    "language": "ja",
    "form": "form.png",
    "method": "checkbox",
    "where": "https://shop.example/join",
    "period": {"from": "2025-04-01", "until": "2026-03-31"},
    "time": "登録日時",
    "responsible": {"name": "山田 花子", "role": "管理者", "date": "2026-04-01", "signature": "山田 花子"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "form.png").write_bytes(PNG)
    return tmp_path


def read(folder: Path, *cohorts: dict[str, Any], text: str = "") -> bundles.Bundle:
    path = folder / "bundle.yaml"
    path.write_text(text or yaml.safe_dump({"cohorts": list(cohorts)}, allow_unicode=True), encoding="utf-8")
    return bundles.read(path, shipped_policy(), TODAY)


def mistakes(folder: Path, *cohorts: dict[str, Any], text: str = "") -> dict[str, str]:
    with pytest.raises(Problem) as raised:
        read(folder, *cohorts, text=text)
    assert (raised.value.status, raised.value.type) == (400, "bundle_malformed")
    return {one.pointer: one.detail for one in raised.value.errors}


def test_a_bundle_is_read_graded_and_named_by_all_that_is_in_it(folder: Path) -> None:
    first = read(folder, COHORT)
    (one,) = first.cohorts
    assert one.grade.evidence == "full" and one.document is not None
    assert (one.document.media_type, one.document.content) == ("image/png", PNG)
    assert read(folder, COHORT) == first
    (folder / "form.png").write_bytes(PNG + b"!")
    assert read(folder, COHORT).sha256 != first.sha256, "another form is another bundle"
    assert read(folder, COHORT | {"where": "shop"}).cohorts[0].id != one.id


def test_the_template_is_a_whole_bundle(folder: Path) -> None:
    (folder / "form-2024.png").write_bytes(PNG)
    (one,) = read(folder, text=bundles.TEMPLATE.read_text(encoding="utf-8")).cohorts
    assert one.grade.evidence == "full"


def test_an_old_form_is_no_notice_of_ours_and_its_exact_wording_is_kept(folder: Path) -> None:
    old = {key: value for key, value in COHORT.items() if key != "notice"} | {"wording": "お得な情報を受け取る\n"}
    (one,) = read(folder, old).cohorts
    assert (one.grade.evidence, one.grade.missing) == ("partial", ("notice",))
    assert "お得な情報を受け取る\\n" in one.declared
    assert read(folder, old | {"notice": COHORT["notice"]}).cohorts[0].grade.evidence == "full"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"purpose": "nothing"}, "/cohorts/0/purpose"),
        ({"channel": "pigeon"}, "/cohorts/0/channel"),
        ({"channel": "line"}, "/cohorts/0/channel"),
        ({"status": "withdrawn"}, "/cohorts/0/status"),
        ({"notice": {"name": "newsletter", "version": "99"}}, "/cohorts/0/notice"),
        ({"notice": {"name": "cookies", "version": "1"}}, "/cohorts/0/notice"),
        ({"notice": {"name": "newsletter", "version": 1}}, "/cohorts/0/notice/version"),
        ({"method": "telepathy"}, "/cohorts/0/method"),
        ({"language": "the Japanese one"}, "/cohorts/0/language"),
        ({"period": {"from": "2025-04-02", "until": "2025-04-01"}}, "/cohorts/0/period"),
        ({"period": {"from": "2025-03-31", "until": "2025-04-30"}}, "/cohorts/0/notice"),
        ({"period": {"from": "2025-04-01", "until": "2027-03-31"}}, "/cohorts/0/period"),
        ({"period": {"from": "令和6年", "until": "2025-03-31"}}, "/cohorts/0/period/from"),
        ({"period": {"from": "2025-04-01"}}, "/cohorts/0/period/until"),
        ({"rows": "some"}, "/cohorts/0/rows"),
        ({"rows": {"column": "x"}}, "/cohorts/0/rows/equals"),
        ({"rows": {"column": "x", "equals": [1]}}, "/cohorts/0/rows"),
        ({"rows": {"column": "x", "equals": []}}, "/cohorts/0/rows"),
        ({"form": "other.png"}, "/cohorts/0/form"),
        ({"form": "form.exe"}, "/cohorts/0/form"),
        ({"form": "../form.png"}, "/cohorts/0/form"),
        ({"responsible": COHORT["responsible"] | {"signature": "x"}}, "/cohorts/0/responsible/signature"),
        ({"responsible": COHORT["responsible"] | {"date": "2026-06-02"}}, "/cohorts/0/responsible/date"),
        ({"responsible": {"name": "x"}}, "/cohorts/0/responsible/role"),
        ({"surprise": 1}, "/cohorts/0/surprise"),
        ({"wording": "x" * 20_001}, "/cohorts/0/wording"),
    ],
)
def test_every_mistake_is_told_by_its_place(folder: Path, change: dict[str, Any], pointer: str) -> None:
    (folder.parent / "form.png").write_bytes(PNG)
    assert pointer in mistakes(folder, COHORT | change)


def test_all_mistakes_are_told_at_once(folder: Path) -> None:
    other = COHORT | {"name": "other", "purpose": "nothing", "form": "none.png"}
    assert set(mistakes(folder, COHORT | {"channel": "line"}, other)) == {
        "/cohorts/0/channel",
        "/cohorts/1/purpose",
        "/cohorts/1/form",
    }


def test_one_box_for_several_purposes_is_refused_in_one_cohort_and_in_two(folder: Path) -> None:
    """GDPR 7(2); G7b."""
    told = mistakes(folder, COHORT | {"purpose": ["email_marketing", "line_marketing"]})
    assert "7(2)" in told["/cohorts/0/purpose"]
    line = COHORT | {"name": "line", "purpose": "line_marketing", "channel": "line"}
    line |= {"notice": {"name": "line", "version": "1"}}
    assert "7(2)" in mistakes(folder, COHORT, line)["/cohorts/1/purpose"]
    own = line | {"wording": "LINEでお得な情報を受け取る"}
    assert len(read(folder, COHORT, own).cohorts) == 2, "a box each is two consents"


def test_two_cohorts_of_one_name_are_refused(folder: Path) -> None:
    assert set(mistakes(folder, COHORT, COHORT)) == {"/cohorts/1/name"}


@pytest.mark.parametrize(
    "text", ["", "- 1", "cohorts: []", "cohorts: [", "cohorts: 1", "cohorts: []\ncohorts: []", "cohort: []"]
)
def test_what_is_no_bundle_at_all_says_so(folder: Path, text: str) -> None:
    assert mistakes(folder, text=text or "# nothing\n")


def test_a_form_is_what_its_ending_says_and_not_too_large(folder: Path) -> None:
    for content in (b"", b"GIF89a", PNG + bytes(bundles.LARGEST_DOCUMENT)):
        (folder / "form.png").write_bytes(content)
        assert set(mistakes(folder, COHORT)) == {"/cohorts/0/form"}


def test_a_form_that_only_links_to_elsewhere_is_refused(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "form.png"
    elsewhere.write_bytes(PNG)
    (folder / "form.png").unlink()
    (folder / "form.png").symlink_to(elsewhere)
    assert set(mistakes(folder, COHORT)) == {"/cohorts/0/form"}
