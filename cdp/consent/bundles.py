"""Reads an evidence bundle: a YAML file about the cohorts of an old list, with their forms beside it (ruling R13).

Everything wrong is told at once, each by its place. A cohort that names more than one purpose is refused,
and so are two whose purposes hang on one and the same box (GDPR 7(2)).
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from marshmallow import ValidationError, fields, validate

from cdp.connector.kit import LANGUAGE, NOTICE, VERSION
from cdp.consent.evidence import METHODS, Cohort, Grade, Responsible, Rows, grade
from cdp.consent.rules import INVALID_METHODS
from cdp.errors import FieldError, Problem
from cdp.policy.documents import Shape, parse
from cdp.policy.terms import CHANNELS, Policy

LONGEST_BUNDLE = 256_000
LARGEST_DOCUMENT = 5_000_000
LARGEST_DOCUMENTS = 20_000_000
"""Bytes."""
MOST_COHORTS = 50

TYPES: Mapping[str, tuple[str, bytes]] = {
    ".png": ("image/png", b"\x89PNG\r\n"),
    ".jpg": ("image/jpeg", b"\xff\xd8\xff"),
    ".jpeg": ("image/jpeg", b"\xff\xd8\xff"),
    ".webp": ("image/webp", b"RIFF"),
    ".pdf": ("application/pdf", b"%PDF-"),
    ".html": ("text/html", b""),
    ".txt": ("text/plain", b""),
    ".md": ("text/markdown", b""),
}
"""Ending → media type, and how such a file begins."""

TEMPLATE = Path(__file__).with_name("bundle.yaml")
"""A bundle to fill in."""

SEVERAL_PURPOSES = "One box, one purpose: split it into cohorts with a box each (GDPR 7(2))."


@dataclass(frozen=True, slots=True)
class Document:
    """A form's image or text."""

    sha256: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Graded:
    """A cohort with what was made of it."""

    id: str
    """Of the evidence, as records refer to it."""
    cohort: Cohort
    grade: Grade
    document: Document | None = None

    @property
    def declared(self) -> str:
        """The cohort as it was declared, as JSON."""
        return json.dumps(asdict(self.cohort), ensure_ascii=False, sort_keys=True, default=str)


@dataclass(frozen=True, slots=True)
class Bundle:
    """The evidence about one list."""

    sha256: str
    cohorts: tuple[Graded, ...]


def _text(longest: int, **options: Any) -> fields.String:
    options.setdefault("load_default", "")
    if options.get("required"):
        del options["load_default"]
    return fields.String(validate=[validate.Length(1, longest), *options.pop("also", [])], **options)


def _name(pattern: Any, what: str, **options: Any) -> fields.String:
    return _text(64, also=[validate.Regexp(rf"(?:{pattern.pattern})\Z", error=what)], **options)


class _RowsShape(Shape):
    column = _text(120, required=True)
    equals = fields.Raw(required=True)


class _NoticeShape(Shape):
    name = _name(NOTICE, "The name of a notice in policies/notices/.", required=True)
    version = _name(VERSION, "A version of the notice; write it between quotation marks.", required=True)


class _PeriodShape(Shape):
    from_ = fields.Date(required=True, data_key="from")
    until = fields.Date(required=True)


class _ResponsibleShape(Shape):
    name = _text(80, required=True)
    role = _text(80, required=True)
    date = fields.Date(required=True)
    signature = _text(80, required=True)


class _CohortShape(Shape):
    name = _text(64, required=True)
    rows = fields.Raw(required=True)
    purpose = fields.Raw(required=True)
    channel = fields.String(required=True, validate=validate.OneOf(CHANNELS))
    status = fields.String(load_default="given", validate=validate.Equal("given", error="A list brings a yes only."))
    notice = fields.Nested(_NoticeShape, load_default=None)
    language = _name(LANGUAGE, "A language tag such as ja or en-GB.")
    wording = _text(20_000)
    form = _text(120)
    method = fields.String(load_default="", validate=validate.OneOf([*METHODS, *sorted(INVALID_METHODS)]))
    where = _text(400)
    period = fields.Nested(_PeriodShape, load_default=None)
    time = _text(120)
    controller = _text(200)
    responsible = fields.Nested(_ResponsibleShape, load_default=None)


