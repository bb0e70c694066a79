"""What the steps pass on: the items of one transaction, what became of each, and what was dropped."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from cdp import policy, vault
from cdp.connector.kit import Item, SourceConfig
from cdp.connector.mapping import clean_name
from cdp.errors import Refusal
from cdp.identity import Canonical, claimed, naming
from cdp.policy.terms import Policy
from cdp.profile.model import Correction

NO_STATUSES = frozenset({"withdrawn", "refused"})

REASONS = frozenset(
    {
        "undeclared_event",
        "no_identifier",
        "suppressed",
        "unlawful",
        "erased",
        "public_key_cannot_grant_contact",
        "contact_needed",
        "unusable_contact",
        "undeclared_purpose",
        "other_brand",
        "signal_malformed",
        "retracted",
    }
)
"""Why ingest refuses an item, or a signal in it."""


@dataclass(slots=True)
class Entry:
    """One item on its way: the steps fill it in or refuse it."""

    item: Item
    ref: bytes = b""
    """What its message is remembered by, and its fact referred to; random without a message id."""
    names: tuple[Canonical, ...] = ()
    """Its identifiers in their one spelling."""
    points: dict[bytes, str] = field(default_factory=dict)
    """Suppression token → namespace of what it names, and of what that is evidence of."""
    subject: int = 0
    person: int = 0
    duplicate: bool = False
    refusal: Refusal | None = None
    spoke: bool = False
    """Something it said about consent was recorded of its subject."""
    notes: list[Refusal] = field(default_factory=list)
    """What of an accepted item was refused."""
    drops: list[tuple[str, str]] = field(default_factory=list)
    """(what, reason): names, never values."""
    fact: dict[str, Any] | None = None

    def drop(self, what: str, name: str, reason: str) -> None:
        """Count something left out; names come from outside and are made fit for a report."""
        self.drops.append((f"{what}:{clean_name(name)}"[:160], reason))


Batch = list[Entry]


@dataclass(slots=True)
class Context:
    """What every step needs beside the batch."""

    session: Session
    source: SourceConfig
    at: datetime
    entries: Sequence[Entry]
    """Everything that came, also what the batch lost on the way."""
    deks: dict[int, vault.Dek] = field(default_factory=dict)
    """Keys of the batch's subjects, as far as they are needed yet."""
    fresh: frozenset[int] = frozenset()
    """Subjects that this batch made."""
    erased: frozenset[bytes] = frozenset()
    """Suppression tokens whose erasure was in force when it was looked."""
    readmitted: frozenset[tuple[str, bytes]] = frozenset()
    """(namespace, suppression token) of what a first-party act of this batch begins anew."""
    corrections: Mapping[int, list[Correction]] = field(default_factory=dict)
    """What was ever put right of the people whose traits are stated."""
    noted: str = ""
    """The ledger's entry about this batch."""
    _canonical: dict[tuple[str, str, str, bool], Canonical | None] = field(default_factory=dict, repr=False)

    @property
    def policy(self) -> Policy:
        return policy.of(self.session)

    @property
    def vault(self) -> vault.Vault:
        return vault.of(self.session)

    def spell(self, type: str, value: Any, scope: str, verified: bool) -> Canonical | None:
        """Return an identifier that a source states in its one spelling, worked out once per batch."""
        believed = verified and not self.source.public
        key = (type, str(value), scope, believed)
        if key not in self._canonical:
            self._canonical[key] = claimed(self.policy, type, value, scope, self.source.region, believed)
        return self._canonical[key]

    def evidence(self, names: Iterable[Canonical]) -> tuple[Canonical, ...]:
        """Return the identifiers with all that they are evidence of."""
        return tuple(naming.evidence(self.session, names))

    def silence_token(self, name: Canonical) -> bytes:
        """Return an identifier's suppression token, worked out once per batch."""
        return naming.silence_token(self.session, name)


def refuse(entry: Entry, reason: str) -> Entry | None:
    """Refuse an item but for what says no in it, since a no is never lost. Returns what stays, or None."""
    reject(entry, reason)
    said = no_of(entry.item)
    if said is None:
        return None
    entry.item = said
    return entry


def no_of(item: Item) -> Item | None:
    """Return what says no in an item, without the rest; None where nothing does."""
    noes = tuple(signal for signal in item.signals if signal.status in NO_STATUSES)
    if not noes and not item.silences:
        return None
    return replace(item, event="", properties={}, traits={}, signals=noes, retracts="")


def reject(entry: Entry, reason: str) -> None:
    """Refuse an item whole."""
    entry.refusal = Refusal(reason, entry.item.pointer)
    entry.drops.append(("item", reason))
