"""Reads `policies/recipients/`: who gets data, in which role, where, under which contract and safeguard."""

from typing import Any

from marshmallow import fields, validate

from cdp.policy.documents import Bilingual, Documents, Failures, Shape, names, shaped
from cdp.policy.laws import country
from cdp.policy.terms import ROLES, Law, Recipient, Transfer

_KINDS = {"GDPR": ("scc", "bcr", "dpf"), "APPI": ("jp_equivalent", "jp_consent")}
_UNDER_CONTRACT = frozenset({"processor", "joint_user", "third_party", "non_handling_host"})


class _TransferShape(Shape):
    kind = fields.String(required=True, validate=validate.OneOf([kind for kinds in _KINDS.values() for kind in kinds]))
    evidence = fields.String(required=True, validate=validate.Length(1))
    checked = fields.Date()


class _RecipientShape(Shape):
    recipient = fields.String(required=True)
    title = fields.Nested(Bilingual, required=True)
    address = fields.String(load_default="")
    role = fields.String(required=True, validate=validate.OneOf(ROLES))
    country = country(required=True)
    fields_ = names(required=True, data_key="fields")
    contract = fields.String(load_default="")
    contract_until = fields.Date()
    supervised = fields.Date()
    access_control = fields.String()
    matches_with_own_data = fields.Boolean(load_default=False)
    uses_for_own_purpose = fields.Boolean(load_default=False)
    transfers = fields.Dict(keys=fields.String(validate=validate.OneOf(_KINDS)), values=fields.Nested(_TransferShape))
    joint_purposes = names(load_default=list)
    delivery = fields.String(load_default="poll", validate=validate.OneOf(["poll", "push", "file"]))
    max_age_seconds = fields.Integer(load_default=3600, strict=True, validate=validate.Range(1, 31 * 86400))
    min_list = fields.Integer(load_default=0, strict=True, validate=validate.Range(0))


def read_recipients(documents: Documents, failures: Failures, fields_known: frozenset[str]) -> dict[str, Recipient]:
    """Return the declared recipients."""
    found: dict[str, Recipient] = {}
    for path, name, tree in documents.under("recipients"):
        shape = shaped(_RecipientShape, tree, path, failures)
        if shape is None:
            continue
        if shape["recipient"] != name:
            failures.add(path, f"the file says recipient {shape['recipient']}: a file is named as what it holds")
        for what in _mistakes(shape, fields_known):
            failures.add(path, what)
        found[name] = _recipient(name, shape, fields_known)
    return found


def expand(declared: list[str], fields_known: frozenset[str]) -> tuple[str, ...]:
    """Return the declared fields; `all` means every declared trait and identifier."""
    return tuple(sorted(fields_known)) if declared == ["all"] else tuple(declared)


def _mistakes(shape: dict[str, Any], fields_known: frozenset[str]) -> list[str]:
    found = [f"fields: there is no trait or identifier {name}" for name in _unknown(shape["fields_"], fields_known)]
    role = shape["role"]
    if role in _UNDER_CONTRACT and not shape["contract"]:
        found.append(f"a {role} needs a contract (GDPR 26/28, APPI 25/27)")
    if role == "processor" and "supervised" not in shape:
        found.append("a processor needs the day on which it was last checked (APPI 25, GDPR 28(1))")
    if role == "processor" and (shape["matches_with_own_data"] or shape["uses_for_own_purpose"]):
        found.append("who matches with or uses for itself is a third_party, no processor (PPC Q&A 7-42)")
    if role == "non_handling_host" and not shape.get("access_control"):
        found.append("a host that does not handle the data needs evidence of access control (PPC Q&A 7-53)")
    if role == "joint_user" and not shape["joint_purposes"]:
        found.append("joint use needs its notified purposes (APPI 27(5)(iii))")
    for law, transfer in shape.get("transfers", {}).items():
        if transfer["kind"] not in _KINDS[law]:
            found.append(f"transfers: {transfer['kind']} is no mechanism of {law}")
        if transfer["kind"] == "dpf" and shape["country"] != "US":
            found.append("transfers: the Data Privacy Framework is for recipients in the United States")
        if transfer["kind"] == "jp_equivalent" and "checked" not in transfer:
            found.append("transfers: an equivalent system needs the day of its last check (APPI 28(3))")
    return found


def _unknown(declared: list[str], fields_known: frozenset[str]) -> list[str]:
    return [] if declared == ["all"] else sorted(set(declared) - fields_known)


def _recipient(name: str, shape: dict[str, Any], fields_known: frozenset[str]) -> Recipient:
    transfers = tuple((Law[law], Transfer(**given)) for law, given in sorted(shape.get("transfers", {}).items()))
    return Recipient(
        name=name,
        role=shape["role"],
        country=shape["country"],
        fields=expand(shape["fields_"], fields_known),
        contract=shape["contract"],
        contract_until=shape.get("contract_until"),
        supervised=shape.get("supervised"),
        transfers=transfers,
        joint_purposes=tuple(shape["joint_purposes"]),
        delivery=shape["delivery"],
        max_age_seconds=shape["max_age_seconds"],
        min_list=shape["min_list"],
        title_ja=shape["title"]["ja"],
        title_en=shape["title"]["en"],
        address=shape["address"],
    )
