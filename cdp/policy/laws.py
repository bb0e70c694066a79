"""Reads `policies/laws/`: each law's countries, ages, lists and values, with the days from which they hold.

Three kinds of pack. A law that protects people (`law: GDPR`); a law beside one, which binds a channel or a
certificate (`law: EPRIVACY`, `beside: GDPR`); an amendment (`amends: APPI`), which changes values of a law from its
day on, and only where it is `enabled`: a bill that is not in force is a dated pack that is off.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from cdp.policy.documents import Bilingual, Documents, Failures, Shape, shaped
from cdp.policy.terms import Law, Pack

LAST_DAY = date(9999, 12, 31)
BESIDE = {
    "EPRIVACY": "GDPR",
    "ADEQUACY": "APPI",
    "TOKUTEI": "APPI",
    "ASCT": "APPI",
    "TELECOM": "APPI",
    "POLICY": "APPI",
}
"""Laws of channels and agreements, and the house's own rules (`POLICY`): beside which law each binds."""

_COUNTRY = validate.Regexp(r"[A-Z]{2}\Z", error="A country is two capital letters (ISO 3166).")
_PROTECTING = [law.name or "" for law in Law]


def countries(**options: Any) -> fields.List[Any]:
    """A list of ISO 3166 countries."""
    return fields.List(fields.String(validate=_COUNTRY), **options)


def country(**options: Any) -> fields.String:
    """One ISO 3166 country."""
    return fields.String(validate=_COUNTRY, **options)


class _AgeShape(Shape):
    country = country(required=True)
    age = fields.Integer(required=True, strict=True, validate=validate.Range(0, 21))
    since = fields.Date(required=True)
    reference = fields.String()


class _AdequacyShape(Shape):
    countries = countries(required=True)
    since = fields.Date(required=True)
    until = fields.Date(load_default=LAST_DAY)
    reference = fields.String(required=True)


class _DatedShape(Shape):
    name = fields.String(required=True)
    value = fields.Raw(required=True, allow_none=True)
    since = fields.Date(required=True)
    until = fields.Date(load_default=LAST_DAY)
    reference = fields.String(required=True)


class _PackShape(Shape):
    law = fields.String(required=True, validate=validate.OneOf([*_PROTECTING, *BESIDE]))
    title = fields.Nested(Bilingual, required=True)
    beside = fields.String(validate=validate.OneOf(_PROTECTING))
    reviewed = fields.Date(required=True)
    countries = countries(load_default=list)
    by_establishment = fields.Boolean(load_default=False)
    default_age = fields.Integer(strict=True, validate=validate.Range(0, 21))
    consent_ages = fields.List(fields.Nested(_AgeShape), load_default=list)
    adequate = fields.List(fields.Nested(_AdequacyShape), load_default=list)
    values = fields.Dict(keys=fields.String(), load_default=dict)
    dated_values = fields.List(fields.Nested(_DatedShape), load_default=list)
    articles = fields.Dict(keys=fields.String(), values=fields.Nested(Bilingual), load_default=dict)
    references = fields.List(fields.String(), load_default=list)

    @validates_schema
    def _whole(self, data: dict[str, Any], **_: Any) -> None:
        if data["law"] in _PROTECTING:
            for name in ("countries", "default_age"):
                if not data.get(name):
                    raise ValidationError("Needed of a law that protects people.", name)
        elif data.get("beside") != BESIDE[data["law"]]:
            raise ValidationError(f"This law stands beside {BESIDE[data['law']]}.", "beside")


class _AmendmentShape(Shape):
    amends = fields.String(required=True, validate=validate.OneOf(_PROTECTING))
    law = fields.String(load_default="", validate=validate.OneOf(["", "PMARK"]))
    """Under which name its articles stand, where they are none of the law that it changes: a standard's."""
    title = fields.Nested(Bilingual, required=True)
    enabled = fields.Boolean(required=True)
    since = fields.Date(required=True)
    status = fields.String(required=True)
    default_age = fields.Integer(strict=True, validate=validate.Range(0, 21))
    consent_ages = fields.List(fields.Nested(_AgeShape), load_default=list)
    values = fields.Dict(keys=fields.String(), load_default=dict)
    articles = fields.Dict(keys=fields.String(), values=fields.Nested(Bilingual), load_default=dict)
    references = fields.List(fields.String(), load_default=list)


