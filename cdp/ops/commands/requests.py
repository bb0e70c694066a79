"""What people asked, for whoever answers them: listed by due date, looked at, and the words that only staff can say."""

import json

import click

from cdp import rights
from cdp.deployment import Deployment
from cdp.ops import console
from cdp.rights import steps
from cdp.rights.model import SubjectRequest
from cdp.rights.words import OUTCOMES


@click.group()
def request() -> None:
    """Requests of data subjects: list, show, verify, tell, accept, extend, close.

    \b
    Examples:
      cdp request list --overdue
      cdp request verify 5f3c… --reason "showed a passport"
    """


@request.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that were answered.")
@click.option("--overdue", is_flag=True, help="Only those whose due date has passed.")
def list_(everything: bool, overdue: bool) -> None:
    """Print open requests, the most pressing first: id, right, state, what it waits for, due date."""
    with console.opened() as deployment:
        now, place, shown = deployment.clock.now(), None, 0
        while True:
            with deployment.database.snapshot() as session:
                found = rights.by_due(session, "" if everything else "open", now if overdue else None, place)
            for one in found:
                late = "\tOVERDUE" if one.completed_at is None and one.due_at < now else ""
                waits = f"waits for {one.waits_for}" if one.waits_for else "-"
                click.echo(f"{one.id}\t{one.right}\t{one.state}\t{waits}\t{one.due_at.isoformat()}{late}")
            shown += len(found)
            if len(found) < 100:
                break
            place = (found[-1].due_at, found[-1].id)
    if not shown:
        click.echo("none: nobody waits for an answer" if not everything else "none yet", err=True)


@request.command()
@click.argument("id")
def show(id: str) -> None:
    """Print one request with its steps; no value of the person."""
    with console.opened() as deployment, deployment.database.snapshot() as session:
        one = steps.load(session, id)
        for name in ("id", "right", "requester", "law", "state", "waits_for", "received_at", "due_at", "completed_at"):
            click.echo(f"{name}={getattr(one, name)}")
        click.echo(f"asked={one.asked}")
        for step in steps.taken(one):
            click.echo(f"  {step['step']}\t{step['at']}\t{json.dumps(step['counts'], ensure_ascii=False)}")


@request.command()
@click.argument("id")
@console.REASON
def verify(id: str, reason: str) -> None:
    """Say that who asks is known to be the person or to act for it; the request goes on."""
    with console.opened() as deployment:
        with deployment.database.transaction() as session:
            console.audit(session, deployment, "request.verify", reason, request=id)
            rights.verify(session, id, deployment.clock.now())
        _carry_on(deployment, id)


@request.command()
@click.argument("id")
@click.option("--at", "told_at", default="", help="Instant (ISO 8601); left out: now.")
@console.REASON
def tell(id: str, told_at: str, reason: str) -> None:
    """Say when the person was told that a restriction ends (GDPR 18(3)); it then ends."""
    with console.opened() as deployment:
        with deployment.database.transaction() as session:
            console.audit(session, deployment, "request.tell", reason, request=id)
            now = deployment.clock.now()
            rights.tell(session, id, console.instant(told_at, "--at") if told_at else now, now)
        _carry_on(deployment, id)


@request.command()
@click.argument("id")
@console.REASON
def accept(id: str, reason: str) -> None:
    """Decide a contested rectification for the person; it is then carried out."""
    with console.opened() as deployment:
        with deployment.database.transaction() as session:
            console.audit(session, deployment, "request.accept", reason, request=id)
            rights.accept(session, id, deployment.clock.now())
        _carry_on(deployment, id)


@request.command()
@click.argument("id")
@click.option("--at", "told_at", default="", help="When the person was told (ISO 8601); left out: now.")
@console.REASON
def extend(id: str, told_at: str, reason: str) -> None:
    """Take two further months, once, where the person was told why by the due date (GDPR 12(3))."""
    with console.opened() as deployment, deployment.database.transaction() as session:
        now = deployment.clock.now()
        told = console.instant(told_at, "--at") if told_at else now
        console.audit(session, deployment, "request.extend", reason, request=id)
        one = rights.extend(session, id, told, reason, now)
        tell_state(one)
        click.echo(f"due_at={one.due_at.isoformat()}")


@request.command()
@click.argument("id")
@click.option("--outcome", type=click.Choice(OUTCOMES), required=True)
@console.REASON
def close(id: str, outcome: str, reason: str) -> None:
    """End a request by hand; what it had begun stays until it is ended by a request of its own."""
    with console.opened() as deployment, deployment.database.transaction() as session:
        console.audit(session, deployment, "request.close", reason, request=id, outcome=outcome)
        tell_state(rights.close(session, id, outcome, reason, deployment.clock.now()))


def tell_state(one: SubjectRequest) -> None:
    """Print where a request stands, a line each; no value of the person."""
    click.echo(f"request={one.id}\nstate={one.state}")
    if one.waits_for:
        click.echo(f"waits_for={one.waits_for}")


def _carry_on(deployment: Deployment, id: str) -> None:
    tell_state(rights.advance(deployment, id))
