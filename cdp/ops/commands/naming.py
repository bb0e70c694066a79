"""How a command is told whom it is about, and why; a slip in the identifier is never taken for "nobody".

An identifier's value is asked for, or read from standard input: on a command line it would be in
the shell's history and in the list of processes.
"""

from collections.abc import Callable
from typing import Any

import click
from sqlmodel import Session

from cdp import identity, policy, rights
from cdp.deployment import Deployment
from cdp.errors import Problem
from cdp.ops import console
from cdp.rights import steps
from cdp.rights.model import SubjectRequest
from cdp.rights.requests import USUAL

Named = tuple[str, str, str]


def whom(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say who is meant, and why."""
    for option in (
        click.option("--type", "namespace", default="email", show_default=True, help="Type of the identifier."),
        click.option("--scope", default="", help="System or provider, where the type needs one."),
        click.option("--value", default="", help="The identifier; better leave it out, and it is asked for."),
        click.option("--person", type=console.NUMBER, help="Number of the person, instead of an identifier."),
        console.REASON,
    ):
        command = option(command)
    return command


def ask(namespace: str, scope: str, value: str, person: int | None) -> Named:
    """Return the identifier that is meant, asked for at the terminal where nothing names anybody."""
    if person is None and not value:
        value = click.prompt(f"{namespace}", err=True)
    return namespace, scope, value


def everyone(session: Session, named: Named, person: int | None) -> list[int]:
    """Return all the people who are meant; raises Problem 400 for an identifier that cannot be one."""
    if person is not None:
        return sorted(set(identity.people_of(session, [person]).values()))
    known = identity.spell(policy.of(session), named[0], named[2], named[1])
    return identity.find_all(session, known.namespace, known.scope, known.value)


def subjects_of(session: Session, named: Named, person: int | None) -> list[int]:
    """Return the subjects of the one person who is meant; raises Problem 400 as `everyone`, 404 for nobody."""
    found = rights.who(session, named)[0] if person is None else person
    subjects = steps.cluster(session, [] if found is None else [found])
    if not subjects:
        raise Problem(404, "unknown_person", "Nobody is known by that: try `cdp subject find`.")
    return subjects


def receive(
    deployment: Deployment,
    right: str,
    named: Named,
    person: int | None,
    reason: str,
    requester: str = "staff",
    asked: rights.Asked = USUAL,
    corrections: rights.Corrections | None = None,
) -> SubjectRequest:
    """Take in what staff ask for a person, noted with the reason."""
    at = deployment.clock.now()
    more: dict[str, Any] = {"verified": True, "asked": asked, "corrections": corrections}
    with deployment.database.transaction() as session:
        console.audit(session, deployment, f"subject.{right}", reason)
        if person is None:
            return rights.receive(session, right, named, requester, "", reason, at, **more)
        subjects_of(session, named, person)
        return rights.receive_for(session, right, [person], requester, "", reason, at, **more)
