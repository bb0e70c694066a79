"""Making a home, bringing its database up to date, and running its two processes."""

import click
import structlog

from cdp import deployment as deploying
from cdp import migrations
from cdp.db import Database
from cdp.ops import console, worker
from cdp.web import observing
from cdp.web.auth import keys as signing_keys


@click.command()
def init() -> None:
    """Create the home: keyring, database, keys of the ledger and of the API, policies if none are found.

    May be run again: it makes what is missing and touches nothing else.

    \b
    Example:
      CDP_HOME=/srv/sekisho CDP_KEYRING=file:/mnt/keys/keyring.json cdp init
    """
    settings = console.settings()
    for line in deploying.initialise(settings):
        click.echo(f"made {line}")
    signing_keys.load(settings.home)
    with console.opened():
        click.echo(f"ready {settings.home}")


@click.command()
@click.option("--to", metavar="REVISION", default="", help="Go back to an older revision, for an older program.")
@console.YES
def migrate(to: str, yes: bool) -> None:
    """Bring the database to the newest revision; refuses one that this version does not know.

    Make a backup first: `cdp backup FOLDER` works on an older revision too. Going back loses what only
    the newer revision can hold: do it before the newer program took anything in, with both processes stopped.

    \b
    Examples:
      cdp migrate
      cdp migrate --to 0001                      then install the older program
    """
    if to and not yes:
        click.confirm(f"Go back to {to}, and lose what only the newer tables hold", abort=True, err=True)
    database = Database(console.settings().url)
    try:
        before = migrations.revision(database.writer) or "nothing"
        after = migrations.downgrade(database.writer, to) if to else migrations.upgrade(database.writer)
    finally:
        database.dispose()
    click.echo(f"revision {after}" + ("" if before == after else f" (was {before})"))


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes (PostgreSQL).")
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1, 64), help="Threads of each process.")
@click.option(
    "--drain",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0, 300),
    help="Seconds between not being ready any more and closing the door.",
)
@click.option(
    "--grace", default=15, show_default=True, type=click.IntRange(1, 600), help="Seconds for answers under way."
)
def serve(host: str, port: int, workers: int, threads: int, drain: float, grace: int) -> None:
    """Run the web process. `cdp worker` runs beside it.

    The embedded database takes one web process; several need PostgreSQL (CDP_DATABASE_URL). At
    SIGTERM /readyz says no, then the door closes, then what is under way is answered.

    \b
    Examples:
      cdp serve
      cdp serve --workers 4
    """
    from cdp.ops import serving

    settings = console.settings()
    if settings.url.startswith("sqlite") and workers > 1:
        click.echo("The embedded database takes one web process: running 1. Several need PostgreSQL.", err=True)
        workers = 1
    with console.opened() as deployment:
        click.echo(f"starting on http://{host}:{port}")
    serving.serve(deployment, (host, port), workers, threads, (drain, grace))


@click.command("worker")
def work() -> None:
    """Run the background process: seals the ledger, carries requests on, decides again what time changed.

    Stops at SIGTERM between two short transactions. Several may run.
    """
    stop = worker.stop_at_signals()
    settings = console.settings()
    observing.configure_log(settings)
    with console.opened() as deployment:
        worker.run(deployment, stop)
    structlog.get_logger("worker").info("closed")
