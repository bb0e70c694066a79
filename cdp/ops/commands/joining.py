"""An operator's word on who is who: two subjects are one person, or are not, and that word taken back."""

from collections.abc import Callable, Mapping

import click
from sqlmodel import Session

from cdp import identity
from cdp.identity import review
from cdp.ops import console


@click.command()
@click.argument("one", type=console.NUMBER)
@click.argument("other", type=console.NUMBER)
@console.REASON
def merge(one: int, other: int, reason: str) -> None:
    """Say that two subjects are one person; take it back with `cdp subject revoke NUMBER`."""
    _decide(identity.must, "subject.merge", one, other, reason)


@click.command()
@click.argument("one", type=console.NUMBER)
@click.argument("other", type=console.NUMBER)
@console.REASON
def split(one: int, other: int, reason: str) -> None:
    """Say that two subjects are not one person, whatever they share; taken back with `cdp subject revoke NUMBER`."""
    _decide(identity.cannot, "subject.split", one, other, reason)


@click.command()
@click.argument("subject", type=console.NUMBER)
@click.argument("value")
@console.REASON
def retract(subject: int, value: str, reason: str) -> None:
    """Say that a subject was not seen with a value after all; taken back with `cdp subject revoke NUMBER`.

    VALUE as `cdp identity show` and `explain` print it: it joins the subject to nobody, and nobody is written to there.

    \b
    Example:
      cdp subject retract 12 'email ●3fa2b1' --reason 'typed by somebody else'
    """

    def work(session: Session) -> tuple[int, dict[int, int]]:
        console.audit(session, deployment, "subject.retract", reason)
        number = review.retract(session, subject, value, reason, "staff", deployment.clock.now())
        return number, identity.people_of(session, [subject])

    with console.opened() as deployment:
        _tell(*deployment.database.attempt(work))


@click.command()
@click.argument("decision", type=console.NUMBER)
@console.REASON
def revoke(decision: int, reason: str) -> None:
    """Take back what was said, by the number that it printed: people are as if it had never been said."""

    def work(session: Session) -> None:
        console.audit(session, deployment, "subject.revoke", reason, decision=decision)
        review.revoke(session, decision, "staff", deployment.clock.now())

    with console.opened() as deployment:
        deployment.database.attempt(work)
    click.echo(f"revoked={decision}")


def _decide(say: Callable[..., int], act: str, one: int, other: int, reason: str) -> None:
    def work(session: Session) -> tuple[int, dict[int, int]]:
        console.audit(session, deployment, act, reason)
        number = say(session, one, other, reason, "staff", deployment.clock.now())
        return number, identity.people_of(session, [one, other])

    with console.opened() as deployment:
        _tell(*deployment.database.attempt(work))


def _tell(decision: int, people: Mapping[int, int]) -> None:
    click.echo(f"decision={decision}")
    for number, belongs in sorted(people.items()):
        click.echo(f"subject {number}\tperson {belongs}")
