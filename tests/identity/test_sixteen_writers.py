"""Sixteen writers bring, join, part, block, retract and take all back at once: people are who the rules say they are.

What is stored at the end equals the pure function of the evidence, for every person and every value, in whichever
order the writers came; whatever the database broke off was begun again, and no writer ever heard of it.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import event, func
from sqlmodel import Session, col, select

from cdp import identity, ingest, policy, vault
from cdp.db import Database
from cdp.errors import Problem
from cdp.identity import config, graph, rebuild, rules
from cdp.identity.model import Identifier, Token
from cdp.ledger.model import LedgerEntry
from cdp.profile.model import Subject
from tests.conftest import DEEP, postgres_database
from tests.figures import Figures
from tests.identity.graphs import NAMESPACES
from tests.ingest.ground import NOW, SITE, claims, email, furnish, make_policy, viewed

WRITERS = 16
WANTED = 10_000 if DEEP else 200
"""Merges and splits."""
VILLAGE, VILLAGES = 10, 16
"""People who share things with each other and nobody else, and how many villages are visited at a time.

So few that writers meet all the time. The villages that are visited move on as people are joined and parted: what
hangs together stays as large as it does in a shop, while everything together grows.
"""
STAY = 30
"""Merges and splits after which the first village is left and another one visited."""
ACTS = ("bring",) * 6 + ("must", "cannot", "block", "shared", "expire", "retract") + ("revoke",) * 5


@pytest.fixture
def shop(postgres: str, tables: str, clock, tmp_path: Path) -> Iterator[Database]:
    for url in postgres_database(postgres, tables):
        database = furnish(Database(url, clock=clock, pool_size=WRITERS), tmp_path)
        database.context["policy"] = make_policy(namespaces=NAMESPACES)
        yield database
        database.dispose()


@dataclass
class Tally:
    """What the writers met, all of them together."""

    done: Counter[str] = field(default_factory=Counter)
    broken_off: int = 0
    surfaced: list[BaseException] = field(default_factory=list)
    enough: threading.Event = field(default_factory=threading.Event)
    moved: int = 0
    """Merges and splits so far."""


class Writer:
    """One of them, with dice of its own."""

    def __init__(self, shop: Database, number: int, tally: Tally) -> None:
        self.shop, self.number, self.tally = shop, number, tally
        self.dice = random.Random(number)
        self.decisions: list[int] = []

    def run(self) -> None:
        """Act until there is enough of it; whatever a caller would have heard of is kept."""
        try:
            while not self.tally.enough.is_set():
                act = self.dice.choice(ACTS)
                try:
                    getattr(self, act)()
                except Problem as problem:
                    act = problem.type
                self.tally.done[act] += 1
        except BaseException as error:
            self.tally.surfaced.append(error)
            self.tally.enough.set()

    def bring(self) -> None:
        """Some records in one call: mostly of one person, now and then with a stranger's device, address or number."""
        items = [self._record() for _ in range(self.dice.choice((1, 2, 5, 12)))]
        ingest.take(self.shop, SITE, items, NOW)

    def must(self) -> None:
        village = self._village()
        self._decide(lambda session: identity.must(session, *self._pair(session, village), "same", "staff", NOW))

    def cannot(self) -> None:
        village = self._village()
        self._decide(lambda session: identity.cannot(session, *self._pair(session, village), "apart", "staff", NOW))

    def block(self) -> None:
        self._judge("block")

    def shared(self) -> None:
        self._judge("shared")

    def expire(self) -> None:
        self._judge("expire")

    def retract(self) -> None:
        subject, *key = self._evidence()
        self._decide(lambda session: identity.retract(session, subject, tuple(key), "wrong", "staff", NOW))

    def revoke(self) -> None:
        if self.decisions:
            decision = self.decisions.pop(self.dice.randrange(len(self.decisions)))
            self.shop.attempt(lambda session: identity.revoke(session, decision, "staff", NOW))

    def _judge(self, kind: str) -> None:
        _, *key = self._evidence()
        self._decide(lambda session: identity.judge(session, kind, tuple(key), "judged", "staff", NOW))

    def _decide(self, work: Callable[[Session], int]) -> None:
        self.decisions.append(self.shop.attempt(work))

    def _record(self):
        one, other = self.dice.choices(self._village(), k=2)
        named = {"user_id": f"u{one}"} if self.dice.random() < 0.6 else {}
        named |= {"anonymous_id": f"d{self.dice.choice((one, one, one, other)) // 2}"}
        if self.dice.random() < 0.4:
            named["phone"] = f"+8190{10_000_000 + self.dice.choice((one, one, other)):08d}"
        mail = email(f"p{self.dice.choice((one, one, one, other))}@people.example")
        return viewed(mail, *claims(**named), message=f"{self.number}-{self.dice.getrandbits(64):x}")

    def _village(self) -> range:
        first = (self.tally.moved // STAY + self.dice.randrange(VILLAGES)) * VILLAGE
        return range(first, first + VILLAGE)

    def _pair(self, session: Session, village: range) -> list[int]:
        """Return two records of a village; the first record and itself where it has no two."""
        tokens = [vault.of(session).token("email", "", f"p{number}@people.example") for number in village]
        query = select(Identifier.subject).where(col(Identifier.token).in_(tokens)).distinct()
        numbers = sorted(session.scalars(query))
        return self.dice.sample(numbers, 2) if len(numbers) > 1 else [1, 1]

    def _evidence(self) -> tuple[int, str, bytes]:
        with self.shop.snapshot() as session:
            newest = select(Identifier).order_by(col(Identifier.subject).desc()).limit(1000).subquery()
            query = select(newest.c.subject, newest.c.namespace, newest.c.token)
            row = session.exec(query.order_by(func.random()).limit(1)).first()
            return tuple(row) if row else (0, "email", b"")


def test_sixteen_writers_leave_everybody_as_the_pure_function_of_the_evidence_has_it(
    shop: Database, figures: Figures
) -> None:
    tally = Tally()

    @event.listens_for(shop.writer, "handle_error")
    def _count(context) -> None:
        tally.broken_off += getattr(context.original_exception, "sqlstate", "") in ("40P01", "40001")

    writers = [threading.Thread(target=Writer(shop, number, tally).run) for number in range(WRITERS)]
    for one in writers:
        one.start()
    while not tally.enough.wait(0.5):
        tally.moved = moved(shop).total()
        if tally.moved >= WANTED:
            tally.enough.set()
    for one in writers:
        one.join()
    if tally.surfaced:
        raise tally.surfaced[0]
    found = moved(shop)
    figures(
        "16 writers who join and part the same people, PostgreSQL",
        acts=tally.done.total(),
        merges=found["identity.merged"],
        splits=found["identity.split"],
        broken_off_and_begun_again=tally.broken_off,
        deadlocks_surfaced=len(tally.surfaced),
    )
    assert found.total() >= WANTED
    assert min(tally.done[act] for act in set(ACTS)) > 0
    check(shop)


def moved(shop: Database) -> Counter[str]:
    """Return how many merges and splits the ledger has."""
    with shop.snapshot() as session:
        acts = select(LedgerEntry.act, func.count()).where(col(LedgerEntry.act).like("identity.%"))
        rows = session.exec(acts.group_by(LedgerEntry.act)).all()
    return Counter({act: count for act, count in rows if act in ("identity.merged", "identity.split")})


def check(shop: Database) -> None:
    """What is stored equals the rebuild over arrays, and the rules over everything at once."""
    with shop.snapshot() as session:
        namespaces = config.namespaces(session)
        whole = rebuild.read(session)
        difference = rebuild.compare(whole, rebuild.compute(whole, namespaces))
        assert difference.is_none, difference
        people = dict(session.exec(select(Subject.number, Subject.person)).all())
        stored = {(ns, bytes(token)): state for ns, token, state in session.exec(_STATES) if state != "active"}
        blocked = frozenset(key for key, state in stored.items() if state == "blocked")
        region = graph.load(session, people)
        assert namespaces == policy.of(session).namespaces
    known = rules.Known(region.evidence, region.marks, region.links, blocked, region.subjects)
    partition = rules.resolve(known, namespaces)
    assert people == partition.people
    assert {key: state for key, state in stored.items() if state != "blocked"} == partition.states


_STATES = select(Token.namespace, Token.token, Token.state)
