"""The steps of taking in, in order. Each is `(batch, context) -> batch` and takes items out with a refusal.

declared      the source may bring this event; clocks that run ahead are set right
minimised     undeclared fields never go further
deduplicated  a message that was taken before changes nothing
resolved      whose it is; what was erased does not come back
lawful        what was said about consent is recorded, then: may this be collected at all?
sealed        payloads are sealed under the subject's key
stored        facts and traits are written, retracted facts deleted
settled       person, permissions, stages and memberships follow
noted         counts of what was dropped, and the ledger's entry
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from cdp import gate, identity, ledger, vault
from cdp.connector.mapping import pick
from cdp.db import Database, settle_early, unsettle
from cdp.errors import Refusal
from cdp.gate import collecting
from cdp.identity import Canonical
from cdp.ingest import corrected, counting, erased, remembering, speaking
from cdp.ingest.batch import Batch, Context, Entry, refuse, reject
from cdp.ledger.tree import Range, leaf_hash
from cdp.profile import facts, traits, values
from cdp.profile.person import active_months

AHEAD = timedelta(minutes=5)
"""How far a source's clock may run ahead before it is counted as broken."""

EARLIEST_YEAR = 1980
"""Event times before it are broken clocks, not history."""


def declared(batch: Batch, context: Context) -> Batch:
    """Refuse events that the source does not declare; name what each message is remembered by."""
    return [kept for entry in batch if (kept := _declared(entry, context))]


def minimised(batch: Batch, context: Context) -> Batch:
    """Keep declared properties and traits, in one spelling; count the names of the rest."""
    for entry in batch:
        if entry.item.properties or entry.item.traits:
            entry.item = replace(entry.item, properties=_properties(entry, context), traits=_traits(entry, context))
    return batch


def deduplicated(batch: Batch, context: Context) -> Batch:
    """Take out what was received before, and remember the rest for 30 days."""
    coming = [entry.ref for entry in batch if entry.item.message_id]
    new = remembering.remember(context.session, context.source.name, coming, context.at)
    kept = []
    for entry in batch:
        entry.duplicate = bool(entry.item.message_id) and entry.ref not in new
        new.discard(entry.ref)
        if not entry.duplicate:
            kept.append(entry)
    return kept


def resolved(batch: Batch, context: Context) -> Batch:
    """Find or make the subject of each item; what was erased stays out, but for a first-party act (ruling R11)."""
    named = [kept for entry in batch if (kept := _named(entry, context))]
    admitted = erased.keep_out(named, context)
    owned = [entry for entry in admitted if entry.names and _needs_subject(entry)]
    corrected.leave_out_identifiers(owned, context)
    source = context.source
    arrivals = [
        identity.Arrival(
            source.name,
            entry.names,
            source.residence_default,
            source.public,
            entry.item.at,
            tuple(_marks(entry, context)),
        )
        for entry in owned
    ]
    attached = identity.attach(context.session, _thinned(owned, arrivals, context), context.at)
    context.deks, context.fresh = attached.made, frozenset(attached.made)
    erased.check_again(owned, context)
    erased.begin_anew(context)
    for entry, subject in zip(owned, attached.subjects, strict=True):
        entry.subject, entry.person = subject, attached.people[subject]
    return admitted


def lawful(batch: Batch, context: Context) -> Batch:
    """Record what was said, then refuse facts and traits that nothing allows to collect."""
    speaking.record(batch, context)
    contested = corrected.contested(batch, context)
    _write_coarse(batch, context, lambda entry, name: (entry.person, name) not in contested)
    allowed = _collectable(batch, context)
    kept = [entry for entry in batch if _lawful(entry, context, allowed.get(entry.person, frozenset()))]
    corrected.leave_out_traits(kept, context)
    _write_coarse(kept, context, lambda entry, name: (entry.person, name) in contested)
    return kept


def sealed(batch: Batch, context: Context) -> Batch:
    """Seal each fact's payload under its subject's key; whose key is gone is erased."""
    owners = {entry.subject for entry in batch if entry.item.event or entry.item.traits}
    context.deks |= vault.deks(context.session, owners - set(context.deks))
    kept = []
    for entry in batch:
        if entry.subject in owners and entry.subject not in context.deks:
            reject(entry, "erased")
            continue
        if entry.item.event:
            entry.fact = _fact(entry, context.deks[entry.subject], context)
        kept.append(entry)
    return kept


def stored(batch: Batch, context: Context) -> Batch:
    """Write facts and traits, delete what was retracted, and let go of subjects that nothing is kept of."""
    session = context.session
    taken_back = remembering.retracted(context, [entry.ref for entry in batch if entry.fact])
    for entry in batch:
        if entry.ref in taken_back:
            entry.fact = None
            entry.notes.append(Refusal("retracted", entry.item.pointer))
    facts.write(session, [entry.fact for entry in batch if entry.fact])
    stated = [one for entry in batch for one in _stated(entry, context)]
    traits.write(session, context.policy, stated, context.deks)
    kept = [one for entry in batch if entry.subject for one in _marks(entry, context)]
    identity.keep_marks(session, kept, context.fresh, context.at)
    retracted = [remembering.ref(context, entry.item.retracts) for entry in batch if entry.item.retracts]
    remembering.retract(context, retracted)
    walked = {entry.subject for entry in batch if entry.fact}
    bereft = facts.retract(session, retracted)  # of whomever: nobody holds their subjects
    touched = {entry.subject for entry in batch if _is_telling(entry)} | bereft
    people = identity.people_of(session, walked | touched)
    unsettle(session, {*bereft, *(people[one] for one in touched if one in people)})
    unsettle(session, _active_again(batch, people, context))
    unsettle(session, people.values(), first="journey")
    remembering.forget(session, context.source.name, context.entries)
    erased.let_go(context)
    return batch


