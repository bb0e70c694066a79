"""How much may come through a key that stands in pages: per client address first, then for the key as a whole.

A flood from one address meets its own limit before it uses up anybody else's. What says no to the use
of data is never held back by others' events: it has an allowance of its own, per address alone. An event
that carries a no counts as any event; where it must wait, its no goes ahead without it. Each
web process counts for itself, and knows only so many addresses; those not seen for longest are forgotten.
"""

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from cdp.connector.kit import Item
from cdp.errors import Problem, Refusal
from cdp.ingest.batch import no_of
from cdp.settings import Settings

MINUTE = 60.0

MOST_KNOWN = 50_000
"""Addresses that one process remembers at a time: some ten megabytes."""

Brought = Item | Refusal


class Allowance:
    """So many a minute for each name, at once or spread (the generic cell rate algorithm); 0 = without end."""

    def __init__(self, per_minute: int, now: Callable[[], float] = time.monotonic, most: int = MOST_KNOWN) -> None:
        self.each = MINUTE / per_minute if per_minute else 0.0
        self.now, self.most = now, most
        self._spent_until: OrderedDict[Hashable, float] = OrderedDict()
        self._turn = threading.Lock()

    def spend(self, name: Hashable, cost: int) -> float:
        """Return 0 if the name may have this much now, else after how many seconds; what is refused costs nothing."""
        if not self.each or not cost:
            return 0.0
        with self._turn:
            now = self.now()
            until = max(self._spent_until.pop(name, now), now)
            # More than a whole minute's worth at once is let through to whoever has spent nothing.
            spent = until + min(cost * self.each, MINUTE)
            wait = spent - now - MINUTE
            self._spent_until[name] = until if wait > 0 else spent
            if len(self._spent_until) > self.most:
                self._spent_until.popitem(last=False)
            return max(wait, 0.0)

    def __len__(self) -> int:
        return len(self._spent_until)


@dataclass(frozen=True, slots=True)
class Admitted:
    """What may be taken now, and after how many seconds the rest may be sent again."""

    items: list[Brought]
    wait: float = 0.0

    def refuse_rest(self) -> None:
        """Raise Problem 429 where something was left out; whoever sends all again finds the taken part received."""
        if self.wait:
            seconds = str(math.ceil(self.wait))
            detail = "Too many events came through this key or from this address; send them again later."
            raise Problem(429, "too_many_requests", detail, headers={"Retry-After": seconds})


@dataclass(frozen=True, slots=True)
class Limits:
    """The allowances of one web process for public keys."""

    events: Allowance
    noes: Allowance
    keys: Allowance

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        each = settings.public_address_rate
        return cls(Allowance(each), Allowance(each), Allowance(settings.public_key_rate))

    def admit(self, source: str, address: str, items: Sequence[Brought]) -> Admitted:
        """Return what of these may be taken: the noes by themselves, the rest all or none."""
        others = sum(not only_says_no(item) for item in items)
        wait = self._wait(source, address, others)
        passing = [no for item in items if (no := said_of(item)) is not None] if wait else list(items)
        noes = sum(only_says_no(item) for item in passing)
        late = self.noes.spend((source, address), noes)
        taken = [item for item in passing if not only_says_no(item)] if late else passing
        return Admitted(taken, max(late, wait))

    def _wait(self, source: str, address: str, cost: int) -> float:
        wait = self.events.spend((source, address), cost) if address else 0.0
        return wait or self.keys.spend(source, cost)


def only_says_no(item: Brought) -> bool:
    """Whether the item withdraws, refuses or silences something, and brings nothing else."""
    return isinstance(item, Item) and no_of(item) == item


def said_of(item: Brought) -> Brought | None:
    """Return the no in an item, to go ahead of the rest of it; None where there is none.

    Without the message's id: the message is still to come, and must not be found received then.
    """
    no = no_of(item) if isinstance(item, Item) else None
    return no if no is None or no == item else replace(no, message_id="")


def client_address() -> str:
    """Return whom to count by: the IPv4 address, or the IPv6 network that one household has; empty if unknown."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def trust_proxies(app: Flask, hops: int) -> None:
    """Believe the client address that the nearest `hops` proxies report; with none, what anybody reports is ignored."""
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=0, x_host=0)  # type: ignore[method-assign]
