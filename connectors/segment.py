"""The Segment protocol, as the SDKs of Segment and RudderStack speak it.

Refuses, item by item: no type, no event name, no identifier, a time that is none. Consent
preferences on ordinary events report a state; only the declared events are acts (ruling R3).
No consent signal is never a yes; `Sec-GPC: 1` is a withdrawal for the device; a TC string is a
state, and next to it a category's yes counts only where the string says yes too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from cdp.connector import tcf
from cdp.connector.kit import (
    LANGUAGE,
    METHOD,
    NOTICE,
    VERSION,
    Claim,
    ConsentTerm,
    EventTerm,
    Incoming,
    Item,
    Signal,
    SourceConfig,
    SourceType,
)
from cdp.connector.mapping import at_path, rename
from cdp.connector.reading import LONGEST, Malformed, as_instant, as_list, as_object, as_text, flaw, read_json, size
from cdp.errors import Problem, Refusal

CALLS = {"i": "identify", "t": "track", "p": "page", "s": "screen", "g": "group", "a": "alias"}
CONSENT_ACT = "Segment Consent Preference Updated"
WORDS = {"notice": NOTICE, "notice_version": VERSION, "language": LANGUAGE, "method": METHOD}
"""What an act says of how it was asked for. A text that is none of these refuses the signal, not the event."""


@dataclass(frozen=True, slots=True)
class Message:
    """One call of the protocol, with what the request around it said."""

    body: Mapping[str, Any]
    kind: str
    pointer: str
    received: datetime
    sent: Any

    @property
    def context(self) -> Mapping[str, Any]:
        return as_object(self.body.get("context"))

    @property
    def traits(self) -> dict[str, Any]:
        """What is said of the person: a group's traits are the group's."""
        own = as_object(self.body.get("traits")) if self.kind == "identify" else {}
        return {**as_object(self.context.get("traits")), **own}

    @property
    def vendor_event(self) -> str:
        if self.kind in ("identify", "alias"):
            return ""
        if self.kind != "track":
            return f"${self.kind}"
        name = self.body.get("event")
        if not isinstance(name, str) or not name.strip():
            raise Malformed("event_name_missing", "/event")
        return name.strip()[:LONGEST]

    @property
    def properties(self) -> dict[str, Any]:
        own = {
            key: self.body[key] for key in ("name", "category") if self.kind in ("page", "screen") and key in self.body
        }
        campaign = as_object(self.context.get("campaign"))
        return {**own, **as_object(self.body.get("properties")), **({"campaign": campaign} if campaign else {})}


class Segment(SourceType):
    """Sites, apps and servers that speak Segment."""

    def verify(self, incoming: Incoming, credentials: Mapping[str, str], at: datetime) -> Refusal | None:
        return None  # the write key that found the source is the check

    def welcome(self, config: SourceConfig) -> list[tuple[str, str]]:
        return [("write_key", "{write_key}"), ("data_plane_url", "{base_url}")]

    def read(self, incoming: Incoming, config: SourceConfig) -> Iterator[Item | Refusal]:
        gpc = incoming.headers.get("sec-gpc") == "1"
        # No event of a small body is large: most need no measuring.
        limit = incoming.event_limit if len(incoming.body) > incoming.event_limit else 0
        for message in _messages(incoming):
            item = _read(message, config, limit)
            if gpc and isinstance(item, Item):  # on every item: one that came before is dropped with what it says
                item = replace(item, signals=(*item.signals, *_opt_out(item.claims, config)))
            yield item


def _messages(incoming: Incoming) -> Iterator[Message]:
    envelope = read_json(incoming.body)
    if not isinstance(envelope, Mapping):
        raise Problem(400, "malformed_json", "The body must be a JSON object.")
    call = CALLS.get(incoming.call, incoming.call)
    if call in CALLS.values():
        yield Message(envelope, call, "", incoming.at, envelope.get("sentAt"))
        return
    batch = envelope.get("batch")
    if not isinstance(batch, list):
        raise Problem(400, "batch_missing", "A batch is a JSON object with a list `batch`.")
    sent = None if incoming.call == "import" else envelope.get("sentAt")
    shared = as_object(envelope.get("context"))
    for number, one in enumerate(batch):
        body = (
            {**one, "context": {**shared, **as_object(one.get("context"))}}
            if isinstance(one, Mapping)
            else {"type": None}
        )
        yield Message(body, str(body.get("type")), f"/batch/{number}", incoming.at, body.get("sentAt") or sent)


def _read(message: Message, config: SourceConfig, limit: int) -> Item | Refusal:
    try:
        return _item(message, config, limit)
    except Malformed as error:
        return Refusal(error.reason, message.pointer + error.field)


def _item(message: Message, config: SourceConfig, limit: int) -> Item:
    _sound(message, limit)
    event, undeclared = _event(message, config)
    term = config.events.get(event, EventTerm())
    claims = _claims(message, term, config)
    traits, dropped = _traits(message, config)
    odd = _odd_words(message, term, config)
    acts = () if odd else tuple(_act(message, term, claims, config))
    heard = tcf.hear(message.context, config.tcf, config.tcf_vendors, message.received)
    return Item(
        at=_instant(message),
        claims=claims,
        message_id=as_text(message.body.get("messageId"), "/messageId"),
        event=event,
        channel=term.channel or "none",
        properties=message.properties if event else {},
        traits=traits,
        signals=(*_preferences(message, event, claims, heard, config), *acts),
        pointer=message.pointer or "/",
        dropped=(*dropped, *undeclared, *odd),
        unheard=heard.refusals,
    )


def _event(message: Message, config: SourceConfig) -> tuple[str, tuple[str, ...]]:
    """Return our name of the event; a page, screen or group that nothing declares still names somebody."""
    event = config.declared(message.vendor_event)
    if event.startswith("$") and message.kind != "track":
        return "", (message.kind,)
    return event, ()


def _sound(message: Message, limit: int) -> None:
    if found := flaw(message.body):
        raise Malformed(found)
    if limit and size(message.body) > limit:
        raise Malformed("too_large")
    if message.kind not in CALLS.values():
        raise Malformed("unknown_type", "/type")


def _claims(message: Message, term: EventTerm, config: SourceConfig) -> tuple[Claim, ...]:
    """Every identifier of the message; a contact point named by a consent act counts where it may be believed."""
    found = [*_identifiers(message, config), *_external_ids(message, config)]
    contact = _contact(message, term.consent, (), config) if term.consent else None
    if contact is not None and (contact.verified or not found):
        found.append(contact)
    if not found:
        raise Malformed("no_identifier", "/userId")
    return tuple(dict.fromkeys(found))


def _identifiers(message: Message, config: SourceConfig) -> Iterator[Claim]:
    view = {**message.body, "traits": message.traits}
    for term in config.identifiers:
        if value := as_text(at_path(view, term.field), "/" + term.field.replace(".", "/")):
            yield Claim(term.namespace, value, term.scope, term.verified)


def _external_ids(message: Message, config: SourceConfig) -> Iterator[Claim]:
    """`context.externalIds` of a server: how a shop's own login is joined to a LINE user or a CRM record."""
    for one in as_list(message.context.get("externalIds")) if not config.public else ():
        namespace = as_object(one).get("type")
        value = as_text(as_object(one).get("id"), "/context/externalIds")
        if value and namespace in config.settings.get("external_ids", "").split(","):
            scope = as_text(one.get("scope"), "/context/externalIds") or config.settings.get(f"scope_{namespace}", "")
            yield Claim(namespace, value, scope, verified=True)