def settled(batch: Batch, context: Context) -> Batch:
    """Bring everything derived of the touched people up to date, in this transaction."""
    database: Database = context.session.info["database"]
    database.settle(context.session)
    return batch


def noted(batch: Batch, context: Context) -> Batch:
    """Count what was dropped by name and reason, and write the batch into the ledger."""
    drops = counting.tally(context.entries)
    counting.add(context.session, context.source, context.at, drops)
    if any(not entry.duplicate for entry in context.entries):
        context.noted = ledger.note(context.session, "ingest.batch", _header(batch, context), context.at)
    return batch


Step = Callable[[Batch, Context], Batch]

STEPS: tuple[Step, ...] = (declared, minimised, deduplicated, resolved, lawful, sealed, stored, settled, noted)


def _declared(entry: Entry, context: Context) -> Entry | None:
    for name in entry.item.dropped:
        entry.drop("field", name, "undeclared_field")
    for unheard in entry.item.unheard:
        entry.notes.append(Refusal(unheard.reason, entry.item.pointer.rstrip("/") + unheard.where))
        entry.drops.append(("signal", unheard.reason))
    at = entry.item.at
    if at > context.at or at.year < EARLIEST_YEAR:
        # Nothing has happened that is still to come: a stage or a word would wait for it, and nobody for them.
        entry.item = replace(entry.item, at=context.at)
        if at > context.at + AHEAD or at.year < EARLIEST_YEAR:
            entry.drop("item", "clock", "clock")
    message, claims = entry.item.message_id, entry.item.claims
    entry.ref = remembering.ref(context, message, claims) if message else os.urandom(16)
    if entry.item.event and entry.item.event not in context.source.events:
        entry.drop("event", entry.item.event, "undeclared_event")
        return refuse(entry, "undeclared_event")
    return entry


def _properties(entry: Entry, context: Context) -> dict[str, Any]:
    term = context.source.events.get(entry.item.event)
    kept, dropped = pick(entry.item.properties, term.fields if term else ())
    for name in dropped:
        entry.drop("field", name, "undeclared_field")
    return kept


def _traits(entry: Entry, context: Context) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in entry.item.traits.items():
        term = context.policy.traits.get(name)
        if term is None or name not in context.source.traits or name in traits.COARSE:
            entry.drop("field", name, "undeclared_field")
            continue
        try:
            kept[name] = None if value is None else values.read(term.type, value)
        except ValueError:
            entry.drop("field", name, "unreadable")
    return kept


def _named(entry: Entry, context: Context) -> Entry | None:
    names = {}
    for claim in entry.item.claims:
        name = context.spell(claim.type, claim.value, claim.scope, claim.verified)
        if name is None:
            entry.drop("field", claim.type, "unusable_identifier")
        elif name not in names or name.verified:
            names[name] = name
    entry.names = tuple(names.values())
    if context.source.public:
        _narrow(entry, identity.one_device(context.policy, entry.names), "second_device")
    if not names and _needs_subject(entry):
        return refuse(entry, "no_identifier")
    return entry


def _thinned(owned: Batch, arrivals: list[identity.Arrival], context: Context) -> list[identity.Arrival]:
    thinned = identity.thin(context.session, arrivals)
    for entry, arrival in zip(owned, thinned, strict=True):
        _narrow(entry, arrival.names, "crowded_device")
    return thinned


def _narrow(entry: Entry, names: tuple[Canonical, ...], reason: str) -> None:
    """Leave out identifiers that nobody may state of a device, and count their kinds."""
    for name in set(entry.names) - set(names):
        entry.drop("field", name.namespace, reason)
    entry.names = names


def _needs_subject(entry: Entry) -> bool:
    """Whether someone must be known for it: not for a bare silence, nor for a retraction."""
    item = entry.item
    if item.event or item.traits or item.signals:
        return True
    return not item.silences and not item.retracts


def _collectable(batch: Batch, context: Context) -> dict[int, frozenset[str]]:
    """Return what may be collected for, by person; whom nothing asks that needs their consent is not looked up."""
    free = gate.from_anyone(context.policy)
    asking = [entry for entry in batch if entry.subject and (entry.item.event or entry.item.traits)]
    choosy = {entry.person for entry in asking if not all(map(free.intersection, _purposes(entry, context)))}
    others = {entry.person for entry in asking} - choosy
    settle_early(context.session, choosy, "gate")
    allowed = gate.collectable(context.session, choosy, context.at)
    return allowed | dict.fromkeys(others - gate.erasing(context.session, others), free)


