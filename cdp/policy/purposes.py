"""Reads `policies/purposes/`: why data is used, on which ground under each law, and examples that prove it."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from marshmallow import fields, validate

from cdp.policy.documents import Bilingual, Documents, Failures, Shape, names, shaped
from cdp.policy.recipients import expand
from cdp.policy.terms import CHANNELS, KINDS, Basis, Example, Law, Purpose

BASES = {
    "GDPR": ("consent", "soft_opt_in", "contract", "legal_obligation", "legitimate_interests"),
    "APPI": ("consent", "contract", "legal_obligation", "notified_purpose"),
}
VAGUE = re.compile(
    r"事業活動に(?:用い|利用|使用)|マーケティング活動(?:のため|に(?:用い|利用|使用))|(?:サービス|お客様満足度?)の?向上のため。?$"
)
"""Purposes of use that specify nothing (APPI 17(1), guideline 3-1-1)."""


class _BasisShape(Shape):
    kind = fields.String(required=True)
    iri = fields.String(load_default="")
    explicit = fields.Boolean(load_default=False)
    assessment = fields.String(load_default="")
    reviewed = fields.Date()


class _ConsentShape(Shape):
    status = fields.String(
        required=True,
        validate=validate.OneOf(["given", "refused", "requested", "withdrawn", "expired", "invalidated", "unknown"]),
    )
    notice = fields.String()
    notice_version = fields.String()
    explicit = fields.Boolean()
    by_guardian = fields.Boolean()


class GivenShape(Shape):
    """Someone's situation, as an example states it; what it leaves out is an ordinary adult's."""

    country = fields.String(required=True)
    age = fields.Integer(strict=True)
    customer = fields.Boolean()
    restricted = fields.Boolean()
    erasing = fields.Boolean()
    gpc = fields.Boolean()
    objections = names()
    reachable = fields.Boolean()
    suppressed = names()
    collected_for = names()
    consent = fields.Nested(_ConsentShape)


class AskShape(Shape):
    """A question with its answer."""

    recipient = fields.String(required=True)
    channel = fields.String(validate=validate.OneOf(CHANNELS))
    on = fields.Date()
    then = fields.String(required=True, validate=validate.OneOf(["allow", "deny"]))
    because = fields.String(load_default="")


class _ExampleShape(AskShape):
    says = fields.String(required=True)
    given = fields.Nested(GivenShape, required=True)


class _PurposeShape(Shape):
    purpose = fields.String(required=True)
    title = fields.Nested(Bilingual, required=True)
    text = fields.Nested(Bilingual, required=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    advertising = fields.Boolean(load_default=False)
    brand = fields.String(load_default="")
    dpv = fields.String()
    bases = fields.Dict(keys=fields.String(), values=fields.Nested(_BasisShape), required=True)
    channels = fields.List(fields.String(validate=validate.OneOf(CHANNELS)), required=True, validate=validate.Length(1))
    fields_ = names(required=True, data_key="fields")
    recipients = names(required=True, validate=validate.Length(1))
    notice = fields.String(required=True)
    examples = fields.List(fields.Nested(_ExampleShape), load_default=list)


def read_purposes(
    documents: Documents, failures: Failures, fields_known: frozenset[str], laws: list[Law]
) -> tuple[dict[str, Purpose], tuple[Example, ...]]:
    """Return the declared purposes and the examples that their files state."""
    found: dict[str, Purpose] = {}
    examples: list[Example] = []
    for path, name, tree in documents.under("purposes"):
        shape = shaped(_PurposeShape, tree, path, failures)
        if shape is None:
            continue
        if shape["purpose"] != name:
            failures.add(path, f"the file says purpose {shape['purpose']}: a file is named as what it holds")
        for what in (*_mistakes(shape, fields_known), *_mistakes_of_bases(shape, laws)):
            failures.add(path, what)
        found[name] = _purpose(name, shape, fields_known)
        examples += _examples(path, name, shape)
    return found, tuple(examples)


def _mistakes(shape: dict[str, Any], fields_known: frozenset[str]) -> Iterator[str]:
    if shape["fields_"] != ["all"]:
        for field in sorted(set(shape["fields_"]) - fields_known):
            yield f"fields: there is no trait or identifier {field}"
    elif shape["kind"] != "legal":
        yield "fields: only a purpose of kind `legal` may reach all of them (GDPR 5(1)(c))"
    if VAGUE.search(shape["text"]["ja"]):
        yield "text.ja: the purpose of use is not specific (利用目的の特定, APPI 17(1))"
    if not any(example["then"] == "deny" for example in shape["examples"]):
        yield "examples: at least one must show a refusal"
    for example in shape["examples"]:
        if (example["then"] == "deny") != bool(example["because"]):
            yield f"examples: {example['says']!r}: a refusal says `because`, a permission does not"
        if example.get("channel", shape["channels"][0]) not in shape["channels"]:
            yield f"examples: {example['says']!r}: the purpose has no such channel"


def _mistakes_of_bases(shape: dict[str, Any], laws: list[Law]) -> Iterator[str]:
    for law in laws:
        if law.name not in shape["bases"]:
            yield f"bases: no basis under {law.name}, which is configured"
    for law_name, basis in shape["bases"].items():
        if law_name not in BASES:
            yield f"bases: there is no law {law_name}"
        elif basis["kind"] not in BASES[law_name]:
            yield f"bases: {basis['kind']} is no basis under {law_name}"
        if basis["kind"] == "legitimate_interests" and not (basis["assessment"] and "reviewed" in basis):
            yield f"bases: legitimate interests under {law_name} need an assessment and the day of its review"
        if basis["kind"] == "soft_opt_in" and not shape["advertising"]:
            yield "bases: a soft opt-in is for advertising one's own goods (ePrivacy 13(2))"


def _purpose(name: str, shape: dict[str, Any], fields_known: frozenset[str]) -> Purpose:
    bases = tuple((law, Basis(**shape["bases"][law.name])) for law in Law if law.name in shape["bases"])
    return Purpose(
        name=name,
        kind=shape["kind"],
        channels=tuple(shape["channels"]),
        fields=expand(shape["fields_"], fields_known),
        recipients=tuple(shape["recipients"]),
        notice=shape["notice"],
        bases=bases,
        brand=shape["brand"],
        advertising=shape["advertising"],
        title_ja=shape["title"]["ja"],
        title_en=shape["title"]["en"],
        text_ja=shape["text"]["ja"],
        text_en=shape["text"]["en"],
    )


def _examples(path: str, purpose: str, shape: dict[str, Any]) -> Iterator[Example]:
    for example in shape["examples"]:
        yield example_of(f"{path} {example['says']!r}", purpose, example, example["given"], shape["channels"][0])


def example_of(where: str, purpose: str, ask: dict[str, Any], given: dict[str, Any], channel: str) -> Example:
    """Return one question with its answer as a value."""
    on: date | None = ask.get("on")
    allow = ask["then"] == "allow"
    return Example(where, purpose, ask["recipient"], ask.get("channel", channel), given, allow, ask["because"], on)
