"""The dashboard, the alerts and the units that ship name only what there really is."""

import configparser
import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from cdp.ops.cli import main
from cdp.web.app import create_app
from cdp.web.metrics import heartbeat
from cdp.web.metrics.heartbeat import JobBeat
from tests.conftest import ROOT
from tests.ops.conftest import Home

DOCS = ROOT / "docs"
UNITS = sorted((DOCS / "systemd").iterdir())
NAME = re.compile(r"\bsekisho_[a-z0-9_]+")


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'cdp.db'}"


@pytest.fixture
def told(home: Home, tmp_path: Path) -> str:
    """The page of metrics of a deployment that was lived in."""
    home.cdp("backup", str(tmp_path / "backup"))
    key = dict(
        line.split("=", 1)
        for line in home.cdp("connector", "add", "shop", "--type", "segment", "--set", "key=server").stdout.splitlines()
        if "=" in line
    )["write_key"]
    heartbeat.write(home.settings.home, datetime.now(UTC), {"seal": JobBeat(1, 1, 0, datetime.now(UTC).isoformat())})
    with home.opened() as deployment:
        browser = create_app(deployment).test_client()
        call = {"type": "identify", "userId": "u1", "traits": {"shoe_size": 44}}
        assert browser.post("/v1/identify", json=call, auth=(key, "")).status_code == 200
        assert browser.get("/api/audiences").status_code == 401
        return browser.get("/metrics").get_data(as_text=True)


def exposed(told: str) -> set[str]:
    """Return every name that Prometheus would know: of families, and of the series of each."""
    families = set(re.findall(r"^# TYPE (\S+)", told, re.MULTILINE))
    return families | {f"{name}_bucket" for name in families} | set(re.findall(r"^(\w+)[ {]", told, re.MULTILINE))


def test_the_dashboard_shows_nothing_that_is_not_measured(told: str) -> None:
    board = json.loads((DOCS / "dashboard.json").read_text())
    named = {name for panel in board["panels"] for one in panel["targets"] for name in NAME.findall(one["expr"])}
    assert named - exposed(told) == set()
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    ours = set(re.findall(r"^# TYPE (sekisho_\S+)", told, re.MULTILINE))
    shown = {name.removesuffix("_bucket") for name in named}
    assert {name for name in ours if not name.endswith("_created")} - shown == set(), (
        "and all that is measured is shown"
    )


def test_the_alerts_watch_nothing_that_is_not_measured(told: str) -> None:
    rules = [rule for group in yaml.safe_load((DOCS / "alerts.yaml").read_text())["groups"] for rule in group["rules"]]
    assert {name for rule in rules for name in NAME.findall(rule["expr"])} - exposed(told) == set()
    assert all(rule["annotations"]["summary"] and rule["labels"]["severity"] in ("page", "ticket") for rule in rules)


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_of_systemd_is_well_formed_and_runs_a_command_that_exists(unit: Path) -> None:
    parsed = configparser.RawConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read_string(unit.read_text())
    if unit.suffix == ".timer":
        assert parsed["Timer"]["OnCalendar"]
        assert unit.with_suffix(".service") in UNITS
        return
    service = parsed["Service"]
    [command] = re.findall(r"/opt/sekisho/bin/cdp ([a-z]+)", service["ExecStart"])
    assert command in main.commands
    known = {option for one in main.commands[command].params for option in one.opts}
    assert set(re.findall(r"--[a-z]+", service["ExecStart"])) <= known
    assert service["User"] == "sekisho"
    assert service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    copies = []
    for unit in UNITS:
        copy = tmp_path / unit.name
        copy.write_text(unit.read_text().replace("/opt/sekisho/bin/cdp", "/bin/true"))
        copies.append(str(copy))
    done = subprocess.run(["systemd-analyze", "verify", *copies], capture_output=True, text=True, check=False)
    wrong = [line for line in done.stderr.splitlines() if "sekisho" in line and "not found" not in line]
    assert not wrong
