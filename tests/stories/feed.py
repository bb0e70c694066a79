"""What a shop's systems report of many people in three months: five doors, everything that makes order matter.

Deterministic: a number and a count give the same messages for ever. People begin as browsers and log in later;
they share phones, mailboxes and devices; they say yes and no, sometimes in one instant; they move, grow up,
take words back and send goods back.

Left out, since their outcome depends on what had been received by then, by design: erasures (who was erased stays
out), and browsing by people who refuse it or live where it needs consent (what may be collected is judged at
receipt). Messages without an id are left out too: such a call is not idempotent, and its report says so.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, count, islice
from random import Random
from typing import Any

from cdp import connector
from cdp.connector import ConnectorType
from cdp.connector.kit import FileSource, Incoming, Item, SourceConfig
from cdp.errors import Refusal

SPRING = datetime(2026, 3, 1, tzinfo=UTC)
PROVIDER = "test-provider"
WORDS = {"notice": "newsletter", "notice_version": "2", "language": "ja"}
CROWD = 45
"""People of the first crowd: every second of them gives the number of one reception desk."""

DOORS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "site": (
        "segment",
        {
            "key": "server",
            "residence_default": "JP",
            "external_ids": "line_uid",
            "scope_line_uid": PROVIDER,
        },
    ),
    "app": ("segment", {"key": "public", "residence_default": "JP"}),
    "crm": ("csv", {"residence_default": "JP", "layout": "retail_jp"}),
    "line": ("line", {"provider_id": PROVIDER, "notice": "line", "notice_version": "1", "language": "ja"}),
    "mail": ("sendgrid", {"purpose": "email_marketing"}),
}
"""Source → its connector and settings."""


@dataclass(frozen=True)
class Message:
    """One message as its sender writes it."""

    door: str
    body: Mapping[str, Any]


def messages(events: int) -> list[Message]:
    """Return that many messages, five for each person on average."""
    return list(islice(chain.from_iterable(map(_life, count())), events))


def delivered(sent: Sequence[Message], order: int, doubled: float = 0.3) -> Iterator[tuple[str, list[Message]]]:
    """Yield (door, batch) in the random order of this number, that part of the messages twice, batches of any size."""
    dice = Random(order)
    coming = [*sent, *dice.sample(sent, int(len(sent) * doubled))]
    dice.shuffle(coming)
    waiting: dict[str, list[Message]] = defaultdict(list)
    full = {door: dice.randint(1, 500) for door in DOORS}
    for message in coming:
        waiting[message.door].append(message)
        if len(waiting[message.door]) >= full[message.door]:
            yield message.door, waiting.pop(message.door)
            full[message.door] = dice.randint(1, 500)
    yield from waiting.items()


class Doors:
    """The sources that the messages come through, read by the connectors that ship."""

    def __init__(self, types: Mapping[str, ConnectorType]) -> None:
        self.types = types
        self.configs = {
            name: connector.configure(types[kind].manifest, name, settings) for name, (kind, settings) in DOORS.items()
        }

    def read(self, door: str, batch: Iterable[Message], at: datetime) -> tuple[SourceConfig, list[Item | Refusal]]:
        """Return the source and its items, as the web's doors and the import make them of the bytes."""
        config, source = self.configs[door], self.types[DOORS[door][0]].source
        if isinstance(source, FileSource):
            return config, [_row(source, config, message.body, at) for message in batch]
        bodies = [message.body for message in batch]
        whole = {"site": {"batch": bodies}, "app": {"batch": bodies}, "line": {"events": bodies}}.get(door, bodies)
        incoming = Incoming(body=json.dumps(whole).encode(), at=at, call="batch")
        return config, list(source.read(incoming, config))


def _row(source: FileSource, config: SourceConfig, body: Mapping[str, Any], at: datetime) -> Item | Refusal:
    reader = source.plan(list(body), config)
    assert not isinstance(reader, Refusal)
    return reader(body, "", at)


