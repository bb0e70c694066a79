"""Scenarios at the command line: run, turned round fact by fact, and laid beside the rules."""

from collections.abc import Mapping
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import click

from cdp.clock import SystemClock
from cdp.connector.kit import ConsentTerm
from cdp.connector.tcf import hear
from cdp.gate import rehearsal
from cdp.gate.rehearsal import Answer
from cdp.ops import console
from cdp.policy.terms import Policy
from cdp.rights.breach.rehearsal import classify


def hear_string(policy: Policy, said: Mapping[str, Any], at: datetime) -> Answer:
    """Return what a TC string in an event says of a purpose: yes, no, or nothing, and why."""
    term = ConsentTerm(purpose=str(said["purpose"]), channel="web")
    digest = sha256(str(said.get("whole", said["string"])).encode()).hexdigest()
    tcf = {"tcString": said["string"], **({"sha256": digest} if said.get("digest", True) else {})}
    heard = hear({"tcf": tcf}, {term: said["tcf_purposes"]}, said.get("vendors", ()), at)
    why = heard.refusals[0].reason if heard.refusals else ""
    then = "nothing" if why else "yes" if heard.answers.get(term) else "no"
    return Answer(then, why, references=frozenset({"GDPR 4(11)"}))


ALSO = {"breach": classify, "tcf": hear_string}
"""Kinds of questions that are answered above the gate."""


def check(folder: Path, on: date | None = None) -> list[str]:
    """Load the folder and run what it states about itself; one line per failure."""
    return rehearsal.check(folder, on, ALSO)


def print_opposites(terms: Policy, files: tuple[Path, ...], folder: Path) -> list[str]:
    """Print, for each scenario, a fact whose opposite changes an answer; returns a line where there is none."""
    chosen = {path.resolve().relative_to(folder.resolve()).as_posix() for path in files}
    failures = []
    scenarios = [one for one in terms.scenarios if not chosen or one.where in chosen]
    with console.bar("scenarios") as progress:
        for scenario in progress.track(scenarios):
            turned = rehearsal.decisive(terms, scenario, _today(), ALSO)
            if turned is None:
                failures.append(f"{scenario.where}: no fact turned round changes an answer: it shows nothing")
                continue
            case = f" {scenario.tree['case']}" if scenario.tree["case"] else ""
            click.echo(f"{scenario.name}{case}\t{turned.fact}\tasks.{turned.ask}: {turned.was} → {turned.became}")
    return failures


def print_coverage(terms: Policy) -> list[str]:
    """Print, for each rule, the questions that it alone decides; returns a line for every rule without one."""
    found = rehearsal.coverage(terms, _today(), ALSO)
    for rule, places in found.items():
        click.echo(f"{rule}\t{len(places)}\t{places[0] if places else ''}")
    return [f"laws: no question is decided by the rule {rule} alone" for rule, places in found.items() if not places]


def _today() -> date:
    return SystemClock().now().date()