@dataclass(frozen=True, slots=True)
class Statutes:
    """What the folder of laws says on one day."""

    packs: Mapping[Law, Pack]
    articles: Mapping[str, Mapping[str, Mapping[str, str]]]
    """Law → article → its title in both languages; those of amendments that are off included."""


def read_laws(documents: Documents, failures: Failures, on: date) -> Statutes:
    """Return the configured laws, with ages, lists and values as they hold on the day."""
    shapes: dict[str, dict[str, Any]] = {}
    amendments: list[dict[str, Any]] = []
    for path, _, tree in documents.under("laws"):
        if isinstance(tree, dict) and "amends" in tree:
            amendment = shaped(_AmendmentShape, tree, path, failures)
            amendments += [amendment] if amendment else []
            continue
        shape = shaped(_PackShape, tree, path, failures)
        if shape is None:
            continue
        if shape["law"] in shapes:
            failures.add(path, f"{shape['law']} is declared twice")
        shapes[shape["law"]] = shape
    if not set(shapes) & set(_PROTECTING):
        failures.add("laws/", "no law is declared: nobody could be protected")
    for one in amendments:
        if one["amends"] not in shapes:
            failures.add("laws/", f"an amendment changes {one['amends']}, which no pack declares")
    return Statutes(
        {law: _pack(law, shapes, amendments, on) for law in Law if law.name in shapes},
        _articles([*shapes.values(), *({**one, "law": one["law"] or one["amends"]} for one in amendments)]),
    )


def _pack(law: Law, shapes: dict[str, dict[str, Any]], amendments: list[dict[str, Any]], on: date) -> Pack:
    shape = shapes[law.name or ""]
    in_force = [one for one in amendments if one["amends"] == law.name and one["enabled"] and one["since"] <= on]
    in_force.sort(key=lambda one: one["since"])
    beside = [one for name, one in sorted(shapes.items()) if BESIDE.get(name) == law.name]
    values: dict[str, Any] = {"title": shape["title"]}
    for one in (*beside, shape, *in_force):
        values |= one["values"] | _values_on(one.get("dated_values", ()), on)
    adequacy = tuple(
        sorted((name, row["since"], row["until"]) for row in shape["adequate"] for name in row["countries"])
    )
    default_ages = [one["default_age"] for one in (shape, *in_force) if "default_age" in one]
    ages = [row for one in (shape, *in_force) for row in one["consent_ages"]]
    return Pack(
        law=law,
        countries=frozenset(shape["countries"]),
        consent_ages=tuple(sorted(_ages_on(ages, on).items())),
        default_age=default_ages[-1],
        adequate=frozenset(name for name, since, until in adequacy if since <= on <= until),
        adequacy=adequacy,
        by_establishment=shape["by_establishment"],
        values=values,
    )


def _values_on(rows: Iterable[dict[str, Any]], on: date) -> dict[str, Any]:
    """Return the dated values that hold on the day: of each name the newest that has begun."""
    begun = sorted((row for row in rows if row["since"] <= on <= row["until"]), key=lambda row: row["since"])
    return {row["name"]: row["value"] for row in begun}


def _ages_on(rows: list[dict[str, Any]], on: date) -> dict[str, int]:
    """Return each country's age on the day: the newest row that has begun."""
    begun = sorted((row for row in rows if row["since"] <= on), key=lambda row: row["since"])
    return {row["country"]: row["age"] for row in begun}


def _articles(shapes: Iterable[dict[str, Any]]) -> dict[str, dict[str, Mapping[str, str]]]:
    found: dict[str, dict[str, Mapping[str, str]]] = {}
    for shape in shapes:
        found.setdefault(shape["law"], {}).update(shape["articles"])
    return found
