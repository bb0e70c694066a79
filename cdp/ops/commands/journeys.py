"""Where a person is in each journey, and what moved the person there: names of events and stages, no values."""

from collections.abc import Sequence

import click
from sqlmodel import Session

from cdp import identity, journey
from cdp.ops import console
from cdp.ops.commands.subjects import ask, whom


@click.command("journey")
@whom
def walked(namespace: str, scope: str, value: str, person: int | None, reason: str) -> None:
    """Print every move of a person through the journeys, with its cause; opens nothing."""
    named = ask(namespace, scope, value, person)
    with console.opened() as deployment, deployment.database.transaction() as session:
        found = [person] if person is not None else identity.find_all(session, *named)
        for one in found:
            click.echo(f"person={one}")
            for line in _moves(session, one):
                click.echo(f"  {line}")
        console.audit(session, deployment, "subject.journey", reason, found=len(found))
    if not found:
        click.echo("nobody")


def _moves(session: Session, person: int) -> Sequence[str]:
    return [
        f"{move.at:%Y-%m-%d %H:%M}  {move.journey}: {move.from_stage or '-'} -> {move.to_stage or '-'}"
        f"  because {move.because or 'of a fact that is gone'} ({move.rule})"
        for move in journey.explain(session, person)
    ]
