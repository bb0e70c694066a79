"""What a source hands over, whatever system it speaks to: values only, nothing is stored or sent here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Claim:
    """An identifier as a source gave it; `scope` is the system or provider where the type needs one."""

    type: str
    """Namespace: email, phone, user_id, anonymous_id, line_uid, crm_id …"""
    value: str = field(repr=False)
    scope: str = ""
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Signal:
    """Something said about consent inside an item."""

    purpose: str
    channel: str
    status: str
    """given | refused | requested | withdrawn | unknown"""
    act: bool
    """A declared act, or only a reported state (law.md ruling R3)."""
    method: str
    notice: str = ""
    notice_version: str = ""
    language: str = ""
    evidence: str = "full"
    contact: Claim | None = None
    """The contact point it is about; needed for contact channels."""


@dataclass(frozen=True, slots=True)
class Silence:
    """A contact point that must be left alone: an unsubscribe, a complaint, a hard bounce."""

    contact: Claim
    channel: str
    reason: str
    """unsubscribe | complaint | bounce"""


@dataclass(frozen=True, slots=True)
class Item:
    """One message of a source, in our words; may carry a fact, traits, consent signals, or a retraction."""

    at: datetime
    claims: tuple[Claim, ...]
    message_id: str = ""
    """The vendor's id of the message; empty makes the call not idempotent, and the report says so."""
    event: str = ""
    """Declared event name; empty for an item without a fact."""
    channel: str = "none"
    properties: Mapping[str, Any] = field(default_factory=dict, repr=False)
    traits: Mapping[str, Any] = field(default_factory=dict, repr=False)
    signals: tuple[Signal, ...] = ()
    silences: tuple[Silence, ...] = ()
    retracts: str = ""
    """Message id of an earlier item whose fact must be deleted (LINE `unsend`)."""
    pointer: str = ""
    """Where the item stood in what was received, for reports: `/batch/3`, `row 17`."""
