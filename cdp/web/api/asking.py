"""From what a client asked to a use of the policy; from the gate's no to what leaves.

A no that depends on no person is 403 with its reason and article; a no about a person is absence (ruling R15).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, NoReturn

from flask import request
from sqlmodel import Session

from cdp import ledger, vault
from cdp.errors import FieldError, Problem, Refusal
from cdp.gate.explanation import Explanation
from cdp.gate.question import Reason
from cdp.gate.reasons import reason
from cdp.gate.register import REGISTER
from cdp.policy.terms import CHANNELS, Purpose, Use
from cdp.web import current

UNDECLARED = -1
"""Index of a use that the policy does not declare: its decision is a no, by `unknown_use`."""


def use_for(purpose: str, channel: str | None) -> Use:
    """Return the caller's use of purpose and channel.

    Raises Problem: 400 `unknown_purpose`, `unknown_channel`, `channel_needed`; 403 `purpose_not_registered`,
    or `unknown_use` where the policy gives this recipient nothing for it.
    """
    use = declared_use(purpose, channel, current.caller().recipient)
    if use.index == UNDECLARED:
        refuse(Refusal("unknown_use"))
    return use


def declared_use(purpose: str, channel: str | None, recipient: str) -> Use:
    """Return the use of these three, with the index UNDECLARED where the policy has none; raises as `use_for`."""
    reached = channel_of(registered_purpose(purpose), channel)
    use = current.policy().find_use(purpose, recipient, reached)
    return use or Use(UNDECLARED, purpose, recipient, reached)


def registered_purpose(name: str) -> Purpose:
    """Return the purpose; raises Problem unless it is declared (400) and the caller registered for it (403)."""
    declared = known_purpose(name)
    if name not in current.caller().purposes:
        raise Problem(403, "purpose_not_registered", "This client is not registered for this purpose.")
    return declared


def known_purpose(name: str) -> Purpose:
    """Return the purpose; raises Problem 400 `unknown_purpose`."""
    declared = current.policy().purposes.get(name)
    if declared is None:
        errors = [FieldError("/purpose", "No such purpose is declared.")]
        raise Problem(400, "unknown_purpose", "The policy declares no such purpose.", errors)
    return declared


def channel_of(purpose: Purpose, channel: str | None) -> str:
    """Return the channel; raises Problem 400 `channel_needed` or `unknown_channel`."""
    if channel is None:
        if len(purpose.channels) == 1:
            return purpose.channels[0]
        detail = f"This purpose has several channels: {', '.join(purpose.channels)}."
        raise Problem(400, "channel_needed", detail, [FieldError("/channel", "Name one.")])
    check_channel(channel)
    return channel


def check_channel(channel: str | None) -> None:
    """Raise Problem 400 `unknown_channel` for a channel that there is not."""
    if channel is not None and channel not in CHANNELS:
        detail = f"Channels are: {', '.join(CHANNELS)}."
        raise Problem(400, "unknown_channel", detail, [FieldError("/channel", "No such channel.")])


def fields_for(use: Use, asked: Sequence[str] | None) -> tuple[str, ...]:
    """Return the fields to ask the gate for: those named, else everything that purpose and recipient allow."""
    if asked is not None:
        return tuple(dict.fromkeys(asked))
    terms = current.policy()
    allowed = terms.recipients[use.recipient].fields
    return tuple(name for name in terms.purposes[use.purpose].fields if name in allowed)


def refuse(refusal: Refusal) -> NoReturn:
    """Raise the 403 of a refusal that depends on no person, with law, article and both texts."""
    errors = [FieldError(f"/{refusal.where}", "Not allowed for this purpose and recipient.")] if refusal.where else []
    if refusal.reason not in REGISTER:
        detail = "The policy does not allow this, whoever it is about."
        raise Problem(403, refusal.reason, detail, errors, extra={"reason": refusal.reason})
    said = reason(refusal.reason)
    extra: dict[str, object] = {"reason": said.code, "law": said.law, "article": said.article}
    extra |= {"ja": said.ja, "en": said.en, "remedy_ja": said.remedy_ja, "remedy_en": said.remedy_en}
    raise Problem(403, said.code, said.en, errors, extra=extra)


def asks_to_explain() -> bool:
    """Whether the caller wants refusals about a person explained, and may have that."""
    wants = "explain" in {part.strip().lower() for part in request.headers.get("Prefer", "").split(",")}
    return wants and current.caller().may("decision:read")


def reason_body(one: Reason) -> Mapping[str, Any]:
    """Return a reason as it leaves."""
    return asdict(one)


def note_explained(session: Session, use: Use, person: int | None, explained: Explanation | None) -> str:
    """Write that a decision about somebody was explained to this client; returns the entry's id."""
    header = {
        "client": current.caller().client_id,
        "purpose": use.purpose,
        "recipient": use.recipient,
        "channel": use.channel,
        "person": digest_of(session, person) if person is not None else None,
        "allow": explained.decision.allow if explained is not None else None,
    }
    return ledger.note(session, "decision.explained", header, current.now())


def digest_of(session: Session, person: int) -> str:
    """Name a person in the ledger."""
    return vault.of(session).digest("ledger.person", str(person).encode()).hex()
