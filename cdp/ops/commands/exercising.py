"""The rights of one person, exercised by an operator: erase, restrict, object, rectify."""

import json
from typing import TextIO

import click
from marshmallow import ValidationError

from cdp import rights
from cdp.deployment import Deployment
from cdp.errors import Problem
from cdp.ops import console
from cdp.ops.commands import requests
from cdp.ops.commands.naming import Named, ask, receive, whom
from cdp.rights import erasure, steps
from cdp.rights.asked import KINDS
from cdp.rights.model import SubjectRequest
from cdp.web.api.subject_requests import CorrectionsSchema


@click.command()
@whom
@click.option("--dry-run", is_flag=True, help="Print what would go, and change nothing.")
@console.YES
def erase(namespace: str, scope: str, value: str, person: int | None, reason: str, dry_run: bool, yes: bool) -> None:
    """Erase a person for good, in every copy of the database; prints the certificate.

    An identifier that nobody has is kept out from now on all the same.
    """
    named = ask(namespace, scope, value, person)
    with console.opened() as deployment:
        counts = _would_go(deployment, named, person)
        for table, count in counts.items():
            click.echo(f"{table}\t{count}", err=not dry_run)
        if dry_run:
            return
        if not yes:
            click.confirm("Erase this for good? No backup brings it back", abort=True, err=True)
        request = receive(deployment, "erasure", named, person, reason)
        done = rights.advance(deployment, request.id)
    click.echo(done.certificate)


BY = click.option(
    "--by",
    "requester",
    type=click.Choice(rights.REQUESTERS),
    default="staff",
    show_default=True,
    help="Whose word it is.",
)


@click.command()
@whom
@click.option("--lift", is_flag=True, help="End the restriction, once the person was told.")
@BY
def restrict(
    namespace: str, scope: str, value: str, person: int | None, reason: str, lift: bool, requester: str
) -> None:
    """Keep a person's data and use it for nothing (GDPR 18), or end that.

    The end waits for `cdp request tell`, unless it is the person's own word.
    """
    named = ask(namespace, scope, value, person)
    with console.opened() as deployment:
        asked = rights.Asked(lift=lift)
        _carry_out(deployment, receive(deployment, "restriction", named, person, reason, requester, asked))


@click.command("object")
@whom
@click.option("--kind", type=click.Choice(KINDS), help="Left out: both.")
@click.option("--purpose", default="*", help="Of an objection to legitimate interests: this purpose only.")
@click.option("--lift", is_flag=True, help="End the objection; needs the person's own word.")
@BY
def object_(
    namespace: str,
    scope: str,
    value: str,
    person: int | None,
    reason: str,
    kind: str | None,
    purpose: str,
    lift: bool,
    requester: str,
) -> None:
    """Use nothing of a person for marketing or legitimate interests (GDPR 21), or end that."""
    named = ask(namespace, scope, value, person)
    with console.opened() as deployment:
        asked = rights.Asked(kind=kind or "", purpose=purpose, lift=lift)
        _carry_out(deployment, receive(deployment, "objection", named, person, reason, requester, asked))


@click.command()
@whom
@click.option(
    "--corrections",
    type=click.File(encoding="utf-8"),
    help='JSON file, - for standard input: {"traits": {…}, "identifiers": [{"remove": …}]}.',
)
@click.option("--restrict-meanwhile", is_flag=True, help="Accuracy is contested: use nothing until it is decided.")
@click.option("--revoke", default="", metavar="REQUEST", help="Take back the rectification of this request.")
@BY
def rectify(
    namespace: str,
    scope: str,
    value: str,
    person: int | None,
    reason: str,
    corrections: TextIO | None,
    restrict_meanwhile: bool,
    revoke: str,
    requester: str,
) -> None:
    """Put right what is wrong of a person (GDPR 16, APPI 34), or take that back.

    A trait that is null is deleted. An identifier joins records only with "verified": true.
    """
    named = ask(namespace, scope, value, person)
    with console.opened() as deployment:
        asked = rights.Asked(restrict_meanwhile=restrict_meanwhile, revokes=revoke)
        wanted = None if corrections is None else _read(deployment, corrections)
        _carry_out(deployment, receive(deployment, "rectification", named, person, reason, requester, asked, wanted))


def _carry_out(deployment: Deployment, received: SubjectRequest) -> None:
    done = rights.advance(deployment, received.id)
    requests.tell_state(done)
    for step in steps.taken(done):
        click.echo(f"  {step['step']}\t{json.dumps(step['counts'], ensure_ascii=False)}")


def _read(deployment: Deployment, file: TextIO) -> rights.Corrections:
    """Read corrections; what is wrong with them is told by its place, never with a value."""
    try:
        said = CorrectionsSchema().load(json.load(file))
    except (ValueError, ValidationError):
        raise Problem(422, "unreadable_corrections", "Give JSON with `traits` and `identifiers`.") from None
    return rights.read(deployment.policy, **said)


def _would_go(deployment: Deployment, named: Named, person: int | None) -> dict[str, int]:
    with deployment.database.snapshot() as session:
        found, point = (person, None) if person is not None else rights.who(session, named)
        people, points = [] if found is None else [found], set() if point is None else {point}
        return erasure.count_rows(session, sorted(erasure.reach_from(session, people, points).subjects))
