"""From somebody's situation as a file states it to the values that the rules read.

Statements (`said`) are worked out by the same code as anybody's records; only where they come from differs.
What somebody says after the instant of the question has not been written by then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from cdp.clock import EARLIEST
from cdp.consent.records import given_by
from cdp.consent.rules import Said
from cdp.gate import situating
from cdp.gate.neighbours import Born
from cdp.gate.question import Consent, Reach, Standing
from cdp.gate.situating import Lives
from cdp.policy.terms import CONTACT_CHANNELS, Policy, Purpose

_POINT, _DEVICE = b"point", b"device"


@dataclass(frozen=True, slots=True)
class Staged:
    """Somebody as the rules see them, and their way on the channel (None: there is none)."""

    standing: Standing
    reach: Reach | None


def instant_of(policy: Policy, on: date) -> datetime:
    """Return noon of the day, where the controller is."""
    return datetime.combine(on, time(12), ZoneInfo(policy.controller.time_zone))


def stage(policy: Policy, given: Mapping[str, Any], purpose: Purpose, channel: str, at: datetime) -> Staged:
    """Return the situation that is stated, as it bears on a purpose and channel at an instant."""
    lives = Lives(policy, at, _born(given, at), frozenset({"employer"}))
    reach = _reach(given, purpose, channel, lives)
    country = str(given.get("country", ""))
    declared = situating.declared_by(policy, country, [_origin(given)])
    standing = Standing(
        **declared,
        country=country,
        age=lives.age()[0],
        customer=given.get("customer", False),
        restricted=given.get("restricted", False),
        erasing=given.get("erasing", False),
        objections=tuple(sorted(given.get("objections", ()))),
        gpc=given.get("gpc", False),
        reaches=(reach,) if reach else (),
        deceased=given.get("deceased", False),
        held=given.get("legal_hold", False),
        provision_stopped=given.get("provision_stopped", False),
        lapsed=tuple(sorted(given.get("lapsed", ()))),
    )
    return Staged(standing, reach)


def _origin(given: Mapping[str, Any]) -> situating.Declares:
    collected_for = given.get("collected_for", ["*"])
    return SimpleNamespace(
        establishment=",".join(given.get("establishment", ())),
        offers_to=",".join(given.get("offers_to", ())),
        collected_for="" if "*" in collected_for else ",".join(collected_for),
        from_opt_out=given.get("from_opt_out", False),
        eu_adequacy=given.get("eu_adequacy", False),
        quarantined=given.get("quarantined", False),
    )


def _born(given: Mapping[str, Any], at: datetime) -> Born | None:
    if "born" in given:
        born: date = given["born"]
        return Born(born.year, f"{born.month:02d}-{born.day:02d}")
    return Born(at.year - given["age"], "01-01") if "age" in given else None


def _reach(given: Mapping[str, Any], purpose: Purpose, channel: str, lives: Lives) -> Reach | None:
    if not given.get("reachable", True):
        return None
    silenced = tuple(sorted(given.get("suppressed", ()))) if channel in CONTACT_CHANNELS or channel == "post" else ()
    return Reach(channel, _consents(given, purpose, channel, lives), silenced, given.get("address", ""))


def _consents(given: Mapping[str, Any], purpose: Purpose, channel: str, lives: Lives) -> tuple[Consent, ...]:
    said = given.get("consent")
    if said is not None and said.get("purpose", purpose.name) == purpose.name:
        return (_stated(purpose, said),)
    said = given.get("said", ())
    token = _place(channel, any(one["public"] for one in said))
    records = [_record(n, one, purpose, channel, lives.at) for n, one in enumerate(said, 1)]
    records = [one for one in records if one.received <= lives.at]
    found = lives.consent(records, purpose, channel, token) if records else None
    return (found.consent,) if found else ()


def _place(channel: str, public: bool) -> bytes:
    """Return where a statement counts: at a contact point, on the device whose browser said it, or anywhere."""
    return _POINT if channel in CONTACT_CHANNELS else _DEVICE if public else b""


def _stated(purpose: Purpose, said: Mapping[str, Any]) -> Consent:
    """Return what is said to hold; left out, its notice is the purpose's own, in its newest version."""
    notice = said.get("notice", purpose.notice)
    return Consent(
        purpose.name,
        said["status"],
        notice,
        said.get("notice_version", _newest(purpose, notice)),
        said.get("explicit", True),
        said.get("by_guardian", False),
        said.get("age", 0),
        said["status"] in ("withdrawn", "refused") and said.get("once_given", True),
        said.get("free", True),
    )


def _record(order: int, one: Mapping[str, Any], purpose: Purpose, channel: str, now: datetime) -> Said:
    unknown = EARLIEST if one["status"] == "given" else now
    at = one.get("at", unknown)
    notice = one.get("notice", purpose.notice)
    return Said(
        order=order,
        subject=one["record"],
        purpose=one["purpose"],
        channel=one.get("channel", channel),
        token=_place(channel, one["public"]),
        status=given_by(one["status"], one["method"]),
        act=one["act"],
        verified=one["verified"],
        public=one["public"],
        method=one["method"],
        evidence=one["evidence"],
        notice=notice,
        notice_version=one.get("notice_version", _newest(purpose, notice)),
        actor=one["by"],
        at=at,
        received=at,
        valid_until=one.get("until"),
        source="employer" if one["method"] == "employment" else "",
        brand=one["brand"],
        verification="stated" if one["by"] == "guardian" else "",
    )


def _newest(purpose: Purpose, notice: str) -> str:
    versions = [version for name, version in purpose.notices_current if name == notice]
    return versions[-1] if versions else ""
