"""National lists and refusals of calls and letters, brought in as a file: contact points that fall silent."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TextIO

import click

from cdp import consent, identity, vault
from cdp.deployment import Deployment
from cdp.errors import Problem
from cdp.ops import console

SOME = 500
REASONS = ("do_not_call", "unsubscribe", "complaint")


@click.command("suppress")
@click.argument("file", type=click.File(encoding="utf-8"))
@click.option("--type", "namespace", default="phone", show_default=True, help="Type of the identifiers.")
@click.option("--channel", type=click.Choice(["phone", "sms", "post", "email", "line"]), required=True)
@click.option("--because", type=click.Choice(REASONS), default="do_not_call", show_default=True)
@click.option("--dry-run", is_flag=True, help="Count what can be read; silence nothing.")
@console.REASON
def suppress(file: TextIO, namespace: str, channel: str, because: str, dry_run: bool, reason: str) -> None:
    """Silence the contact points in FILE (- for standard input), one a line; nobody has to be known behind them.

    For national do-not-call lists and refusals of calls and letters (特定商取引法 17条, ePrivacy 13(3)). May be run
    again.

    \b
    Example:
      cdp suppress refused.txt --type phone --channel phone --reason "list of 1 May"
    """
    with console.opened() as deployment, console.bar("lines") as progress:
        task = progress.add_task("lines", total=None)
        silenced = unreadable = 0
        for some in _portions(line.strip() for line in file if line.strip()):
            read = _silence(deployment, some, namespace, channel, because, dry_run)
            silenced, unreadable = silenced + read, unreadable + len(some) - read
            progress.update(task, advance=len(some))
        if not dry_run:
            with deployment.database.transaction() as session:
                console.audit(session, deployment, "suppress", reason, channel=channel, points=silenced)
    click.echo(f"{'readable' if dry_run else 'silenced'}={silenced}\nunreadable={unreadable}")
    if unreadable:
        click.get_current_context().exit(console.WRONG)


def _silence(
    deployment: Deployment, values: list[str], namespace: str, channel: str, because: str, dry_run: bool
) -> int:
    """Silence those of these values that can be read; returns how many."""
    known = []
    for value in values:
        try:
            known.append(identity.spell(deployment.policy, namespace, value))
        except Problem as problem:
            if problem.status != 400 or namespace not in deployment.policy.namespaces:
                raise
    if known and not dry_run:
        with deployment.database.transaction() as session:
            keys = vault.of(session)
            points = {(one.namespace, keys.suppression_token(one.namespace, one.scope, one.value)) for one in known}
            consent.suppress_all(session, points, channel, because, deployment.clock.now())
    return len(known)


def _portions(lines: Iterable[str]) -> Iterator[list[str]]:
    left = iter(lines)
    while some := list(islice(left, SOME)):
        yield some
