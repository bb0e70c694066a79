"""The record of processing: looked at in the terminal, or written for whoever asks for it."""

import click
from rich.console import Console
from rich.table import Table

from cdp.ops import console
from cdp.policy import processing
from cdp.policy.processing import VIEWS, Record
from cdp.policy.processing.words import LANGUAGES
from cdp.web import processing as records


@click.command("records")
@click.option("--format", "form", type=click.Choice(["table", *records.FORMATS]), default="table", show_default=True)
@click.option("--language", type=click.Choice(LANGUAGES), default="ja", show_default=True)
@click.option(
    "--view", type=click.Choice(list(VIEWS)), default="inventory", show_default=True, help="Of table and csv."
)
@click.option("--check", is_flag=True, help="Only say what is missing in it; exit 1 on anything.")
def record_of_processing(form: str, language: str, view: str, check: bool) -> None:
    """Write the record of processing activities (GDPR 30) and 個人情報管理台帳 from what is configured now.

    `inventory` is the ledger of personal information, `activities` is Article 30(1); json and html hold
    both. Numbers of people are rounded. What is missing is said beside it.

    \b
    Examples:
      cdp records --format html --language ja > records.html      a page to print and hand over
      cdp records --format csv > ledger.csv                       個人情報管理台帳, opens in a spreadsheet
      cdp records --check
    """
    with console.opened() as deployment, deployment.database.snapshot() as session:
        holdings, today = records.holdings(session), deployment.clock.now().date()
        missing = processing.gaps(deployment.policy, holdings, today)
        record = processing.describe(deployment.policy, holdings, today, language)
    for line in missing:
        click.echo(f"missing\t{line}", err=not check)
    if check and missing:
        click.get_current_context().exit(console.WRONG)
    if check:
        click.echo("complete: every field of the record is filled, in both languages")
    elif form == "table":
        _print(record, view)
    else:
        click.echo(records.write(record, form, view), nl=False)


def _print(record: Record, view: str) -> None:
    shown = processing.table(record, view)
    table = Table(*shown.columns, show_lines=True)
    for row in shown.rows:
        table.add_row(*row)
    Console().print(table, markup=False)
