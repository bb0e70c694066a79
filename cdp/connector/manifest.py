"""What a connector declares in `connectors/<name>.yaml`, checked: unknown keys are refused.

What the manifest does not declare never reaches the disk. A banner category and a purpose of a TC
string can only be mapped to a device-scoped purpose: the schema refuses any other channel (ruling R2).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema

from cdp.connector.kit import ConsentTerm, EventTerm
from cdp.connector.tcstring import PURPOSES
from cdp.policy.terms import CHANNELS, DERIVED

COUNTRY = validate.Regexp(r"^[A-Z]{2}$")
DEVICE_CHANNELS = ("web", "none")
"""What happens on the device itself, or nowhere: a letter, a push message and a list of addresses are no cookies."""


@dataclass(frozen=True, slots=True)
class SettingTerm:
    """One thing that an operator says when adding a source of this type."""

    help: str = ""
    required: bool = False
    secret: bool = False
    """Stored sealed, never shown again."""
    generated: bool = False
    """Made here and told to the other side once."""
    choices: tuple[str, ...] = ()
    default: str = ""
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class IdentifierRule:
    """Where an identifier stands; `scope` is a literal or `$setting`; `verified`: never | server."""

    field: str
    namespace: str
    scope: str = ""
    verified: str = "never"


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that a type of connector declares."""

    name: str
    kind: str
    title: Mapping[str, str]
    auth: str
    """write_key | signature | secret_url | none"""
    settings: Mapping[str, SettingTerm]
    identifiers: tuple[IdentifierRule, ...] = ()
    traits: Mapping[str, str] = field(default_factory=dict)
    purposes: tuple[str, ...] = ()
    events: Mapping[str, EventTerm] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    banner: Mapping[str, ConsentTerm] = field(default_factory=dict)
    tcf: Mapping[ConsentTerm, tuple[int, ...]] = field(default_factory=dict)
    gpc: tuple[ConsentTerm, ...] = ()
    layouts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    readmits: bool = False
    defaults: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)


EVERY_SOURCE: Mapping[str, SettingTerm] = MappingProxyType(
    {
        "residence_default": SettingTerm("ISO 3166 country where nothing else says one", pattern=r"[A-Z]{2}"),
        "establishment": SettingTerm("ISO 3166 country of the establishment whose activity it is", pattern=r"[A-Z]{2}"),
        "offers_to": SettingTerm("ISO 3166 countries it offers to, by comma", pattern=r"[A-Z]{2}(,[A-Z]{2})*"),
        "brand": SettingTerm("brand that it speaks for"),
        "collected_for": SettingTerm(
            "purposes that were told when its data were collected, by comma; left out: no narrower limit",
            pattern=r"[a-z0-9_]+(,[a-z0-9_]+)*",
        ),
        "addresses": SettingTerm(
            "how its addresses were come by: given in writing, published for business (with or without a refusal of "
            "advertising), or of a legal entity",
            choices=("written", "published", "published_no_ads", "entity"),
        ),
        "people": SettingTerm("whom it speaks of", choices=("consumers", "employees")),
        "eu_adequacy": SettingTerm(
            "whether its data came from the EU or UK on their adequacy decisions", choices=("true", "false")
        ),
        "obtained_from": SettingTerm(
            "whom it has the data from; a third party is confirmed first (`cdp connector confirm`)",
            choices=("subject", "third_party", "public"),
        ),
        "readmits": SettingTerm("whether an act of an erased person may start anew", choices=("true", "false")),
        "notice": SettingTerm("notice shown where this source asks for consent"),
        "notice_version": SettingTerm("version of that notice"),
        "language": SettingTerm("language of that notice", pattern=r"[a-z]{2,3}"),
        "method": SettingTerm("how consent is asked for there"),
        "region": SettingTerm("ISO 3166 country whose phone numbers come without a prefix", pattern=r"[A-Z]{2}"),
        "currency": SettingTerm("ISO 4217 currency of amounts that name none", pattern=r"[A-Z]{3}"),
    }
)
"""Settings that every source has; their defaults come from the manifest's `defaults`."""


class _Strict(Schema):
    class Meta:
        unknown = RAISE


class _Setting(_Strict):
    help = fields.String()
    required = fields.Boolean()
    secret = fields.Boolean()
    generated = fields.Boolean()
    choices = fields.List(fields.String())
    default = fields.String()
    pattern = fields.String()

    @post_load
    def _make(self, loaded: dict[str, Any], **_: Any) -> SettingTerm:
        return SettingTerm(**{**loaded, "choices": tuple(loaded.get("choices", ()))})


class _Identifier(_Strict):
    field = fields.String(required=True)
    namespace = fields.String(required=True, validate=validate.NoneOf(DERIVED, error="Worked out here, never stated."))
    scope = fields.String()
    verified = fields.String(validate=validate.OneOf(("never", "server")))

    @post_load
    def _make(self, loaded: dict[str, Any], **_: Any) -> IdentifierRule:
        return IdentifierRule(**loaded)