class _BundleShape(Shape):
    cohorts = fields.List(fields.Nested(_CohortShape), required=True, validate=validate.Length(1, MOST_COHORTS))


def read(path: Path, policy: Policy, today: date) -> Bundle:
    """Return the bundle with its documents, graded; raises Problem 400 `bundle_malformed` with every mistake."""
    raw = _bytes(path, LONGEST_BUNDLE, "")
    shaped = _shaped(raw)
    wrong: list[FieldError] = []
    cohorts = [_cohort(number, one, policy, today, wrong) for number, one in enumerate(shaped["cohorts"])]
    _check_together(cohorts, wrong)
    documents = _documents(path.parent, cohorts, wrong)
    if wrong:
        raise _malformed(wrong)
    digest = _digest(raw, documents)
    names = frozenset({policy.controller.name_ja, policy.controller.name_en})
    return Bundle(
        digest,
        tuple(Graded(_id(digest, one.name), one, grade(one, names), documents.get(one.form)) for one in cohorts),
    )


def _shaped(raw: bytes) -> dict[str, Any]:
    try:
        tree = parse(raw.decode("utf-8"))
        if not isinstance(tree, dict):
            raise _malformed([FieldError("", "A bundle is a mapping with `cohorts`; see --consent-evidence-template.")])
        return dict(_BundleShape().load(tree))
    except UnicodeDecodeError:
        raise _malformed([FieldError("", "Not written in UTF-8.")]) from None
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        raise _malformed([FieldError("", f"{line}not valid YAML, or a key stands twice.")]) from None
    except ValidationError as error:
        raise _malformed(list(_flat(error.messages))) from None


def _cohort(number: int, shape: dict[str, Any], policy: Policy, today: date, wrong: list[FieldError]) -> Cohort:
    here = f"/cohorts/{number}"
    period, notice, signed = shape["period"], shape["notice"], shape["responsible"]
    cohort = Cohort(
        name=shape["name"],
        rows=_rows(f"{here}/rows", shape["rows"], wrong),
        purpose=_purpose(f"{here}/purpose", shape["purpose"], policy, wrong),
        channel=shape["channel"],
        notice=notice["name"] if notice else "",
        notice_version=notice["version"] if notice else "",
        first_day=period["from_"] if period else None,
        last_day=period["until"] if period else None,
        responsible=Responsible(signed["name"], signed["role"], signed["date"], signed["signature"])
        if signed
        else None,
        **{name: shape[name] for name in ("language", "wording", "form", "method", "where", "time", "controller")},
    )
    wrong += [FieldError(f"{here}/{place}", what) for place, what in _mistakes(cohort, policy, today)]
    return cohort


def _rows(here: str, rows: object, wrong: list[FieldError]) -> Rows:
    if rows == "all":
        return Rows()
    try:
        shape = _RowsShape().load(rows) if isinstance(rows, dict) else {}
    except ValidationError as error:
        wrong += _flat(error.messages, here)
        return Rows()
    wanted = shape.get("equals")
    given = wanted if isinstance(wanted, list) else [wanted]
    values = [one for one in given if isinstance(one, str) and one]
    if not values or len(values) < len(given):
        wrong.append(FieldError(here, "Write `all`, or `{column: …, equals: …}` with one text or a list of them."))
        return Rows()
    return Rows(shape["column"], tuple(values))


def _purpose(here: str, purpose: object, policy: Policy, wrong: list[FieldError]) -> str:
    if isinstance(purpose, list):
        wrong.append(FieldError(here, SEVERAL_PURPOSES))
    elif not isinstance(purpose, str) or purpose not in policy.purposes:
        wrong.append(FieldError(here, f"One purpose of {', '.join(sorted(policy.purposes))}."))
    else:
        return purpose
    return ""


