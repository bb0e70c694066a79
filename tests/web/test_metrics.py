"""What the operator's page of metrics holds: sums over processes, readings that survive an outage, no person."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from cdp.web.metrics import heartbeat
from cdp.web.metrics.heartbeat import JobBeat
from tests.conftest import ROOT
from tests.web.asking import ADA, MEMBERS, consent
from tests.web.conftest import Site

COUNTS_TWICE = """
import os, sys
from cdp.web.metrics.meters import Meters
meters = Meters()
meters.requests.labels("GET", "/", "200").inc()
if len(sys.argv) > 1:
    from prometheus_client import generate_latest
    print(generate_latest(meters.collected()).decode())
"""


def told(site: Site) -> str:
    return site.browser.get("/metrics").get_data(as_text=True)


def value(text: str, series: str) -> float:
    [found] = re.findall(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    return float(found)


def test_what_left_and_what_was_refused_is_counted(site: Site) -> None:
    consent(site, ADA)
    assert site.browser.get(MEMBERS, headers=site.bearer()).status_code == 200
    assert site.browser.get(MEMBERS).status_code == 401
    text = told(site)
    assert value(text, 'sekisho_pages_handed_over_total{recipient="ma_tool"}') == 1
    assert value(text, 'sekisho_people_handed_over_total{recipient="ma_tool"}') == 1
    assert value(text, 'sekisho_problems_total{type="unauthorized"}') == 1
    assert value(text, "sekisho_keyring_trees") == 1
    assert value(text, "sekisho_database_up") == 1
    assert ADA not in text


def test_every_metric_says_what_it_is(site: Site) -> None:
    consent(site, ADA)
    text = told(site)
    named = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    explained = set(re.findall(r"^# HELP (\S+) \S+ \S+", text, re.MULTILINE))
    assert named - explained == set()
    assert len(named) > 15


def test_the_worker_is_seen_through_its_sign_of_life(site: Site) -> None:
    assert "sekisho_worker_seen" not in told(site)
    at = datetime(2026, 6, 1, tzinfo=UTC)
    heartbeat.write(site.deployment.settings.home, at, {"seal": JobBeat(3, 1, 0, at.isoformat())})
    text = told(site)
    assert value(text, "sekisho_worker_seen_timestamp_seconds") == at.timestamp()
    assert value(text, 'sekisho_job_failures_total{job="seal"}') == 1
    (site.deployment.settings.home / heartbeat.FILE).write_text("torn {")
    assert heartbeat.read(site.deployment.settings.home) is None


def test_the_page_leaves_while_the_database_is_away(site: Site) -> None:
    path = site.deployment.settings.home / "cdp.db"
    site.deployment.close()
    path.rename(path.with_name("away"))
    path.mkdir()
    text = told(site)
    assert value(text, "sekisho_database_up") == 0
    assert value(text, "sekisho_keyring_up") == 1


def test_several_processes_tell_their_sum(tmp_path: Path) -> None:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for more in ([], ["tell"]):
        done = subprocess.run(
            [sys.executable, "-c", COUNTS_TWICE, *more], env=environment, cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    assert value(done.stdout, 'sekisho_http_requests_total{method="GET",route="/",status="200"}') == 2
    assert "# HELP sekisho_http_requests_total Requests answered" in done.stdout