class _Consent(_Strict):
    purpose = fields.String(required=True)
    channel = fields.String(required=True, validate=validate.OneOf(CHANNELS))
    status = fields.String(validate=validate.OneOf(("given", "withdrawn")))
    contact = fields.String()

    @post_load
    def _make(self, loaded: dict[str, Any], **_: Any) -> ConsentTerm:
        return ConsentTerm(**loaded)


class _Category(_Consent):
    channel = fields.String(required=True, validate=validate.OneOf(DEVICE_CHANNELS))
    contact = fields.String(validate=validate.OneOf(("",)))


class _Opposed(_Strict):
    purpose = fields.String(required=True)
    channel = fields.String(required=True, validate=validate.OneOf(DEVICE_CHANNELS))

    @post_load
    def _make(self, loaded: dict[str, Any], **_: Any) -> Any:
        return ConsentTerm(**loaded)


class _Asked(_Opposed):
    needs = fields.List(
        fields.Integer(strict=True, validate=validate.Range(1, PURPOSES)),
        required=True,
        validate=validate.Length(min=1),
    )

    @post_load
    def _make(self, loaded: dict[str, Any], **_: Any) -> Any:
        needs = tuple(loaded.pop("needs"))
        return ConsentTerm(**loaded), needs


class _Event(_Strict):
    from_ = fields.List(fields.String(), data_key="from")
    fields_ = fields.List(fields.String(), data_key="fields")
    purposes = fields.List(fields.String())
    channel = fields.String(validate=validate.OneOf(CHANNELS))
    consent = fields.Nested(_Consent)


class _Layout(_Strict):
    requires = fields.List(fields.List(fields.String()), required=True)
    columns = fields.Dict(fields.String(), fields.String(), required=True)
    words = fields.Dict(fields.String(), fields.String())
    event = fields.String()
    region = fields.String(validate=COUNTRY)
    scope = fields.String()


class _Defaults(_Strict):
    residence_default = fields.String(validate=COUNTRY)
    establishment = fields.String(validate=COUNTRY)
    offers_to = fields.String()
    obtained_from = fields.String(validate=validate.OneOf(("subject", "third_party", "public")))
    brand = fields.String()
    notice = fields.String()
    notice_version = fields.String()
    language = fields.String()
    method = fields.String()
    actor = fields.String(validate=validate.OneOf(("subject", "staff", "import")))
    region = fields.String(validate=COUNTRY)
    currency = fields.String(validate=validate.Regexp(r"^[A-Z]{3}$"))


class _Manifest(_Strict):
    kind = fields.String(required=True, validate=validate.OneOf(("site", "crm", "sns", "email")))
    title = fields.Dict(fields.String(validate=validate.OneOf(("ja", "en"))), fields.String(), required=True)
    auth = fields.String(required=True, validate=validate.OneOf(("write_key", "signature", "secret_url", "none")))
    settings = fields.Dict(fields.String(), fields.Nested(_Setting), load_default=dict)
    identifiers = fields.List(fields.Nested(_Identifier), load_default=list)
    traits = fields.Dict(fields.String(), fields.String(), load_default=dict)
    purposes = fields.List(fields.String(), load_default=list)
    events = fields.Dict(fields.String(), fields.Nested(_Event), load_default=dict)
    banner = fields.Dict(fields.String(), fields.Nested(_Category), load_default=dict)
    tcf = fields.List(fields.Nested(_Asked), load_default=list)
    gpc = fields.List(fields.Nested(_Opposed), load_default=list)
    layouts = fields.Dict(fields.String(), fields.Nested(_Layout), load_default=dict)
    readmits = fields.Boolean(load_default=False)
    defaults = fields.Nested(_Defaults, load_default=dict)
    limits = fields.Dict(fields.String(), fields.Integer(validate=validate.Range(min=1)), load_default=dict)

    @validates_schema
    def _both_languages(self, loaded: dict[str, Any], **_: Any) -> None:
        if set(loaded.get("title", ())) != {"ja", "en"}:
            raise ValidationError("A title is needed in ja and en.", "title")


def read_manifest(name: str, declared: Any) -> Manifest:
    """Check and freeze what a YAML file declared; raises marshmallow's ValidationError with every failure."""
    loaded: dict[str, Any] = _Manifest().load(declared)
    events, aliases = _events(loaded.pop("events"))
    return Manifest(
        name=name,
        events=events,
        aliases=aliases,
        identifiers=tuple(loaded.pop("identifiers")),
        purposes=tuple(loaded.pop("purposes")),
        tcf=dict(loaded.pop("tcf")),
        gpc=tuple(loaded.pop("gpc")),
        settings={**EVERY_SOURCE, **loaded.pop("settings")},
        **loaded,
    )


def _events(declared: Mapping[str, dict[str, Any]]) -> tuple[dict[str, EventTerm], dict[str, str]]:
    events: dict[str, EventTerm] = {}
    aliases: dict[str, str] = {}
    for name, event in declared.items():
        for vendor in event.pop("from_", ()):
            if aliases.setdefault(vendor, name) != name:
                raise ValidationError({"events": {name: [f"{vendor} already means {aliases[vendor]}."]}})
        kept = tuple(event.pop("fields_", ()))
        purposes = tuple(event.pop("purposes", ()))
        events[name] = EventTerm(fields=kept, purposes=purposes, **event)
    return events, aliases
