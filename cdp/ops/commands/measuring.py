"""What this machine reaches of what was promised, measured on people who never lived."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.progress import Progress
from sqlalchemy import inspect
from sqlmodel import SQLModel

from cdp import deployment as deploying
from cdp.clock import SystemClock
from cdp.db import Database
from cdp.errors import StartRefused
from cdp.ops import console
from cdp.ops.bench import crowd, deciding, settling

_WHAT = {
    "fill": "making people",
    "first": "deciding everybody for the first time",
    "words": "after a change of words",
    "again": "deciding everybody again",
}


@click.group("bench")
def bench() -> None:
    """Measure this machine: figures with what they measure and how they scatter.

    Needs no home and touches none; only the policies are read.

    \b
    Examples:
      cdp bench decide
      cdp bench settle --people 100000 --database-url postgresql+psycopg://user@host/an_empty_database
    """


@bench.command()
@click.option("--people", default=400, show_default=True, type=click.IntRange(10, 100_000), help="Asked about.")
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1, 100), help="Times everything is asked.")
def decide(people: int, rounds: int) -> None:
    """One decision, every rule: warm, and in a process that never met the policy. Promised: median ≤ 200 µs."""
    terms = deploying.load_policy(console.settings())
    with tempfile.TemporaryDirectory(prefix="cdp-bench-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'bench.db'}", context={"policy": terms})
        SQLModel.metadata.create_all(database.writer)
        crowd.fill(database, terms, people)
        asked = deciding.questions(database, terms, crowd.everybody(database))
        database.dispose()
    on = SystemClock().now().date()
    click.echo(f"{people} people x {len(terms.uses)} uses = {len(asked):,} questions, {rounds} rounds; {_load()}")
    for name, times in (
        ("warm", deciding.warm(terms, asked, on, rounds)),
        ("cold", deciding.cold(terms, asked, on, rounds)),
    ):
        click.echo(
            f"decide() {name}: median {times.median:.1f} µs, p99 {times.p99:.1f} µs of its thread;"
            f" median {times.by_clock:.1f} µs by the clock; rounds differ by {times.spread:.0f} %"
        )


@bench.command()
@click.option("--people", default=100_000, show_default=True, type=click.IntRange(10, 10_000_000), help="How many.")
@click.option("--database-url", default="", help="A database without tables; default: an SQLite file that goes again.")
@click.option("--processes", default=os.cpu_count() or 1, show_default="one a core", type=click.IntRange(1, 64))
def settle(people: int, database_url: str, processes: int) -> None:
    """Everybody decided again after a change of policy, and compared. Promised: 100,000 in ≤ 60 s on 2 cores."""
    terms = deploying.load_policy(console.settings())
    with _emptied(database_url) as database, console.bar("bench") as progress:
        found = settling.measure(database, terms, people, processes, _told(progress))
        kind = "SQLite" if database.is_sqlite else "PostgreSQL"
    used = 1 if kind == "SQLite" else processes
    click.echo(f"{found.people:,} people on {kind}, {used} processes, {os.cpu_count()} cores; {_load()}")
    click.echo(f"made in {found.filled:.1f} s")
    click.echo(f"first decisions, with profiles and stages, 1 process: {_pace(found.people, found.first)}")
    click.echo(f"after a change of words alone: everybody believed after {found.words:.2f} s, nobody decided again")
    click.echo(
        f"after a change of answers: {_pace(found.people, found.again)}; {found.changed:,} people's answers changed"
    )
    click.echo(f"sample of {found.sample:,} compared with fresh decisions: {found.wrong} differ")
    if found.wrong:
        click.get_current_context().exit(console.WRONG)


def _pace(people: int, seconds: float) -> str:
    return f"{seconds:.1f} s, {people / seconds:,.0f} people/s, {1e6 * seconds / people:.0f} µs each"


def _load() -> str:
    """Say how busy the machine is: a figure from a busy one is no promise."""
    return "load " + " ".join(f"{one:.1f}" for one in os.getloadavg())


def _told(progress: Progress) -> settling.Told:
    task = progress.add_task("bench", total=None)

    def told(what: str, done: int, total: int) -> None:
        progress.update(task, description=_WHAT[what], completed=done, total=total)

    return told


@contextmanager
def _emptied(url: str) -> Iterator[Database]:
    """Open the database that is named, which must be empty, or a file of our own."""
    with tempfile.TemporaryDirectory(prefix="cdp-bench-") as folder:
        database = Database(url or f"sqlite:///{Path(folder) / 'bench.db'}")
        try:
            if inspect(database.writer).get_table_names():
                raise StartRefused("This database holds tables: name one that is empty, the bench fills it.")
            yield database
        finally:
            database.dispose()