def _traits(message: Message, config: SourceConfig) -> tuple[dict[str, Any], tuple[str, ...]]:
    identifying = {term.field.removeprefix("traits.") for term in config.identifiers}
    said = {name: value for name, value in message.traits.items() if name not in identifying}
    traits, dropped = rename(said, config.trait_paths)
    return traits, tuple(f"traits.{name}" for name in dropped)


def _preferences(
    message: Message, event: str, claims: tuple[Claim, ...], heard: tcf.Heard, config: SourceConfig
) -> Iterator[Signal]:
    """Yield what banner and TC string say: of two words for a purpose the no; a string is a state, never an act."""
    said = _banner(message.context, config)
    act = event == CONSENT_ACT
    device = _device(claims)
    may_grant = device is not None or not config.public  # a grant through a public key binds a device
    doubted = {term.purpose for term, answer in heard.answers.items() if not answer}
    for term, yes in said.items():
        if not yes or (may_grant and term.purpose not in doubted):
            yield _signal(term, "given" if yes else "withdrawn" if act else "refused", act, device, config)
    for term, answer in heard.answers.items():
        if answer is False and said.get(term, True):
            yield replace(_signal(term, "refused", False, device, config), method="tcf")
        elif answer and may_grant and term not in said:
            yield replace(_signal(term, "given", False, device, config), method="tcf")


