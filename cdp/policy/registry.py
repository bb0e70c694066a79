"""Reads the single files of `policies/`: the controller, and which categories, traits, identifiers and events exist."""

import re
import unicodedata
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import available_timezones

from marshmallow import fields, validate

from cdp.policy.documents import Bilingual, Documents, Failures, Shape, names, shaped
from cdp.policy.laws import countries
from cdp.policy.terms import Breaker, Controller, Namespace, Proposing, TraitTerm

SLOTS = frozenset([f"t{n:02d}" for n in range(1, 9)] + [f"n{n:02d}" for n in range(1, 7)])
"""Clear columns of `person`; a direct identifier never stands in one."""

SEALED_ONLY = frozenset({"birthday", "address"})


class _ControllerShape(Shape):
    name = fields.Nested(Bilingual, required=True)
    address = fields.String(required=True)
    representative = fields.String(required=True)
    contact = fields.String(required=True)
    establishments = countries(required=True, validate=validate.Length(1))
    offers_to = countries(load_default=list)
    eu_representative = fields.String(load_default="")
    dpo_contact = fields.String(load_default="")
    time_zone = fields.String(load_default="Asia/Tokyo")


class _CategoryShape(Shape):
    title = fields.Nested(Bilingual, required=True)
    gdpr_class = fields.String(required=True, validate=validate.OneOf(["ordinary", "special_9", "criminal_10"]))
    appi_class = fields.String(required=True, validate=validate.OneOf(["ordinary", "special_care"]))
    adequacy_class = fields.String(load_default="ordinary", validate=validate.OneOf(["ordinary", "special_care"]))
    direct = fields.Boolean(load_default=False)
    dpv = fields.String()
    fides = fields.String()


class _TraitShape(Shape):
    category = fields.String(required=True)
    type = fields.String(
        required=True, validate=validate.OneOf(["text", "number", "date", "country", "birthday", "address", "boolean"])
    )
    slot = fields.String(load_default="", validate=validate.OneOf(["", *sorted(SLOTS)]))
    values = names(load_default=list)
    title = fields.Nested(Bilingual, required=True)


class _NamespaceShape(Shape):
    role = fields.String(required=True, validate=validate.OneOf(["link", "constrain", "attribute"]))
    priority = fields.Integer(required=True, strict=True)
    limit = fields.Integer(strict=True, load_default=0, validate=validate.Range(0))
    limit_days = fields.Integer(strict=True, load_default=0, validate=validate.Range(0))
    limit_agreed = fields.Integer(strict=True, load_default=0, validate=validate.Range(0))
    per_scope = fields.Boolean(load_default=False)
    max_degree = fields.Integer(strict=True, load_default=0)
    unique = fields.Boolean(load_default=False)
    max_unique = fields.Integer(strict=True, load_default=2)
    verified_only = fields.Boolean(load_default=False)
    ttl_days = fields.Integer(strict=True, load_default=0, validate=validate.Range(0))
    hold_above = fields.Integer(strict=True, load_default=0, validate=validate.Range(0))
    on_conflict = fields.String(
        load_default="isolate", validate=validate.OneOf(["isolate", "latest", "review", "household"])
    )
    category = fields.String(load_default="identifier")


class _BreakerShape(Shape):
    records = fields.Integer(strict=True, required=True, validate=validate.Range(1))
    minutes = fields.Integer(strict=True, load_default=10, validate=validate.Range(1, 1440))
    share = fields.Float(load_default=0.3, validate=validate.Range(0, 1))


class _ProposingShape(Shape):
    enabled = fields.Boolean(load_default=False)
    accept = fields.Boolean(load_default=False)
    model = fields.String(load_default="", validate=validate.Regexp("^([0-9a-f]{64})?$", error="no version of a model"))
    touched = fields.Float(load_default=0.01, validate=validate.Range(0, 1))
    largest = fields.Integer(strict=True, load_default=10, validate=validate.Range(2))


class _IdentifiersShape(Shape):
    namespaces = fields.Dict(keys=fields.String(), values=fields.Nested(_NamespaceShape), required=True)
    blocked_values = names(load_default=list)
    role_mailboxes = names(load_default=list)
    breaker = fields.Nested(_BreakerShape, load_default=None)
    proposals = fields.Nested(_ProposingShape, load_default=None)


@cache
def _zones() -> frozenset[str]:
    """Return the known zones: a walk through the file system, made once."""
    return frozenset(available_timezones())


def read_controller(documents: Documents, failures: Failures) -> Controller | None:
    """Return the controller; there is one per deployment."""
    shape = shaped(_ControllerShape, documents.trees.get("controller.yaml"), "controller.yaml", failures)
    if shape is None:
        return None
    if shape["time_zone"] not in _zones():
        failures.add("controller.yaml", "time_zone: no such zone")
    return Controller(
        name_ja=shape["name"]["ja"],
        name_en=shape["name"]["en"],
        address=shape["address"],
        representative=shape["representative"],
        contact=shape["contact"],
        establishments=tuple(shape["establishments"]),
        time_zone=shape["time_zone"],
        dpo_contact=shape["dpo_contact"],
        eu_representative=shape["eu_representative"],
    )


