"""What an operator does for one person; every use is noted in the ledger with its reason.

An identifier's value is asked for, or read from standard input: on a command line it would be in
the shell's history and in the list of processes.
"""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

import click
from marshmallow import ValidationError
from sqlmodel import Session, col, select

from cdp import identity, rights
from cdp.deployment import Deployment
from cdp.errors import Problem
from cdp.ops import console
from cdp.ops.commands import requests
from cdp.profile.model import Subject
from cdp.rights import erasure, steps
from cdp.rights.asked import KINDS
from cdp.rights.model import SubjectRequest
from cdp.rights.requests import USUAL
from cdp.web.api.subject_requests import CorrectionsSchema

Named = tuple[str, str, str]


@click.group()
def subject() -> None:
    """One person's data: find, export, rectify, erase, restrict, object, merge, split. Each needs a reason.

    The value of an identifier is asked for, or read from standard input; `--person` takes a number.

    \b
    Examples:
      cdp subject find --type email --reason "asked by phone"
      cdp subject erase --person 1042 --dry-run --reason "request of 3 May"
    """


def whom(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say who is meant, and why."""
    for option in (
        click.option("--type", "namespace", default="email", show_default=True, help="Type of the identifier."),
        click.option("--scope", default="", help="System or provider, where the type needs one."),
        click.option("--value", default="", help="The identifier; better leave it out, and it is asked for."),
        click.option("--person", type=int, help="Number of the person, instead of an identifier."),
        console.REASON,
    ):
        command = option(command)
    return command


@subject.command()
@whom
def find(namespace: str, scope: str, value: str, person: int | None, reason: str) -> None:
    """Print the person's number, subjects and sources; opens nothing."""
    named = ask(namespace, scope, value, person)
    with console.opened() as deployment, deployment.database.transaction() as session:
        found = [person] if person is not None else identity.find_all(session, *named)
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


@subject.command()
@whom
@click.option("--output", "-o", required=True, type=click.Path(dir_okay=False, path_type=Path), help="New file.")
def export(namespace: str, scope: str, value: str, person: int | None, reason: str, output: Path) -> None:
    """Write everything held of a person into a new file that only you can read."""
    named = ask(namespace, scope, value, person)
    with console.opened() as deployment:
        request = _receive(deployment, "access", named, person, reason)
        rights.advance(deployment, request.id)
        with deployment.database.transaction() as session:
            package = rights.package(session, request.id, deployment.clock.now())
    _write_private(output, json.dumps(package, ensure_ascii=False, indent=1))
    click.echo(f"request={request.id}\nheld={len(package['held'])}\nfile={output}")


@subject.command()
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
        request = _receive(deployment, "erasure", named, person, reason)
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


@subject.command()
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
        _carry_out(deployment, _receive(deployment, "restriction", named, person, reason, requester, asked))


@subject.command("object")
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
        _carry_out(deployment, _receive(deployment, "objection", named, person, reason, requester, asked))


@subject.command()
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
        _carry_out(deployment, _receive(deployment, "rectification", named, person, reason, requester, asked, wanted))


@subject.command()
@whom
def disclosures(namespace: str, scope: str, value: str, person: int | None, reason: str) -> None:
    """Print who got what of a person, oldest first; field names only, opens nothing."""
    named = ask(namespace, scope, value, person)
    with console.opened() as deployment, deployment.database.transaction() as session:
        found = rights.told(session, _subjects(session, named, person))
        console.audit(session, deployment, "subject.disclosures", reason, found=len(found))
    for one in found:
        to, given = one["recipient"], "" if one["handed_over"] else "\tnot reported as handed over"
        where = f"{to['name']} ({to['role']}, {to['country']})"
        fields = ",".join(one["fields"])
        click.echo(f"{one['at']}\t{where}\t{one['purpose']}\t{one['channel']}\t{fields}\t{one['ledger_entry']}{given}")


@subject.command()
@click.argument("one", type=int)
@click.argument("other", type=int)
@console.REASON
def merge(one: int, other: int, reason: str) -> None:
    """Say that two subjects are one person; can be taken back with `split`."""
    _decide(identity.must, "subject.merge", one, other, reason)


@subject.command()
@click.argument("one", type=int)
@click.argument("other", type=int)
@console.REASON
def split(one: int, other: int, reason: str) -> None:
    """Say that two subjects are not one person, whatever identifiers they share."""
    _decide(identity.cannot, "subject.split", one, other, reason)


@subject.command()
@click.argument("decision", type=int)
@console.REASON
def revoke(decision: int, reason: str) -> None:
    """Take a merge or split back, by the number that it printed: people are as if it had never been said."""
    with console.opened() as deployment, deployment.database.transaction() as session:
        console.audit(session, deployment, "subject.revoke", reason, decision=decision)
        identity.revoke(session, decision, "staff", deployment.clock.now())
    click.echo(f"revoked={decision}")


def _decide(say: Callable[..., int], act: str, one: int, other: int, reason: str) -> None:
    with console.opened() as deployment, deployment.database.transaction() as session:
        console.audit(session, deployment, act, reason)
        decision = say(session, one, other, reason, "staff", deployment.clock.now())
        people = identity.people_of(session, [one, other])
    click.echo(f"decision={decision}")
    for number, belongs in sorted(people.items()):
        click.echo(f"subject {number}\tperson {belongs}")


def ask(namespace: str, scope: str, value: str, person: int | None) -> Named:
    """Return the identifier that is meant, asked for at the terminal where nothing names anybody."""
    if person is None and not value:
        value = click.prompt(f"{namespace}", err=True)
    return namespace, scope, value


def _receive(
    deployment: Deployment,
    right: str,
    named: Named,
    person: int | None,
    reason: str,
    requester: str = "staff",
    asked: rights.Asked = USUAL,
    corrections: rights.Corrections | None = None,
) -> SubjectRequest:
    at = deployment.clock.now()
    more: dict[str, Any] = {"verified": True, "asked": asked, "corrections": corrections}
    with deployment.database.transaction() as session:
        console.audit(session, deployment, f"subject.{right}", reason)
        if person is None:
            return rights.receive(session, right, named, requester, "", reason, at, **more)
        _subjects(session, named, person)
        return rights.receive_for(session, right, [person], requester, "", reason, at, **more)


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


def _subjects(session: Session, named: Named, person: int | None) -> list[int]:
    found = identity.find(session, *named) if person is None else person
    subjects = steps.cluster(session, [] if found is None else [found])
    if not subjects:
        raise Problem(404, "unknown_person", "Nobody is known by that: try `cdp subject find`.")
    return subjects


def _would_go(deployment: Deployment, named: Named, person: int | None) -> dict[str, int]:
    with deployment.database.snapshot() as session:
        found, point = (person, None) if person is not None else rights.who(session, named)
        people, points = [] if found is None else [found], set() if point is None else {point}
        return erasure.count_rows(session, sorted(erasure.reach_from(session, people, points).subjects))


def _write_private(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Problem(409, "file_exists", f"There is a file {path} already: name a new one.") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _sources(session: Session, subjects: Sequence[int]) -> list[tuple[int, str]]:
    query = select(col(Subject.number), col(Subject.source)).where(col(Subject.number).in_(subjects))
    return [(row[0], row[1]) for row in session.execute(query.order_by(col(Subject.number)))]
