"""What is known of one person: who it is, where in the journeys, who got what, and all of it as a file."""

import json
from collections.abc import Sequence
from pathlib import Path

import click
from sqlmodel import Session, col, select

from cdp import journey, rights
from cdp.ops import console
from cdp.ops.commands.naming import ask, everyone, receive, subjects_of, whom
from cdp.profile.model import Subject
from cdp.rights import erasure, steps


@click.command()
@whom
def find(namespace: str, scope: str, value: str, person: int | None, reason: str) -> None:
    """Print the person's number, subjects and sources; opens nothing."""
    named = ask(namespace, scope, value, person)
    with console.opened() as deployment, deployment.database.transaction() as session:
        found = everyone(session, named, person)
        for one in found:
            subjects = steps.cluster(session, [one])
            click.echo(f"person={one}")
            for number, source in _sources(session, subjects):
                click.echo(f"  subject={number}\t{source}")
            for table, count in erasure.count_rows(session, subjects).items():
                click.echo(f"  {table}\t{count}")
        console.audit(session, deployment, "subject.find", reason, found=len(found))
    if not found:
        click.echo("nobody")


@click.command("journey")
@whom
def walked(namespace: str, scope: str, value: str, person: int | None, reason: str) -> None:
    """Print every move of a person through the journeys, with its cause; opens nothing."""
    named = ask(namespace, scope, value, person)
    with console.opened() as deployment, deployment.database.transaction() as session:
        found = everyone(session, named, person)
        for one in found:
            click.echo(f"person={one}")
            for line in _moves(session, one):
                click.echo(f"  {line}")
        console.audit(session, deployment, "subject.journey", reason, found=len(found))
    if not found:
        click.echo("nobody: try `cdp subject find`")


@click.command()
@whom
def disclosures(namespace: str, scope: str, value: str, person: int | None, reason: str) -> None:
    """Print who got what of a person, oldest first; field names only, opens nothing."""
    named = ask(namespace, scope, value, person)
    with console.opened() as deployment, deployment.database.transaction() as session:
        found = rights.told(session, subjects_of(session, named, person))
        console.audit(session, deployment, "subject.disclosures", reason, found=len(found))
    for one in found:
        to, given = one["recipient"], "" if one["handed_over"] else "\tnot reported as handed over"
        where = f"{to['name']} ({to['role']}, {to['country']})"
        fields = ",".join(one["fields"])
        click.echo(f"{one['at']}\t{where}\t{one['purpose']}\t{one['channel']}\t{fields}\t{one['ledger_entry']}{given}")
    if not found:
        console.tell_none("no recipient was given anything of this person")


@click.command()
@whom
@click.option("--output", "-o", required=True, type=click.Path(dir_okay=False, path_type=Path), help="New file.")
def export(namespace: str, scope: str, value: str, person: int | None, reason: str, output: Path) -> None:
    """Write everything held of a person into a new file that only you can read."""
    named = ask(namespace, scope, value, person)
    with console.opened() as deployment:
        request = receive(deployment, "access", named, person, reason)
        rights.advance(deployment, request.id)
        with deployment.database.transaction() as session:
            package = rights.package(session, request.id, deployment.clock.now())
    console.write_private(output, json.dumps(package, ensure_ascii=False, indent=1).encode())
    click.echo(f"request={request.id}\nheld={len(package['held'])}\nfile={output}")


def _moves(session: Session, person: int) -> Sequence[str]:
    return [
        f"{move.at:%Y-%m-%d %H:%M}  {move.journey}: {move.from_stage or '-'} -> {move.to_stage or '-'}"
        f"  because {move.because or 'of a fact that is gone'} ({move.rule})"
        for move in journey.explain(session, person)
    ]


def _sources(session: Session, subjects: Sequence[int]) -> list[tuple[int, str]]:
    query = select(col(Subject.number), col(Subject.source)).where(col(Subject.number).in_(subjects))
    return [(row[0], row[1]) for row in session.execute(query.order_by(col(Subject.number)))]
