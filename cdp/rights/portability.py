"""Portability (GDPR 20): what the person provided or did, where it rests on consent or contract, for another machine.

Left out: what was worked out here (stages, coarse parts, mailboxes behind addresses, the person's row), what rests
on another ground, and what says something of us alone (permissions, requests, disclosures); access has all of it.
Which ground it is, is read from the purposes that the source declares for the field or event.
"""

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from sqlmodel import Session

from cdp import policy
from cdp.connector.kit import SourceConfig
from cdp.errors import Problem
from cdp.holders import Held
from cdp.ingest import sources
from cdp.ingest.model import Source
from cdp.policy.terms import DERIVED, Policy
from cdp.profile import corrections, traits

FORM = "sekisho.portability/1"
SCHEMA_ID = "urn:sekisho:schema:portability:1"
GROUNDS = frozenset({"consent", "contract"})

Opened = Sequence[tuple[Held, Any]]


def schema() -> bytes:
    """Return the JSON Schema of a package, as its file is."""
    return files("cdp.rights").joinpath("portability.schema.json").read_bytes()


def collect(session: Session, subjects: Sequence[int], opened: Opened) -> dict[str, Any]:
    """Return what the person may take along, sorted, under names that stay."""
    portable = _Portable(session, opened)
    said = [_consent(one) for one, _ in opened if one.kind == "consent"]
    return {
        "schema": SCHEMA_ID,
        "identifiers": _distinct(portable.identifiers()),
        "profile": _distinct(portable.traits()),
        "events": sorted(portable.facts(), key=lambda one: (one["at"], one["name"])),
        "consents": sorted(said, key=lambda one: (one["said_at"], one["purpose"])),
        "notices": _notices(policy.of(session), said),
    }


class _Portable:
    """What of everything held rests on consent or contract, by what its source declares."""

    def __init__(self, session: Session, opened: Opened) -> None:
        self.terms, self.opened = policy.of(session), opened
        self.source_of = {one.subject: str(one.plain["source"]) for one, _ in opened if one.kind == "subject"}
        names = {str(one.plain.get("source", "")) for one, _ in opened} | {*self.source_of.values()}
        self.configs = {name: _config(session, name) for name in names if name}

    def identifiers(self) -> Iterable[dict[str, Any]]:
        for one, value in self.opened:
            source = self.source_of.get(one.subject, "")
            provided = one.kind == "identifier" and one.plain["type"] not in DERIVED
            if provided and value is not None and self._purposes(source, ""):
                named = {"type": one.plain["type"], "value": value["value"]}
                yield named | ({"scope": value["scope"]} if value["scope"] else {})

    def traits(self) -> Iterable[dict[str, Any]]:
        for one, value in self.opened:
            if one.kind != "trait" or one.plain["name"] in traits.COARSE:
                continue
            stated = value if one.sealed is not None else one.plain["value"]
            purposes = self._purposes(str(one.plain["source"]), "")
            if stated is not None and purposes:
                yield {
                    "name": one.plain["name"],
                    "value": stated,
                    "said_at": one.plain["at"].isoformat(),
                    "source": one.plain["source"],
                    "purposes": purposes,
                }

    def facts(self) -> Iterable[dict[str, Any]]:
        for one, value in self.opened:
            purposes = self._purposes(str(one.plain.get("source", "")), str(one.plain.get("kind", "")))
            if one.kind == "fact" and purposes:
                yield {
                    "name": one.plain["kind"],
                    "at": one.plain["at"].isoformat(),
                    "source": one.plain["source"],
                    "properties": value or {},
                    "purposes": purposes,
                }

    def _purposes(self, source: str, event: str) -> list[str]:
        """Return the purposes on consent or contract that the source declares for the event, or for its traits."""
        if source == corrections.SOURCE:
            return sorted(name for name in self.terms.purposes if _is_portable(self.terms, name))
        config = self.configs.get(source)
        term = config.events.get(event) if config and event else None
        declared = term.purposes if term else config.purposes if config and not event else ()
        return sorted(name for name in declared if _is_portable(self.terms, name))


def _config(session: Session, name: str) -> SourceConfig | None:
    """Return what the source declares, also of one that was removed; None for one whose type is gone."""
    row = session.get(Source, name)
    try:
        return sources.configured(session, row) if row is not None else None
    except Problem:
        return None


def _is_portable(terms: Policy, purpose: str) -> bool:
    declared = terms.purposes.get(purpose)
    return declared is not None and any(basis.kind in GROUNDS for _, basis in declared.bases)


def _consent(one: Held) -> dict[str, Any]:
    names = ("purpose", "channel", "status", "said_at", "notice", "notice_version", "language")
    return {name: one.plain[name] for name in names}


def _notices(terms: Policy, said: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the notices that consents name, and those of the purposes on contract."""
    named = {(one["notice"], one["notice_version"]) for one in said if one["notice"]}
    for purpose in terms.purposes.values():
        if any(basis.kind == "contract" for _, basis in purpose.bases):
            named |= {(name, version) for name, version in purpose.notices_current if name == purpose.notice}
    return [{"notice": name, "version": version} for name, version in sorted(named)]


def _distinct(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each thing once, in an order that stays: several records may say the same."""
    return [one for _, one in sorted({repr(sorted(one.items())): one for one in found}.items())]
