"""What may come through a public key, by address and by key: a flood stops itself, and a no is not held back by it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask import Flask, request
from hypothesis import given
from hypothesis import strategies as st

from cdp.connector.kit import Item, Signal
from cdp.errors import Problem
from cdp.web.limits import Allowance, Limits, client_address, trust_proxies

EVENT = Item(datetime(2026, 6, 1, tzinfo=UTC), (), event="Page Viewed")
NO = replace(EVENT, event="", message_id="no", signals=(Signal("analytics", "none", "withdrawn", True, "banner"),))
YES = Signal("email_marketing", "none", "given", True, "banner")


class Watch:
    """A stopwatch that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def limits(watch: Watch, each: int = 10, together: int = 30) -> Limits:
    return Limits(Allowance(each, watch), Allowance(each, watch), Allowance(together, watch))


def test_an_address_that_floods_waits_and_the_others_do_not() -> None:
    watch = Watch()
    held = limits(watch)
    assert held.admit("web", "192.0.2.1", [EVENT] * 10).wait == 0
    refused = held.admit("web", "192.0.2.1", [EVENT])
    assert (refused.items, refused.wait) == ([], 6.0)
    assert held.admit("web", "192.0.2.2", [EVENT] * 10).wait == 0
    watch.seconds += 6
    assert held.admit("web", "192.0.2.1", [EVENT]).items == [EVENT]


def test_what_an_address_was_refused_uses_up_nothing_of_the_key() -> None:
    held = limits(Watch())
    for _ in range(50):
        held.admit("web", "192.0.2.1", [EVENT] * 10)
    assert held.admit("web", "192.0.2.2", [EVENT] * 10).wait == 0
    assert held.admit("web", "192.0.2.3", [EVENT] * 10).wait == 0
    assert held.admit("web", "192.0.2.4", [EVENT]).wait > 0, "thirty a minute for all together"
    assert held.admit("app", "192.0.2.4", [EVENT]).wait == 0, "another key has its own"


def test_a_no_is_taken_while_the_address_and_the_key_are_flooded() -> None:
    held = limits(Watch())
    for last in range(1, 5):
        held.admit("web", f"192.0.2.{last}", [EVENT] * 10)
    for address in ("192.0.2.1", "192.0.2.99"):
        admitted = held.admit("web", address, [EVENT, NO, EVENT])
        assert admitted.items == [NO]
        with pytest.raises(Problem) as told:
            admitted.refuse_rest()
        assert (told.value.status, told.value.headers["Retry-After"].isdigit()) == (429, True)


def test_an_event_that_carries_a_no_counts_as_an_event_and_its_no_goes_ahead() -> None:
    held = limits(Watch())
    both = replace(NO, event="Page Viewed", properties={"page": "/"}, traits={"city": "x"}, signals=(*NO.signals, YES))
    assert held.admit("web", "192.0.2.1", [both] * 10).items == [both] * 10
    refused = held.admit("web", "192.0.2.1", [EVENT, both, NO])
    assert refused.wait > 0
    assert refused.items == [replace(NO, message_id=""), NO], "the message itself is still to come"
    for last in range(2, 4):
        held.admit("web", f"192.0.2.{last}", [both] * 10)
    assert held.admit("web", "192.0.2.9", [both]).items == [replace(NO, message_id="")], "the key has its thirty"


def test_only_a_flood_of_noes_from_the_same_address_holds_a_no_back() -> None:
    held = limits(Watch())
    assert held.admit("web", "192.0.2.1", [NO] * 10).wait == 0
    assert held.admit("web", "192.0.2.1", [NO]).items == []
    assert held.admit("web", "192.0.2.2", [NO]).items == [NO]


def test_a_batch_larger_than_a_minute_passes_where_nothing_was_spent() -> None:
    held = limits(Watch(), each=10, together=100)
    assert held.admit("web", "192.0.2.1", [EVENT] * 25).wait == 0
    assert held.admit("web", "192.0.2.1", [EVENT]).wait > 0


def test_without_an_address_only_the_key_counts() -> None:
    held = limits(Watch())
    assert held.admit("web", "", [EVENT] * 30).wait == 0
    assert held.admit("web", "", [EVENT]).wait > 0


def test_zero_is_any_number() -> None:
    held = limits(Watch(), each=0, together=0)
    assert all(held.admit("web", "192.0.2.1", [EVENT] * 500).wait == 0 for _ in range(100))


def test_the_memory_of_addresses_is_bounded() -> None:
    allowance = Allowance(10, Watch(), most=100)
    for number in range(10_000):
        allowance.spend(number, 1)
    assert len(allowance) == 100


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(1, 20)), max_size=60))
def test_nobody_ever_has_more_than_a_minute_saved_up(steps: list[tuple[float, int]]) -> None:
    watch = Watch()
    allowance, spent, began = Allowance(20, watch), 0, watch.seconds
    for pause, cost in steps:
        watch.seconds += pause
        spent += cost if allowance.spend("one", cost) == 0 else 0
    assert spent <= 20 * (1 + (watch.seconds - began) / 60) + 1e-6


@pytest.mark.parametrize(
    ("hops", "said", "believed"),
    [
        (0, "203.0.113.9", "192.0.2.1"),
        (0, "", "192.0.2.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.7, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.7, 203.0.113.9", "198.51.100.7"),
        (2, "forged, 198.51.100.7, 203.0.113.9", "198.51.100.7"),
        (2, "203.0.113.9", "192.0.2.1"),
        (1, "", "192.0.2.1"),
    ],
)
def test_an_address_is_believed_from_so_many_proxies_and_no_more(hops: int, said: str, believed: str) -> None:
    assert seen(hops, said, "192.0.2.1") == believed


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_a_household_counts_once_whichever_address_it_takes(address: str, counted: str) -> None:
    assert seen(0, "", address) == counted


def seen(hops: int, said: str, address: str) -> str:
    app = Flask("limits")
    app.add_url_rule("/", view_func=lambda: client_address() or "-")
    trust_proxies(app, hops)
    headers = {"X-Forwarded-For": said} if said else {}
    with app.test_client() as client:
        answer = client.get("/", headers=headers, environ_base={"REMOTE_ADDR": address})
        assert request.path == "/"
    return answer.get_data(as_text=True).strip("-")
