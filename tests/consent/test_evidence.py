"""How far old consents are proven: everything makes full, some makes partial, the essential missing makes none."""

from dataclasses import replace
from datetime import date

import pytest

from cdp.consent.evidence import LACKS, METHODS, Cohort, Responsible, Rows, grade
from cdp.consent.rules import INVALID_METHODS

OURS = frozenset({"株式会社せきしょ商店", "Sekisho Shoten K.K."})
SIGNED = Responsible("山田 花子", "個人情報保護管理者", date(2026, 4, 1), "山田花子")
WHOLE = Cohort(
    name="form",
    rows=Rows(),
    purpose="email_marketing",
    channel="email",
    notice="newsletter",
    notice_version="1",
    language="ja",
    wording="お得な情報を受け取る",
    form="form.png",
    method="checkbox",
    where="https://shop.example/join",
    first_day=date(2024, 1, 1),
    last_day=date(2024, 12, 31),
    time="登録日時",
    responsible=SIGNED,
)


def test_a_cohort_with_everything_is_proven_in_full() -> None:
    assert grade(WHOLE, OURS) == grade(replace(WHOLE, wording=""), OURS)
    assert (grade(WHOLE, OURS).evidence, grade(WHOLE, OURS).missing) == ("full", ())


@pytest.mark.parametrize("method", METHODS)
def test_every_way_of_asking_that_may_be_consent_can_be_proven(method: str) -> None:
    assert grade(replace(WHOLE, method=method), OURS).evidence == "full"


@pytest.mark.parametrize(
    ("without", "missing"),
    [
        ({"form": ""}, ("form",)),
        ({"notice": "", "notice_version": ""}, ("notice",)),
        ({"language": ""}, ("language",)),
        ({"method": ""}, ("method",)),
        ({"where": ""}, ("where",)),
        ({"first_day": None}, ("period",)),
        ({"last_day": None}, ("period",)),
        ({"time": ""}, ("time",)),
        ({"form": "", "time": "", "where": ""}, ("form", "where", "time")),
        ({"form": "", "wording": ""}, ("form",)),
    ],
)
def test_what_lacks_something_is_proven_in_part_and_the_lack_has_a_name(without, missing) -> None:
    told = grade(replace(WHOLE, **without), OURS)
    assert (told.evidence, told.missing) == ("partial", missing)
    assert set(told.missing) <= set(LACKS)


@pytest.mark.parametrize(
    ("without", "missing"),
    [
        ({"responsible": None}, ("responsible",)),
        ({"responsible": replace(SIGNED, signature="鈴木 一郎")}, ("responsible",)),
        ({"form": "", "wording": "", "notice": ""}, ("form", "wording", "notice")),
        *(({"method": method}, ("method_invalid",)) for method in sorted(INVALID_METHODS)),
        ({"controller": "名簿商会"}, ("controller",)),
    ],
)
def test_nothing_is_proven_without_a_signature_a_text_a_valid_way_or_by_a_consent_to_somebody_else(
    without, missing
) -> None:
    told = grade(replace(WHOLE, **without), OURS)
    assert (told.evidence, told.missing) == ("none", missing)


def test_our_own_name_on_the_form_is_ours_in_any_width() -> None:
    assert grade(replace(WHOLE, controller="Sekisho　Shoten Ｋ.Ｋ."), OURS).evidence == "full"


def test_every_lack_is_told_in_both_languages() -> None:
    assert all(ja and en and ja != en for ja, en in LACKS.values())
