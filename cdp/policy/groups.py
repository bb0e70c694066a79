"""Reads the shapes of `policies/audiences/` and `retention.yaml`.

Rules of audiences are compiled where they are used; here only names and outlines are checked.
"""

from typing import Any

from marshmallow import fields, validate

from cdp.policy.documents import Bilingual, Documents, Failures, Shape, names, shaped


class _AudienceShape(Shape):
    name = fields.String(required=True)
    title = fields.Nested(Bilingual, required=True)
    purpose = fields.String(required=True)
    min_size = fields.Integer(strict=True)
    infers = names(load_default=list)
    unlawful_discrimination_risk = fields.Boolean(load_default=False)
    rule = fields.Dict(required=True)


class _RetentionShape(Shape):
    category = fields.String(required=True)
    purpose = fields.String(load_default="")
    trigger = fields.String(
        required=True,
        validate=validate.OneOf(["last_activity", "contract_end", "consent_withdrawn", "purpose_end", "collected"]),
    )
    months = fields.Integer(required=True, strict=True, validate=validate.Range(0, 1200))
    action = fields.String(required=True, validate=validate.OneOf(["erase", "anonymise", "restrict"]))
    law = fields.String(load_default="")
    countries = names(load_default=list)
    why = fields.Nested(Bilingual, required=True)


def read_audiences(
    documents: Documents, failures: Failures, purposes: set[str], categories: set[str]
) -> dict[str, dict[str, Any]]:
    """Return the declared audiences with their rule as written."""
    found: dict[str, dict[str, Any]] = {}
    for path, name, tree in documents.under("audiences"):
        if shaped(_AudienceShape, tree, path, failures) is None:
            continue
        if tree["name"] != name:
            failures.add(path, f"the file says audience {tree['name']}: a file is named as what it holds")
        if tree["purpose"] not in purposes:
            failures.add(path, f"there is no purpose {tree['purpose']}")
        for category in sorted(set(tree.get("infers", ())) - categories):
            failures.add(path, f"infers: there is no category {category}")
        found[name] = tree
    return found


def read_retention(documents: Documents, failures: Failures, known: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """Return the rules of how long each category is kept."""
    rows = documents.trees.get("retention.yaml")
    if not isinstance(rows, list) or not rows:
        failures.add("retention.yaml", "the file is missing or empty")
        return ()
    found = []
    for n, row in enumerate(rows):
        shape = shaped(_RetentionShape, row, f"retention.yaml {n}", failures)
        if shape is not None:
            if shape["category"] not in known:
                failures.add(f"retention.yaml {n}", f"there is no category {shape['category']}")
            found.append(shape)
    for category in sorted(set(known) - {row["category"] for row in found}):
        failures.add("retention.yaml", f"nothing says how long {category} is kept (GDPR 5(1)(e), APPI 22)")
    return tuple(found)
