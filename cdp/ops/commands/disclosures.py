"""Records of disclosures: who got what and on which ground, whose data it was, and the end of a record's time."""

import csv
import sys
from collections.abc import Iterable
from dataclasses import astuple, fields
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import click

from cdp import rights
from cdp.deployment import Deployment
from cdp.ops import console
from cdp.ops.commands.naming import ask
from cdp.rights import provisions
from cdp.rights.provisions import Listed

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def disclosures() -> None:
    """Records of what was handed to whom (APPI 29, GDPR 15(1)(c)), kept three years.

    \b
    Examples:
      cdp disclosures list --recipient ad_platform --from 2026-01-01 --csv > provisions.csv
      cdp disclosures show DISCLOSURE --reason "asked by the authority"
      cdp disclosures trace --type email --reason "asked by the person, who was erased"
      cdp disclosures prune --dry-run
    """


@disclosures.command("list")
@click.option("--recipient", default="", help="As in policies/recipients; default: everybody.")
@click.option("--from", "since", type=_DAY, help="First day, where the controller is.")
@click.option("--until", type=_DAY, help="Last day, included.")
@click.option("--provisions", "only_recorded", is_flag=True, help="Only what Article 29 of the APPI wants on record.")
@click.option("--csv", "as_csv", is_flag=True, help="A table for a spreadsheet.")
def show_all(recipient: str, since: datetime | None, until: datetime | None, only_recorded: bool, as_csv: bool) -> None:
    """List pages in order of time: when, to whom, what, of how many, on which ground; names nobody."""
    with console.opened() as deployment, deployment.database.snapshot() as session:
        if recipient and recipient not in deployment.policy.recipients:
            click.echo(f"no recipient is called {recipient} now; looking for what it got before", err=True)
        begin, end = _begin(deployment, since), _begin(deployment, until, days=1)
        found = provisions.listed(session, recipient, begin, end, only_recorded)
        count = _write_csv(found) if as_csv else _write_lines(found)
    if not count:
        console.tell_none("nobody was given anything then")


@disclosures.command()
@click.argument("disclosure")
@click.option("--names", is_flag=True, help="Open the names that the law keeps of the erased; on record as a look.")
@console.REASON
def show(disclosure: str, names: bool, reason: str) -> None:
    """Say whose data a page held: the person's number, or what stays of somebody who was erased."""
    with console.opened() as deployment, deployment.database.transaction() as session:
        at = deployment.clock.now()
        whose = provisions.whose(session, disclosure)
        opened = provisions.names_on(session, disclosure, at) if names else {}
        console.audit(session, deployment, "disclosure.show", reason, disclosure=disclosure, names=len(opened))
    for one in whose:
        until = f"until {one.until:%Y-%m-%d}" if one.until else ""
        name = " ".join(str(value) for value in opened.get(one.subject, {}).values())
        person = f"person={one.person}" if one.person is not None else one.state
        click.echo("\t".join(part for part in (f"subject={one.subject}", person, until, name) if part))


@disclosures.command()
@click.option("--type", "namespace", default="email", show_default=True, help="Type of the identifier.")
@click.option("--scope", default="", help="System or provider, where the type needs one.")
@click.option("--value", default="", help="The identifier; better leave it out, and it is asked for.")
@console.REASON
def trace(namespace: str, scope: str, value: str, reason: str) -> None:
    """Say what was provided to third parties of somebody who was erased, by an identifier that they had."""
    named = ask(namespace, scope, value, None)
    with console.opened() as deployment, deployment.database.transaction() as session:
        space, point = rights.who(session, named)[1]
        found = provisions.traced(session, space, point, deployment.clock.now())
        console.audit(session, deployment, "disclosure.trace", reason, found=len(found))
    for one in found:
        to = (f"{one['at']:%Y-%m-%d %H:%M}", one["recipient"], one["address"])
        click.echo("\t".join((*to, one["purpose"], ",".join(one["fields"]), one["disclosure"])))
    if not found:
        console.tell_none("no record holds an erased person with this; for others: `cdp subject disclosures`")


@disclosures.command()
@click.option("--dry-run", is_flag=True, help="Say what would go; change nothing.")
@console.YES
def prune(dry_run: bool, yes: bool) -> None:
    """End the records whose time is over, as the worker does: numbers go from pages, pages with nobody are deleted.

    People who are held and protected by the GDPR stay on theirs, and so does whoever has an open request.
    """
    with console.opened() as deployment:
        with deployment.database.snapshot() as session:
            would = provisions.rehearse(session, deployment.clock.now())
        click.echo(f"pages={would.pages}\ndeleted={would.deleted}\nnarrowed={would.narrowed}")
        click.echo(f"references={would.references}")
        if dry_run:
            click.echo("nothing was changed")
            return
        if would.pages or would.references:
            if not yes:
                click.confirm("End these records? They do not come back", abort=True, err=True)
            _prune(deployment, would.pages)


def _prune(deployment: Deployment, pages: int) -> None:
    with console.bar("pages") as progress:
        task = progress.add_task("pages", total=pages)
        while True:
            with deployment.database.transaction() as session:
                done = provisions.prune(session, deployment.clock.now(), 200)
            progress.advance(task, done.pages)
            if not done.pages and not done.references:
                break
    click.echo("done")


def _begin(deployment: Deployment, day: datetime | None, days: int = 0) -> datetime | None:
    """Return when a day begins where the controller is, or so many days after it."""
    if day is None:
        return None
    zone = ZoneInfo(deployment.policy.controller.time_zone)
    return datetime.combine(day.date() + timedelta(days=days), time(), zone)


def _write_csv(found: Iterable[Listed]) -> int:
    """Write a table with the mark by which a spreadsheet knows UTF-8."""
    sys.stdout.write("\ufeff")
    writer = csv.writer(sys.stdout)
    writer.writerow([one.name for one in fields(Listed)])
    count = 0
    for one in found:
        writer.writerow([cell.isoformat() if isinstance(cell, datetime) else cell for cell in astuple(one)])
        count += 1
    return count


def _write_lines(found: Iterable[Listed]) -> int:
    count = 0
    for one in found:
        to = f"{one.recipient} ({one.country})" if one.country else one.recipient
        ground = f"APPI {one.article} {one.ground_en}" if one.article else "-"
        what = f"{one.purpose}/{one.channel}\t{one.fields}\t{one.people} people"
        click.echo(f"{one.at:%Y-%m-%d %H:%M}\t{to}\t{what}\t{ground}\t{one.disclosure}")
        count += 1
    return count
