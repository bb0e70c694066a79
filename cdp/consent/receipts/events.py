"""What was said when, by whom, how and through what: the events of a consent record."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cdp.clock import EARLIEST
from cdp.consent.model import ConsentRecord
from cdp.consent.receipts.parties import CONTROLLER
from cdp.consent.rules import NO, YES
from cdp.policy.vocabulary import DPV, STATUSES

Event = dict[str, Any]


def of(row: ConsentRecord, before: Sequence[ConsentRecord], principal: str) -> list[Event]:
    """Return the request that the record answers, where it was a double opt-in, and what it says itself."""
    return [*(_event(one, "requested", principal) for one in _asked(row, before)), _said(row, before, principal)]


def history(
    row: ConsentRecord,
    before: Sequence[ConsentRecord],
    after: Iterable[ConsentRecord],
    principal: str,
    at: datetime,
) -> list[Event]:
    """Return the same with what came after it: its expiry, and what was said later of the same."""
    found = of(row, before, principal)
    known = [*before, row]
    for one in after:
        found.append(_said(one, known, principal))
        known.append(one)
    if row.status in YES and row.valid_until is not None and row.valid_until <= at:
        found.append(_event(row, "expired", principal) | {"event_time": instant(row.valid_until), "entity_id": None})
    return sorted(found, key=lambda event: str(event["event_time"] or event["received_time"]))


def state(row: ConsentRecord, before: Iterable[ConsentRecord]) -> str:
    """Return a name of STATUSES: a yes without full evidence is unknown, one on top of a standing yes renews it."""
    if row.status not in YES:
        return row.status if row.status in STATUSES else "unknown"
    if row.evidence != "full":
        return "unknown"
    words = [one for one in before if one.status in YES | NO]
    return "renewed" if words and words[-1].status in YES else "given"


def instant(at: datetime) -> str:
    """Write an instant in UTC to the microsecond."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _said(row: ConsentRecord, before: Iterable[ConsentRecord], principal: str) -> Event:
    return _event(row, state(row, before), principal)


def _event(row: ConsentRecord, name: str, principal: str) -> Event:
    """Return one event; an instant that nobody knew, kept as the earliest there is, is told as null."""
    return {
        "event_state": STATUSES[name],
        "event_type": _type(row),
        "event_time": instant(row.event_time) if row.event_time > EARLIEST else None,
        "received_time": instant(row.received_time),
        "entity_id": _entity(row, principal),
        "actor": row.actor,
        "act": row.act,
        "record_id": row.record,
        "collection_method": row.method,
        "collection_source": row.source,
        "evidence": row.evidence,
        "evidence_kept": row.sealed_evidence is not None,
        **_validity(row),
    }


def _asked(row: ConsentRecord, before: Iterable[ConsentRecord]) -> list[ConsentRecord]:
    """Return the requests since the last word before: what the person confirmed by the link."""
    if row.method != "double_opt_in":
        return []
    found: list[ConsentRecord] = []
    for one in before:
        found = [*found, one] if one.status == "requested" else [] if one.status in YES | NO else found
    return found


def _type(row: ConsentRecord) -> str:
    """A declared act expresses consent; what was only reported says no more than that it is about consent."""
    return f"{DPV}ExpressedConsent" if row.act else f"{DPV}Consent"


def _entity(row: ConsentRecord, principal: str) -> str:
    """Return who acted: who asks is the controller; a guardian or agent is known by the role alone."""
    if row.status == "requested" or row.actor in ("controller", "system"):
        return CONTROLLER
    return principal if row.actor == "subject" else row.actor


def _validity(row: ConsentRecord) -> Mapping[str, Any]:
    if row.valid_until is None:
        return {"validity_duration": f"{DPV}UntilEventDuration", "valid_until": None}
    return {"validity_duration": f"{DPV}UntilTimeDuration", "valid_until": instant(row.valid_until)}