def _purposes(entry: Entry, context: Context) -> Iterator[Iterable[str]]:
    """Yield what the event and the traits of an item would be collected for."""
    term = context.source.events.get(entry.item.event)
    of_event = term.purposes if term else ()
    if entry.item.event:
        yield of_event
    if any(collecting.is_special(context.policy, name) for name in entry.item.traits):
        yield ()  # nothing of the kind may be collected of everybody
    if entry.item.traits:
        yield context.source.purposes or of_event


def _write_coarse(batch: Batch, context: Context, chosen: Callable[[Entry, str], bool]) -> None:
    """Let what the law's rules read of chosen traits stand in the clear before they are asked."""
    stated = [one for entry in batch for one in _stated(entry, context) if chosen(entry, one.name)]
    parts = traits.coarse(context.policy, stated)
    traits.write_coarse(context.session, parts)
    people = {entry.subject: entry.person for entry in batch}
    unsettle(context.session, {people[one.subject] for one in parts})


def _lawful(entry: Entry, context: Context, allowed: frozenset[str]) -> bool:
    term = context.source.events.get(entry.item.event)
    event_purposes = term.purposes if term else ()
    only_traits = bool(entry.item.traits) and not entry.item.event
    if entry.item.traits and allowed.isdisjoint(context.source.purposes or event_purposes):
        for name in entry.item.traits:
            entry.drop("field", name, "unlawful")
        entry.item = replace(entry.item, traits={})
    _leave_out_special(entry, context, allowed)
    emptied = only_traits and not entry.item.traits
    if emptied or (entry.item.event and allowed.isdisjoint(event_purposes)):
        reject(entry, "unlawful")
        return False
    return True


def _leave_out_special(entry: Entry, context: Context, allowed: frozenset[str]) -> None:
    """Keep nothing of a special category that was not consented to before (GDPR 9(2)(a); APPI 20(2))."""
    for name in [one for one in entry.item.traits if collecting.is_special(context.policy, one)]:
        if not collecting.may_keep_special(context.policy, name, allowed):
            entry.drop("field", name, "special_category")
            entry.item = replace(entry.item, traits={k: v for k, v in entry.item.traits.items() if k != name})


def _marks(entry: Entry, context: Context) -> list[identity.Stated]:
    """Return what the entry's birth date and name come to; a browser's word stands against nobody's joining."""
    if context.source.public or not entry.item.traits:
        return []
    return identity.read_marks(context.session, entry.item.traits, entry.item.at, entry.ref, entry.subject)


def _fact(entry: Entry, dek: vault.Dek, context: Context) -> dict[str, Any]:
    item = entry.item
    amount, currency = facts.amount(item.event, item.properties, context.source.currency)
    payload = vault.seal(dek, traits.encode(item.properties), facts.cell(entry.subject, entry.ref))
    channel = item.channel if item.channel != "none" else context.source.events[item.event].channel
    return {
        "ref": entry.ref,
        "subject": entry.subject,
        "source": context.source.name,
        "kind": item.event,
        "at": item.at,
        "received_at": context.at,
        "amount": amount,
        "currency": currency,
        "item": facts.item(item.properties),
        "channel": channel or "none",
        "sealed": payload,
    }


def _active_again(batch: Batch, people: Mapping[int, int], context: Context) -> set[int]:
    """Return the people whose last month of activity a fact moves on: periods of retention count from it."""
    months: dict[int, date] = {}
    for entry in batch:
        if entry.fact and entry.subject in people:
            person, month = people[entry.subject], entry.fact["at"].date().replace(day=1)
            months[person] = max(month, months.get(person, month))
    known = active_months(context.session, months)
    return {person for person, month in months.items() if known.get(person) is None or known[person] < month}


def _is_telling(entry: Entry) -> bool:
    """Whether it may change more than a stage: traits, and orders, since whoever ordered is a customer."""
    return bool(entry.item.traits) or (entry.fact is not None and entry.fact["kind"] == facts.ORDER_COMPLETED)


def _stated(entry: Entry, context: Context) -> list[traits.Stated]:
    if not entry.subject:
        return []
    at, source, ref = entry.item.at, context.source.name, entry.ref
    return [traits.Stated(entry.subject, name, value, at, source, ref) for name, value in entry.item.traits.items()]


def _header(batch: Batch, context: Context) -> dict[str, Any]:
    refused = Counter(entry.refusal.reason for entry in context.entries if entry.refusal)
    refs = sorted(entry.ref for entry in batch if not entry.refusal)
    return {
        "source": context.source.name,
        "accepted": len(refs),
        "duplicates": sum(entry.duplicate for entry in context.entries),
        "refused": dict(sorted(refused.items())),
        "facts": sum(entry.fact is not None for entry in batch),
        "root": Range(leaf_hash(ref) for ref in refs).root().hex(),
    }


def run(context: Context) -> Batch:
    """Take the context's entries through every step; returns those that were taken in."""
    batch = list(context.entries)
    for step in STEPS:
        batch = step(batch, context)
    return batch
