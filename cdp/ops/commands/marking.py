"""What staff know of a person and no request says: that they died, or that data are kept for a duty of law alone."""

import click

from cdp import gate
from cdp.errors import Problem
from cdp.ops import console
from cdp.ops.commands.naming import ask, subjects_of, whom
from cdp.rights import restriction

STATES = {
    "deceased": "the person has died: nobody writes to them any more",
    "legal_hold": "kept for a duty of law and used for nothing else, until the hold ends",
}


@click.command("mark")
@whom
@click.option(
    "--state", type=click.Choice(sorted(STATES)), required=True, help="; ".join(f"{k}: {v}" for k, v in STATES.items())
)
@click.option("--lift", is_flag=True, help="End the state.")
def mark(namespace: str, scope: str, value: str, person: int | None, reason: str, state: str, lift: bool) -> None:
    """Begin or end a state of a person; when it answers, it holds.

    \b
    Example:
      cdp subject mark --person 1042 --state deceased --reason "told by the family on 3 May"
    """
    named = ask(namespace, scope, value, person)
    with console.opened() as deployment:
        at = deployment.clock.now()
        with deployment.database.transaction() as session:
            subjects = subjects_of(session, named, person)
            act = restriction.lift if lift else restriction.object_to
            changed = act(session, subjects, state, at)
            console.audit(session, deployment, f"subject.{state}", reason, lift=lift, subjects=changed)
        if not changed:
            raise Problem(
                409,
                "no_change",
                f"Nothing changed: the state {state} {'does not stand' if lift else 'stands already'}.",
            )
        gate.wait_until_clear(deployment.database, set(subjects))
    click.echo(f"{state}\t{'ended' if lift else 'begun'}\t{changed}")
