"""The register of breaches, for whoever answers for data protection: what happened, whom to tell, by when.

Instants are read and printed in the controller's time zone, since that is what the clock on the wall says on the day.
"""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
from sqlmodel import Session

from cdp import policy
from cdp.clock import EARLIEST, LATEST
from cdp.deployment import Deployment
from cdp.ops import console
from cdp.rights import breach as register
from cdp.rights import periods
from cdp.rights.breach import facts, rules
from cdp.rights.breach.facts import Facts

URGENT = {"overdue": "red", "pressing": "yellow", "done_late": "yellow"}


def known(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say what is known; what is left out is not said."""
    for option in reversed(_KNOWN):
        command = option(command)
    return command


_KNOWN = (
    click.option("--aware-at", help="When we knew (ISO 8601, here unless it has a zone); record without it: now."),
    click.option("--aware-by", help="The team or role that noticed; nobody's name."),
    click.option("--role", type=click.Choice(facts.ROLES), help="As whom we hold the data (processor: 委託先)."),
    click.option("--type", "types", multiple=True, type=click.Choice(facts.TYPES), help="May be repeated."),
    click.option("--law", "laws", multiple=True, help="Whose people are hit; may be repeated; record without it: all."),
    click.option("--category", "categories", multiple=True, help="Kind of data (policies/categories.yaml)."),
    click.option("--people", type=int, help="How many at most; unknown until it is said, and counts as many."),
    click.option("--special-care", type=int, help="Of them with special-care data (要配慮個人情報)."),
    click.option("--property-damage", type=int, help="Of them whom it may cost money; 0 = nobody."),
    click.option("--malicious/--by-mistake", default=None, help="For a wrongful purpose: intrusion, theft, ransom."),
    click.option("--protection", type=click.Choice(facts.PROTECTIONS), help="Encrypted: and the key is safe."),
    click.option("--risk", type=click.Choice(facts.RISKS), help="To people; high until it is assessed."),
    click.option("--happened", help="The facts, in a few sentences; name nobody."),
    click.option("--effects", help="What it may mean for people; name nobody."),
    click.option("--measures", help="What was and will be done; name nobody."),
)


@click.group()
def breach() -> None:
    """Breaches of security: record, list, show, amend, report. Every one is registered (GDPR 33(5)).

    \b
    Examples:
      cdp breach record --aware-by "night shift" --category contact --malicious --happened "login with a stolen key"
      cdp breach list
      cdp breach report 5f3c… --duty appi_preliminary --reference 26-0017
    """


@breach.command()
@known
def record(**said: Any) -> None:
    """Open a breach and print whom to tell by when.

    Say what you know. What you leave out counts as the worst: people as many, the risk as high, the purpose as
    perhaps wrongful, and somebody may lose money.
    """
    with console.opened() as deployment, deployment.database.transaction() as session:
        now = deployment.clock.now()
        changes = _said(session, said)
        start: dict[str, Any] = {"aware_at": now, "aware_by": "", "laws": _configured(session)}
        one = register.record(session, Facts(**start | changes), now)
        _note(session, deployment, "breach.record", one.id, "recorded")
        _tell(session, one, now)


@breach.command()
@click.argument("id")
@known
@console.REASON
def amend(id: str, reason: str, **said: Any) -> None:
    """Say what is known better now; the clocks are set anew, and what was said before stays."""
    with console.opened() as deployment, deployment.database.transaction() as session:
        now = deployment.clock.now()
        _note(session, deployment, "breach.amend", id, reason)
        _tell(session, register.amend(session, id, _said(session, said), reason, now), now)


@breach.command()
@click.argument("id")
@click.option("--duty", required=True, type=click.Choice(list(register.TITLES)), help="Whom you told.")
@click.option("--at", "told_at", default="", help="When (ISO 8601, here unless it has a zone); left out: now.")
@click.option("--reference", default="", help="Their file number.")
@click.option("--why-late", default="", help="Wanted after the due instant (GDPR 33(1)); name nobody.")
def report(id: str, duty: str, told_at: str, reference: str, why_late: str) -> None:
    """Say that somebody was told; again for every further phase."""
    with console.opened() as deployment, deployment.database.transaction() as session:
        now = deployment.clock.now()
        told = _instant(session, told_at, "--at") if told_at else now
        _note(session, deployment, "breach.report", id, why_late or "told", duty=duty)
        _tell(session, register.report(session, id, duty, told, now, reference, why_late), now)


@breach.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those of which everybody was told.")
def list_(everything: bool) -> None:
    """Print what is still to be told, the most pressing first: breach, duty, due instant, state."""
    with console.opened() as deployment, deployment.database.snapshot() as session:
        now, owed = deployment.clock.now(), register.owed(session, deployment.policy)
        for one, duty in owed:
            click.echo(f"{one.id}\t{_duty(session, duty, now)}")
        settled = {one.id: one for one in register.every(session)}
        for one, _ in owed:
            settled.pop(one.id, None)
        for one in settled.values() if everything else ():
            click.echo(f"{one.id}\tnothing to tell\taware {_here(session, one.facts.aware_at)}")
    if not owed:
        click.echo("nobody is to be told of anything" + ("" if everything else "; see --all"), err=True)


@breach.command()
@click.argument("id")
def show(id: str) -> None:
    """Print one breach: what is known, which kinds it is, whom to tell, and everything that was said of it."""
    with console.opened() as deployment, deployment.database.snapshot() as session:
        one = register.load(session, id)
        for name, value in facts.written(one.facts).items():
            click.echo(f"{name}={_here(session, one.facts.aware_at) if name == 'aware_at' else _plain(value)}")
        _tell(session, one, deployment.clock.now())
        for said in one.statements:
            whole = "" if register.is_intact(session, said) else click.style("\tALTERED since it was said", fg="red")
            why = f"\t{said.reason}" if said.reason else ""
            click.echo(f"  {_here(session, said.at)}\t{said.act}\t{_of(said.said)}{why}\tledger={said.entry}{whole}")


def _tell(session: Session, one: register.Breach, now: datetime) -> None:
    classes = rules.japanese_classes(one.facts, periods.for_breaches(policy.of(session)))
    click.echo(f"breach={one.id}")
    for number in classes if "appi" in one.facts.laws else ():
        click.echo(f"  規則7条{number}号 {' / '.join(rules.CLASSES[number])}")
    duties = one.duties(policy.of(session))
    for duty in duties:
        click.echo(f"  {_duty(session, duty, now)}")
    if not duties:
        click.echo("  nobody must be told: it stands in the register only")


def _duty(session: Session, duty: register.Duty, now: datetime) -> str:
    article, japanese, english = register.TITLES[duty.name]
    state = duty.state(now)
    shown = click.style(state.replace("_", " ").upper(), fg=URGENT.get(state), bold=state == "overdue")
    done = f"\ttold {_here(session, duty.done_at)}" if duty.done_at else ""
    return f"{duty.name}\t{shown}\tby {_here(session, duty.due_at)}{done}\t{article}\t{japanese} / {english}"


def _said(session: Session, said: dict[str, Any]) -> dict[str, Any]:
    """Return what was said at all, as `Facts` names it."""
    known = {name: value for name, value in said.items() if value not in (None, ())}
    if "aware_at" in known:
        known["aware_at"] = _instant(session, known["aware_at"], "--aware-at")
    return known


def _instant(session: Session, text: str, hint: str) -> datetime:
    """Read an instant; one without a zone is the controller's."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is not None and found.tzinfo is None:
        found = found.replace(tzinfo=_zone(session))
    if found is None or not EARLIEST <= found <= LATEST:
        raise click.BadParameter("write an ISO 8601 instant, such as 2026-05-03T12:00", param_hint=hint)
    return console.instant(found.isoformat(), hint)


def _note(session: Session, deployment: Deployment, act: str, breach: str, reason: str, **what: str) -> None:
    console.audit(session, deployment, act, reason, breach=breach, **what)


def _configured(session: Session) -> tuple[str, ...]:
    return tuple(str(law.name).lower() for law in policy.of(session).packs)


def _here(session: Session, at: datetime) -> str:
    return f"{at.astimezone(_zone(session)):%Y-%m-%d %H:%M %Z}"


def _zone(session: Session) -> ZoneInfo:
    return ZoneInfo(policy.of(session).controller.time_zone)


def _plain(value: Any) -> str:
    return ",".join(value) if isinstance(value, (list, tuple)) else "unknown" if value is None else str(value)


def _of(said: str) -> str:
    return " ".join(f"{name}={_plain(value)}" for name, value in json.loads(said).items())
