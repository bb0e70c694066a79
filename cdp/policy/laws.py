"""Reads `policies/laws/`: each law's countries, ages and lists, with the days from which they hold."""

from datetime import date
from typing import Any

from marshmallow import fields, validate

from cdp.policy.documents import Documents, Failures, Shape, shaped
from cdp.policy.terms import Law, Pack

LAST_DAY = date(9999, 12, 31)
_COUNTRY = validate.Regexp(r"[A-Z]{2}\Z", error="A country is two capital letters (ISO 3166).")


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


class _PackShape(Shape):
    law = fields.String(required=True, validate=validate.OneOf([law.name for law in Law]))
    title = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    reviewed = fields.Date(required=True)
    countries = countries(required=True, validate=validate.Length(1))
    default_age = fields.Integer(required=True, strict=True, validate=validate.Range(0, 21))
    consent_ages = fields.List(fields.Nested(_AgeShape), load_default=list)
    adequate = fields.List(fields.Nested(_AdequacyShape), load_default=list)
    values = fields.Dict(keys=fields.String(), load_default=dict)
    references = fields.List(fields.String(), load_default=list)


def read_packs(documents: Documents, failures: Failures, on: date) -> dict[Law, Pack]:
    """Return the configured packs, with ages and lists as they hold on the day."""
    packs: dict[Law, Pack] = {}
    for path, _, tree in documents.under("laws"):
        shape = shaped(_PackShape, tree, path, failures)
        if shape is not None:
            law = Law[shape["law"]]
            if law in packs:
                failures.add(path, f"{law.name} is declared twice")
            packs[law] = _pack(law, shape, on)
    if not packs:
        failures.add("laws/", "no law is declared: nobody could be protected")
    return dict(sorted(packs.items()))


def _pack(law: Law, shape: dict[str, Any], on: date) -> Pack:
    adequacy = tuple(
        sorted((name, row["since"], row["until"]) for row in shape["adequate"] for name in row["countries"])
    )
    return Pack(
        law=law,
        countries=frozenset(shape["countries"]),
        consent_ages=tuple(sorted(_ages_on(shape["consent_ages"], on).items())),
        default_age=shape["default_age"],
        adequate=frozenset(name for name, since, until in adequacy if since <= on <= until),
        adequacy=adequacy,
        values=shape["values"] | {"title": shape["title"]},
    )


def _ages_on(rows: list[dict[str, Any]], on: date) -> dict[str, int]:
    """Return each country's age on the day: the newest row that has begun."""
    begun = sorted((row for row in rows if row["since"] <= on), key=lambda row: row["since"])
    return {row["country"]: row["age"] for row in begun}