def read_categories(documents: Documents, failures: Failures) -> dict[str, dict[str, Any]]:
    return _by_name(_CategoryShape, documents, "categories.yaml", failures)


class _EventShape(Shape):
    ja = fields.String(required=True)
    en = fields.String()
    amount = fields.String(validate=validate.OneOf(["positive", "negative"]))


def read_events(documents: Documents, failures: Failures) -> dict[str, dict[str, Any]]:
    """Return the declared event names; without the file there are none."""
    if "events.yaml" not in documents.trees:
        return {}
    return _by_name(_EventShape, documents, "events.yaml", failures)


def read_traits(documents: Documents, failures: Failures, categories: dict[str, Any]) -> dict[str, TraitTerm]:
    """Return the declared traits; a clear slot is for coarse values of ordinary, indirect categories only."""
    found: dict[str, TraitTerm] = {}
    taken: dict[str, str] = {}
    for name, shape in _by_name(_TraitShape, documents, "traits.yaml", failures).items():
        where, slot = f"traits.yaml {name}", shape["slot"]
        category = categories.get(shape["category"])
        if category is None:
            failures.add(where, f"there is no category {shape['category']}")
        elif slot and (category["direct"] or category["gdpr_class"] != "ordinary" or shape["type"] in SEALED_ONLY):
            failures.add(where, "identifies directly, or is of a special category: it must be sealed, without a slot")
        if slot and taken.setdefault(slot, name) != name:
            failures.add(where, f"the slot {slot} is already held by {taken[slot]}")
        if slot and slot.startswith("n") != (shape["type"] == "number"):
            failures.add(where, f"a {shape['type']} does not fit into the slot {slot}")
        values, title = tuple(shape["values"]), shape["title"]
        found[name] = TraitTerm(name, shape["category"], shape["type"], slot, values, title["ja"], title["en"])
    return found


class Identifiers(NamedTuple):
    """What `identifiers.yaml` says."""

    namespaces: dict[str, Namespace]
    blocked_values: tuple[str, ...] = ()
    """Patterns of values that mean nobody."""
    breaker: Breaker = Breaker()
    proposals: Proposing = Proposing()


ADDRESSES = "email"
"""The namespace of addresses, whose local part may be an office's."""

CONSTRAINTS = ("birth_date", "kana_name", "kanji_name", "latin_name")
"""What can stand against joining: what `cdp.identity.marks` makes of birth dates and names."""


def read_identifiers(documents: Documents, failures: Failures, categories: dict[str, Any]) -> Identifiers:
    """Return the namespaces, what means nobody, when a source is put on hold, and whether people are proposed."""
    shape = shaped(_IdentifiersShape, documents.trees.get("identifiers.yaml"), "identifiers.yaml", failures)
    if shape is None:
        return Identifiers({})
    for pattern in shape["blocked_values"]:
        try:
            re.compile(pattern)
        except re.error:
            failures.add("identifiers.yaml", f"blocked_values: {pattern!r} is no regular expression")
    for name, given in shape["namespaces"].items():
        if given["category"] not in categories:
            failures.add("identifiers.yaml", f"{name}: there is no category {given['category']}")
        if (given["role"] == "constrain") != (name in CONSTRAINTS):
            failures.add("identifiers.yaml", f"{name}: the constraints are {', '.join(CONSTRAINTS)}, and no others")
    offices = _role_mailboxes(shape, failures)
    return Identifiers(
        {
            name: Namespace(name, **given, role_mailboxes=offices if name == ADDRESSES else ())
            for name, given in shape["namespaces"].items()
        },
        tuple(shape["blocked_values"]),
        Breaker(**shape["breaker"] or {}),
        Proposing(**shape["proposals"] or {}),
    )


def _role_mailboxes(shape: dict[str, Any], failures: Failures) -> tuple[str, ...]:
    """Return the local parts of role mailboxes, in one order: another order is no other configuration."""
    given = shape["role_mailboxes"]
    for one in given:
        if one != unicodedata.normalize("NFKC", one).lower() or re.search(r"[\s@+]", one):
            failures.add("identifiers.yaml", f"role_mailboxes: {one!r} is no local part: lower case, without @ and +")
    if given and ADDRESSES not in shape["namespaces"]:
        failures.add("identifiers.yaml", f"role_mailboxes: there is no namespace {ADDRESSES}")
    return tuple(sorted(set(given)))


def _by_name(shape: type[Shape], documents: Documents, path: str, failures: Failures) -> dict[str, dict[str, Any]]:
    tree = documents.trees.get(path)
    if not isinstance(tree, dict) or not tree:
        failures.add(path, "the file is missing or empty")
        return {}
    read = {str(name): shaped(shape, given, f"{path} {name}", failures) for name, given in tree.items()}
    return {name: given for name, given in read.items() if given is not None}