def _banner(context: Mapping[str, Any], config: SourceConfig) -> dict[ConsentTerm, bool]:
    said: dict[ConsentTerm, bool] = {}
    for category, yes in _categories(context):
        if term := config.banner.get(category):
            said[term] = said.get(term, True) and yes
    return said


def _device(claims: tuple[Claim, ...]) -> Claim | None:
    return next((claim for claim in claims if claim.type == "anonymous_id"), None)


def _categories(context: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    for category, yes in as_object(as_object(context.get("consent")).get("categoryPreferences")).items():
        if isinstance(yes, bool):
            yield category, yes
    rudder = as_object(context.get("consentManagement"))
    for key, yes in (("allowedConsentIds", True), ("deniedConsentIds", False)):
        for category in as_list(rudder.get(key)):
            if isinstance(category, str):
                yield category, yes


def _opt_out(claims: tuple[Claim, ...], config: SourceConfig) -> Iterator[Signal]:
    for term in config.gpc:
        yield replace(_signal(term, "withdrawn", True, _device(claims), config), method="gpc", evidence="full")


def _signal(term: ConsentTerm, status: str, act: bool, contact: Claim | None, config: SourceConfig) -> Signal:
    words = (config.notice, config.notice_version, config.language)
    evidence = "full" if all(words) and config.method else "none"
    return Signal(term.purpose, term.channel, status, act, config.method or "banner", *words, evidence, contact)


def _act(message: Message, event: EventTerm, claims: tuple[Claim, ...], config: SourceConfig) -> Iterator[Signal]:
    """What an event says that the manifest declares as an act, for example `Newsletter Subscribed`."""
    if (term := event.consent) is None:
        return
    contact = _contact(message, term, claims, config)
    if term.status != "given":
        yield Signal(term.purpose, term.channel, term.status, True, "form", contact=contact)
    elif contact is not None and not config.public:
        notice, version, language, method = (
            as_text(message.properties.get(name), f"/properties/{name}")
            for name in ("notice", "notice_version", "language", "method")
        )
        status, evidence = ("given", "full") if notice and version and language else ("unknown", "none")
        yield Signal(
            term.purpose, term.channel, status, True, method or "form", notice, version, language, evidence, contact
        )


def _odd_words(message: Message, event: EventTerm, config: SourceConfig) -> tuple[str, ...]:
    """Name the properties of a yes that are no words of consent: it is not recorded, and the names are counted."""
    if event.consent is None or event.consent.status != "given" or config.public:
        return ()
    said = {name: message.properties.get(name) for name in WORDS}
    return tuple(f"properties.{name}" for name, value in said.items() if not _is_word(name, value))


def _is_word(name: str, value: Any) -> bool:
    if value is None or isinstance(value, bool) or not isinstance(value, str | int):
        return value is None
    text = str(value).strip()
    return not text or WORDS[name].fullmatch(text) is not None


def _contact(message: Message, term: ConsentTerm, claims: tuple[Claim, ...], config: SourceConfig) -> Claim | None:
    stated = as_text(message.properties.get(term.contact), f"/properties/{term.contact}")
    if stated:
        return Claim(term.contact, stated, "", verified=not config.public)
    return next((claim for claim in claims if claim.type == term.contact), None)


def _instant(message: Message) -> datetime:
    """Correct the sender's clock as Segment does: received - (sent - original), and never later than received."""
    original = as_instant(message.body.get("originalTimestamp") or message.body.get("timestamp"), "/timestamp")
    sent = as_instant(message.sent, "/sentAt")
    if original is None:
        return message.received
    try:
        corrected = original if sent is None else message.received - max(sent - original, timedelta(0))
    except OverflowError:
        raise Malformed("timestamp_malformed", "/timestamp") from None
    return min(corrected, message.received)
