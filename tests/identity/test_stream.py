"""What the stream keeps is what the rules say of all the evidence, after anything that may be done, in any order.

I2, I3, I4, I5, I11, I12, I14 and I15 of identity.md § 5, as stored, on both databases.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlmodel import Session, SQLModel, col, select

from cdp import identity
from cdp.db import Database
from cdp.errors import Problem
from cdp.identity import (
    Arrival,
    Canonical,
    aside,
    breaker,
    config,
    correcting,
    marks,
    naming,
    places,
    rebuild,
    resolution,
    review,
)
from cdp.identity.correcting import Change
from cdp.identity.marks import Stated
from cdp.identity.model import Alias, Identifier, IdentityCase, IdentityMark, Override
from cdp.identity.rules import TokenKey
from cdp.profile.model import Subject
from tests.conftest import DEEP, EXAMPLES, StandingClock
from tests.identity.graphs import NAMESPACES
from tests.ingest.ground import make_policy

START = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
WRITTEN = ("subject", "subject_key", "trait", *identity.holder.tables, "source_hold", "join_rate", "ledger_entry")
KINDS = ("user_id", "crm_id", "email", "phone", "anonymous_id", "device_id")

TTL = {**NAMESPACES, "phone": replace(NAMESPACES["phone"], ttl_days=400)}


@dataclass
class Act:
    """One thing that is done; the numbers choose among what is there."""

    name: str
    numbers: tuple[int, ...] = ()
    names: tuple[tuple[str, str, bool], ...] = ()
    marks: tuple[tuple[str, int], ...] = ()
    months: int = 0


NAMES = st.lists(
    st.tuples(st.sampled_from(KINDS), st.sampled_from("abc"), st.sampled_from([True, True, True, False])),
    min_size=1,
    max_size=3,
    unique_by=lambda name: name[0],
).map(tuple)
MARKS = st.lists(
    st.tuples(st.sampled_from(["birth_date", "kana_name"]), st.integers(1, 2)), max_size=2, unique_by=lambda one: one[0]
).map(tuple)
NUMBERS = st.tuples(st.integers(0, 99), st.integers(0, 99))
BRING = st.builds(Act, st.just("bring"), NUMBERS, NAMES, MARKS, st.integers(-30, 0))
DECIDING = ("must", "cannot", "block", "shared", "expire", "retract", "correct")
OTHERWISE = ("revoke", "uncorrect", "age", "hold", "release", "undo")
DO = st.builds(Act, st.sampled_from([*DECIDING, *OTHERWISE]), NUMBERS)
ACTS = st.lists(st.one_of(BRING, BRING, DO), min_size=3, max_size=14)


@dataclass
class World:
    """A database without settlers: only who is who is looked at."""

    database: Database
    clock: StandingClock
    words: list[int | str] = field(default_factory=list)
    """What people said, in order: numbers of decisions, and names of requests that something be put right."""
    whose: dict[str, list[int]] = field(default_factory=dict)
    """Of each of these requests, whom it was about."""
    past: list[tuple[datetime, dict[int, int]]] = field(default_factory=list)

    def do(self, act: Act) -> None:
        self.clock.pass_(seconds=60)
        with self.database.transaction() as session:
            try:
                getattr(self, f"_{act.name}")(session, act, self.clock.now())
            except Problem as problem:
                assert problem.status in (404, 409)
            session.info["unsettled"].clear()

    def _bring(self, session: Session, act: Act, at: datetime) -> None:
        source = ("crm", "site", "shop")[act.numbers[0] % 3]
        names = tuple(Canonical(kind, "", spelled(kind, value), verified) for kind, value, verified in act.names)
        # When it happened is of the act, whenever it comes; of two statements of one instant the digest decides.
        seen = START + timedelta(days=31 * act.months, seconds=act.numbers[0] * 100 + act.numbers[1])
        ref = repr((act.names, act.marks)).encode()
        said = tuple(Stated(0, kind, value, seen, ref) for kind, value in act.marks)
        attached = identity.attach(session, [Arrival(source, names, at=seen, marks=said)], at)
        stated = [replace(one, subject=attached.subjects[0]) for one in said]
        identity.keep_marks(session, stated, attached.made, at)

    def _must(self, session: Session, act: Act, at: datetime) -> None:
        self._pair(session, identity.must, act, at)

    def _cannot(self, session: Session, act: Act, at: datetime) -> None:
        self._pair(session, identity.cannot, act, at)

    def _pair(self, session: Session, verb: Callable[..., int], act: Act, at: datetime) -> None:
        subjects = sorted(people_of(session))
        if len(subjects) > 1:
            one, other = (subjects[number % len(subjects)] for number in act.numbers)
            if one != other:
                self.words.append(verb(session, one, other, "because", "staff", at))

    def _block(self, session: Session, act: Act, at: datetime) -> None:
        self._judge(session, act, at)

    _shared = _expire = _block

    def _judge(self, session: Session, act: Act, at: datetime) -> None:
        key = self._key(session, act)
        if key:
            self.words.append(identity.judge(session, act.name, key[1], "because", "staff", at))

    def _retract(self, session: Session, act: Act, at: datetime) -> None:
        key = self._key(session, act)
        if key:
            self.words.append(identity.retract(session, key[0], key[1], "because", "staff", at))

    def _revoke(self, session: Session, act: Act, at: datetime) -> None:
        decisions = [word for word in self.words if isinstance(word, int)]
        if decisions:
            identity.revoke(session, decisions[act.numbers[0] % len(decisions)], "staff", at)

    def _correct(self, session: Session, act: Act, at: datetime) -> None:
        """Have an identifier of somebody removed, added or replaced, or their birth date put right."""
        places.hold_still(session)
        key = self._key(session, act)
        if key is None:
            return
        subject, (kind, _) = key
        how, which = act.numbers[1] % 5, act.numbers[1] // 5 % 3
        request, subjects = f"{len(self.words):08x}", sorted(resolution.company(session, [subject]))
        wrong = self._brought_as(session, key)
        right = Canonical(kind, "", spelled(kind, "abc"[which]), how != 3)
        change = Change(wrong if how in (0, 1) else None, right if how in (1, 2, 3) else None)
        correcting.hold(session, subjects, [change])
        if how == 4:
            marks.correct(session, subjects, {"birthday": date(1990, 1, 1 + which)}, request, at)
        correcting.put_right(session, subjects, [change] if how < 4 else [], request, at)
        self.words.append(request)
        self.whose[request] = subjects

    def _brought_as(self, session: Session, key: tuple[int, TokenKey]) -> Canonical:
        subject, (kind, token) = key
        row = session.get_one(Identifier, (subject, kind, token))
        named = [Canonical(kind, "", spelled(kind, value)) for value in "abc"]
        return next(one for one in named if naming.silence_token(session, one) == bytes(row.suppression_token))

    def _uncorrect(self, session: Session, act: Act, at: datetime) -> None:
        requests = [word for word in self.words if isinstance(word, str)]
        if requests:
            self.take_back(session, requests[act.numbers[0] % len(requests)], at)

    def take_back(self, session: Session, word: int | str, at: datetime) -> None:
        if isinstance(word, int):
            identity.revoke(session, word, "staff", at)
        else:
            places.hold_still(session)
            correcting.revoke(session, word, at, self.whose[word])

    def _age(self, session: Session, act: Act, at: datetime) -> None:
        aside.expire(session, at.date(), at)

    def _hold(self, session: Session, act: Act, at: datetime) -> None:
        breaker.hold(session, "site", "too many", at)

    def _release(self, session: Session, act: Act, at: datetime) -> None:
        case = session.scalars(select(IdentityCase).where(col(IdentityCase.rule) == "breaker")).first()
        if case is not None and case.id:
            review.decide(session, case.id, "release", "looked", "staff", at)

    def _undo(self, session: Session, act: Act, at: datetime) -> None:
        open_cases = sorted(review.listed(session), key=partial(self._of_case, session))
        if open_cases:
            case = open_cases[act.numbers[0] % len(open_cases)]
            before = memberships(session)
            assert case.id
            review.decide(session, case.id, "keep" if case.rule == "breaker" else "shared", "because", "staff", at)
            review.undo(session, case.id, "because", "staff", at)
            assert memberships(session) == before

    def _of_case(self, session: Session, case: IdentityCase) -> tuple[str, bytes]:
        """Name what a case is about, under whichever key of the index it stands."""
        here = (col(Identifier.namespace) == case.namespace, col(Identifier.token) == case.token)
        value = session.scalars(select(Identifier.suppression_token).where(*here)).first()
        return case.namespace, bytes(value or b"")

    def _key(self, session: Session, act: Act) -> tuple[int, TokenKey] | None:
        order = (col(Identifier.subject), col(Identifier.namespace), col(Identifier.suppression_token))
        rows = session.scalars(select(Identifier).order_by(*order)).all()
        row = rows[act.numbers[0] % len(rows)] if rows else None
        return (row.subject, (row.namespace, bytes(row.token))) if row else None


def spelled(kind: str, value: str) -> str:
    return f"+8190123400{ord(value)}" if kind == "phone" else f"{value}@people.test" if kind == "email" else value


def people_of(session: Session) -> dict[int, int]:
    return {row[0]: row[1] for row in session.execute(select(col(Subject.number), col(Subject.person)))}


def memberships(session: Session) -> tuple[Any, ...]:
    aside_ = select(col(Identifier.subject), col(Identifier.token), col(Identifier.aside), col(Identifier.seen))
    said = select(*(col(getattr(IdentityMark, name)) for name in ("subject", "namespace", "value", "at", "ref")))
    return (
        people_of(session),
        sorted((row[0], bytes(row[1]), *row[2:]) for row in session.execute(aside_)),
        sorted((*row[:-1], bytes(row[-1])) for row in session.execute(said)),
    )


def holds(world: World) -> None:
    """What is stored is what all the evidence says; the past can be told; aliases lead to where people are."""
    with world.database.snapshot() as session:
        graph = rebuild.read(session)
        computed = rebuild.compute(graph, dict(config.namespaces(session)))
        difference = rebuild.compare(graph, computed)
        assert difference.is_none, difference
        assert rebuild.lost(session) == []
        now = people_of(session)
        _recalls(session, now, world.past[-2:])
        aliases = {
            row.old_person: row.person for row in session.scalars(select(Alias).where(col(Alias.to_at).is_(None)))
        }
        assert all(old not in now.values() and new in now.values() for old, new in aliases.items())
        world.past.append((world.clock.now(), now))


def remembers(world: World) -> None:
    """Who was who is told of every instant there was."""
    with world.database.snapshot() as session:
        _recalls(session, people_of(session), world.past)


def _recalls(session: Session, now: dict[int, int], past: list[tuple[datetime, dict[int, int]]]) -> None:
    for at, people in past:
        assert identity.people_at(session, now, at) == {one: of for one, of in people.items() if one in now}


def told(world: World) -> None:
    """Two subjects are explained as one exactly where they are, by evidence that leads from one to the other."""
    with world.database.snapshot() as session:
        people = people_of(session)
        subjects = sorted(people)
        for one in subjects[:4]:
            for other in subjects[:4]:
                if one < other:
                    found = identity.explain(session, one, other)
                    assert found.is_one == (people[one] == people[other])
                    if found.is_one:
                        assert found.path[0].one == one
                        assert found.path[-1].other == other
                        assert all(
                            step.other == after.one for step, after in zip(found.path, found.path[1:], strict=False)
                        )
                        assert all(people[step.one] == people[one] for step in found.path)
                    else:
                        standing = select(Override.id).where(col(Override.revoked_at).is_(None))
                        words = {0, *session.scalars(standing)}
                        assert all(each.rule and each.decision in words for each in found.obstacles)
                        assert found.obstacles or not _in_common(session, one, other)


def _in_common(session: Session, one: int, other: int) -> set[TokenKey]:
    """Return the values of kinds that link that stand on both."""
    query = select(Identifier.namespace, Identifier.token).where(col(Identifier.namespace).in_(KINDS))
    of_one, of_other = (
        {(row[0], bytes(row[1])) for row in session.execute(query.where(col(Identifier.subject) == subject))}
        for subject in (one, other)
    )
    return of_one & of_other


@pytest.fixture
def empty(empty_database: Database, clock: StandingClock, tmp_path: Any) -> World:
    from cdp.vault import Keyring, Vault

    empty_database.context["vault"] = Vault(Keyring.create(f"file:{tmp_path / 'keys' / 'keyring.json'}", ""))
    empty_database.context["policy"] = make_policy(namespaces=TTL)
    return World(empty_database, clock)


def cleared(world: World) -> World:
    with world.database.transaction() as session:
        for name in WRITTEN:
            session.execute(SQLModel.metadata.tables[name].delete())
    return World(world.database, world.clock)


def some(examples: int) -> settings:
    return settings(max_examples=EXAMPLES if DEEP else examples, deadline=None)


def test_what_is_stored_is_what_the_rules_say_whatever_is_done(empty: World) -> None:
    @some(60 if empty.database.is_sqlite else 25)
    @given(ACTS)
    def holds_after(acts: list[Act]) -> None:
        world = cleared(empty)
        for act in acts:
            world.do(act)
            holds(world)
        told(world)
        remembers(world)

    holds_after()


SHARING = st.builds(
    Act,
    st.just("bring"),
    NUMBERS,
    st.tuples(
        st.tuples(st.sampled_from(["user_id", "anonymous_id"]), st.sampled_from("abc"), st.just(True)),
        st.tuples(st.sampled_from(["phone", "email"]), st.sampled_from("ab"), st.just(True)),
    ),
)
"""Accounts and browsers that have two addresses and two telephones among them."""


def test_what_some_have_put_right_leaves_the_others_as_the_rules_say(empty: World) -> None:
    correcting_ = st.builds(Act, st.sampled_from(["correct", "correct", "uncorrect"]), NUMBERS)

    @some(60 if empty.database.is_sqlite else 25)
    @given(st.lists(SHARING, min_size=4, max_size=9), st.lists(correcting_, min_size=1, max_size=6))
    def holds_after(brought: list[Act], corrected: list[Act]) -> None:
        world = cleared(empty)
        for act in brought:
            world.do(act)
        for act in corrected:
            world.do(act)
            holds(world)
        remembers(world)

    holds_after()


def test_whoever_is_seen_again_counts_in_the_window_they_are_seen_in(empty: World) -> None:
    """Three addresses of one account are too many only within the window of each other."""
    world = cleared(empty)
    of_a = lambda value: (("user_id", "a", True), ("email", value, True))  # noqa: E731
    for months, value in ((-30, "a"), (0, "b"), (0, "c")):
        world.do(Act("bring", (0, 0), of_a(value), months=months))
        holds(world)
    with world.database.snapshot() as session:
        assert len(set(people_of(session).values())) == 1
    world.do(Act("bring", (0, 0), of_a("a"), months=0))
    holds(world)
    remembers(world)
    with world.database.snapshot() as session:
        assert len(set(people_of(session).values())) > 1


def test_any_order_of_arrival_gives_the_same_people(empty: World) -> None:
    @some(40 if empty.database.is_sqlite else 15)
    @given(st.lists(BRING, min_size=2, max_size=9), st.integers())
    def same(acts: list[Act], seed: int) -> None:
        found = []
        for turn in range(2):
            world = cleared(empty)
            order = list(acts) if turn == 0 else random.Random(seed).sample(acts, len(acts))
            for act in order:
                world.do(act)
            with world.database.snapshot() as session:
                found.append(by_print(session))
        assert found[0] == found[1]

    same()


def test_everything_twice_changes_nobody(empty: World) -> None:
    @some(25 if empty.database.is_sqlite else 10)
    @given(st.lists(BRING, min_size=1, max_size=8))
    def same(acts: list[Act]) -> None:
        world = cleared(empty)
        for act in acts:
            world.do(act)
        with world.database.snapshot() as session:
            before = people_of(session)
        for act in acts:
            world.do(act)
        with world.database.snapshot() as session:
            assert people_of(session) == before

    same()


def test_what_was_decided_and_taken_back_leaves_everybody_as_before(empty: World) -> None:
    deciding = st.builds(Act, st.sampled_from(DECIDING), NUMBERS)

    @some(40 if empty.database.is_sqlite else 15)
    @given(st.lists(BRING, min_size=2, max_size=9), st.lists(deciding, min_size=1, max_size=4))
    def restored(acts: list[Act], decided: list[Act]) -> None:
        world = cleared(empty)
        for act in acts:
            world.do(act)
        with world.database.snapshot() as session:
            before = memberships(session)
        for act in decided:
            world.do(act)
        with world.database.transaction() as session:
            for word in reversed(world.words):
                world.take_back(session, word, world.clock.now())
            session.info["unsettled"].clear()
        with world.database.snapshot() as session:
            assert memberships(session) == before
            assert all(row.revoked_at for row in session.scalars(select(Override)))
        holds(world)

    restored()


class Killed(Exception):
    """The process ends here."""


JOINING = Act("bring", (0, 0), (("email", "a", True), ("anonymous_id", "c", True), ("phone", "c", True)))
PHONE_OF_TWO = (2, 0)


@pytest.mark.parametrize(
    "act",
    [JOINING, *(Act(name, PHONE_OF_TWO) for name in ("shared", "expire", "retract", "correct"))],
    ids=attrgetter("name"),
)
def test_a_crash_between_any_two_statements_leaves_all_or_nothing(empty: World, act: Act) -> None:
    """I15: struck at each statement in turn, what is there is as before; done again, it is as if it had gone well."""
    world = cleared(empty)
    first = [
        Act("bring", (0, 0), (("user_id", "a", True), ("email", "a", True))),
        Act("bring", (1, 0), (("user_id", "b", True), ("phone", "b", True))),
        Act("bring", (2, 0), (("phone", "b", True), ("anonymous_id", "c", True))),
    ]
    for one in first:
        world.do(one)
    with world.database.snapshot() as session:
        before = memberships(session), people_of(session)
    struck = 0
    while True:
        try:
            with after(world.database, struck):
                world.do(act)
        except Killed:
            with world.database.snapshot() as session:
                assert (memberships(session), people_of(session)) == before, f"after statement {struck}"
            holds(world)
            world.past.clear()
            struck += 1
        else:
            break
    assert struck > 5
    holds(world)
    with world.database.snapshot() as session:
        assert people_of(session) != before[1]


class after:
    """Let so many statements of a transaction through, and strike."""

    def __init__(self, database: Database, statements: int) -> None:
        self.engine, self.left = database.writer, statements

    def __enter__(self) -> None:
        event.listen(self.engine, "before_cursor_execute", self._strike)

    def __exit__(self, *_: object) -> None:
        event.remove(self.engine, "before_cursor_execute", self._strike)

    def _strike(self, *_: object) -> None:
        if self.left <= 0:
            raise Killed
        self.left -= 1


def by_print(session: Session) -> set[frozenset[bytes]]:
    found: dict[int, set[bytes]] = {}
    for person, name in session.execute(select(col(Subject.person), col(Subject.fingerprint))):
        found.setdefault(person, set()).add(bytes(name))
    return {frozenset(names) for names in found.values()}
