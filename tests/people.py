"""The five people of the test world, and how they come in: through the doors that their systems use.

Ada consented, Ben withdrew, Cleo was never asked, Dev is a child, Eve is erased. `cast(7)` gives five
others of the same habits, so that one deployment can hold many casts.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

PURPOSE, CHANNEL = "email_marketing", "email"
NOTICE = {"notice": "newsletter", "notice_version": "1", "language": "ja"}
LONG_AGO = datetime.now(UTC).replace(microsecond=0) - timedelta(days=40)
PROVIDER = "test-provider"


@dataclass(frozen=True)
class Person:
    """One person with every identifier that any system knows."""

    name: str
    family: str
    number: int
    birthday: str
    phone: str
    stance: str
    """given | withdrawn | never"""

    @property
    def key(self) -> str:
        return f"{self.name.lower()}{self.number}"

    @property
    def email(self) -> str:
        return f"{self.key}@people.example"

    @property
    def user_id(self) -> str:
        return f"login-of-{self.key}"

    @property
    def crm_id(self) -> str:
        return f"CRM{self.number:04d}{ord(self.name[0]):03d}"

    @property
    def line_uid(self) -> str:
        return "U" + f"{self.number:08x}{ord(self.name[0]):08x}".rjust(32, "c")

    @property
    def device(self) -> str:
        return f"browser-of-{self.key}"

    @property
    def identifiers(self) -> tuple[tuple[str, str, str], ...]:
        """(namespace, scope, value) as the API names them."""
        return (
            ("email", "", self.email),
            ("phone", "", self.phone),
            ("user_id", "", self.user_id),
            ("crm_id", "crm", self.crm_id),
            ("line_uid", PROVIDER, self.line_uid),
            ("anonymous_id", "", self.device),
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never stand anywhere in the clear: values that no code or path holds by chance."""
        return (
            self.email,
            self.phone,
            self.phone.replace("+81", "0"),
            self.user_id,
            self.crm_id,
            self.line_uid,
            self.family,
        )


@dataclass(frozen=True)
class Cast:
    """Five people of one number."""

    ada: Person
    ben: Person
    cleo: Person
    dev: Person
    eve: Person

    @property
    def everybody(self) -> tuple[Person, ...]:
        return (self.ada, self.ben, self.cleo, self.dev, self.eve)


def cast(number: int = 0) -> Cast:
    """Return the five people, or five others who do the same."""

    def person(name: str, place: int, birthday: str, stance: str) -> Person:
        phone = f"+8190{20000000 + number * 10 + place}"
        return Person(name, f"{name}kawaguchi", number, birthday, phone, stance)

    child = f"{datetime.now(UTC).year - 9}-05-05"
    return Cast(
        ada=person("Ada", 1, "1990-04-01", "given"),
        ben=person("Ben", 2, "1985-07-12", "withdrawn"),
        cleo=person("Cleo", 3, "1979-11-30", "never"),
        dev=person("Dev", 4, child, "given"),
        eve=person("Eve", 5, "1968-02-20", "given"),
    )


def crm_row(person: Person) -> dict[str, str]:
    """One row of a HubSpot contact export."""
    return {
        "Record ID": person.crm_id,
        "First Name": person.name,
        "Last Name": person.family,
        "Email": person.email.upper(),
        "Phone Number": person.phone.replace("+81", "0"),
        "Country/Region": "JP",
        "Date of birth": person.birthday,
    }


def site_calls(person: Person) -> list[dict[str, Any]]:
    """A visit, a login that links LINE, an order: calls of a server-side Segment SDK."""
    who = {"userId": person.user_id, "anonymousId": person.device}
    line = {"id": person.line_uid, "type": "line_uid", "collection": "users", "encoding": "none"}
    calls: list[dict[str, Any]] = [
        {
            "type": "track",
            "event": "Product Viewed",
            "anonymousId": person.device,
            "properties": {"product_id": "tea-01"},
        },
        {
            "type": "identify",
            **who,
            "traits": {
                "email": person.email,
                "phone": person.phone,
                "lastName": person.family,
                "birthday": person.birthday,
                "country": "JP",
            },
            "context": {"externalIds": [line]},
        },
        {
            "type": "track",
            "event": "Order Completed",
            **who,
            "properties": {"order_id": f"order-of-{person.key}", "total": 4800, "currency": "JPY"},
        },
    ]
    for place, call in enumerate(calls):
        call["messageId"] = f"site-{person.key}-{place}"
        call["timestamp"] = (LONG_AGO + timedelta(minutes=place)).isoformat()
    return calls


def line_events(person: Person) -> list[dict[str, Any]]:
    """A follow, as the Messaging API delivers it."""
    return [
        {
            "type": "follow",
            "mode": "active",
            "timestamp": int(LONG_AGO.timestamp() * 1000),
            "source": {"type": "user", "userId": person.line_uid},
            "webhookEventId": f"01F{person.line_uid[-23:].upper()}",
            "deliveryContext": {"isRedelivery": False},
            "follow": {"isUnblocked": False},
        }
    ]


def mail_events(person: Person) -> list[dict[str, Any]]:
    """A letter that arrived, as SendGrid reports it."""
    return [
        {
            "email": person.email,
            "event": "delivered",
            "timestamp": int(LONG_AGO.timestamp()) + 3600,
            "sg_event_id": f"sg-{person.line_uid[-12:]}",
            "sg_message_id": f"letter-{person.number}",
        }
    ]


def consent(person: Person) -> dict[str, Any]:
    """The body that a newsletter form posts for this person."""
    return {
        "identifier": {"type": "email", "value": person.email},
        "purpose": PURPOSE,
        "channel": CHANNEL,
        "status": "given",
        **NOTICE,
        "method": "checkbox",
        "event_time": LONG_AGO.isoformat(),
        "evidence": {"form": "newsletter"},
    }


def withdrawal(person: Person) -> dict[str, Any]:
    """The body that withdraws it."""
    return {"identifier": {"type": "email", "value": person.email}, "purpose": PURPOSE, "channel": CHANNEL}
