import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from cdp import deployment as deploying
from cdp.db import Database
from cdp.deployment import keyring_paths
from cdp.errors import StartRefused
from cdp.policy import PolicyError
from tests.ops.conftest import Home


def test_a_home_is_made_once_and_never_touched_again(uninitialised: Home) -> None:
    made = deploying.initialise(uninitialised.settings)
    assert [line.split()[0] for line in made] == ["home", "keyring", "ledger", "database"]
    assert deploying.initialise(uninitialised.settings) == []
    with uninitialised.opened() as deployment:
        assert len(deployment.erasures) == 2
        assert [holder.name for holder in deployment.holders][-1] == "vault"


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        ("nothing made", "run `cdp init`"),
        ("newer tables", "newer Sekisho"),
        ("keyring gone", "bring it back"),
        ("keyring of another", "another database"),
        ("old keyring", "old copy"),
        ("ledger key gone", "missing"),
    ],
)
def test_what_may_not_start_says_what_to_do(uninitialised: Home, harm: str, sentence: str, tmp_path: Path) -> None:
    if harm != "nothing made":
        deploying.initialise(uninitialised.settings)
        do_harm(uninitialised, harm, tmp_path)
    with pytest.raises(StartRefused, match=sentence):
        deploying.assemble(uninitialised.settings).close()


def do_harm(home: Home, harm: str, tmp_path: Path) -> None:
    database = Database(home.settings.url)
    copies = keyring_paths(home.settings)
    with database.writer.begin() as connection:
        if harm == "newer tables":
            connection.execute(text("UPDATE alembic_version SET version_num = 'ffff'"))
    database.dispose()
    if harm == "keyring gone":
        for copy in copies:
            copy.unlink()
    if harm == "keyring of another":
        home.opened().__enter__().close()
        for copy in copies:
            copy.unlink()
        from cdp.vault import Keyring

        Keyring.create(home.settings.keyring_uri, home.settings.keyring_mirror)
    if harm == "old keyring":
        old = copies[0].read_bytes()
        home.bring("eve@example.com")
        home.cdp("subject", "erase", "--reason", "asked", "--yes", typed="eve@example.com\n")
        for copy in copies:
            copy.write_bytes(old)
    if harm == "ledger key gone":
        (home.settings.home / "ledger" / "ledger.key").unlink()


def test_a_new_keyring_is_never_made_for_a_database_that_has_one(home: Home, tmp_path: Path) -> None:
    for path in keyring_paths(home.settings):
        path.unlink()
    with pytest.raises(StartRefused, match="bring the keyring back"):
        deploying.initialise(home.settings)


def test_a_wrong_policy_stops_the_start_with_its_file(home: Home, tmp_path: Path) -> None:
    broken = tmp_path / "policies"
    shutil.copytree(home.settings.policies_path, broken)
    (broken / "purposes" / "support.yaml").write_text("purpose: support\n")
    with pytest.raises(PolicyError) as refused:
        deploying.assemble(home.settings.model_copy(update={"policies": broken})).close()
    assert any(line.startswith("purposes/support.yaml") for line in refused.value.failures)
