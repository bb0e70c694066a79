"""`cdp policy apply` killed in its midst: who is not decided yet is refused, and it goes on where it was."""

import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

from sqlmodel import select

from cdp import gate
from cdp.db import Database, chunked
from cdp.deployment import Deployment
from cdp.gate.codes import person_codes
from cdp.gate.model import Permission
from cdp.gate.permission import settled
from cdp.gate.standing import load
from cdp.ops.bench import crowd, settling
from tests.conftest import DEEP
from tests.figures import Figures
from tests.stories.faults import verdict
from tests.stories.faults.mortal import Mortal
from tests.stories.processes import ROOT

PEOPLE, KILLS = (100_000, 25) if DEEP else (600, 3)


def test_a_re_evaluation_that_is_killed_refuses_who_waits_and_goes_on(
    mortal: Mortal, tmp_path: Path, figures: Figures
) -> None:
    deployment = verdict.opened(mortal)
    crowd.fill(deployment.database, deployment.policy, PEOPLE)
    settling.decide_first(deployment.database, PEOPLE)
    deployment.close()
    mortal.env["CDP_POLICIES"] = str(another_policy(tmp_path))
    deployment = verdict.opened(mortal)
    database, wanted = deployment.database, expected(deployment)
    assert len(believed(database)) == 0
    left, chance, kills = PEOPLE, random.Random(1), 0
    while kills < KILLS and left > 1:
        process = mortal.start("policy", "apply", "--processes", "2")
        strike(mortal, process, database, left, chance)
        kills += process.returncode == -signal.SIGKILL
        left = check(database, wanted)
    assert kills, "it was through before anything struck it"
    began = time.monotonic()
    assert "people" in mortal.cdp("policy", "apply", "--processes", "2")
    took = time.monotonic() - began
    assert check(database, wanted) == 0
    assert believed(database) == wanted
    decided = rows(database)
    settle_everybody(database)
    assert rows(database) == decided
    deployment.close()
    figures(f"kill -9 during cdp policy apply, {mortal.kind}", people=PEOPLE, kills=kills, left=left, last_run_s=took)


def another_policy(folder: Path) -> Path:
    """Return a folder of policies in which being a customer is no ground for letters any more."""
    copied = folder / "policies"
    shutil.copytree(ROOT / "policies", copied)
    path = copied / "purposes" / "email_marketing.yaml"
    lines = path.read_text().splitlines()
    grounds = [line for line in lines if line.startswith("  GDPR: {kind: soft_opt_in")]
    assert len(grounds) == 1
    lines[lines.index(grounds[0])] = "  GDPR: {kind: consent, iri: 'eu-gdpr:A6-1-a'}"
    path.write_text("\n".join(lines))
    return copied


def strike(
    mortal: Mortal, process: subprocess.Popen[bytes], database: Database, left: int, chance: random.Random
) -> None:
    """Kill it as soon as it has decided somebody, or a little later; it may be quicker."""
    while process.poll() is None and waiting(database) == left:
        time.sleep(0.002)
    time.sleep(chance.uniform(0, 0.02))
    mortal.kill()


def check(database: Database, wanted: dict[int, bytes]) -> int:
    """Whoever is believed is believed rightly, and everybody else is refused; returns how many those are."""
    found = believed(database)
    assert {person: wanted[person] for person in found} == found
    left = waiting(database)
    assert left == len(wanted) - len(found)
    return left


def waiting(database: Database) -> int:
    with database.snapshot() as session:
        return gate.waiting(session, database.clock.now())


def believed(database: Database) -> dict[int, bytes]:
    """Return the answers of those whose rows a reader believes."""
    with database.snapshot() as session:
        query = select(Permission.person, Permission.codes).where(settled(session, database.clock.now()))
        return {person: bytes(codes) for person, codes in session.exec(query)}


def expected(deployment: Deployment) -> dict[int, bytes]:
    with deployment.database.snapshot() as session:
        everybody = session.exec(select(Permission.person)).all()
        at = deployment.clock.now()
        return {
            person: person_codes(deployment.policy, one.standing)
            for some in chunked(everybody, 1000)
            for person, one in load(session, some, at).items()
        }


def rows(database: Database) -> list[tuple[object, ...]]:
    """Return every row but for when it was written."""
    names = [name for name in Permission.model_fields if name != "settled_at"]
    with database.snapshot() as session:
        return [
            tuple(getattr(row, name) for name in names)
            for row in session.exec(select(Permission).order_by(Permission.person))
        ]


def settle_everybody(database: Database) -> None:
    with database.snapshot() as session:
        everybody = session.exec(select(Permission.person)).all()
    for some in chunked(everybody, 500):
        with database.transaction() as session:
            gate.settle(session, some, database.clock.now())
