"""Small calls that come at once share a transaction, and nothing else: each its own report, each its own fault."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func
from sqlmodel import select

from cdp import ingest
from cdp.db import Database
from cdp.errors import Refusal, Unavailable
from cdp.ingest.gathering import Gathering
from cdp.ledger.model import LedgerEntry
from cdp.profile.model import Fact
from tests.conftest import DEEP
from tests.ingest.ground import BROWSER, NOW, SHOP, SITE, claims, email, item, ordered, rows, viewed

CALLS = 2_000 if DEEP else 60
CLIENTS = 16


def many(call: Callable[[int], ingest.Report], count: int = CALLS) -> list[ingest.Report]:
    with ThreadPoolExecutor(CLIENTS) as clients:
        return list(clients.map(call, range(count)))


def test_single_events_of_many_clients_share_transactions_and_every_one_is_kept_once(shop: Database, figures) -> None:
    sources = (SITE, SHOP)

    def call(number: int) -> ingest.Report:
        each = ordered(email(f"p{number % 40}@people.example"), message=f"m{number // 2}")
        return ingest.take(shop, sources[number // 2 % 2], [each], NOW)

    reports = many(call)
    assert sum(report.accepted for report in reports) == CALLS // 2
    assert sum(report.duplicates for report in reports) == CALLS // 2
    with shop.snapshot() as session:
        assert session.exec(select(func.count()).select_from(Fact)).one() == CALLS // 2
        transactions = [row.entry for row in rows(session, LedgerEntry) if row.act == "ingest.batch"]
    told = {entry for report in reports for entry in report.entries}
    assert told <= set(transactions)
    assert len(transactions) < CALLS // 2
    figures(f"group commit, {shop.writer.dialect.name}", calls=CALLS, clients=CLIENTS, entries=len(transactions))


def test_each_call_is_told_only_of_its_own_items(shop: Database) -> None:
    def call(number: int) -> ingest.Report:
        good = viewed(email(f"p{number}@people.example"), message=f"m{number}")
        wrong = item(email("ada@people.example"), event="Never Declared", message=f"w{number}")
        unread = Refusal("timestamp_malformed", "/timestamp")
        return ingest.take(shop, BROWSER if number % 3 else SITE, [(good, wrong, unread)[number % 3]], NOW)

    for number, report in enumerate(many(call, 30)):
        (outcome,) = report.outcomes
        expected = (("accepted", ""), ("refused", "undeclared_event"), ("refused", "timestamp_malformed"))
        assert (outcome.status, outcome.reason) == expected[number % 3]


def test_two_calls_with_one_new_person_in_one_transaction_make_one_person(shop: Database) -> None:
    def call(number: int) -> ingest.Report:
        device = claims(user_id="same", anonymous_id=f"device-{number % 3}")
        return ingest.take(shop, SITE, [viewed(*device, message=f"m{number}")], NOW)

    many(call, 24)
    with shop.snapshot() as session:
        assert len({fact.subject for fact in rows(session, Fact)}) == 3
        assert session.exec(select(func.count()).select_from(Fact)).one() == 24


class Slow:
    """A store that waits until it is let go, and then keeps what it is given but `poison`."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.groups: list[list[str]] = []

    def __call__(self, requests: Sequence[str]) -> list[str]:
        self.go.wait(10)
        self.groups.append(list(requests))
        if "poison" in requests and len(requests) > 1:
            raise ValueError("poison")
        if "outage" in requests:
            raise Unavailable("database")
        if "poison" in requests:
            raise ValueError("poison")
        return [f"kept {request}" for request in requests]


def gathered(store: Slow, requests: Sequence[str], most: int = 100) -> list[str | Exception]:
    """Send the requests at once: the first leads, and the others come together behind it."""
    gathering, answers = Gathering(store, most), dict[int, str | Exception]()

    def call(number: int, request: str) -> None:
        try:
            answers[number] = gathering.take(request)
        except Exception as error:
            answers[number] = error

    threads = [threading.Thread(target=call, args=each) for each in enumerate(requests)]
    for number, thread in enumerate(threads):
        thread.start()
        while number < most and gathering.waiting < number and thread.is_alive():
            pass
    store.go.set()
    for thread in threads:
        thread.join(10)
    return [answers[number] for number in range(len(requests))]


def test_whoever_comes_while_one_commits_shares_the_next_transaction() -> None:
    store = Slow()
    assert gathered(store, ["a", "b", "c", "d"]) == ["kept a", "kept b", "kept c", "kept d"]
    assert store.groups == [["a"], ["b", "c", "d"]]


def test_what_spoils_the_common_transaction_fails_alone() -> None:
    store = Slow()
    first, second, poisoned, fourth = gathered(store, ["a", "b", "poison", "d"])
    assert (first, second, fourth) == ("kept a", "kept b", "kept d")
    assert isinstance(poisoned, ValueError)
    assert store.groups[2:] == [["b"], ["poison"], ["d"]]


def test_an_outage_is_everybodys_and_is_not_tried_for_each_again() -> None:
    store = Slow()
    answers = gathered(store, ["a", "b", "outage", "d"])
    assert answers[0] == "kept a"
    assert all(isinstance(answer, Unavailable) for answer in answers[1:])
    assert len(store.groups) == 2


def test_an_outage_after_a_poisoned_transaction_is_waited_for_once() -> None:
    store = Slow()
    answers = gathered(store, ["a", "b", "poison", "outage", *(f"follower {number}" for number in range(60))])
    assert answers[:2] == ["kept a", "kept b"]
    assert isinstance(answers[2], ValueError)
    assert all(isinstance(answer, Unavailable) for answer in answers[3:])
    assert len({id(answer) for answer in answers[3:]}) == 61, "each thread raises an error of its own"
    assert store.groups[2:] == [["b"], ["poison"], ["outage"]]


def test_who_comes_when_too_many_wait_is_sent_away() -> None:
    store = Slow()
    answers = gathered(store, ["a", "b", "c", "d", "e"], most=2)
    assert answers[:3] == ["kept a", "kept b", "kept c"]
    assert all(isinstance(answer, Unavailable) for answer in answers[3:])


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_nobody_waits_for_a_leader_that_was_stopped(kind: type[BaseException]) -> None:
    begun = threading.Event()

    def store(requests: Sequence[str]) -> list[str]:
        if "stopped" in requests:
            begun.wait(10)
            raise kind
        return [f"kept {request}" for request in requests]

    gathering, answers = Gathering(store), list[str]()

    def lead() -> None:
        with pytest.raises(kind):
            gathering.take("stopped")

    threads = [threading.Thread(target=lead), threading.Thread(target=lambda: answers.append(gathering.take("next")))]
    for thread in threads:
        thread.start()
    begun.set()
    for thread in threads:
        thread.join(10)
    assert answers == ["kept next"]
