"""Reads `policies/purposes/`: why data is used, on which ground under each law, and examples that prove it."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from marshmallow import fields, validate

from cdp.policy.documents import Bilingual, Documents, Failures, Shape, names, shaped
from cdp.policy.given import GivenShape
from cdp.policy.grounds import BASES, NECESSARY
from cdp.policy.recipients import expand
from cdp.policy.terms import (
    CHANNELS,
    DATA_CLASSES,
    KINDS,
    RISKS,
    Assessment,
    Basis,
    Example,
    Extension,
    Law,
    Purpose,
)

VAGUE = re.compile(
    r"事業活動(?:の(?:ため|用に)|に\s*(?:用い|利用|使用))|マーケティング活動(?:のため|に\s*(?:用い|利用|使用))"
    r"|(?:サービス|お客様満足度?)の?向上のため(?:に(?:利用|使用|用い)\S*)?。?$"
)
"""Purposes of use that specify nothing (APPI 17(1), guideline 3-1-1)."""


class _BasisShape(Shape):
    kind = fields.String(required=True)
    iri = fields.String(load_default="")
    explicit = fields.Boolean(load_default=False)
    assessment = fields.String(load_default="")
    reviewed = fields.Date()
    necessary_for = fields.String(load_default="")
    opt_out_offered = fields.Boolean(load_default=False)
    valid_months = fields.Integer(load_default=0, strict=True, validate=validate.Range(0, 600))


class _ExtensionShape(Shape):
    purpose = fields.String(required=True)
    assessment = fields.String(load_default="")
    told = fields.Date()


class _AssessmentShape(Shape):
    id = fields.String(required=True)
    approved = fields.Date(required=True)


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
    incidental_advertising = fields.Boolean(load_default=False)
    offers = fields.String(load_default="mail_order", validate=validate.OneOf(["mail_order", "other"]))
    brand = fields.String(load_default="")
    dpv = fields.String(load_default="")
    data_class = fields.String(load_default="personal", validate=validate.OneOf(DATA_CLASSES))
    extends = fields.List(fields.Nested(_ExtensionShape), load_default=list)
    effect = fields.String(load_default="none", validate=validate.OneOf(["none", "significant"]))
    human_in_loop = fields.Boolean()
    risks = fields.List(fields.String(validate=validate.OneOf(RISKS)), load_default=list)
    dpia = fields.Nested(_AssessmentShape)
    directed_at_children = fields.Boolean(load_default=False)
    unlawful_discrimination_risk = fields.Boolean(load_default=False)
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
    if shape["risks"] and "dpia" not in shape:
        yield "dpia: what runs these risks needs an approved impact assessment (GDPR 35)"
    if shape["kind"] in ("legal", "essential") and shape["advertising"]:
        yield f"advertising: a purpose of kind `{shape['kind']}` advertises nothing"
    if shape["incidental_advertising"] and shape["advertising"]:
        yield "incidental_advertising: a purpose that advertises is not incidental to a contract (施行規則 6条)"
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
        if basis["kind"] == "soft_opt_in" and not (shape["advertising"] and basis["opt_out_offered"]):
            yield "bases: a soft opt-in advertises one's own goods, with `opt_out_offered: true` (ePrivacy 13(2))"
        if basis["kind"] in NECESSARY and not basis["necessary_for"]:
            yield f"bases: {basis['kind']} under {law_name}: say what the data are necessary for (`necessary_for`)"


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
        incidental_advertising=shape["incidental_advertising"],
        offers=shape["offers"],
        data_class=shape["data_class"],
        extends=tuple(Extension(**given) for given in shape["extends"]),
        effect=shape["effect"],
        human_in_loop=shape.get("human_in_loop", shape["effect"] == "none"),
        risks=tuple(sorted(set(shape["risks"]))),
        dpia=Assessment(**shape["dpia"]) if "dpia" in shape else None,
        directed_at_children=shape["directed_at_children"],
        unlawful_discrimination_risk=shape["unlawful_discrimination_risk"],
        dpv=shape["dpv"],
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
