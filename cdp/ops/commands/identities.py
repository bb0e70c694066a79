"""Who is who, for an operator: what is held, why, a person's word on it, and everybody resolved again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import click
from rich.table import Table
from sqlmodel import Session

from cdp import identity
from cdp.db import Database
from cdp.identity import config, decisions, explaining, review
from cdp.identity.rebuild import Difference
from cdp.ops import console, rebuilding
from cdp.ops.commands import proposing

_STEPS = {"reading": "reading evidence", "resolving": "resolving", "settling": "bringing people along"}

_EXAMPLES = 20


@click.group("identity")
def identities() -> None:
    """Who is one person, and why; what was not believed; everybody resolved again.

    Values are never shown: each is named by a few signs that are the same on every record of this deployment.

    \b
    Examples:
      cdp identity cases
      cdp identity decide 12 shared --reason "the family's tablet"
      cdp identity explain 1042 1077
      cdp identity rebuild --check
      cdp identity propose --dry-run
    """


for _command in proposing.COMMANDS:
    identities.add_command(_command)


@identities.command()
@click.option("--all", "everything", is_flag=True, help="Also notices, which ask for nothing.")
@click.option("--decided", is_flag=True, help="Those that somebody answered instead, notices and all.")
@console.AFTER
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
def cases(everything: bool, decided: bool, after: int, limit: int) -> None:
    """List open cases: values that joined nobody, and sources on hold, that somebody should look at."""
    severities = () if everything or decided else ("review", "alarm")
    with console.opened() as deployment, deployment.database.snapshot() as session:
        found = review.listed(session, ("decided" if decided else "open",), severities, after, limit)
        answered = ("answer", "by", "at") if decided else ()
        table = Table("case", "since", "severity", "rule", "value or source", *answered, box=None)
        for one in found:
            what = one.source or explaining.shown(session, (one.namespace, bytes(one.token)))
            answer = (one.action, one.actor, _minute(one.closed_at)) if decided else ()
            table.add_row(str(one.id), _minute(one.opened_at), one.severity, one.rule, what, *answer)
    if not found and decided:
        console.tell_none("cases that `cdp identity decide` answered come here")
        return
    if not found:
        console.tell_none("values that may not join come here" + ("" if everything else "; --all lists notices, too"))
        return
    console.print_table(table)


@identities.command()
@click.argument("case", type=console.NUMBER)
def show(case: int) -> None:
    """Show whom a case is about, and why it was held."""
    with console.opened() as deployment, deployment.database.snapshot() as session:
        told = review.tell(session, case)
    click.echo(f"case {case}\t{told.case.rule}\t{told.case.severity}\t{told.case.state}\n{told.shown}")
    for person, subjects in sorted(told.people.items()):
        click.echo(f"person {person}\tsubjects {' '.join(map(str, subjects[:20]))}{' …' if len(subjects) > 20 else ''}")
    for obstacle in told.obstacles:
        click.echo(_obstacle(obstacle))
    if told.actions:
        click.echo(f"answers: {' '.join(told.actions)}")
    elif told.case.action:
        made = "".join(f"\tdecision {number}" for number in told.decisions)
        click.echo(f"answered: {told.case.action}\t{told.case.actor}\t{_minute(told.case.closed_at)}{made}")


@identities.command()
@click.argument("case", type=console.NUMBER)
@click.argument("action", type=click.Choice([*review.OF_VALUES, *review.OF_SOURCES]))
@console.REASON
def decide(case: int, action: str, reason: str) -> None:
    """Close a case with your word; taken back with `cdp identity undo CASE`.

    \b
    allow     those on the value are one person
    cannot    they are different people, for good
    block     the value means nobody
    shared    the value is several people's and joins none
    expire    the value left those who had it before
    release   what a source on hold brought counts
    keep      the source stays on hold
    """

    def work(session: Session) -> list[int]:
        console.audit(session, deployment, "identity.decide", reason, case=case, action=action)
        return review.decide(session, case, action, reason, "staff", deployment.clock.now())

    with console.opened() as deployment:
        made = deployment.database.attempt(work)
    click.echo(f"case={case}\naction={action}")
    for number in made:
        click.echo(f"decision={number}")


@identities.command()
@click.argument("case", type=console.NUMBER)
@console.REASON
def undo(case: int, reason: str) -> None:
    """Take back what was decided of a case: everybody is as before."""

    def work(session: Session) -> None:
        console.audit(session, deployment, "identity.undo", reason, case=case)
        review.undo(session, case, reason, "staff", deployment.clock.now())

    with console.opened() as deployment:
        deployment.database.attempt(work)
    click.echo(f"case={case}")


@identities.command("decisions")
@console.AFTER
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
def list_decisions(after: int, limit: int) -> None:
    """List what was said of records and values, the newest last, also what was taken back since.

    One of a case is taken back with `cdp identity undo CASE`, any other with `cdp subject revoke NUMBER`.
    """
    with console.opened() as deployment, deployment.database.snapshot() as session:
        found = decisions.listed(session, after, limit)
        table = Table("decision", "at", "kind", "about", "by", "case", "taken back", box=None)
        for one in found:
            about = [str(number) for number in (one.subject, one.other_subject) if number]
            about += [explaining.shown(session, (one.namespace, bytes(one.token)))] if one.namespace else []
            case, back = str(one.case_id or ""), _minute(one.revoked_at)
            table.add_row(str(one.id), _minute(one.at), one.kind, " ".join(about), one.actor, case, back)
    if not found:
        console.tell_none("what is said of records and values comes here")
        return
    console.print_table(table)


@identities.command()
@click.argument("one", type=console.NUMBER)
@click.argument("other", type=console.NUMBER)
def explain(one: int, other: int) -> None:
    """Say why two subjects are one person, or why not: the evidence between them, and what stands in the way."""
    with console.opened() as deployment, deployment.database.snapshot() as session:
        told = identity.explain(session, one, other)
    click.echo(f"subject {one}\tperson {told.people[0]}\nsubject {other}\tperson {told.people[1]}")
    if told.is_one:
        for step in told.path:
            by = f"decision {step.decision}" if step.decision else step.value
            click.echo(f"{step.one}\t{by}\t{step.other}")
    elif not told.obstacles:
        click.echo("nothing is on both, or leads from one to the other")
    for obstacle in told.obstacles:
        click.echo(_obstacle(obstacle))


@identities.command()
@click.option("--check", is_flag=True, help="Compare only: exit code 1 where what is stored differs.")
@click.option("--dry-run", is_flag=True, help="Say what the policy's present configuration would change.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def rebuild(check: bool, dry_run: bool, yes: bool) -> None:
    """Resolve everybody from all the evidence, and take up `policies/identifiers.yaml` as it is now.

    What arrives meanwhile is resolved under the new configuration; may be killed and begun again.
    """
    with console.opened() as deployment, _watched() as told:
        if check:
            found = rebuilding.check(deployment.database, told)
        else:
            rehearsed = rebuilding.rehearse(deployment.database, told)
            _say_rehearsed(rehearsed)
            if dry_run:
                return
            if not rehearsed.found.is_right and not yes:
                click.confirm("Take it up?", abort=True)
            found = rebuilding.run(deployment.database, told)
        stale = check and not _is_current(deployment.database)
        lost = _lost(deployment.database, found)
    click.echo(f"subjects={found.subjects}\npeople={found.people}\ncomponents={found.components}")
    _say_difference(found.difference)
    for line in lost:
        click.echo(line)
    if stale:
        click.echo(
            "policies/identifiers.yaml is another than people are resolved under: run `cdp identity rebuild`.", err=True
        )
    if not found.is_right:
        click.get_current_context().exit(console.WRONG)


def _is_current(database: Database) -> bool:
    with database.snapshot() as session:
        return config.is_current(session)


def _say_rehearsed(rehearsed: rebuilding.Rehearsal) -> None:
    difference = rehearsed.found.difference
    click.echo(f"would_join={difference.joined}\nwould_part={difference.parted}\nwould_move={len(difference.subjects)}")
    people = {person for person, _ in rehearsed.narrowed}
    narrowed = str(len(people)) if rehearsed.followed else f"not followed: more than {rebuilding.REHEARSED}"
    click.echo(f"people_permitted_less={narrowed}")
    click.echo(f"would_uphold={len(rehearsed.found.lost)}")
    for now, then in rehearsed.narrowed[:_EXAMPLES]:
        click.echo(f"permitted less\tperson {now} -> {then}")
    for subject, now, then in rehearsed.examples:
        click.echo(f"subject {subject}\tperson {now} -> {then}")


def _lost(database: Database, found: rebuilding.Found) -> list[str]:
    """Return how many decisions in force the evidence does not show, and some of them."""
    lines = [f"lost_decisions={len(found.lost)}"]
    with database.snapshot() as session:
        for one in found.lost[:_EXAMPLES]:
            whose = f"subject {one.subject}" if one.subject else "everybody"
            number = f"decision {one.decision}" if one.decision else "no hold"
            lines.append(f"{one.kind}\t{number}\t{whose}\t{explaining.shown(session, one.key)}")
    return lines


def _say_difference(difference: Difference) -> None:
    click.echo(f"differing_subjects={len(difference.subjects)}")
    click.echo(f"differing_values={len(difference.generic) + len(difference.values)}")


def _minute(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else ""


def _obstacle(one: explaining.Obstacle) -> str:
    counted = f" of {one.counted}" if one.counted else ""
    said = f"decision {one.decision}" if one.decision else ""
    return "\t".join(part for part in (one.rule + counted, one.value, said) if part)


@contextmanager
def _watched() -> Iterator[Callable[[str, int, int], None]]:
    with console.bar("identity") as progress:
        tasks = {}

        def told(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(_STEPS[what], total=None)
            progress.update(tasks[what], completed=done, total=total or None)

        yield told
