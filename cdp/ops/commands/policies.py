"""What `policies/` says, checked and asked."""

import os
import sys
import time
from pathlib import Path

import click

from cdp import gate, identity, policy
from cdp.deployment import load_policy
from cdp.errors import Problem, Refusal
from cdp.gate.register import REGISTER
from cdp.ops import applying, console, worker
from cdp.ops.commands import scenarios, tables
from cdp.policy.terms import Policy, Use
from cdp.settings import Settings


@click.group("policy")
def policies() -> None:
    """The policies: check them, or ask for one decision.

    \b
    Example:
      cdp policy check && cdp policy decide --subject 1042 --purpose email_marketing --recipient ma_tool
    """


@policies.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--opposites", is_flag=True, help="Turn one fact of each scenario round, and print which answer changes.")
@click.option("--coverage", is_flag=True, help="Print, for each rule, how many questions it alone decides, and one.")
def check(files: tuple[Path, ...], opposites: bool, coverage: bool) -> None:
    """Load the policies and run every example and scenario; a line per failure, exit 1 on any.

    With FILES only what is wrong in those is printed; the rest is loaded all the same.
    """
    settings = console.settings()
    folder = settings.policies_path
    outside = [path for path in files if not _inside(path, folder)]
    if outside:
        raise click.UsageError(f"{outside[0]} is not in {folder}: set CDP_POLICIES to the folder that it belongs to.")
    found = _declared(settings) or scenarios.check(folder)
    failures = [line for line in found if not files or _is_about(line, files, folder)]
    if not found:
        terms = policy.load(folder)
        failures += scenarios.print_opposites(terms, files, folder) if opposites else []
        failures += scenarios.print_coverage(terms) if coverage else []
    for line in failures:
        click.echo(line)
    if failures:
        click.get_current_context().exit(console.WRONG)
    if files:
        others = f"; elsewhere {len(found)} lines: check without FILES" if found else ""
        click.echo(f"sound: nothing is wrong in what was named{others}")
    else:
        click.echo("sound: every file is read, every example and scenario answers as it says")


@policies.command("reasons")
@click.argument("words", nargs=-1)
@click.option("--language", type=click.Choice(["ja", "en"]), help="Default: the terminal's, else English.")
def reasons_(words: tuple[str, ...], language: str | None) -> None:
    """List every reason for a no, in the order of the law, with its articles and what would mend it.

    With WORDS only those whose code holds one of them. Where no terminal shows it: lines with tabs.
    """
    codes = [code for code in REGISTER if not words or any(word in code for word in words)]
    if sys.stdout.isatty():
        tables.print_reasons(codes, tables.language_of(language))
    else:
        tables.print_plain_reasons(codes, language)


@policies.command()
@click.option("--subject", "number", type=console.NUMBER, required=True, help="Number of a subject or person.")
@click.option("--purpose", required=True, help="What for, as in policies/purposes.")
@click.option("--recipient", required=True, help="Who would get it, as in policies/recipients.")
@click.option("--channel", default="", help="By which way; may be left out where the purpose has one.")
@click.option(
    "--at", "instant", default="", help="ISO 8601; default now. The past: by what was known and in force then."
)
@click.option("--language", type=click.Choice(["ja", "en"]), help="Default: the terminal's, else English.")
def decide(number: int, purpose: str, recipient: str, channel: str, instant: str, language: str | None) -> None:
    """Print one decision with all its reasons and articles, and what would change it.

    A table in the terminal, or where a language is named; else lines with tabs in both languages.
    """
    with console.opened() as deployment, deployment.database.snapshot() as session:
        then = console.instant(instant, "--at") if instant else None
        now = deployment.clock.now()
        at = then or now
        use = _use(deployment.policy, purpose, recipient, channel)
        person = identity.people_of(session, [number]).get(number)
        as_of = then if then and then < now else None
        explained = None if person is None else gate.explain(session, person, use, at, as_of=as_of, subject=number)
        refused = None if as_of else gate.check_request(deployment.policy, gate.PageRequest(use, ()), at)
    if explained is None:
        raise Problem(404, "unknown_person", "Nobody has this number: try `cdp subject find`.")
    told = refused.reason if isinstance(refused, Refusal) else ""
    if language or sys.stdout.isatty():
        tables.print_decision(explained, told, tables.language_of(language))
    else:
        tables.print_plain(explained, told)


@policies.command("apply")
@click.option("--dry-run", is_flag=True, help="Only say who would be decided again.")
@click.option("--processes", default=os.cpu_count() or 1, show_default="one a core", type=click.IntRange(1, 64))
def apply_(dry_run: bool, processes: int) -> None:
    """Decide everybody again whom a change of the policies concerns, now and with a bar.

    A worker does the same by itself; this is quicker, and says when it is done. Whoever waits is refused. May be
    killed at any instant: begun again, it goes on. Start `cdp serve` and `cdp worker` anew first, since they keep
    the policies that they began with.

    \b
    Example:
      cdp policy check && cdp policy apply --dry-run && cdp policy apply
    """
    with console.opened() as deployment:
        database = deployment.database
        with database.snapshot() as session:
            people = gate.waiting(session, deployment.clock.now())
        if dry_run or not people:
            click.echo(f"{people} people wait to be decided again; they are refused until then")
            return
        stop, began = worker.stop_at_signals(), time.monotonic()
        with console.bar("people") as progress:
            task = progress.add_task("people", total=people)
            left = applying.apply(
                database, processes, lambda done, total: progress.update(task, completed=done, total=total), stop
            )
        click.echo(f"{people - left} people decided again in {time.monotonic() - began:.1f} s")
    if left:
        console.stop(f"{left} people still wait, and are refused until then: run it again, or leave it to the worker.")


def _use(terms: Policy, purpose: str, recipient: str, channel: str) -> Use:
    """Return the use that is asked about; raises Problem 400 that names what there is to choose from."""
    declared = terms.purposes.get(purpose)
    if declared is None:
        raise Problem(400, "unknown_purpose", f"The purposes are {', '.join(sorted(terms.purposes))}.")
    if not channel and len(declared.channels) > 1:
        ways = ", ".join(declared.channels)
        raise Problem(400, "channel_needed", f"This purpose has several channels: name one with --channel ({ways}).")
    use = terms.find_use(purpose, recipient, channel or declared.channels[0])
    if use is None:
        uses = sorted(f"{one.recipient} by {one.channel}" for one in terms.uses if one.purpose == purpose)
        detail = f"The policies declare no such purpose, recipient and channel together: there is {', '.join(uses)}."
        raise Problem(400, "unknown_use", detail)
    return use


def _declared(settings: Settings) -> list[str]:
    try:
        load_policy(settings)
    except policy.PolicyError as error:
        return error.failures
    return []


def _is_about(line: str, files: tuple[Path, ...], folder: Path) -> bool:
    """Whether a failure names one of the files, which it does by their path inside the folder."""
    names = [path.resolve().relative_to(folder.resolve()).as_posix() for path in files]
    return any(line.startswith(name) for name in names)


def _inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
