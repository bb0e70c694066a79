"""The web process starts whole or says in one sentence why not."""

from pathlib import Path

import pytest

from cdp.errors import StartRefused
from cdp.web.app import create_app
from cdp.web.auth.routes import travels_safely
from tests.web.conftest import Site


def test_a_home_without_its_keyring_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CDP_HOME", str(tmp_path / "nothing"))
    with pytest.raises(SystemExit) as stopped:
        create_app()
    assert stopped.value.code == 1
    [sentence] = capsys.readouterr().err.strip().splitlines()
    assert "cdp init" in sentence


@pytest.mark.parametrize(
    ("base_url", "safe"),
    [
        ("https://cdp.example", True),
        ("http://127.0.0.1:8000", True),
        ("http://localhost:8000", True),
        ("http://[::1]:8000", True),
        ("http://cdp.example", False),
        ("http://10.0.0.1", False),
        ("http://127.0.0.1.example", False),
        ("ftp://127.0.0.1", False),
        ("cdp.example", False),
        ("https://", False),
    ],
)
def test_secrets_travel_over_https_or_not_at_all(base_url: str, safe: bool) -> None:
    assert travels_safely(base_url) is safe


def test_an_address_in_the_clear_stops_the_start(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    from dataclasses import replace

    settings = site.deployment.settings.model_copy(update={"base_url": "http://cdp.example"})
    with pytest.raises(SystemExit):
        create_app(replace(site.deployment, settings=settings))
    assert "https://" in capsys.readouterr().err


def test_damaged_signing_keys_stop_the_start(site: Site) -> None:
    from cdp.web.auth import keys

    (site.deployment.settings.home / "oauth" / "keys.json").write_text('{"keys": []}')
    with pytest.raises(StartRefused, match="signing keys"):
        keys.load(site.deployment.settings.home)


def test_a_route_that_nobody_thought_about_stops_the_start(site: Site) -> None:
    from cdp.web.auth.access import refuse_unnamed

    site.app.view_functions["forgotten.route"] = lambda: ""
    site.app.url_map.add(site.app.url_rule_class("/forgotten", endpoint="forgotten.route"))
    with pytest.raises(RuntimeError, match="/forgotten"):
        refuse_unnamed(site.app)
