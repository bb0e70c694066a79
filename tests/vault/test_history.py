"""Any history of changes, lost copies and stale copies: the dead stay dead, the living stay as they were."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cdp.errors import KeyDestroyed
from cdp.vault import Keyring, Vault
from tests.conftest import DEEP
from tests.vault.conftest import Disks

SUBJECTS = st.integers(0, 12)


class History(RuleBasedStateMachine):
    """A keyring with two copies beside a model of what it should know."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cdp-history-"))
        self.disks = Disks(self.folder)
        self.keyring: Keyring = self.disks.create()
        self.dead: set[int] = set()
        self.wrapped: list[dict[str, object]] = []
        self.kids: list[bytes] = []
        self.tokens = {1: Vault(self.keyring).token("email", "", "x")}

    @rule(subjects=st.sets(SUBJECTS, max_size=3))
    def puncture(self, subjects: set[int]) -> None:
        self.keyring.puncture(subjects)
        self.dead |= subjects

    @rule(subject=SUBJECTS)
    def mint(self, subject: int) -> None:
        try:
            dek, row = Vault(self.keyring).mint(subject)
        except KeyDestroyed:
            assert subject in self.dead
            return
        self.wrapped.append(row)
        self.kids.append(dek.kid)

    @rule()
    def rotate_root(self) -> None:
        self.keyring.rotate_root()

    @rule()
    def rotate_index(self) -> None:
        epoch = self.keyring.rotate_index()
        self.tokens[epoch] = Vault(self.keyring).token("email", "", "x")

    @precondition(lambda self: len(self.tokens) > 1)
    @rule()
    def destroy_the_oldest_epoch(self) -> None:
        self.keyring.destroy_epoch(min(self.tokens))
        del self.tokens[min(self.tokens)]

    @rule(which=st.sampled_from(["keyring", "mirror"]), how=st.sampled_from(["lost", "cut"]))
    def lose_a_copy_and_start_again(self, which: str, how: str) -> None:
        path: Path = getattr(self.disks, which)
        path.unlink() if how == "lost" else path.write_bytes(path.read_bytes()[:-3])
        self.keyring = self.disks.load()

    @rule(which=st.sampled_from(["keyring", "mirror"]), subject=SUBJECTS)
    def miss_a_change_on_one_copy_and_start_again(self, which: str, subject: int) -> None:
        path: Path = getattr(self.disks, which)
        stale = path.read_bytes()
        self.puncture({subject})
        path.write_bytes(stale)
        self.keyring = self.disks.load()

    @invariant()
    def the_dead_are_dead_and_the_living_as_they_were(self) -> None:
        for reader in (Vault(self.keyring), Vault(self.disks.load())):
            for row, kid in zip(self.wrapped, self.kids, strict=True):
                try:
                    assert reader.unwrap(**row).kid == kid  # type: ignore[arg-type]
                    assert row["subject"] not in self.dead
                except KeyDestroyed:
                    assert row["subject"] in self.dead
            assert reader.tokens("email", "", "x") == self.tokens

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


TestHistory = History.TestCase
TestHistory.settings = settings(max_examples=200 if DEEP else 8, stateful_step_count=30 if DEEP else 15, deadline=None)
