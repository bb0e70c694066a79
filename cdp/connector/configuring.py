"""Applies one source's settings to the manifest of its type; refuses settings that nobody declared."""

import re
from collections.abc import Mapping
from dataclasses import replace

from cdp.connector.kit import COLUMN_KINDS, ConsentTerm, EventTerm, IdentifierTerm, SourceConfig
from cdp.connector.manifest import IdentifierRule, Manifest
from cdp.errors import FieldError, Problem

TRAIT = "trait."
"""`trait.<vendor's field>=<trait>` takes in a field that the manifest does not declare."""
FIELDS = "fields."
"""`fields.<event>=<path>,<path>` takes in properties of an event, or an event, that the manifest does not declare."""
BANNER = "banner."
"""`banner.<category>=<purpose>` maps a category of the site's own banner to a device-scoped purpose."""


def check_settings(manifest: Manifest, given: Mapping[str, str]) -> dict[str, str]:
    """Return the settings with defaults filled in; raises Problem naming every wrong or missing one."""
    terms = manifest.settings
    wrong = [
        FieldError(f"/settings/{name}", detail)
        for name, value in given.items()
        if (detail := _wrong(manifest, name, value))
    ]
    wrong += [
        FieldError(f"/settings/{name}", "This setting is needed.")
        for name, term in terms.items()
        if term.required and not given.get(name)
    ]
    if wrong:
        raise Problem(400, "invalid_settings", "Some settings are not acceptable; see errors.", wrong)
    defaults = {name: term.default for name, term in terms.items() if term.default}
    return {**defaults, **given}


def configure(manifest: Manifest, name: str, settings: Mapping[str, str]) -> SourceConfig:
    """Return what ingest and the connector must know of this source; secrets in `settings` are left out."""
    plain = {key: value for key, value in settings.items() if not _is_secret(manifest, key)}
    said = {**manifest.defaults, **{key: value for key, value in plain.items() if value}}
    public = plain.get("key") == "public"
    paths = {**manifest.traits, **_prefixed(plain, TRAIT)}
    return SourceConfig(
        name=name,
        type=manifest.name,
        kind=manifest.kind,
        public=public,
        events={**manifest.events, **_events(manifest, plain)},
        aliases=manifest.aliases,
        identifiers=tuple(_identifier(rule, said, public) for rule in manifest.identifiers),
        traits=tuple(dict.fromkeys(name.partition(".")[0] for name in [*paths.values(), *_column_traits(manifest)])),
        trait_paths=paths,
        purposes=manifest.purposes,
        banner={**manifest.banner, **_categories(manifest, plain)},
        tcf=manifest.tcf,
        tcf_vendors=tuple(int(one) for one in plain.get("tcf_vendors", "").split(",") if one),
        gpc=manifest.gpc,
        layouts=manifest.layouts,
        establishment=said.get("establishment", ""),
        offers_to=tuple(said["offers_to"].split(",")) if said.get("offers_to") else (),
        obtained_from=said.get("obtained_from", "subject"),
        residence_default=said.get("residence_default", ""),
        readmits=said["readmits"] == "true" if "readmits" in said else manifest.readmits,
        brand=said.get("brand", ""),
        notice=said.get("notice", ""),
        notice_version=said.get("notice_version", ""),
        language=said.get("language", ""),
        method=said.get("method", ""),
        actor=said.get("actor", "subject"),
        region=said.get("region") or said.get("residence_default") or "JP",
        currency=said.get("currency", ""),
        settings=plain,
    )


def _wrong(manifest: Manifest, name: str, value: str) -> str:
    if name.startswith(TRAIT):
        return "" if re.fullmatch(r"[a-z][a-z0-9_]{0,63}(\.[a-z][a-z0-9_]{0,31})?", value) else "Name a declared trait."
    if name.startswith(FIELDS):
        return "" if re.fullmatch(r"[\w$.*-]+(,[\w$.*-]+)*", value) else "Paths of properties, by comma."
    if name.startswith(BANNER):
        return "" if value in _device_purposes(manifest) else "Only a device-scoped purpose of the manifest's banner."
    term = manifest.settings.get(name)
    if term is None or term.generated:
        return "There is no such setting."
    if term.choices and value not in term.choices:
        return f"One of {', '.join(term.choices)}."
    if term.pattern and not re.fullmatch(term.pattern, value):
        return f"It must look like {term.pattern}."
    return ""


def _is_secret(manifest: Manifest, name: str) -> bool:
    term = manifest.settings.get(name)
    return term is not None and (term.secret or term.generated)


def _identifier(rule: IdentifierRule, said: Mapping[str, str], public: bool) -> IdentifierTerm:
    scope = said.get(rule.scope[1:], "") if rule.scope.startswith("$") else rule.scope
    return IdentifierTerm(rule.field, rule.namespace, scope, rule.verified == "server" and not public)


def _prefixed(settings: Mapping[str, str], prefix: str) -> dict[str, str]:
    return {key.removeprefix(prefix): value for key, value in settings.items() if key.startswith(prefix)}


def _events(manifest: Manifest, settings: Mapping[str, str]) -> dict[str, EventTerm]:
    found = {}
    for name, paths in _prefixed(settings, FIELDS).items():
        term = manifest.events.get(name, EventTerm(purposes=manifest.purposes))
        found[name] = replace(term, fields=(*term.fields, *paths.split(",")))
    return found


def _column_traits(manifest: Manifest) -> list[str]:
    columns = [target for layout in manifest.layouts.values() for target in layout["columns"].values()]
    targets = [target for column in columns for target in column.split(",")]
    return [name for kind, _, name in (target.partition(":") for target in targets) if kind in COLUMN_KINDS]


def _device_purposes(manifest: Manifest) -> dict[str, ConsentTerm]:
    return {term.purpose: term for term in manifest.banner.values()}


def _categories(manifest: Manifest, settings: Mapping[str, str]) -> dict[str, ConsentTerm]:
    terms = _device_purposes(manifest)
    return {category: replace(terms[purpose]) for category, purpose in _prefixed(settings, BANNER).items()}
