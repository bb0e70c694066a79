"""A recipient that follows a list: its copy, kept by nothing but what the feed says."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from cdp import audience, gate
from cdp.audience import Rule
from cdp.errors import Refusal
from cdp.gate.feed import Change, Changes, List, Place
from cdp.policy.terms import Policy, Use
from tests.stories.day import Day

LEASE = 60.0
"""Seconds; these stories are not about slow machines."""
STAGE = {"stage": {"journey": "standard", "stage": "purchase"}}
LISTS: dict[str, str | dict[str, object]] = {
    "audience:everyone": "everyone",
    "audience:recent_buyers": "recent_buyers",
    "audience:cart_abandoners": "cart_abandoners",
    "audience:lapsed_buyers": "lapsed_buyers",
    "stage:standard/purchase": STAGE,
}


@dataclass
class Reader:
    """A recipient's copy of one list."""

    name: str
    use: Use
    policy: Policy
    held: set[str] = field(default_factory=set)
    since: Place | None = None
    polls: int = 0
    told: list[Change] = field(default_factory=list)

    @property
    def causes(self) -> Counter[str]:
        return Counter(f"{'entered' if change.entered else 'left'} by {change.cause}" for change in self.told)

    @property
    def rule(self) -> str | Rule:
        asked = LISTS[self.name]
        return asked if isinstance(asked, str) else audience.read(asked, self.policy)

    @property
    def followed(self) -> List:
        return audience.follow(self.policy, self.rule, self.use, self.name)

    @property
    def request(self) -> gate.PageRequest:
        fields = ("email",) if self.use.channel in ("email", "ads") else ()
        return gate.PageRequest(self.use, fields, kind="changes", audience=self.name, lease_seconds=LEASE)

    def poll(self, day: Day, limit: int) -> bool:
        """Read once and apply it; returns whether there is more."""
        found = gate.feed.read(day.database, self.followed, self.request, self.since, limit)
        self.polls += 1
        if isinstance(found, Refusal):
            assert found.reason == "small_audience"
            assert self.since is None
            return False
        if found.page is not None:
            found.page.hand_over()
        self._apply(day, found)
        return found.has_more

    def catch_up(self, day: Day) -> list[Change]:
        """Read until there is no more; returns the changes."""
        before = len(self.told)
        while self.poll(day, 1000):
            pass
        return self.told[before:]

    def members(self, day: Day) -> set[str]:
        """Return whom the pages of members would list now."""
        held: set[str] = set()
        after = 0

        def choose(session: Session, at: datetime) -> list[int]:
            nonlocal after
            if audience.refuse_small(session, self.rule, self.use, at) is not None:
                return []
            some = audience.page(session, self.rule, self.use, at, after, 1000)
            after = some[-1] if len(some) == 1000 else 0
            return some

        while True:
            page = gate.read_page(day.database, gate.PageRequest(self.use, (), lease_seconds=LEASE), choose)
            assert isinstance(page, gate.Page)
            page.hand_over()
            held |= {row.pseudonym for row in page.rows}
            if not after:
                return held

    def _apply(self, day: Day, found: Changes) -> None:
        self.told += found.changes
        for change in found.changes:
            if change.entered is None:
                self.held.discard(change.pseudonym)
                continue
            self.held.add(change.pseudonym)
            mail = change.entered.fields.get("email")
            assert mail is None or not day.is_forbidden(mail, self.use.purpose), f"{self.name} {self.use}"
        self.since = found.place


def reader_of(policy: Policy, name: str, purpose: str, recipient: str, channel: str) -> Reader:
    """Return somebody who has read nothing yet."""
    use = policy.find_use(purpose, recipient, channel)
    assert use is not None, (purpose, recipient, channel)
    return Reader(name, use, policy)
