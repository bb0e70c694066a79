"""What somebody agreed to can be proved for ever: asked for over a socket, kept as a file, checked without us."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests import people
from tests.people import cast
from tests.stories.world import ROOT, World

READINGS = 200


def recorded(world: World) -> str:
    """Let Ada say yes; returns the record's id."""
    answer = world.call("desk", "POST", "/api/consents", people.consent(cast().ada))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["record_id"])


def verified(folder: Path, receipt: Path, key: Path) -> subprocess.CompletedProcess[str]:
    """Check a receipt in a process of its own that knows of no home, no database and no network."""
    line = [sys.executable, "-m", "cdp.ops.cli", "consent", "verify", str(receipt), "--key", str(key)]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LANG": "en_GB.UTF-8", "HOME": str(folder)}
    return subprocess.run(line, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=60)


def test_a_receipt_outlives_the_house_that_gave_it(world: World, tmp_path: Path) -> None:
    record = recorded(world)
    receipt, key, alone = tmp_path / "receipt.json", tmp_path / "jwks.json", tmp_path / "alone"
    alone.mkdir()
    receipt.write_bytes(world.call("desk", "GET", f"/api/consents/{record}/receipt").content)
    key.write_bytes(world.call("desk", "GET", "/api/ledger/jwks.json").content)
    world.server.shutdown()
    checked = verified(alone, receipt, key)
    assert (checked.returncode, checked.stderr) == (0, ""), checked
    assert record in checked.stdout and "ConsentGiven" in checked.stdout
    assert cast().ada.email not in receipt.read_text() + checked.stdout
    receipt.write_bytes(receipt.read_bytes().replace(b"email_marketing", b"ads_sharing"))
    checked = verified(alone, receipt, key)
    assert (checked.returncode, checked.stderr, len(checked.stdout.splitlines())) == (1, "", 1)
    assert not list(alone.iterdir())


def test_a_confirmed_request_is_proved_from_the_asking_to_the_yes(world: World) -> None:
    body = {**people.consent(cast().ben), "status": "requested"}
    asked = world.call("desk", "POST", "/api/consents", body).json()
    path = asked["confirm_url"].removeprefix(world.environment["CDP_BASE_URL"])
    assert world.post(path, b"").status_code == 200
    told = world.call("desk", "GET", f"/api/consents/{asked['record_id']}/receipt?format=record").json()
    assert [event["event_state"].rpartition("#")[2] for event in told["events"]] == ["ConsentRequested", "ConsentGiven"]
    given = told["events"][1]["record_id"]
    receipt = world.call("desk", "GET", f"/api/consents/{given}/receipt").json()
    assert [event["record_id"] for event in receipt["events"]] == [asked["record_id"], given]


def test_the_same_record_gives_the_same_bytes_over_and_over(world: World, figures: Any) -> None:
    record, took, given = recorded(world), [], set()
    world.token("desk")
    for _ in range(READINGS):
        begun = time.perf_counter()
        given.add(world.call("desk", "GET", f"/api/consents/{record}/receipt").content)
        took.append(time.perf_counter() - begun)
    (content,) = given
    took.sort()
    figures("one receipt over a socket", p50_ms=took[100] * 1000, p99_ms=took[198] * 1000, bytes=len(content))