@dataclass(frozen=True)
class _Person:
    number: int
    dice: Random

    @property
    def email(self) -> str:
        if self.number % 50 in (7, 8):
            return f"family{self.number // 50}@people.example"
        return f"p{self.number}@people.example"

    @property
    def phone(self) -> str:
        if self.number < CROWD and self.number % 2:
            return "0312345678"
        return f"0901{(self.number - 1 if self.number % 10 == 1 else self.number):07d}"

    @property
    def country(self) -> str:
        return "DE" if self.number % 13 == 4 else "JP"

    @property
    def device(self) -> str:
        return f"device-{self.number - 1 if self.number % 9 == 1 else self.number}"

    @property
    def browses(self) -> bool:
        """Alone on the device and in Japan, so that nobody's no reaches this browser at any moment."""
        n = self.number
        return n >= CROWD and n % 10 in (3, 5) and n % 13 != 4 and n % 17 != 0 and n % 9 > 1 and n % 50 != 8

    def when(self) -> datetime:
        """Some instant, coarse enough for ties."""
        return SPRING + timedelta(hours=self.dice.randrange(24 * 80))

    def id(self, kind: str) -> str:
        return f"{kind}-{self.number}-{self.dice.getrandbits(40):x}"


def _life(number: int) -> Iterator[Message]:
    person = _Person(number, Random(f"life {number}"))
    habits: list[Callable[[_Person], list[Message]]] = [_browse, _shop, _card, _chat, _letters, _choose, _claim]
    lived = [message for habit in habits for message in habit(person)]
    kept = person.dice.randint(2, 10)
    yield from person.dice.sample(lived, min(kept, len(lived)))


def _browse(person: _Person) -> list[Message]:
    """Seen before known, on a device that another may use too."""
    if not person.browses:
        return []
    events = ["Product Viewed", "Product Added", "Products Searched", "Cart Viewed"]
    return [
        _call(person, "app", "track", event=name, anonymousId=person.device, properties={"product_id": "tea-01"})
        for name in person.dice.sample(events, person.dice.randint(1, 3))
    ]


def _shop(person: _Person) -> list[Message]:
    """Logs in, buys, sends back; what is said of oneself changes, now and then twice in one instant."""
    who = {"userId": f"login-{person.number}", "anonymousId": person.device}
    line = {"id": _line_uid(person), "type": "line_uid", "collection": "users", "encoding": "none"}
    linked = {"context": {"externalIds": [line]}} if person.number % 4 == 0 else {}
    order = {"order_id": f"o-{person.number}", "total": person.dice.randint(5, 200) * 100, "currency": "JPY"}
    moment = person.when()
    said = [
        _call(person, "site", "identify", moment, **who, **linked, traits={"email": person.email, **_traits(person)}),
        _call(person, "site", "identify", moment, **who, traits=_traits(person)),
        _call(person, "site", "track", event="Order Completed", **who, properties=order),
        _call(person, "site", "track", event="Signed In", userId=who["userId"]),
    ]
    if person.number % 3 == 0:
        said.append(_call(person, "site", "track", event="Order Completed", userId=who["userId"], properties=order))
        said.append(_call(person, "site", "track", event="Order Refunded", **who, properties=order))
    if person.number % 5 == 0:
        said.append(_call(person, "site", "track", event="Support Requested", **who, properties={"topic": "size"}))
    return said


def _traits(person: _Person) -> dict[str, Any]:
    young = person.number % 50 == 7
    year = person.dice.choice((2012, 1990)) if young else person.dice.choice((1975, 1988, 2001))
    said = {
        "birthday": f"{year}-05-{person.dice.randint(1, 28):02d}",
        "plan": person.dice.choice(("regular", "silver", "gold")),
        "lastName": person.dice.choice(("山田", "佐藤", "Müller")),
        "country": person.country if person.number % 17 else person.dice.choice(("JP", "DE")),
    }
    if person.number % 50 == 8:
        del said["birthday"]
    return said


