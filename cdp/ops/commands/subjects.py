"""What an operator does for one person; every use is noted in the ledger with its reason."""

import click

from cdp.ops.commands import exercising, joining, looking, marking


@click.group()
def subject() -> None:
    """One person's data: looked at, exported, put right, stopped or erased. Each needs a reason.

    The value of an identifier is asked for, or read from standard input; `--person` takes a number.

    \b
    Examples:
      cdp subject find --type email --reason "asked by phone"
      cdp subject erase --person 1042 --dry-run --reason "request of 3 May"
    """


for command in (
    looking.find,
    looking.walked,
    looking.disclosures,
    looking.export,
    exercising.rectify,
    exercising.restrict,
    exercising.object_,
    marking.mark,
    exercising.erase,
    joining.merge,
    joining.split,
    joining.retract,
    joining.revoke,
):
    subject.add_command(command)
