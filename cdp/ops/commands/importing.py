"""Taking in a file; with an evidence bundle, telling first who becomes reachable and what proof is missing."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from cdp.consent import bundles
from cdp.deployment import Deployment
from cdp.ingest.files import FileReport, import_file
from cdp.ingest.proving import prove
from cdp.ops import console
from cdp.ops.commands import reporting


def _print_template(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        click.echo(bundles.TEMPLATE.read_text(encoding="utf-8"), nl=False)
        context.exit()


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", required=True, help="A source of a type that takes files: see `cdp connector list`.")
@click.option("--dry-run", is_flag=True, help="Tell what would be taken in and refused; change nothing.")
@click.option(
    "--consent-evidence",
    "evidence",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="BUNDLE",
    help="YAML file with what proves the consents of the list: tells who becomes reachable, then asks.",
)
@click.option(
    "--consent-evidence-template",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_template,
    help="Print a bundle to fill in, and do nothing else.",
)
@console.YES
def take_in(file: Path, source: str, dry_run: bool, evidence: Path | None, yes: bool) -> None:
    """Take in a CSV or JSON-lines FILE through a source's mapping; exit 1 when rows were refused.

    Broken off, it is run again: what was received changes nothing. Refused rows are written beside
    the file, to be mended and run again. No row is a consent by itself: an old list needs the evidence
    of how its people were asked. Then nothing is written before the report was shown and confirmed.

    \b
    Examples:
      cdp connector add crm --type csv --set residence_default=JP
      cdp import customers.csv --source crm --dry-run
      cdp import --consent-evidence-template > bundle.yaml
      cdp import customers.csv --source crm --consent-evidence bundle.yaml
    """
    with console.opened() as deployment:
        if evidence is None:
            report = _plainly(deployment, file, source, dry_run)
        else:
            report = _with_evidence(deployment, file, source, dry_run, evidence, yes)
    if report.refused:
        click.get_current_context().exit(console.WRONG)


def _plainly(deployment: Deployment, file: Path, source: str, dry_run: bool) -> FileReport:
    with _bars() as told:
        report = import_file(
            deployment.database, source, file, deployment.clock.now(), dry_run, lambda *how: told("rows", *how)
        )
    reporting.tell_rows(report)
    return report


def _with_evidence(
    deployment: Deployment, file: Path, source: str, dry_run: bool, evidence: Path, yes: bool
) -> FileReport:
    bundle = bundles.read(evidence, deployment.policy, deployment.clock.now().date())
    with _bars() as told:
        proving = prove(deployment.database, source, file, bundle, told)
        report, reach = proving.rehearse(deployment.clock.now())
    reporting.tell_evidence(deployment.policy, bundle)
    reporting.tell_reach("before", reach)
    reporting.warn(reach)
    if dry_run:
        reporting.tell_rows(report)
        return report
    if not yes:
        _ask()
    with _bars() as told:
        proving.progress = told
        written, reached = proving.write(deployment.clock.now())
    reporting.tell_reach("written", reached)
    reporting.tell_rows(written)
    if reached != reach:
        click.echo("The figures as written differ from the report: others wrote meanwhile. Those as written hold.")
        click.get_current_context().exit(console.WRONG)
    return written


def _ask() -> None:
    """Ask whoever sits there; where nobody does, only `--yes` goes on."""
    if not sys.stdin.isatty():
        console.stop("Nothing was written: read the report, then run it again with --yes.")
    click.confirm("Write this", abort=True, err=True)


@contextmanager
def _bars() -> Iterator[Callable[[str, int, int], None]]:
    """Show one bar for each thing that is done with the rows."""
    with console.bar("{task.description}") as progress:
        tasks = {}

        def told(what: str, done: int, lines: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=None)
            progress.update(tasks[what], completed=done, total=max(lines, done))

        yield told
