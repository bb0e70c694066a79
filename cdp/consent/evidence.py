"""What proves the consents of an old list, and how far: full, partial or none (ruling R13, GDPR 7(1)).

Pure. Full needs everything in `LACKS`. Nothing is proven where nobody signs, where nothing shows what people
were asked, where the way of asking is no consent, or where they agreed to somebody else.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from cdp.consent.rules import INVALID_METHODS

METHODS = ("checkbox", "button", "double_opt_in", "paper", "signature", "oral_recorded", "request", "reply")
"""Ways of asking that may be consent; the others that a bundle may own up to are `INVALID_METHODS`."""

LACKS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "form": ("フォームの画像又は本文のファイル", "a file with the form's image or text"),
        "wording": ("示した文面（本文又は当社の通知）", "the exact wording, or the notice of ours that was shown"),
        "notice": ("文面に対応する当社の通知と版", "the notice and version of ours that the wording says no less than"),
        "language": ("文面の言語", "the language of the wording"),
        "method": ("同意の取得方法", "how people were asked"),
        "method_invalid": (
            "有効な取得方法（初期チェック・沈黙・一括同意は同意ではありません）",
            "a way of asking that is consent: pre-ticked, silent or bundled is none (GDPR 4(11))",
        ),
        "where": ("取得した場所（ページ・店舗）", "where people were asked: the page or the shop"),
        "period": ("取得した期間", "the period in which people were asked"),
        "time": ("各行の取得日時の列", "the column with each row's time of the act"),
        "responsible": ("責任者の氏名・役職・日付・署名", "the responsible person's name, role, date and signature"),
        "controller": ("当社を示す文面（他社への同意です）", "wording that names us: people agreed to somebody else"),
    }
)
"""What may be missing, in words."""

_FATAL = frozenset({"responsible", "method_invalid", "controller"})


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows a cohort covers: those whose cell in the column is one of these, or all."""

    column: str = ""
    equals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Responsible:
    """Who answers for what the bundle says."""

    name: str
    role: str
    signed_on: date
    signature: str
    """The name, typed once more."""

    @property
    def has_signed(self) -> bool:
        return bool(self.name.strip()) and _written(self.signature) == _written(self.name)


@dataclass(frozen=True, slots=True)
class Cohort:
    """People of a list who were asked alike."""

    name: str
    rows: Rows
    purpose: str
    channel: str
    notice: str = ""
    notice_version: str = ""
    """The notice of ours that was shown, or that the exact wording says no less than."""
    language: str = ""
    wording: str = ""
    form: str = ""
    """Name of the file beside the bundle."""
    method: str = ""
    where: str = ""
    first_day: date | None = None
    last_day: date | None = None
    time: str = ""
    """Column with each row's time of the act."""
    controller: str = ""
    """Who asked, as the form names them; empty = this controller."""
    responsible: Responsible | None = None


@dataclass(frozen=True, slots=True)
class Grade:
    """How far a cohort's consents are proven, and what is missing for more."""

    evidence: str
    """full | partial | none"""
    missing: tuple[str, ...] = ()


def grade(cohort: Cohort, controllers: frozenset[str]) -> Grade:
    """Say how far the cohort's consents are proven; `controllers` are the names that this controller goes by."""
    missing = tuple(lack for lack, is_missing in _lacks(cohort, controllers).items() if is_missing)
    shows_nothing = not (cohort.form or cohort.wording or cohort.notice)
    if not missing:
        return Grade("full")
    return Grade("none" if shows_nothing or _FATAL & set(missing) else "partial", missing)


def _lacks(cohort: Cohort, controllers: frozenset[str]) -> dict[str, bool]:
    return {
        "form": not cohort.form,
        "wording": not (cohort.wording or cohort.notice),
        "notice": not cohort.notice,
        "language": not cohort.language,
        "method": not cohort.method,
        "method_invalid": cohort.method in INVALID_METHODS,
        "where": not cohort.where,
        "period": cohort.first_day is None or cohort.last_day is None,
        "time": not cohort.time,
        "responsible": cohort.responsible is None or not cohort.responsible.has_signed,
        "controller": bool(cohort.controller) and _written(cohort.controller) not in map(_written, controllers),
    }


def _written(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()
