"""Whoever replays a changes feed holds exactly the members, whatever people do, say and ask meanwhile."""

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session

from cdp import audience, gate
from cdp.audience import Rule
from cdp.db import Database
from cdp.errors import Refusal
from cdp.gate.feed import Changes, List, Place
from cdp.ledger import Signer
from cdp.policy.terms import Policy, Use
from cdp.rights.tombstones import FILE
from tests.conftest import DEEP, StandingClock
from tests.stories.day import Day

ACTS = {"sqlite": 50_000 if DEEP else 500, "postgresql": 50_000 if DEEP else 300}
STAGE = {"stage": {"journey": "standard", "stage": "purchase"}}
LISTS: dict[str, str | dict[str, object]] = {
    "audience:everyone": "everyone",
    "audience:recent_buyers": "recent_buyers",
    "audience:cart_abandoners": "cart_abandoners",
    "audience:lapsed_buyers": "lapsed_buyers",
    "stage:standard/purchase": STAGE,
}
FOLLOWED = (
    ("audience:everyone", "service_delivery", "ma_tool", "email"),
    ("audience:everyone", "email_marketing", "ma_tool_us", "email"),
    ("audience:everyone", "ads_sharing", "ad_platform", "ads"),
    ("audience:everyone", "customer_care_insight", "staff", "none"),
    ("audience:recent_buyers", "email_marketing", "ma_tool", "email"),
    ("audience:recent_buyers", "email_marketing", "ma_tool", "email"),
    ("audience:recent_buyers", "email_marketing", "staff", "email"),
    ("audience:cart_abandoners", "email_marketing", "ma_tool", "email"),
    ("audience:cart_abandoners", "service_delivery", "ma_tool_us", "email"),
    ("audience:lapsed_buyers", "service_delivery", "ma_tool", "email"),
    ("stage:standard/purchase", "service_delivery", "ma_tool", "email"),
    ("stage:standard/purchase", "email_marketing", "ma_tool", "email"),
)


@dataclass
class Reader:
    """A recipient's copy of one list, kept by nothing but what the feed says."""

    name: str
    use: Use
    policy: Policy
    held: set[str] = field(default_factory=set)
    since: Place | None = None
    polls: int = 0
    causes: Counter[str] = field(default_factory=Counter)

    @property
    def rule(self) -> str | Rule:
        asked = LISTS[self.name]
        return asked if isinstance(asked, str) else audience.read(asked, self.policy)

    @property
    def list(self) -> List:
        return audience.follow(self.policy, self.rule, self.use, self.name)

    @property
    def request(self) -> gate.PageRequest:
        fields = ("email",) if self.use.channel in ("email", "ads") else ()
        return gate.PageRequest(self.use, fields, kind="changes", audience=self.name)

    def poll(self, day: Day, limit: int) -> bool:
        """Read once and apply it; returns whether there is more."""
        found = gate.feed.read(day.database, self.list, self.request, self.since, limit)
        self.polls += 1
        if isinstance(found, Refusal):
            assert found.reason == "small_audience"
            assert self.since is None
            return False
        if found.page is not None:
            found.page.hand_over()
        self._apply(day, found)
        return found.has_more

    def catch_up(self, day: Day) -> None:
        while self.poll(day, 1000):
            pass

    def members(self, day: Day) -> set[str]:
        """Return whom the pages of members would list now."""
        held: set[str] = set()
        after = 0

        def choose(session: Session, at: object) -> list[int]:
            nonlocal after
            now = day.clock.now()
            if audience.refuse_small(session, self.rule, self.use, now) is not None:
                return []
            some = audience.page(session, self.rule, self.use, now, after, 1000)
            after = some[-1] if len(some) == 1000 else 0
            return some

        while True:
            page = gate.read_page(day.database, gate.PageRequest(self.use, ()), choose)
            assert isinstance(page, gate.Page)
            page.hand_over()
            held |= {row.pseudonym for row in page.rows}
            if not after:
                return held

    def _apply(self, day: Day, found: Changes) -> None:
        for change in found.changes:
            if change.entered is None:
                self.held.discard(change.pseudonym)
                self.causes[f"left by {change.cause}"] += 1
                continue
            self.held.add(change.pseudonym)
            self.causes[f"entered by {change.cause}"] += 1
            mail = change.entered.fields.get("email")
            assert mail is None or not day.is_forbidden(mail, self.use.purpose), f"{self.name} {self.use}"
        self.since = found.place


@pytest.fixture
def day(house: Database, clock: StandingClock, tmp_path: Path) -> Day:
    keys, terms = house.context["vault"], house.context["policy"]
    signer = Signer.create(tmp_path / "ledger")
    house.context["signer"] = signer
    return Day(house, keys, terms, signer, clock, (tmp_path / "keyring" / FILE,), random.Random(8))


def readers(policy: Policy) -> list[Reader]:
    found = []
    for name, purpose, recipient, channel in FOLLOWED:
        use = policy.find_use(purpose, recipient, channel)
        assert use is not None, (purpose, recipient, channel)
        found.append(Reader(name, use, policy))
    return found


def compare(day: Day, followers: list[Reader]) -> int:
    """Let each catch up and hold exactly the members."""
    for reader in followers:
        reader.catch_up(day)
        wanted = reader.members(day)
        assert reader.held == wanted, (
            f"{reader.name} {reader.use}: {len(reader.held - wanted)} too many, {len(wanted - reader.held)} missing"
        )
    return len(followers)


def test_whoever_replays_the_feed_holds_exactly_the_members(day: Day, figures) -> None:
    kind = "sqlite" if day.database.is_sqlite else "postgresql"
    followers, acts, checks, spent = readers(day.policy), 0, 0, 0.0
    while acts < ACTS[kind]:
        acts += day.act()
        began = time.perf_counter()
        if day.rng.random() < 0.4:
            day.rng.choice(followers).poll(day, day.rng.choice([1, 7, 100, 1000]))
        if day.rng.random() < (0.01 if DEEP else 0.03):
            checks += compare(day, day.rng.sample(followers, 4))
        spent += time.perf_counter() - began
    checks += compare(day, followers)
    late = readers(day.policy)
    checks += compare(day, late)
    for reader, other in zip(followers, late, strict=True):
        assert reader.held == other.held
    causes = sum((reader.causes for reader in followers), Counter[str]())
    figures(
        f"Changes feed replayed after a day, {kind}",
        acts=acts,
        people=day.customers,
        erased=len(day.erased),
        readings=sum(reader.polls for reader in followers),
        changes=causes.total(),
        comparisons=checks,
        differences=0,
        reading_s=spent,
    )
    print(dict(causes), dict(day.done))
