"""API clients."""

from pathlib import Path

import click

from cdp.errors import Problem
from cdp.ops import console
from cdp.web.auth import clients as registered


@click.group()
def client() -> None:
    """API clients: each belongs to one recipient and is registered for purposes.

    \b
    Example:
      cdp client create crm-mail --recipient ma_tool --purposes email_marketing
    """


@client.command()
@click.argument("name")
@click.option("--recipient", required=True, help="Who it is, as in policies/recipients.")
@click.option("--purposes", default="", help="Comma separated, as in policies/purposes.")
@click.option("--scopes", default="", help="Comma separated; default: those of an MA tool.")
@click.option("--public-key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="JWK or PEM file.")
@click.option("--secret-in-body", is_flag=True, help="For a tool that can only send its secret in the body.")
def create(
    name: str, recipient: str, purposes: str, scopes: str, public_key: Path | None, secret_in_body: bool
) -> None:
    """Register a client and print its id and, without a public key, its secret: this once."""
    key = public_key.read_text() if public_key else ""
    with console.opened() as deployment, deployment.database.transaction() as session:
        client_id, secret = registered.create(
            session,
            name,
            recipient,
            _words(purposes),
            _words(scopes),
            key,
            at=deployment.clock.now(),
            secret_in_body=secret_in_body,
        )
    click.echo(f"client_id={client_id}")
    if secret:
        click.echo(f"client_secret={secret}")


@client.command("list")
def show() -> None:
    """List the clients, revoked ones too."""
    with console.opened() as deployment, deployment.database.snapshot() as session:
        clients = registered.list_all(session)
        for one in clients:
            state = "revoked" if one.revoked_at else "live"
            click.echo(f"{one.name}\t{state}\t{one.client_id}\t{one.recipient}\t{one.purposes}\t{one.scopes}")
    if not clients:
        console.tell_none("`cdp client create NAME --recipient … --purposes …` makes one")


@client.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Take a client's access back at once, by name or id; its tokens end with it."""
    with console.opened() as deployment, deployment.database.transaction() as session:
        if not registered.revoke(session, name, deployment.clock.now()):
            raise Problem(404, "unknown_client", "There is no live client of this name: see `cdp client list`.")
    click.echo(f"revoked {name}")


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
