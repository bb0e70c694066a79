"""In whatever order a shop's systems deliver, twice or once, in batches of any size: the same state, byte for byte.

What "state" is, and what is left out of it, stands at the head of `meaning`; what the feed leaves out, at the
head of `feed`. Every order is written into a database of its own, of both kinds, under one keyring.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from sqlmodel import SQLModel

from cdp import connector, gate, ingest, journey, policy, profile, vault
from cdp.db import Database
from tests.conftest import DEEP, ROOT, StandingClock, import_tables, postgres_database
from tests.stories import meaning
from tests.stories.feed import Doors, delivered, messages

EVENTS = 100_000 if DEEP else 300
ORDERS = 20 if DEEP else 6


@dataclass(frozen=True)
class Told:
    """What became of one order."""

    digest: str
    lines: int
    people: int
    accepted: int
    duplicates: int
    refused: dict[str, int]
    seconds: float
    items: int


def test_every_order_of_arrival_gives_the_same_state(tmp_path: Path, postgres: str, figures) -> None:
    keyring = f"file:{tmp_path / 'keys' / 'keyring.json'}"
    vault.Keyring.create(keyring)
    tell = partial(take_in, keyring, tmp_path, postgres)
    if DEEP:
        with ProcessPoolExecutor(2, get_context("spawn")) as pool:
            told = list(pool.map(tell, range(ORDERS)))
    else:
        told = [tell(order) for order in range(ORDERS)]
    figures(
        "any order of arrival",
        events=EVENTS,
        orders=len(told),
        delivered=sum(one.items for one in told),
        duplicates=told[0].duplicates,
        people=told[0].people,
        lines_of_state=told[0].lines,
        states=len({one.digest for one in told}),
        items_per_s=sum(one.items for one in told) / sum(one.seconds for one in told),
    )
    assert all(not one.refused for one in told), [one.refused for one in told]
    assert {one.accepted for one in told} == {EVENTS}
    assert all(one.duplicates == int(EVENTS * 0.3) for one in told)
    assert len({one.digest for one in told}) == 1, difference(tmp_path)


def take_in(keyring: str, folder: Path, postgres: str, order: int) -> Told:
    """Take the whole feed into a new database in this order and tell what it means then."""
    report, items, doors = ingest.Report(), 0, Doors(connector.load(ROOT / "connectors"))
    with _url(order, folder, postgres) as url:
        database = open_shop(url, keyring)
        begun, at = time.perf_counter(), database.clock.now()
        for door, batch in delivered(messages(EVENTS), order):
            config, read = doors.read(door, batch, at)
            report.outcomes += ingest.take(database, config, read, at).outcomes
            items += len(read)
        seconds = time.perf_counter() - begun
        lines = meaning.lines(database)
        database.dispose()
    (folder / f"order-{order}.jsonl").write_text("\n".join(lines))
    people = sum('"kind": "Person"' in line for line in lines)
    refused = dict(report.refused)
    return Told(meaning.digest(lines), len(lines), people, report.accepted, report.duplicates, refused, seconds, items)


def open_shop(url: str, keyring: str) -> Database:
    """Make a database with every table, the shipped policy, and this keyring."""
    import_tables()
    database = Database(url, clock=StandingClock())
    SQLModel.metadata.create_all(database.writer)
    database.context.update(vault=vault.Vault(vault.Keyring.load(keyring)), policy=policy.load(ROOT / "policies"))
    database.settlers += [("profile", profile.settle), ("gate", gate.settle), ("journey", journey.settle)]
    gate.register_policy(database)
    return database


def difference(folder: Path) -> str:
    """Return the first lines in which two orders differ."""
    first, *others = (set(path.read_text().splitlines()) for path in sorted(folder.glob("order-*.jsonl")))
    other = next(lines for lines in others if lines != first)
    return "\n".join(
        [*(f"- {line}" for line in sorted(first - other)[:8]), *(f"+ {line}" for line in sorted(other - first)[:8])]
    )


@contextmanager
def _url(order: int, folder: Path, postgres: str) -> Iterator[str]:
    """Make a database for this order, of both kinds in turn, and let go of it."""
    if order % 2:
        yield from postgres_database(postgres)
        return
    file = folder / f"order-{order}.db"
    yield f"sqlite:///{file}"
    file.unlink()
