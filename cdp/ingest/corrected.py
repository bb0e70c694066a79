"""What a person had put right is not undone by tomorrow's import: stale values and identifiers are left out, counted.

A trait's wrong value changes nothing until its source brings a third one that may be kept. An identifier that was
removed joins nobody by a new record of the same person; in a record that is known it changes nothing anyway.
"""

from collections.abc import Mapping
from dataclasses import replace

from cdp import identity
from cdp.identity import Canonical, correcting
from cdp.ingest.batch import Batch, Context, Entry
from cdp.profile import corrections
from cdp.profile.model import Correction
from cdp.profile.traits import Stated

REASON = "corrected"


def leave_out_identifiers(batch: Batch, context: Context) -> Batch:
    """Take from each item the identifiers that the person it is about had removed."""
    removed = correcting.removed(context.session, {point for entry in batch for point in entry.points})
    if removed:
        naming = [entry for entry in batch if any(removed.keys() & _points(name, context) for name in entry.names)]
        others = {point for entry in naming for name in entry.names for point in _points(name, context)}
        holders = correcting.holders(context.session, others)
        for entry in naming:
            _leave_out(entry, context, removed, holders)
    return batch


def contested(batch: Batch, context: Context) -> set[tuple[int, str]]:
    """Return (person, trait) of what corrections stand for: nothing that is said of it counts before it may be kept."""
    stating = {entry.person for entry in batch if entry.subject and entry.item.traits}
    context.corrections = corrections.of_people(context.session, stating)
    return {(person, row.name) for person, rows in context.corrections.items() for row in rows if row.ended_at is None}


def leave_out_traits(batch: Batch, context: Context) -> Batch:
    """Take from each item the values that corrections of its person stand against; what is left may end them."""
    stating = [entry for entry in batch if entry.subject and entry.item.traits]
    standing = context.corrections
    for entry in sorted(stating, key=lambda entry: (entry.item.at, entry.ref)) if standing else ():
        rows = standing.get(entry.person, [])
        stale = {name for name in entry.item.traits if _is_stale(rows, entry, name, context)}
        for name in sorted(stale):
            entry.drop("field", name, REASON)
        kept = {name: value for name, value in entry.item.traits.items() if name not in stale}
        entry.item = replace(entry.item, traits=kept)
    return batch


def _is_stale(rows: list[Correction], entry: Entry, name: str, context: Context) -> bool:
    item = entry.item
    one = Stated(entry.subject, name, item.traits[name], item.at, context.source.name, entry.ref)
    return corrections.outweighs(context.session, rows, one, context.at)


def _points(name: Canonical, context: Context) -> set[bytes]:
    """Return the suppression tokens of an identifier and its mailbox, of which it may be but another spelling."""
    return {context.silence_token(one) for one in context.evidence([name])}


def _leave_out(
    entry: Entry, context: Context, removed: Mapping[bytes, set[int]], holders: Mapping[bytes, set[int]]
) -> None:
    points = {name: _points(name, context) for name in entry.names}
    kept = {point for some in points.values() if not some & removed.keys() for point in some}
    about = {person for point in kept for person in holders.get(point, ())}
    stale = {name for name, some in points.items() if any(removed.get(point, set()) & about for point in some)}
    source = context.source
    arrival = identity.Arrival(source.name, entry.names, source.residence_default, source.public)
    if stale and not identity.is_known(context.session, arrival):
        for name in sorted(stale, key=lambda name: name.namespace):
            entry.drop("field", name.namespace, REASON)
        entry.names = tuple(name for name in entry.names if name not in stale)
