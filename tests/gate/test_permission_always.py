"""Whatever changes: no yes is believed that a fresh decision would not say, and after settling both agree.

Every input is moved: words and noes, states of people, their ages, consents and data that run out, recipients'
contracts, other versions of the policy, lists that enter into force, what a source declares, people joined and parted.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from cdp import consent, gate, identity, policy, vault
from cdp.consent.model import Objection
from cdp.db import Database, unsettle
from cdp.errors import Problem
from cdp.gate.decide import decide, ways
from cdp.gate.model import Permission
from cdp.gate.permission import permitted
from cdp.gate.standing import load
from cdp.ops.bench.settling import changed, reworded
from cdp.policy import loading
from cdp.policy.terms import Law, Policy, Purpose
from cdp.profile import declared
from cdp.profile.model import Subject, Trait
from tests.conftest import DEEP, EXAMPLES, shipped_policy
from tests.gate.test_permission import assert_equal_to_fresh, make_person, policy_channel, say

BEGINNING = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
PURPOSES = ["email_marketing", "analytics", "personalisation", "email_marketing"]
STATES = ["restriction", "direct_marketing", "legitimate_interests", "deceased", "legal_hold", "provision"]
DECLARED = [
    {},
    {"collected_for": "service_delivery"},
    {"quarantined": True},
    {"establishment": "DE"},
    {"employees": True},
]
KINDS = [
    *("given", "given", "withdrawn", "requested", "import", "until", "silence", "lift", "state", "state"),
    *("wait", "wait", "born", "declare", "policy", "policy", "merge", "split", "moved"),
]
ACTS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 11), st.integers(0, 1)), max_size=10)


@cache
def versions() -> list[Policy]:
    """The shipped policy and its successors: other words, other bases, ages and periods that enter into force."""
    base = shipped_policy()
    older = {
        law: replace(pack, default_age=21, consent_ages=tuple((country, 20) for country, _ in pack.consent_ages))
        for law, pack in base.packs.items()
    }
    briefer = tuple({**row, "months": min(row["months"], 6)} for row in base.retention)
    shorter = {name: replace(one, bases=tuple(_two_months(one.bases))) for name, one in base.purposes.items()}
    return [
        base,
        reworded(base),
        changed(base),
        replace(base, digest="ages", packs=older),
        replace(base, digest="periods", retention=briefer),
        replace(base, digest="months", purposes=shorter),
        replace(base, digest="asked anew", purposes={name: _asks_anew(one) for name, one in base.purposes.items()}),
        _without(base, "ads_sharing", "customer_care_insight"),
        loading.reload(base.documents, (BEGINNING + timedelta(days=400)).date()),
    ]


def _asks_anew(purpose: Purpose) -> Purpose:
    """What was shown so far counts no more."""
    return replace(purpose, notices_current=(), notices_superseded=purpose.notices_current)


def _without(base: Policy, *names: str) -> Policy:
    """Return the policy without purposes, so that every use behind them has another number."""
    kept = [use for use in base.uses if use.purpose not in names]
    purposes = {name: one for name, one in base.purposes.items() if name not in names}
    uses = tuple(replace(use, index=n) for n, use in enumerate(kept))
    return replace(base, digest="fewer", purposes=purposes, uses=uses)


def _two_months(bases):
    return ((law, replace(basis, valid_months=2)) for law, basis in bases)


@dataclass
class Life:
    """Two people with an address each, and everything that happens to them."""

    house: Database
    numbers: list[int] = field(default_factory=list)
    joined: int | None = None

    def begin(self, countries: tuple[str, str], mails: list[str]) -> None:
        self.house.clock.instant = BEGINNING
        self.house.context["policy"] = versions()[0]
        with self.house.transaction() as session:
            session.execute(delete(Permission))
            declared.tell(session, "crm", DECLARED[0])
        self.mails = mails
        self.numbers = [
            make_person(self.house, *one) for one in zip(countries, [(mail,) for mail in mails], strict=True)
        ]

    def people(self) -> list[int]:
        with self.house.snapshot() as session:
            query = select(Subject.person).where(Subject.number.in_(self.numbers)).distinct()
            return list(session.scalars(query))

    def act(self, kind: str, n: int, who: int) -> None:
        """Let one thing happen; time passes between any two."""
        self.house.clock.pass_(seconds=1)
        act = getattr(self, f"_{kind}", None)
        act(n, who) if act else self._said(kind, n, who)

    def settle(self) -> None:
        while gate.settle_due(self.house):
            pass

    def _said(self, kind: str, n: int, who: int, **more) -> None:
        purpose = PURPOSES[n % len(PURPOSES)]
        more |= {"purpose": purpose, "channel": policy_channel(self.house, purpose)}
        more["event_time"] = self.house.clock.now() - timedelta(hours=n // 4)
        if kind == "import":
            kind, more = "given", more | {"method": "import", "evidence": "none"}
        if more["channel"] != "email":
            more |= {"token": b"", "namespace": "", "lifts": b""}
        say(self.house, self.numbers[who], kind, mail=self.mails[who], **more)

    def _until(self, n: int, who: int) -> None:
        self._said("given", n % 4, who, valid_until=self.house.clock.now() + timedelta(days=1 + 20 * n))

    def _silence(self, n: int, who: int) -> None:
        with self.house.transaction() as session:
            token = vault.of(session).suppression_token("email", "", self.mails[who])
            why = ("unsubscribe", "complaint", "bounce")[n % 3]
            consent.suppress(session, "email", token, "email", why, self.house.clock.now())

    def _state(self, n: int, who: int) -> None:
        row = {"subject": self.numbers[who], "kind": STATES[n % len(STATES)], "purpose": "*"}
        with self.house.transaction() as session:
            session.execute(insert(Objection), row | {"at": self.house.clock.now()})
            self._touch(session, who)

    def _lift(self, n: int, who: int) -> None:
        mine = (Objection.subject == self.numbers[who], Objection.kind == STATES[n % len(STATES)])
        with self.house.transaction() as session:
            session.execute(update(Objection).where(*mine).values(lifted_at=self.house.clock.now()))
            self._touch(session, who)

    def _born(self, n: int, who: int) -> None:
        """Between 12 and 20 years ago, so that birthdays matter."""
        said = {"birth_year": str(self.house.clock.now().year - 12 - n % 9), "birth_day": f"{1 + n:02d}-15"}
        self._trait(who, said)

    def _moved(self, n: int, who: int) -> None:
        self._trait(who, {"country": ("JP", "DE", "US", "FR")[n % 4]})

    def _trait(self, who: int, said: dict[str, str]) -> None:
        key = {"subject": self.numbers[who]}
        with self.house.transaction() as session:
            for name, clear in said.items():
                session.execute(delete(Trait).where(Trait.subject == key["subject"], Trait.name == name))
                row = {"name": name, "clear": clear, "at": self.house.clock.now(), "source": "crm"}
                session.execute(insert(Trait), key | row)
            self._touch(session, who)

    def _wait(self, n: int, who: int) -> None:
        self.house.clock.pass_(days=(1, 3, 20, 45, 70, 130, 200, 300, 400, 700, 1200, 2000)[n])

    def _declare(self, n: int, who: int) -> None:
        with self.house.transaction() as session:
            if declared.tell(session, "crm", DECLARED[n % len(DECLARED)]):
                gate.expire_source(session, "crm")

    def _policy(self, n: int, who: int) -> None:
        self.house.context["policy"] = versions()[n % len(versions())]
        gate.register_policy(self.house)

    def _merge(self, n: int, who: int) -> None:
        if self.joined is None:
            with suppress(Problem), self.house.transaction() as session:
                self.joined = identity.must(session, *self.numbers, "desk", "desk", self.house.clock.now())

    def _split(self, n: int, who: int) -> None:
        if self.joined is not None:
            with self.house.transaction() as session:
                identity.revoke(session, self.joined, "desk", self.house.clock.now())
            self.joined = None

    def _touch(self, session, who: int) -> None:
        number = self.numbers[who]
        unsettle(session, {number, *identity.people_of(session, [number]).values()})


def assert_every_yes_is_fresh(house: Database, person: int) -> None:
    """Whatever readers believe at this instant, a fresh decision says too."""
    at = house.clock.now()
    with house.snapshot() as session:
        terms = policy.of(session)
        denied = {use: gate.check_request(terms, gate.PageRequest(use, ()), at) for use in terms.uses}
        open_ = [use for use, laws in denied.items() if isinstance(laws, Law)]
        asked = select(*(permitted(session, use, denied[use], at) for use in open_)).where(Permission.person == person)
        believed = [use for use, yes in zip(open_, session.execute(asked).first() or (), strict=False) if yes]
        who = load(session, [person], at).get(person) if believed else None
    for use in believed:
        ways_there = ways(who.standing, use.channel) if who else ()
        assert any(decide(terms, use, who.standing, way, at.date()).allow for way in ways_there), use


def test_no_yes_outlives_what_it_rested_on_and_settling_makes_both_agree(house: Database) -> None:
    addresses = _addresses()

    @settings(max_examples=EXAMPLES if DEEP else 20)
    @given(ACTS, st.tuples(*[st.sampled_from(["JP", "DE", "", "US"])] * 2), st.booleans())
    def holds(acts, countries, share) -> None:
        life = Life(house)
        life.begin(countries, [next(addresses)] * 2 if share else [next(addresses), next(addresses)])
        for act in acts:
            life.act(*act)
            for person in life.people():
                assert_every_yes_is_fresh(house, person)
        life.settle()
        for person in life.people():
            assert_equal_to_fresh(house, person)

    holds()


def _addresses() -> Iterator[str]:
    return (f"somebody{n}@example.com" for n in range(10**9))
