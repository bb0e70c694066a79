"""Sources: which types there are, which are registered, and what they brought that was not taken."""

import click

from cdp import connector as declared
from cdp.ingest import sources
from cdp.ops import console
from cdp.ops.commands import origins


@click.group()
def connector() -> None:
    """Sources of data: add one, see what it drops.

    \b
    Example:
      cdp connector types
      cdp connector add shop --type segment --set residence_default=JP --set key=server
    """


@connector.command()
def types() -> None:
    """List the types of connectors, with the settings that each takes."""
    with console.opened() as deployment, deployment.database.snapshot() as session:
        for name, kind in sorted(declared.of(session).items()):
            needs = [key + ("" if term.required else "?") for key, term in kind.manifest.settings.items()]
            click.echo(f"{name}\t{kind.manifest.kind}\t{' '.join(needs)}")


@connector.command("list")
def show_all() -> None:
    """List the registered sources."""
    with console.opened() as deployment, deployment.database.snapshot() as session:
        registered = sources.list_all(session)
        for one in registered:
            click.echo(f"{one.name}\t{one.type}\tsince {one.created_at:%Y-%m-%d}")
    if not registered:
        console.tell_none("`cdp connector add NAME --type …` makes one")


@connector.command()
@click.argument("name")
@click.option("--type", "kind", required=True, help="One of `cdp connector types`.")
@click.option("--set", "chosen", multiple=True, metavar="KEY=VALUE", help="A setting; may be repeated.")
def add(name: str, kind: str, chosen: tuple[str, ...]) -> None:
    """Register a source and print what the other side needs, a line each; secrets this once."""
    settings = dict(_pair(one) for one in chosen)
    with console.opened() as deployment:
        base_url = deployment.settings.base_url.rstrip("/")
        with deployment.database.transaction() as session:
            told = sources.add(session, name, kind, settings, deployment.clock.now(), base_url)
    for key, value in told:
        click.echo(f"{key}={value}")


@connector.command()
@click.argument("name")
@click.option("--set", "chosen", multiple=True, required=True, metavar="KEY=VALUE", help="A setting; may be repeated.")
def change(name: str, chosen: tuple[str, ...]) -> None:
    """Change settings of a source, for example a vendor's new secret; the others stay.

    To take in a field that is dropped, say which declared trait it is: `--set trait.<field>=<trait>`.
    """
    with console.opened() as deployment, deployment.database.transaction() as session:
        sources.change(session, name, dict(_pair(one) for one in chosen), deployment.clock.now())
    click.echo(f"changed {name}")


@connector.command()
@click.argument("name")
@click.argument("field")
@click.option("--trait", required=True, help="The trait it holds, as in policies/traits.yaml.")
def declare(name: str, field: str, trait: str) -> None:
    """Take in a FIELD that the source brings and nothing declares, as a trait, from now on."""
    with console.opened() as deployment, deployment.database.transaction() as session:
        sources.change(session, name, {f"trait.{field}": trait}, deployment.clock.now())
    click.echo(f"{field} is taken in as {trait}")


@connector.command()
@click.argument("name")
def show(name: str) -> None:
    """Show a source's settings (never its secrets) and what it brought that was not taken."""
    with console.opened() as deployment, deployment.database.snapshot() as session:
        source = sources.get(session, name)
        click.echo(f"{source.name}\t{source.type}\t{source.settings}")
        for line in origins.lines(session, name):
            click.echo(line)
        _print_drops(sources.drops(session, name))


@connector.command()
@click.argument("name")
def drops(name: str) -> None:
    """Count what a source brought that was not taken, by field or event name and reason; never values."""
    with console.opened() as deployment, deployment.database.snapshot() as session:
        _print_drops(sources.drops(session, name))


@connector.command()
@click.argument("name")
def check(name: str) -> None:
    """Check that a source's settings still fit its type and that its secrets can be opened."""
    with console.opened() as deployment, deployment.database.snapshot() as session:
        source = sources.get(session, name)
        sources.configured(session, source)
        sources.credentials(session, source)
    click.echo(f"{name} is ready")


@connector.command()
@click.argument("name")
@console.YES
def remove(name: str, yes: bool) -> None:
    """Close a source's door; what it brought stays."""
    if not yes:
        click.confirm(f"Close the door of {name}? Its keys stop working at once", abort=True)
    with console.opened() as deployment, deployment.database.transaction() as session:
        sources.remove(session, name, deployment.clock.now())
    click.echo(f"removed {name}")


for command in (origins.confirm, origins.doubt, origins.notified):
    connector.add_command(command)


def _print_drops(dropped: list[sources.Drop]) -> None:
    for one in dropped:
        click.echo(f"{one.count}\t{one.what}\t{one.reason}\tlast {one.last_day}")
    if not dropped:
        console.tell_none("everything that this source brought was taken in")


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise click.BadParameter("write it as KEY=VALUE", param_hint="--set")
    return key, value
