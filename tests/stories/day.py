"""A day in a small shop, act by act, below HTTP: what people do, say and ask, in any order that a seed gives.

It remembers who said no, and to what, by address, so that a reader of any list can be checked against it.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlmodel import Session, col, select

from cdp import consent, gate, identity, ingest, journey, rights
from cdp.connector.kit import Claim, EventTerm, Item, SourceConfig
from cdp.consent.model import Objection
from cdp.db import Database, unsettle
from cdp.errors import Problem
from cdp.identity.model import Override
from cdp.ledger import Signer
from cdp.policy.terms import Policy
from cdp.rights.tombstones import FILE
from cdp.vault import Vault
from tests.conftest import StandingClock

EVENTS = (
    "Product Viewed",
    "Product Added",
    "Checkout Started",
    "Order Completed",
    "Order Refunded",
    "Support Requested",
)
SHOP = SourceConfig(
    name="shop",
    events={name: EventTerm(("order_id", "total", "currency"), ("service_delivery",)) for name in EVENTS},
    traits=("full_name", "country"),
    purposes=("service_delivery",),
    residence_default="JP",
)
MARKETING, SHARING, INSIGHT = "email_marketing", "ads_sharing", "customer_care_insight"
RESTRICTION = "restriction"


@dataclass
class Day:
    """The shop's grounds, its customers, and everything they forbade."""

    database: Database
    vault: Vault
    policy: Policy
    signer: Signer
    clock: StandingClock
    erasures: tuple[Path, ...]
    rng: random.Random
    busiest: int = 24
    """Most visits that the shop tells of at once."""
    customers: int = 0
    messages: list[tuple[int, str]] = field(default_factory=list)
    erased: set[str] = field(default_factory=set)
    restricted: set[str] = field(default_factory=set)
    said_no: set[tuple[str, str]] = field(default_factory=set)
    """(address, purpose) of who withdrew from it or objected to it."""
    done: Counter[str] = field(default_factory=Counter)

    def act(self) -> int:
        """Let one thing happen, a moment later; returns how many acts it was."""
        self.clock.pass_(seconds=self.rng.randint(1, 20))
        names = list(ACTS)
        name = self.rng.choices(names, [ACTS[name][0] for name in names])[0]
        count = ACTS[name][1](self) or 1
        self.done[name] += count
        return count

    def is_forbidden(self, mail: str, purpose: str) -> bool:
        """Whether nobody may be given this address for the purpose from now on."""
        return mail in self.erased or mail in self.restricted or (mail, purpose) in self.said_no

    # what people do

    def trade(self) -> int:
        items = [self._visit() for _ in range(self.rng.randint(1, self.busiest))]
        self.bring(*items)
        return len(items)

    def bring(self, *items: Item) -> None:
        """Take in what the shop tells of its customers."""
        ingest.take(self.database, SHOP, items, self.clock.now())

    def retract(self) -> None:
        if self.messages:
            number, message = self.rng.choice(self.messages)
            item = Item(at=self.clock.now(), claims=self._claims(number), message_id=f"r{message}", retracts=message)
            self.bring(item)

    def log_in(self) -> None:
        """Two addresses at one login are one customer."""
        one, other = self._anybody(), self._anybody()
        for number in (one, other):
            item = self.item(number, "Product Viewed", Claim("user_id", f"login-{one}", verified=True))
            self.bring(item)

    def part(self) -> None:
        self._decide(identity.cannot)

    def join(self) -> None:
        self._decide(identity.must)

    def revoke(self) -> None:
        with self.database.snapshot() as session:
            standing = session.exec(select(Override.id).where(col(Override.revoked_at).is_(None))).all()
        if standing:
            self._try(lambda session: identity.revoke(session, self.rng.choice(standing), "desk", self.clock.now()))

    # what people say

    def agree(self) -> None:
        mail, purpose = self._address(), self.rng.choice([MARKETING, MARKETING, SHARING])
        if mail not in self.erased and self.say(mail, purpose, "given"):
            self.said_no.discard((mail, purpose))

    def withdraw(self) -> None:
        mail, purpose = self._address(), self.rng.choice([MARKETING, MARKETING, SHARING])
        self.withdraw_from(mail, purpose)

    def unsubscribe(self) -> None:
        mail = self._address()
        self.withdraw_from(mail, None)

    def object(self) -> None:
        mail = self._address()
        kind = self.rng.choice(["direct_marketing", "legitimate_interests"])
        if self.for_person(mail, lambda session, subjects: rights.object_to(session, subjects, kind, self.clock.now())):
            self.said_no.add((mail, {"direct_marketing": "objected", "legitimate_interests": INSIGHT}[kind]))

    def lift_objection(self) -> None:
        self._lift(self.rng.choice(["direct_marketing", "legitimate_interests"]))

    # what people ask

    def restrict(self) -> None:
        mail = self._address()
        if self.for_person(mail, lambda session, subjects: rights.restrict(session, subjects, self.clock.now())):
            self.restricted.add(mail)

    def unrestrict(self) -> None:
        self._lift(RESTRICTION)

    def erase(self) -> None:
        self.erase_person(self._address())

    def erase_person(self, mail: str) -> None:
        with self.database.transaction() as session:
            named = ("email", "", mail)
            at = self.clock.now()
            try:
                asked = rights.receive(session, "erasure", named, "subject", "desk", "asked", at, verified=True).id
            except Problem:
                return
        rights.advance(self, asked)
        self.erased.add(mail)

    # what nobody does

    def wait(self) -> None:
        self.clock.pass_(minutes=self.rng.choice([1, 20, 180, 600, 1800]))

    def settle(self) -> None:
        """Do what the worker does when time has passed."""
        while gate.settle_due(self.database, 200):
            pass
        while self._settle_stages():
            pass

    def _settle_stages(self) -> int:
        with self.database.transaction() as session:
            people = journey.due(session, self.clock.now(), 200)
            unsettle(session, people)
        return len(people)

    def _visit(self) -> Item:
        if self.rng.random() < 0.06 or self.customers < 20:
            self.customers += 1
            return self.item(self.customers, self.rng.choice(EVENTS))
        return self.item(self._anybody(), self.rng.choices(EVENTS, [6, 4, 2, 3, 1, 1])[0])

    def item(self, number: int, event: str, *more: Claim, minutes: int | None = None) -> Item:
        """Return what the shop tells of one customer."""
        message = f"m{len(self.messages)}"
        self.messages.append((number, message))
        return Item(
            at=self.clock.now() - timedelta(minutes=minutes or self.rng.choice([1, 5, 600, 6000])),
            claims=(*self._claims(number), *more),
            message_id=message,
            event=event,
            properties={"order_id": message, "total": self.rng.randint(1, 90) * 100, "currency": "JPY"},
            traits={"country": "DE"} if number % 5 == 0 else {},
        )

    def _claims(self, number: int) -> tuple[Claim, ...]:
        device = (Claim("anonymous_id", f"device-{number}"),) if number % 3 == 0 else ()
        return (Claim("email", address(number), verified=True), *device)

    def _anybody(self) -> int:
        return self.rng.randint(1, max(1, self.customers))

    def _address(self) -> str:
        return address(self._anybody())

    def say(self, mail: str, purpose: str, status: str) -> bool:
        channel, notice = {MARKETING: ("email", ("newsletter", "2")), SHARING: ("ads", ("ads", "1"))}[purpose]

        def say(session: Session, subjects: list[int]) -> None:
            point = consent.point(session, "email", "", mail)
            said = consent.Statement(
                purpose=purpose,
                channel=channel,
                status=status,
                method="checkbox",
                event_time=self.clock.now(),
                source="api",
                namespace="email" if channel == "email" else "",
                token=point.token if channel == "email" else b"",
                notice=notice[0],
                notice_version=notice[1],
                language="ja",
                verified=True,
                lifts=point.suppression_token if channel == "email" else b"",
            )
            consent.record(session, subjects[0], said, self.clock.now())

        return self.for_person(mail, say)

    def withdraw_from(self, mail: str, purpose: str | None) -> None:
        with self.database.transaction() as session:
            point = consent.point(session, "email", "", mail)
            _, subjects = consent.withdraw(session, point, self.clock.now(), purpose=purpose, channel=None)
        gate.wait_until_clear(self.database, subjects)
        if subjects:
            self.said_no |= {(mail, one) for one in ((purpose,) if purpose else (MARKETING, SHARING))}

    def person_at(self, number: int) -> int:
        """Return the one person with a customer's address."""
        with self.database.snapshot() as session:
            person = identity.find(session, "email", "", address(number))
        assert person is not None
        return person

    def for_person(self, mail: str, do: Callable[[Session, list[int]], object]) -> bool:
        """Do it for the person of this address, and wait until no page holds them; False for nobody."""
        with self.database.transaction() as session:
            person = identity.find(session, "email", "", mail)
            if person is None:
                return False
            subjects = identity.subjects_of(session, person)
            do(session, subjects)
        gate.wait_until_clear(self.database, subjects)
        return True

    def _lift(self, kind: str) -> None:
        forbidden = {RESTRICTION: [(mail, "") for mail in self.restricted]}.get(kind)
        word = {"direct_marketing": "objected", "legitimate_interests": INSIGHT}.get(kind, "")
        standing = sorted(forbidden if forbidden is not None else [one for one in self.said_no if one[1] == word])
        if not standing:
            return
        mail = self.rng.choice(standing)[0]
        self.for_person(mail, lambda session, subjects: rights.lift(session, subjects, kind, self.clock.now()))
        for other, _ in standing:
            if not self._stands(other, kind):
                self.restricted.discard(other) if kind == RESTRICTION else self.said_no.discard((other, word))

    def _stands(self, mail: str, kind: str) -> bool:
        """Whether it is still in force: who is one person with somebody is lifted with them."""
        with self.database.snapshot() as session:
            subjects = [
                n for one in identity.find_all(session, "email", "", mail) for n in identity.subjects_of(session, one)
            ]
            query = select(Objection.id).where(
                col(Objection.subject).in_(subjects), Objection.kind == kind, col(Objection.lifted_at).is_(None)
            )
            return session.exec(query).first() is not None

    def _decide(self, decide: Callable[..., int]) -> None:
        with self.database.snapshot() as session:
            people = [identity.find(session, "email", "", self._address()) for _ in range(2)]
            subjects = [n for one in people if one for n in identity.subjects_of(session, one)]
        if len(subjects) > 1:
            a, b = self.rng.sample(subjects, 2)
            self._try(lambda session: decide(session, a, b, "seen at the desk", "desk", self.clock.now()))

    def _try(self, work: Callable[[Session], object]) -> None:
        try:
            with self.database.transaction() as session:
                work(session)
        except Problem:
            pass


def address(number: int) -> str:
    return f"customer{number}@example.com"


ACTS: dict[str, tuple[float, Callable[[Day], int | None]]] = {
    "trade": (45, Day.trade),
    "agree": (30, Day.agree),
    "withdraw": (8, Day.withdraw),
    "unsubscribe": (3, Day.unsubscribe),
    "object": (3, Day.object),
    "lift objection": (2, Day.lift_objection),
    "restrict": (3, Day.restrict),
    "lift restriction": (2, Day.unrestrict),
    "erase": (1, Day.erase),
    "log in": (5, Day.log_in),
    "part": (2, Day.part),
    "join": (1, Day.join),
    "revoke": (1, Day.revoke),
    "retract": (2, Day.retract),
    "wait": (3, Day.wait),
    "settle": (3, Day.settle),
}


def a_day(house: Database, clock: StandingClock, folder: Path, seed: int = 8) -> Day:
    """Open the shop on a house that has its keyring in this folder."""
    signer = house.context["signer"] = Signer.create(folder / "ledger")
    keys, terms = house.context["vault"], house.context["policy"]
    return Day(house, keys, terms, signer, clock, (folder / "keyring" / FILE,), random.Random(seed))
