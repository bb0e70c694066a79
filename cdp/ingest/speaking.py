"""What items say about consent: recorded as statements of the subject, or as silence of a contact point.

A no always counts; of whom or what it is about cannot be told, it is the whole subject's. Said through a
public key by a declared act it silences the contact point that it names, whoever has it, since nobody can
tell its owner from a stranger there, and an unsubscribe must not be lost: a stranger can silence an
address so, and only its owner can open it again, where they are known. A yes for a
contact channel needs its contact point and never comes through a public key, one for a device needs the
device; a yes without a named notice is partial evidence (rulings R2, R3, R13).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from cdp import consent, vault
from cdp.connector.kit import Signal
from cdp.consent.model import ConsentRecord
from cdp.consent.rules import IMPORT
from cdp.errors import Refusal
from cdp.identity import Canonical, graph, places
from cdp.identity.holder import let_go_of
from cdp.ingest import repeating
from cdp.ingest.batch import NO_STATUSES, Context, Entry
from cdp.policy.terms import CONTACT_CHANNELS

DEVICE = "anonymous_id"

UNPROVEN = "stale_or_unproven_grant"
"""The alert of a list that says yes without its proof: it is kept as unknown and opens nothing (GDPR 7(1))."""

TEXTS = ("method", "notice", "notice_version", "language")
"""What a signal says in words from outside."""


def record(batch: Iterable[Entry], context: Context) -> None:
    """Record every statement that says something new, and every silence of the batch."""
    said, people = [], {}
    for entry in batch:
        for number, signal in enumerate(entry.item.signals):
            statement = _statement(entry, signal, context)
            if isinstance(statement, Refusal):
                entry.notes.append(Refusal(statement.reason, f"{entry.item.pointer}/signals/{number}"))
                entry.drops.append(("signal", statement.reason))
            elif entry.subject:
                entry.spoke = True
                if _is_unproven(statement):
                    entry.drops.append(("signal", UNPROVEN))
                said.append((entry.subject, statement))
                people[entry.subject] = entry.person
    noes = {(one.namespace, one.token) for _, one in said if one.token and one.status in NO_STATUSES}
    graph.lock_tokens(context.session, noes)  # whoever brings the point meanwhile waits, and hears it
    consent.record_all(context.session, repeating.only_new(context.session, said, people), context.at)
    let_go_of(context.session, noes)
    _silence(batch, context)


def _silence(batch: Iterable[Entry], context: Context) -> None:
    points: dict[tuple[str, str], set[tuple[str, bytes]]] = defaultdict(set)
    tokens: set[tuple[str, bytes]] = set()
    for entry in batch:
        for channel, reason, contact in _silenced(entry, context):
            if contact is None:
                entry.notes.append(Refusal("unusable_contact", entry.item.pointer))
                entry.drops.append(("silence", "unusable_contact"))
            else:
                points[channel, reason].add((contact.namespace, context.silence_token(contact)))
                tokens.add((contact.namespace, places.find_one(context.session, contact).token))
    if not tokens:
        return
    graph.lock_tokens(context.session, tokens)  # whoever brings the point meanwhile waits, and finds it silent
    for (channel, reason), some in sorted(points.items()):
        consent.suppress_all(context.session, some, channel, reason, context.at, context.source.brand)
    let_go_of(context.session, tokens)


def _silenced(entry: Entry, context: Context) -> Iterator[tuple[str, str, Canonical | None]]:
    """Yield (channel, reason, contact point) of what must fall silent; no point where none can be read."""
    for silence in entry.item.silences:
        claim = silence.contact
        yield silence.channel, silence.reason, context.spell(claim.type, claim.value, claim.scope, claim.verified)
    for signal in entry.item.signals if context.source.public else ():
        if signal.act and signal.status in NO_STATUSES and signal.contact is not None:
            contact = _contact(entry, signal, context)
            reached = set(CONTACT_CHANNELS.get(signal.channel, ()))
            if contact is not None and reached.intersection(vault.family(contact.namespace)):
                yield signal.channel, "unsubscribe", contact


def _statement(entry: Entry, signal: Signal, context: Context) -> consent.Statement | Refusal:
    contact = _contact(entry, signal, context)
    refusal = _refusal(signal, contact, context)
    if refusal:
        return refusal
    signal = _shortened(signal)
    source = context.source
    own = bool(signal.notice or signal.evidenced_by)
    shown = (signal.notice, signal.notice_version) if own else (source.notice, source.notice_version)
    return consent.Statement(
        purpose=signal.purpose,
        channel=signal.channel,
        status=signal.status,
        method=signal.method or source.method,
        event_time=entry.item.at,
        source=source.name,
        act=signal.act,
        namespace=contact.namespace if contact else "",
        token=places.find_one(context.session, contact).token if contact else b"",
        notice=shown[0],
        notice_version=shown[1],
        language=signal.language or ("" if signal.evidenced_by else source.language),
        evidence=signal.evidence if all(shown) or signal.status != "given" else _partial(signal.evidence),
        actor=source.actor,
        verified=_is_vouched(entry, signal, contact, context),
        public=source.public,
        brand=source.brand,
        lifts=context.silence_token(contact) if contact and signal.channel in CONTACT_CHANNELS else b"",
        evidenced_by=signal.evidenced_by,
    )


def _is_unproven(statement: consent.Statement) -> bool:
    """Whether a list says yes and does not prove it."""
    claims = statement.status in ("given", "unknown")
    return claims and statement.actor == IMPORT and statement.evidence != "full"


def _contact(entry: Entry, signal: Signal, context: Context) -> Canonical | None:
    """Return the contact point or device that a signal is about; None where that is not one thing."""
    if signal.contact is not None:
        claim = signal.contact
        return context.spell(claim.type, claim.value, claim.scope, claim.verified)
    wanted = CONTACT_CHANNELS.get(signal.channel, (DEVICE,))
    found = [name for name in entry.names if name.namespace in wanted]
    return found[0] if len(found) == 1 else None


def _refusal(signal: Signal, contact: Canonical | None, context: Context) -> Refusal | None:
    if signal.status in NO_STATUSES:
        return None
    if signal != _shortened(signal):
        return Refusal("signal_malformed")
    if signal.purpose not in context.policy.purposes:
        return Refusal("undeclared_purpose")
    brands = {context.source.brand, context.policy.purposes[signal.purpose].brand} - {""}
    if len(brands) > 1:  # who said yes to one brand said nothing to another (ruling R12)
        return Refusal("other_brand")
    if signal.channel not in CONTACT_CHANNELS:
        lost = contact is None and (signal.contact is not None or context.source.public)
        return Refusal("unusable_contact") if lost else None
    if context.source.public:
        return Refusal("public_key_cannot_grant_contact")
    fits = contact is not None and contact.namespace in CONTACT_CHANNELS[signal.channel]
    return None if fits else Refusal("contact_needed")


def _is_vouched(entry: Entry, signal: Signal, contact: Canonical | None, context: Context) -> bool:
    """Whether the identified person said it: a yes for a contact point needs that very point vouched for."""
    if context.source.public:
        return False
    if contact is not None and signal.channel in CONTACT_CHANNELS and signal.status not in NO_STATUSES:
        return contact.verified
    return any(name.verified for name in entry.names)


def _shortened(signal: Signal) -> Signal:
    """Empty the texts that are too long to keep."""
    longest = {name: ConsentRecord.__table__.c[name].type.length for name in TEXTS}  # type: ignore[attr-defined]
    too_long: dict[str, Any] = {name: "" for name in TEXTS if len(getattr(signal, name)) > longest[name]}
    return replace(signal, **too_long) if too_long else signal


def _partial(evidence: str) -> str:
    return "partial" if evidence == "full" else evidence