def _mistakes(cohort: Cohort, policy: Policy, today: date) -> Iterator[tuple[str, str]]:
    purpose = policy.purposes.get(cohort.purpose)
    if purpose is not None and cohort.channel not in purpose.channels:
        yield "channel", f"The purpose goes by {', '.join(purpose.channels)}."
    known = [one for one in policy.notices if one[:2] == (cohort.notice, cohort.notice_version)]
    if cohort.notice and not known:
        yield "notice", "The policy has no such notice in this version."
    elif cohort.notice and purpose and not any(cohort.purpose in policy.notices[one].purposes for one in known):
        yield "notice", "This notice does not name the purpose."
    elif (
        not cohort.wording
        and cohort.first_day
        and any(policy.notices[one].published > cohort.first_day for one in known)
    ):
        yield "notice", "It was published after the period began: give the exact wording of then beside it."
    if cohort.first_day and cohort.last_day and not cohort.first_day <= cohort.last_day <= today:
        yield "period", "It begins before it ends, and ends before today."
    signed = cohort.responsible
    if signed is not None and signed.signed_on > today:
        yield "responsible/date", "This day has not come yet."
    if signed is not None and not signed.has_signed:
        yield "responsible/signature", "Whoever answers for it signs by typing the name once more."


def _check_together(cohorts: list[Cohort], wrong: list[FieldError]) -> None:
    names: set[str] = set()
    boxes: dict[tuple[object, ...], str] = {}
    for number, one in enumerate(cohorts):
        if one.name in names:
            wrong.append(FieldError(f"/cohorts/{number}/name", "Another cohort has this name."))
        names.add(one.name)
        box = (one.rows, one.wording, one.form)
        if one.purpose and boxes.setdefault(box, one.purpose) != one.purpose:
            wrong.append(FieldError(f"/cohorts/{number}/purpose", SEVERAL_PURPOSES))


def _documents(folder: Path, cohorts: list[Cohort], wrong: list[FieldError]) -> dict[str, Document]:
    """Read each form once; a file that is not beside the bundle, too large or of another kind is a mistake."""
    found: dict[str, Document] = {}
    for number, one in enumerate(cohorts):
        if one.form and one.form not in found:
            try:
                found[one.form] = _document(folder, one.form, f"/cohorts/{number}/form")
            except Problem as problem:
                wrong += problem.errors
    if sum(len(one.content) for one in found.values()) > LARGEST_DOCUMENTS:
        wrong.append(FieldError("/cohorts", f"The forms together are larger than {LARGEST_DOCUMENTS} bytes."))
    return found


def _document(folder: Path, name: str, here: str) -> Document:
    path = folder / name
    media_type, beginning = TYPES.get(path.suffix.lower(), ("", b""))
    if not media_type:
        raise _malformed([FieldError(here, f"A form is kept as {', '.join(TYPES)}.")])
    if path.resolve().parent != folder.resolve():
        raise _malformed([FieldError(here, "The form lies beside the bundle, in the same folder.")])
    content = _bytes(path, LARGEST_DOCUMENT, here)
    if not content or not content.startswith(beginning) or (media_type.startswith("text/") and not _is_text(content)):
        raise _malformed([FieldError(here, "The file is not what its ending says, or is empty; text is UTF-8.")])
    return Document(hashlib.sha256(content).hexdigest(), media_type, content)


def _bytes(path: Path, most: int, here: str) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError:
        raise _malformed([FieldError(here, "There is no such file, or it cannot be read.")]) from None
    if len(content) > most:
        raise _malformed([FieldError(here, f"The file is larger than {most} bytes.")])
    return content


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode("utf-8")
    except UnicodeDecodeError:
        return False


def _digest(raw: bytes, documents: Mapping[str, Document]) -> str:
    """Name the bundle with its documents: another form is another bundle."""
    forms = sorted((name, one.sha256) for name, one in documents.items())
    return hashlib.sha256(json.dumps([hashlib.sha256(raw).hexdigest(), forms]).encode()).hexdigest()


def _id(digest: str, cohort: str) -> str:
    return hashlib.sha256(json.dumps([digest, cohort]).encode()).hexdigest()[:32]


def _flat(messages: Any, place: str = "") -> Iterator[FieldError]:
    if isinstance(messages, dict):
        for key, inner in messages.items():
            yield from _flat(inner, place if key == "_schema" else f"{place}/{key}")
    elif isinstance(messages, list):
        for inner in messages:
            yield from _flat(inner, place)
    else:
        yield FieldError(place, str(messages))


def _malformed(wrong: list[FieldError]) -> Problem:
    return Problem(400, "bundle_malformed", "The evidence bundle cannot be used:", wrong)
