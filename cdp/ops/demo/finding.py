"""Whom an identifier finds: asked as the operator, whom no permission hides anybody from.

`cdp subject find` answers with the person's number, or `nobody`; it raises for anything else. The
identifier is typed, so that it stands in no list of processes.
"""

import sqlite3
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from cdp import vault
from cdp.ops.demo.home import CommandError, Home
from cdp.ops.demo.people import Someone
from cdp.ops.demo.records import LINE_PROVIDER
from cdp.ops.demo.watching import database_of

NOBODY = "nobody"


def found(home: Home, one: Someone) -> Mapping[str, str]:
    """Return, for address, login and LINE account, the number of whom it finds, or NOBODY."""
    named = identifiers(one)
    with ThreadPoolExecutor(2) as threads:
        answers = threads.map(lambda known: _find(home, *known), named)
        return {namespace: answer for (namespace, _, _), answer in zip(named, answers, strict=True)}


def finds_one(answers: Mapping[str, str]) -> bool:
    """Whether every identifier finds somebody, and all of them the same one person."""
    return len(set(answers.values())) == 1 and NOBODY not in answers.values()


def finds_nobody(answers: Mapping[str, str]) -> bool:
    """Whether no identifier finds anybody."""
    return set(answers.values()) == {NOBODY}


def rows_in_copy(home: Home, copy: Path, one: Someone) -> int:
    """Count the identifiers of a person that a backup's file still holds, by their tokens."""
    with database_of(home) as database, database.snapshot() as session:
        keeper = vault.of(session)
        tokens = [(namespace, keeper.token(namespace, scope, value)) for namespace, scope, value in identifiers(one)]
    with closing(sqlite3.connect(f"{copy.as_uri()}?mode=ro", uri=True)) as rows:
        query = "SELECT EXISTS (SELECT 1 FROM identifier WHERE namespace = ? AND token = ?)"
        return sum(rows.execute(query, token).fetchone()[0] for token in tokens)


def identifiers(one: Someone) -> tuple[tuple[str, str, str], ...]:
    """Return namespace, scope and value of the address, the login and the LINE account."""
    return ("email", "", one.email), ("user_id", "", one.user_id), ("line_uid", LINE_PROVIDER, one.line_uid)


def _find(home: Home, namespace: str, scope: str, value: str) -> str:
    chosen = ("--type", namespace, "--scope", scope, "--reason", "demo")
    people = [
        line.removeprefix("person=")
        for line in home.cdp("subject", "find", *chosen, typed=f"{value}\n").splitlines()
        if line == NOBODY or line.startswith("person=")
    ]
    if len(people) != 1:
        raise CommandError(f"cdp subject find → {len(people)} people by one {namespace}")
    return people[0]
