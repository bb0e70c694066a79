"""Who may be one person by name, birth and address: trained, proposed, and decided by somebody."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.table import Table
from sqlmodel import Session

from cdp.identity import matches, verdicts
from cdp.identity.model import MatchProposal
from cdp.identity.proposals import SENTENCES, Model, Run
from cdp.ops import console, proposing


@click.command()
def train() -> None:
    """Learn from everybody who may be compared what tells who is there twice; writes a model file, and no value.

    Off unless policies/identifiers.yaml says `proposals: {enabled: true}`. Write the version that it prints beside it.
    """
    with console.opened() as deployment, _watched() as told:
        proposing.terms_of(deployment.database)
        with deployment.database.transaction() as session:
            console.audit(session, deployment, "identity.train", "training")
        model = proposing.learn(deployment.database, deployment.settings.home, told)
    click.echo(f"version={model.version}\npeople={model.people}\nprior={model.prior:.3g}")
    _say_weights(model)
    click.echo("Write it as `model` under `proposals` in policies/identifiers.yaml.", err=True)


@click.command()
@click.option("--dry-run", is_flag=True, help="Count only: no proposal is kept. That people were opened is recorded.")
def propose(dry_run: bool) -> None:
    """Look for people who are there twice, for somebody to decide; exit code 1 where the checks refuse what was found.

    Off unless policies/identifiers.yaml says `proposals: {enabled: true}`. A name alone never proposes anybody.
    """
    with console.opened() as deployment, _watched() as told:
        proposing.terms_of(deployment.database)
        with deployment.database.transaction() as session:
            console.audit(session, deployment, "identity.propose", "a dry run" if dry_run else "a run")
        found = proposing.run(deployment.database, deployment.settings.home, told, keep=not dry_run)
    _say_run(found.run)
    if found.stored is not None:
        click.echo(f"run={found.stored}\nnew={found.new}\naccepted={found.accepted}")
    if not found.run.published:
        click.get_current_context().exit(console.WRONG)


@click.command()
@click.option("--state", type=click.Choice(["open", "accepted", "declined", "gone"]), default="open", show_default=True)
@click.option("--sampled", is_flag=True, help="Only the random sample, by which the model is measured.")
@console.AFTER
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
def proposals(state: str, sampled: bool, after: int, limit: int) -> None:
    """List who may be one person: how likely, and what agrees; never a value."""
    with console.opened() as deployment, deployment.database.snapshot() as session:
        found = matches.listed(session, state, after, limit, sampled=sampled)
        table = Table("proposal", "from", "one", "other", "agreement", "", box=None)
        for one in found:
            table.add_row(*_shown(one))
    if not found:
        console.tell_none("`cdp identity propose` looks for them, where the policy turns it on")
        return
    Console().print(table)


@click.command()
@click.argument("proposal", type=console.NUMBER)
@console.REASON
def accept(proposal: int, reason: str) -> None:
    """Say that the two are one person; taken back with `cdp identity take-back PROPOSAL`."""

    def work(session: Session) -> int:
        console.audit(session, deployment, "identity.accept", reason, proposal=proposal)
        return verdicts.accept(session, proposal, reason, "staff", deployment.clock.now())

    with console.opened() as deployment:
        decision = deployment.database.attempt(work)
    click.echo(f"proposal={proposal}\ndecision={decision}")


@click.command()
@click.argument("proposal", type=console.NUMBER)
@console.REASON
def decline(proposal: int, reason: str) -> None:
    """Say that it is not established; the pair is not proposed again while it looks as it does."""

    def work(session: Session) -> None:
        console.audit(session, deployment, "identity.decline", reason, proposal=proposal)
        verdicts.decline(session, proposal, reason, "staff", deployment.clock.now())

    with console.opened() as deployment:
        deployment.database.attempt(work)
    click.echo(f"proposal={proposal}")


@click.command("take-back")
@click.argument("proposal", type=console.NUMBER)
@console.REASON
def take_back(proposal: int, reason: str) -> None:
    """Take back what was said of a proposal: everybody is as before, and it is open again."""

    def work(session: Session) -> None:
        console.audit(session, deployment, "identity.take_back", reason, proposal=proposal)
        verdicts.take_back(session, proposal, "staff", deployment.clock.now())

    with console.opened() as deployment:
        deployment.database.attempt(work)
    click.echo(f"proposal={proposal}")


COMMANDS = (train, propose, proposals, accept, decline, take_back)


def _shown(one: MatchProposal) -> tuple[str, ...]:
    levels = " · ".join(f"{name} {step}" for name, step in json.loads(one.levels).items())
    marks = " ".join(word for word, is_so in (("veto", one.vetoed), ("sample", one.sampled)) if is_so)
    return str(one.id), f"{one.band:.1%}", str(one.subject_one), str(one.subject_other), levels, marks


def _say_run(run: Run) -> None:
    for name, count in run.counts.items():
        click.echo(f"{name.replace(' ', '_')}={count}")
    for one in run.refusals:
        click.echo(f"refused={one.reason}\t{one.where}\t{SENTENCES[one.reason].en}")


def _say_weights(model: Model) -> None:
    table = Table("comparison", "step", "among matches", "among others", box=None)
    for one in model.weights():
        table.add_row(one.comparison, one.level, _share(one.m), _share(one.u))
    Console().print(table)


def _share(weight: float | None) -> str:
    return "never seen" if weight is None else f"{weight:.4%}"


@contextmanager
def _watched() -> Iterator[Callable[[int], None]]:
    with console.bar("people") as progress:
        task = progress.add_task("people", total=None)
        yield lambda people: progress.update(task, completed=people)
