"""Whatever is killed goes on where it stood, without hands: erasures, the sealing of the ledger, an import.

A kill takes every process at once, in the middle of whatever each was doing.
"""

import csv
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import requests
from sqlalchemy import text

from cdp import identity
from cdp.db import Database
from tests.conftest import DEEP
from tests.figures import Figures
from tests.stories.faults import verdict
from tests.stories.faults.mortal import Mortal
from tests.stories.processes import ROOT

KILLS = 200 if DEEP else 1
ROWS = 3000 if DEEP else 200
INTERRUPTIONS = 20 if DEEP else 1


def mail(number: int) -> str:
    return f"leaver{number}@example.com"


def test_erasures_and_the_ledger_go_on_after_every_kill(mortal: Mortal, figures: Figures) -> None:
    told = mortal.printed("connector", "add", "shop", "--type", "segment", "--set", "key=server")
    officer = mortal.printed(
        "client", "create", "officer", "--recipient", "staff", "--purposes", "analytics", "--scopes", "admin:*"
    )
    chance, asked = random.Random(3), []
    for number in range(KILLS):
        mortal.open()
        mortal.start("worker")
        token = mortal.token(officer)
        bring(mortal, told["write_key"], number)
        asked.append(number)
        asking = threading.Thread(target=ask, args=(mortal.url, token, mail(number), str(number)))
        asking.start()
        time.sleep(chance.uniform(0, 0.6))
        mortal.kill()
        asking.join(60)
    mortal.open()
    mortal.start("worker")
    token = mortal.token(officer)
    states = [ask(mortal.url, token, mail(number), str(number)) for number in asked]
    began = time.monotonic()
    while time.monotonic() - began < 60 and (unsealed(mortal) or any(open_requests(mortal))):
        time.sleep(0.1)
    settled = time.monotonic() - began
    assert set(states) == {202}
    mortal.kill()
    mortal.cdp("ledger", "verify")
    assert known(mortal, asked) == []
    figures(
        f"kill -9 during erasures and sealing, {mortal.kind}",
        kills=KILLS,
        erasures=len(asked),
        left_open=len(open_requests(mortal)),
        back=0,
        ledger="verified",
        settled_s=settled,
    )
    assert open_requests(mortal) == []


def ask(url: str, token: str, address: str, key: str) -> int:
    """Bring the request to erase somebody; the same key makes a repetition the same request. 0 for a cut connection."""
    try:
        return requests.post(
            f"{url}/api/subject-requests",
            json={"right": "erasure", "identifier": {"type": "email", "value": address}, "requester": "subject"},
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": key},
            timeout=60,
        ).status_code
    except requests.RequestException:
        return 0


def bring(mortal: Mortal, write_key: str, number: int) -> None:
    call = {
        "userId": f"leaver-{number}",
        "messageId": f"leaver-{number}",
        "timestamp": "2026-05-01T00:00:00Z",
        "traits": {"email": mail(number), "country": "JP"},
    }
    answer = requests.post(f"{mortal.url}/v1/identify", json=call, auth=(write_key, ""), timeout=60)
    assert answer.status_code == 200, answer.text


def _scalars(mortal: Mortal, query: str) -> list[object]:
    database = Database(mortal.env["CDP_DATABASE_URL"])
    try:
        with database.snapshot() as session:
            return list(session.execute(text(query)).scalars())
    finally:
        database.dispose()


def unsealed(mortal: Mortal) -> bool:
    return _scalars(mortal, "SELECT count(*) FROM ledger_entry WHERE tree_index IS NULL") != [0]


def open_requests(mortal: Mortal) -> list[object]:
    return _scalars(mortal, "SELECT id FROM subject_request WHERE state <> 'completed'")


def known(mortal: Mortal, numbers: list[int]) -> list[int]:
    """Return those of the erased whom the deployment still knows."""
    deployment = verdict.opened(mortal)
    with deployment.database.snapshot() as session:
        found = [number for number in numbers if identity.find(session, "email", "", mail(number)) is not None]
    deployment.close()
    return found


def test_an_import_that_is_killed_is_run_again_and_counts_once(
    mortal: Mortal, tmp_path: Path, figures: Figures
) -> None:
    mortal.cdp("connector", "add", "crm", "--type", "csv", "--set", "residence_default=JP")
    path, chance = tmp_path / "contacts.csv", random.Random(4)
    write_contacts(path)
    command = [sys.executable, "-m", "cdp.ops.cli", "import", str(path), "--source", "crm"]
    for _ in range(INTERRUPTIONS):
        with (mortal.home / "import.log").open("ab") as log:
            importing = subprocess.Popen(command, env=mortal.env, cwd=ROOT, stdout=log, stderr=log)
            time.sleep(chance.uniform(0.5, 4))
            importing.send_signal(signal.SIGKILL)
            importing.wait(60)
    mortal.cdp("import", str(path), "--source", "crm")
    path.unlink()
    people = _scalars(mortal, "SELECT count(*) FROM person")
    assert people == [ROWS]
    assert _scalars(mortal, "SELECT count(DISTINCT token) FROM identifier WHERE namespace = 'email'") == [ROWS]
    figures(f"kill -9 during an import, {mortal.kind}", kills=INTERRUPTIONS, rows=ROWS, people=ROWS)


def write_contacts(path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["Record ID", "Email", "Country/Region"])
        writer.writeheader()
        writer.writerows(
            {"Record ID": f"C{number}", "Email": f"contact{number}@example.com", "Country/Region": "JP"}
            for number in range(ROWS)
        )
