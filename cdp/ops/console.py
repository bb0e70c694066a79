"""How the command speaks: one sentence when it cannot go on, exit codes, no person's value anywhere.

Exit codes: 0 done; 1 done, and something is wrong (a failing check, a rejected row); 2 could not go on.
"""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from sqlmodel import Session

from cdp import deployment as deploying
from cdp import ledger
from cdp.clock import EARLIEST, LATEST, parse_instant
from cdp.deployment import Deployment
from cdp.errors import Problem, StartRefused, Unavailable
from cdp.ids import GREATEST
from cdp.policy import PolicyError
from cdp.rights import reasons
from cdp.rights.replay import Progress as Told
from cdp.settings import Settings, read_settings

WRONG = 1
STOPPED = 2


class Speaking(click.Group):
    """A group whose commands end in one sentence where others end in a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PolicyError as error:
            stop("\n".join(error.failures))
        except StartRefused as error:
            stop(str(error))
        except Problem as error:
            stop("\n".join([error.detail, *(f"  {one.pointer}: {one.detail}" for one in error.errors)]))
        except Unavailable as error:
            stop(f"The {error.what} is out of reach: check that it runs and that its settings are right.")


def stop(sentence: str) -> None:
    """Say why it cannot go on, and end with 2."""
    click.echo(sentence, err=True)
    click.get_current_context().exit(STOPPED)


def settings() -> Settings:
    """Return the settings of this deployment."""
    return read_settings()


@contextmanager
def opened() -> Iterator[Deployment]:
    """Assemble the deployment for one command; erases again who came back with a restored backup."""
    with replaying() as told:
        deployment = deploying.assemble(settings(), progress=told)
    try:
        yield deployment
    finally:
        deployment.close()


@contextmanager
def replaying() -> Iterator[Told]:
    """Show a bar while `erasures.log` is replayed, where it is long enough to wait for."""
    with bar("erasures") as progress:
        task = progress.add_task("erasures", total=None, visible=False)

        def told(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, visible=total > 500)

        yield told


@contextmanager
def bar(what: str) -> Iterator[Progress]:
    """Show progress on stderr, so that output stays clean; nothing where nobody watches."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield progress


def audit(session: Session, deployment: Deployment, act: str, reason: str, **what: Any) -> str:
    """Note in the ledger which operator did what for a person, and why; returns the entry."""
    header = {"act": act, "operator": getpass.getuser(), "reason": check_reason(reason), **what}
    return ledger.note(session, "staff.act", header, deployment.clock.now())


def check_reason(reason: str) -> str:
    """Refuse a missing reason, and one that holds an address or a telephone number: the ledger keeps it for ever."""
    return reasons.demand(reason)


def instant(text: str, hint: str) -> datetime:
    """Read an instant that was written as an option; `hint` names the option."""
    try:
        found = parse_instant(text)
    except (ValueError, OverflowError):
        found = None
    if found is None or not EARLIEST <= found <= LATEST:
        raise click.BadParameter("write an ISO 8601 instant, such as 2026-05-03T12:00+09:00", param_hint=hint)
    return found


def tell_none(hint: str) -> None:
    """Say, beside the output that stays empty, that there is nothing yet and what would make something."""
    click.echo(f"none yet: {hint}", err=True)


def print_table(table: Table) -> None:
    """Print a table as wide as the terminal is; wide enough to break no row where it goes elsewhere."""
    screen = Console()
    Console(width=screen.width if screen.is_terminal else 160).print(table)


def languages() -> tuple[str, ...]:
    """Return the languages to speak: by the first of LC_ALL, LC_MESSAGES and LANG that names one, else both."""
    said = (os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    chosen = next((text for text in said if text), "")[:2]
    return (chosen,) if chosen in ("ja", "en") else ("ja", "en")


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read; raises Problem where there is one already."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Problem(409, "file_exists", f"There is a file {path} already: name a new one.") from None
    except OSError:
        raise Problem(400, "file_refused", f"The file {path} cannot be written: name another place.") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


REASON = click.option("--reason", required=True, help="Why; kept in the ledger for ever, so name nobody in it.")
NUMBER = click.IntRange(1, GREATEST)
"""A number that the database gave."""
AFTER = click.option("--after", default=0, type=click.IntRange(0, GREATEST), help="Go on after this number.")
YES = click.option("--yes", is_flag=True, help="Do not ask, go on.")
