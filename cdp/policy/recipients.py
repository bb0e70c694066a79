"""Reads `policies/recipients/`: who gets data, in which role, where, under which contract and safeguard."""

from typing import Any, TypeVar

from marshmallow import fields, validate

from cdp.policy.documents import Bilingual, Documents, Failures, Shape, names, shaped
from cdp.policy.grounds import EQUIVALENT, TRANSFERS
from cdp.policy.laws import country
from cdp.policy.terms import ROLES, Confirmation, JointUse, Law, OptOutScheme, Recipient, Transfer, Transmission

T = TypeVar("T")

_UNDER_CONTRACT = frozenset({"processor", "joint_user", "third_party", "successor", "non_handling_host"})
_MECHANISMS = sorted(kind for kinds in TRANSFERS.values() for kind in kinds)


def _words() -> fields.String:
    return fields.String(required=True, validate=validate.Length(1))


class _TransferShape(Shape):
    kind = fields.String(required=True, validate=validate.OneOf(_MECHANISMS))
    evidence = _words()
    checked = fields.Date()
    assessment = fields.String(load_default="")


class _JointUseShape(Shape):
    purposes = names(required=True, validate=validate.Length(1))
    items = names(required=True, validate=validate.Length(1))
    responsible = _words()
    notified = fields.Date(required=True)


class _OptOutShape(Shape):
    filing = _words()
    published = fields.Date(required=True)
    items = names(required=True, validate=validate.Length(1))


class _ConfirmationShape(Shape):
    evidence = _words()
    checked = fields.Date(required=True)
    foreign_information = fields.Boolean(load_default=False)


class _TransmissionShape(Shape):
    sends = fields.Nested(Bilingual, required=True)
    published = fields.Date(required=True)


class _RecipientShape(Shape):
    recipient = fields.String(required=True)
    title = fields.Nested(Bilingual, required=True)
    address = fields.String(load_default="")
    representative = fields.String(load_default="")
    role = fields.String(required=True, validate=validate.OneOf(ROLES))
    country = country(required=True)
    fields_ = names(required=True, data_key="fields")
    contract = fields.String(load_default="")
    contract_until = fields.Date()
    supervised = fields.Date()
    access_control = fields.String()
    matches_with_own_data = fields.Boolean(load_default=False)
    uses_for_own_purpose = fields.Boolean(load_default=False)
    transfers = fields.Dict(
        keys=fields.String(validate=validate.OneOf(sorted(TRANSFERS))), values=fields.Nested(_TransferShape)
    )
    joint_use = fields.Nested(_JointUseShape)
    opt_out = fields.Nested(_OptOutShape)
    ties_to_person = fields.Boolean(load_default=False)
    confirmation = fields.Nested(_ConfirmationShape)
    transmission = fields.Nested(_TransmissionShape)
    delivery = fields.String(load_default="poll", validate=validate.OneOf(["poll", "push", "file", "once"]))
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
    on_its_own = shape["matches_with_own_data"] or shape["uses_for_own_purpose"]
    if on_its_own and role not in ("third_party", "joint_user", "successor"):
        found.append(f"who matches with or uses for itself is a third_party, no {role} (PPC Q&A 7-42)")
    if role == "non_handling_host" and not shape.get("access_control"):
        found.append("a host that does not handle the data needs evidence of access control (PPC Q&A 7-53)")
    if role == "joint_user" and "joint_use" not in shape:
        found.append("joint use needs `joint_use`: purposes, items, who is responsible, since when (APPI 27(5)(iii))")
    if role in ("third_party", "joint_user", "successor") and not (shape["address"] and shape["representative"]):
        found.append(f"a {role} needs its address and representative: the record of provision names them (APPI 29)")
    if "opt_out" in shape and role != "third_party":
        found.append("opt_out: provision with an opt-out is to a third_party (APPI 27(2))")
    return [*found, *_mistakes_of_transfers(shape)]


def _mistakes_of_transfers(shape: dict[str, Any]) -> list[str]:
    found = []
    for law, transfer in shape.get("transfers", {}).items():
        if transfer["kind"] not in TRANSFERS[law]:
            found.append(f"transfers: {transfer['kind']} is no mechanism of {law}")
        if transfer["kind"] in ("scc", "bcr") and not transfer["assessment"]:
            found.append(f"transfers: {transfer['kind']} needs its transfer impact assessment (C-311/18)")
        if transfer["kind"] == "art49" and shape["delivery"] != "once":
            found.append("transfers: consent under Article 49 is for a single occasion: `delivery: once` (Recital 111)")
        if transfer["kind"] == "dpf" and shape["country"] != "US":
            found.append("transfers: the Data Privacy Framework is for recipients in the United States")
        if transfer["kind"] in EQUIVALENT and "checked" not in transfer:
            found.append("transfers: an equivalent system needs the day of its last check (APPI 28(3))")
    return found


def _unknown(declared: list[str], fields_known: frozenset[str]) -> list[str]:
    return [] if declared == ["all"] else sorted(set(declared) - fields_known)


def _recipient(name: str, shape: dict[str, Any], fields_known: frozenset[str]) -> Recipient:
    transfers = tuple((Law[law], Transfer(**given)) for law, given in sorted(shape.get("transfers", {}).items()))
    told = shape.get("transmission")
    return Recipient(
        name=name,
        role=shape["role"],
        country=shape["country"],
        fields=expand(shape["fields_"], fields_known),
        contract=shape["contract"],
        contract_until=shape.get("contract_until"),
        supervised=shape.get("supervised"),
        transfers=transfers,
        matches_with_own_data=shape["matches_with_own_data"],
        uses_for_own_purpose=shape["uses_for_own_purpose"],
        joint_use=_block(JointUse, shape.get("joint_use")),
        opt_out=_block(OptOutScheme, shape.get("opt_out")),
        ties_to_person=shape["ties_to_person"],
        confirmation=_block(Confirmation, shape.get("confirmation")),
        transmission=Transmission(told["sends"]["ja"], told["sends"]["en"], told["published"]) if told else None,
        delivery=shape["delivery"],
        max_age_seconds=shape["max_age_seconds"],
        min_list=shape["min_list"],
        title_ja=shape["title"]["ja"],
        title_en=shape["title"]["en"],
        address=shape["address"],
        representative=shape["representative"],
    )


def _block(kind: type[T], given: dict[str, Any] | None) -> T | None:
    """Return a nested block as its value, lists as tuples; None where it is not declared."""
    if given is None:
        return None
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()})
