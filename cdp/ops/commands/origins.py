"""Where a source's data come from: a third party is confirmed, doubted, and people are told."""

from collections.abc import Iterator
from datetime import datetime

import click
from sqlmodel import Session

from cdp.connector import provenance
from cdp.ingest import origins, sources
from cdp.ops import console


@click.command()
@click.argument("name")
@click.option("--provider", required=True, help="Who provides the data: the company, or the person.")
@click.option("--address", required=True, help="Of the provider.")
@click.option("--representative", default="", help="Who represents the company.")
@click.option("--individual", is_flag=True, help="The provider is a natural person, whom nobody represents.")
@click.option("--acquired", required=True, help="How the provider acquired the data (取得の経緯), as it told.")
@click.option("--seen", required=True, help="By what you confirmed that: a contract, a form, the commission's list.")
@click.option(
    "--route", type=click.Choice(provenance.ROUTES), required=True, help="On which ground it hands them over."
)
@click.option("--filing", default="", help="With opt_out: the number under which the commission publishes it.")
@click.option("--items", default="", help="Categories of data received, by comma; default: all that it may bring.")
@click.option("--received", "received_on", type=click.DateTime(["%Y-%m-%d"]), help="Day of receipt; default today.")
@console.REASON
def confirm(name: str, individual: bool, items: str, received_on: datetime | None, reason: str, **told: str) -> None:
    """Record who provides a source's data and how they acquired them (APPI 30): before, none of it may be used.

    Kept three years after the source was closed. A further list of the same provider is confirmed again.

    \b
    Example:
      cdp connector add bought --type csv --set obtained_from=third_party
      cdp connector confirm bought --provider "名簿株式会社" --address "東京都千代田区1-1" \\
          --representative "名簿 太郎" --acquired "展示会で本人から書面で取得" \\
          --seen "売買契約書 2026-04" --route consent --reason "purchase 12"
    """
    receipt = provenance.Receipt(**told, is_company=not individual)
    with console.opened() as deployment, deployment.database.transaction() as session:
        at = deployment.clock.now()
        named = [one.strip() for one in items.split(",") if one.strip()]
        record = origins.confirm(session, name, receipt, received_on.date() if received_on else None, at, named)
        console.audit(session, deployment, "source.confirm", reason, source=name, record=record)
    click.echo(f"record={record}\nconfirmed {name}: its people are decided again by the worker")


@click.command()
@click.argument("name")
@console.REASON
def doubt(name: str, reason: str) -> None:
    """Take a confirmation back: from now on nobody's data of this source may be used."""
    with console.opened() as deployment, deployment.database.transaction() as session:
        people = origins.doubt(session, name, deployment.clock.now())
        console.audit(session, deployment, "source.doubt", reason, source=name)
    click.echo(f"doubted {name}: {people} people wait")


@click.command()
@click.argument("name")
@click.option("--at", "told_at", default="", help="ISO 8601; default: now.")
@console.REASON
def notified(name: str, told_at: str, reason: str) -> None:
    """Say when the people of a source were told where their data come from (GDPR 14)."""
    with console.opened() as deployment, deployment.database.transaction() as session:
        at = deployment.clock.now()
        sources.get(session, name)
        provenance.note_notice(session, name, console.instant(told_at, "--at") if told_at else at, at)
        console.audit(session, deployment, "source.notified", reason, source=name)
    click.echo(f"noted for {name}")


def lines(session: Session, name: str) -> Iterator[str]:
    """Yield whom a source has its data from and what was confirmed, where it is not the people themselves."""
    origin = provenance.origins(session).get(name)
    if origin is None or origin.obtained_from == provenance.SUBJECT:
        return
    waits = origin.obtained_from == provenance.THIRD_PARTY and not origin.confirmed
    yield f"obtained_from={origin.obtained_from}" + ("\tnot confirmed: nobody's data may be used" if waits else "")
    yield f"notice={origin.notice_at:%Y-%m-%d}" if origin.notice_at else "notice=not yet"
    for one in provenance.records(session, [name]):
        yield f"received\t{one.received_on}\t{one.provider}\t{one.route}\t{one.acquired}\t{one.id}"