def _card(person: _Person) -> list[Message]:
    """The shop's own register, a row or two."""
    rows = [
        {
            "会員番号": f"M{person.number}",
            "メールアドレス": person.email,
            "電話番号": person.phone,
            "氏名": "山田 花子",
            "会員ランク": person.dice.choice(("一般", "ゴールド")),
            "ポイント": str(person.dice.randint(0, 5000)),
            "都道府県": person.dice.choice(("東京都", "大阪府")),
            "国": "ドイツ" if person.country == "DE" else "日本",
            "更新日": person.when().date().isoformat(),
            "配信停止": "1" if person.number % 30 == 29 else "",
        }
        for _ in range(person.dice.randint(0, 2))
    ]
    return [Message("crm", row) for row in rows]


def _chat(person: _Person) -> list[Message]:
    """Follows, writes, takes back what was written, leaves, follows again."""
    if person.number % 4:
        return []
    written = person.dice.randrange(10**9)
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("follow", {"follow": {"isUnblocked": False}}),
        ("message", {"message": {"id": str(written), "type": "text", "text": "hello"}}),
        ("message", {"message": {"id": str(written + 1), "type": "sticker"}}),
        ("unsend", {"unsend": {"messageId": str(written)}}),
    ]
    if person.number % 8 == 0:
        kinds.append(("unfollow", {}))
    return [
        Message(
            "line",
            {
                "type": kind,
                "timestamp": int(person.when().timestamp() * 1000),
                "source": {"type": "user", "userId": _line_uid(person)},
                "webhookEventId": person.id("hook"),
                **more,
            },
        )
        for kind, more in kinds
    ]


def _letters(person: _Person) -> list[Message]:
    """What became of letters to the address."""
    kinds = ["delivered", *(["unsubscribe"] if person.number % 12 == 6 else [])]
    kinds += ["bounce"] if person.number % 25 == 9 else []
    return [
        Message(
            "mail",
            {
                "email": person.email,
                "event": kind,
                "timestamp": int(person.when().timestamp()),
                "sg_event_id": person.id("sg"),
            },
        )
        for kind in kinds
    ]


def _choose(person: _Person) -> list[Message]:
    """Yes and no to letters and cookies, with their own times; some in the same instant, some under two notices."""
    who = {"userId": f"login-{person.number}", "context": {"traits": {"email": person.email}}}
    first, second = person.when(), person.when()
    yes = {"event": "Newsletter Subscribed", **who, "properties": {"email": person.email, **WORDS}}
    older = {**yes, "properties": {**yes["properties"], "notice_version": "1"}}
    no = {"event": "Newsletter Unsubscribed", **who, "properties": {"email": person.email}}
    said = [_call(person, "site", "track", first, **yes)] if person.number % 2 else []
    if person.number % 5 == 1:
        said.append(_call(person, "site", "track", person.dice.choice((first, second)), **no))
    if person.number % 7 == 1:
        said.append(_call(person, "site", "track", first, **older))
    if person.number % 10 in (0, 2):
        shown = {"anonymousId": f"device-{person.number}"}
        for at in (first, second):
            chosen = {name: person.dice.random() < 0.5 for name in ("Analytics", "Advertising", "Functional")}
            consent = {"context": {"consent": {"categoryPreferences": chosen}}}
            said.append(
                _call(person, "app", "track", at, event="Segment Consent Preference Updated", **shown, **consent)
            )
    return said


def _claim(person: _Person) -> list[Message]:
    """A browser that says it is somebody, truly or not."""
    if person.number % 11 != 5 or person.browses:
        return []
    stranger = f"login-{person.number + person.dice.randint(0, 1)}"
    return [_call(person, "app", "identify", userId=stranger, anonymousId=f"device-{person.number}", traits={})]


def _call(person: _Person, door: str, kind: str, at: datetime | None = None, **body: Any) -> Message:
    moment = (at or person.when()).isoformat()
    return Message(door, {"type": kind, "messageId": person.id(kind), "timestamp": moment, **body})


def _line_uid(person: _Person) -> str:
    return "U" + f"{person.number:032x}"


__all__ = ["DOORS", "Doors", "Message", "delivered", "messages"]
