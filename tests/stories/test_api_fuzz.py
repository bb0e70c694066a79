"""The whole interface against whatever can be made of its description, as eight roles, with ids that exist."""

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from tests.conftest import DEEP
from tests.figures import Figures
from tests.stories.fuzzing import ROLES, Tally, everything, opened, send

CASES = 20_000
EXAMPLES = 400

SERVER_ERRORS = ("not_a_server_error", "error")
SCHEMA = (
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)
AUTHORISATION = ("ignored_auth", "unauthorised", "object_level_authorization")


def test_nothing_that_can_be_made_of_the_description_breaks_the_interface(tmp_path: Path, figures: Figures) -> None:
    tallies = _deep(tmp_path) if DEEP else _light(tmp_path)
    for tally in tallies:
        figures(
            f"schemathesis as {tally.role}",
            cases=tally.cases,
            server_errors=tally.count(*SERVER_ERRORS),
            schema_violations=tally.count(*SCHEMA),
            authorisation_ignored=tally.count(*AUTHORISATION),
            other_failures=sum(tally.failures.values()) - tally.count(*SERVER_ERRORS, *SCHEMA, *AUTHORISATION),
            answers=", ".join(f"{number} {status}" for status, number in sorted(tally.statuses.items())),
        )
    told = [f"{t.role}: {n} × {kind}\n{t.examples[kind]}" for t in tallies for kind, n in t.failures.items()]
    assert not told, "\n\n".join(told)
    assert {tally.role for tally in tallies} == set(ROLES)
    assert all(tally.cases >= (CASES if DEEP else 10) for tally in tallies)


def _light(folder: Path) -> list[Tally]:
    """Every phase as the officer, who gets furthest; as the others only some of what may be sent."""
    tallies = []
    with opened(folder) as home:
        for role in ROLES:
            tallies.append(tally := Tally(role))
            all_ = role == "officer"
            phases = {"examples": True, "coverage": all_, "fuzzing": True, "stateful": all_}
            send(home, role, tally, seed=1, examples=3 if all_ else 1, phases=phases)
    return tallies


def _deep(folder: Path) -> list[Tally]:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        return list(pool.map(partial(alone, folder=folder, cases=CASES), ROLES))


def alone(role: str, folder: Path, cases: int) -> Tally:
    """One role in a process and a home of its own: what it erases, no other misses."""
    home = folder / role.replace(" ", "_")
    home.mkdir()
    with opened(home) as live:
        return everything(live, role, cases, EXAMPLES)
