"""The return of a backup by the document alone: its blocks are run as they stand, where the database is gone."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from cdp import consent
from cdp.ops.backup import backup
from tests.conftest import DEEP, ROOT
from tests.ops.conftest import Home

PEOPLE = 2_000 if DEEP else 20


def blocks(page: str) -> list[str]:
    """Return the shell blocks of a page, in order."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def lose_the_database(home: Home) -> None:
    if home.settings.url.startswith("sqlite"):
        path = Path(home.settings.url.removeprefix("sqlite:///"))
        for one in path.parent.glob(f"{path.name}*"):
            one.unlink()
        return
    dsn = make_url(home.settings.url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


def mail(number: int) -> str:
    return f"drilled{number}@example.com"


@pytest.fixture
def lost(home: Home, tmp_path: Path) -> Home:
    """A deployment that was backed up, lived on, and lost its database."""
    home.cdp("init")
    home.bring(*map(mail, range(PEOPLE)))
    backup(home.settings, tmp_path / "kept")
    home.cdp("subject", "erase", "--reason", "asked", "--yes", typed=mail(0) + "\n")
    with home.opened() as deployment, deployment.database.transaction() as session:
        token = deployment.vault.suppression_token("email", "", mail(1))
        consent.suppress(session, "email", token, "email", "unsubscribe", deployment.clock.now())
    lose_the_database(home)
    return home


def test_the_page_brings_everybody_back_but_the_erased_and_the_silent(lost: Home, tmp_path: Path, figures) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "cdp").write_text(f'#!/bin/sh\nexec {sys.executable} -m cdp.ops.cli "$@"\n')
    (tmp_path / "bin" / "cdp").chmod(0o755)
    (tmp_path / "empty").mkdir()
    environment = {
        **os.environ,
        **lost.env,
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "BACKUP": str(tmp_path / "kept"),
    }
    began = time.monotonic()
    for block in blocks("restoring.md"):
        done = subprocess.run(
            ["sh", "-eu", "-c", block], env=environment, cwd=tmp_path / "empty", capture_output=True, text=True
        )
        assert done.returncode == 0, block + done.stdout[-800:] + done.stderr[-800:]
    seconds = time.monotonic() - began
    assert "nobody" in lost.cdp("subject", "find", "--reason", "drill", typed=mail(0) + "\n").stdout
    for number in (1, PEOPLE - 1):
        assert "person=" in lost.cdp("subject", "find", "--reason", "drill", typed=mail(number) + "\n").stdout
    with lost.opened() as deployment, deployment.database.snapshot() as session:
        tokens = [deployment.vault.suppression_token("email", "", mail(number)) for number in (1, 2)]
        silent = {one.token for one in consent.in_force(session, tokens) if one.channel == "email"}
    assert silent == {tokens[0]}
    assert (tmp_path / "kept-after" / "manifest.json").exists()
    kind = lost.settings.url.split(":")[0]
    figures(f"restore by the document, {kind}", people=PEOPLE, seconds=round(seconds, 1), erased_back=0, unsilenced=0)


def test_the_page_has_a_block_for_each_thing_to_run() -> None:
    assert len(blocks("restoring.md")) == 4
    assert all("cdp " in block for block in blocks("restoring.md"))
