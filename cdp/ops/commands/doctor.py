"""The doctor's command: what would hurt, why, and what to do."""

import json
from dataclasses import asdict

import click

from cdp.ops import console
from cdp.ops.doctor import Finding, examine


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a finding, with stable names.")
def doctor(as_json: bool) -> None:
    """Look for what would hurt: keys, copies, permissions, clock, disk, database, policies, work that waits.

    Changes nothing. A line each: level, what, why it hurts, what to do; in Japanese where LANG says
    so. Exit 0: nothing hurts; 1: something does; 2: it could not look.
    """
    findings = examine(console.settings())
    for one in findings:
        click.echo(json.dumps(asdict(one), ensure_ascii=False) if as_json else _line(one))
    if any(one.level == "hurts" for one in findings):
        click.get_current_context().exit(console.WRONG)


def _line(one: Finding) -> str:
    return "\t".join(part for part in (one.level, one.what, one.why, one.todo) if part)
