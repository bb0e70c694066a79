"""The keyring survives whatever stops it, forgets what it was told to, and refuses to guess."""

import copy
import json
import os
import pickle
import random
import shutil
import signal
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cdp.errors import KeyDestroyed, KeyUnavailable, StartRefused
from cdp.vault import Keyring, Vault
from cdp.vault.copies import FileCopy, SyncFailed
from cdp.vault.keyring import STEPS
from tests.conftest import DEEP
from tests.figures import Figures
from tests.vault.conftest import Disks

CHANGES = 500 if DEEP else 40


def in_child(act: Callable[[], None]) -> int:
    """Run in a process of its own; returns its number."""
    child = os.fork()
    if child:
        return child
    try:
        act()
    except BaseException:
        os._exit(1)
    os._exit(0)


def leaves(keyring: Keyring, subjects: list[int]) -> dict[int, bytes | None]:
    """Every subject's leaf in the current tree, None for the dead."""
    state = keyring.state()
    tree = state.trees[state.generation]
    return {subject: tree.leaf(subject) if tree.has(subject) else None for subject in subjects}


# --- at rest


def test_a_keyring_is_readable_by_its_owner_alone(keyring: Keyring, disks: Disks) -> None:
    for path in (disks.keyring, disks.mirror):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_keyring_comes_back_as_it_was(keyring: Keyring, disks: Disks) -> None:
    keyring.puncture([3])
    again = disks.load()
    assert (again.id, again.version) == (keyring.id, 2)
    assert leaves(again, [1, 2, 3]) == leaves(keyring, [1, 2, 3])
    assert disks.keyring.read_bytes() == disks.mirror.read_bytes()


def test_a_keyring_is_never_overwritten(keyring: Keyring, disks: Disks) -> None:
    with pytest.raises(StartRefused, match="already"):
        disks.create()
    disks.keyring.unlink()
    with pytest.raises(StartRefused, match="already"):
        disks.create()


def test_a_keyring_shows_nothing_and_stays_where_it_is(keyring: Keyring) -> None:
    shown = f"{keyring!r} {keyring.state()!r}"
    state = keyring.state()
    assert not any(repr(key)[2:-1] in shown for key in [*state.keys.values(), *state.index.values()])
    assert "nodes=" not in shown and "keys=" not in shown and "trees=" not in shown
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        for thing in (keyring, keyring.state()):
            with pytest.raises(TypeError):
                leave(thing)


# --- refusals at the start


def test_a_missing_keyring_refuses_the_start(disks: Disks) -> None:
    disks.keyring.parent.mkdir()
    disks.mirror.parent.mkdir()
    with pytest.raises(StartRefused, match="missing"):
        disks.load()


def test_a_missing_disk_refuses_the_start(keyring: Keyring, disks: Disks) -> None:
    shutil.rmtree(disks.mirror.parent)
    with pytest.raises(StartRefused, match="mounted"):
        disks.load()


def test_a_damaged_keyring_without_a_good_mirror_refuses_the_start(keyring: Keyring, disks: Disks) -> None:
    whole = disks.keyring.read_bytes()
    dice = random.Random(0)
    broken = [whole[: dice.randrange(len(whole) - 1)] for _ in range(20)]
    broken += [b"", b"{}", b"[]", b"null", whole.replace(b'"version":1', b'"version":9')]
    for content in broken:
        disks.keyring.write_bytes(content)
        disks.mirror.write_bytes(content)
        with pytest.raises(StartRefused, match="damaged"):
            disks.load()


def test_a_mirror_of_another_keyring_refuses_the_start(keyring: Keyring, disks: Disks, tmp_path: Path) -> None:
    other = Disks(tmp_path / "other")
    other.create()
    shutil.copy(other.mirror, disks.mirror)
    with pytest.raises(StartRefused, match="two different keyrings"):
        disks.load()


def test_two_copies_that_went_apart_refuse_the_start(keyring: Keyring, disks: Disks) -> None:
    """Puncturing one copy on each side: neither may win, for each would revive the other's dead."""
    Keyring.load(disks.uris[0]).puncture([1])
    Keyring.load(disks.uris[1]).puncture([2])
    with pytest.raises(StartRefused, match="one version and differ"):
        disks.load()


def test_a_keyring_that_others_may_read_refuses_the_start(keyring: Keyring, disks: Disks) -> None:
    disks.keyring.chmod(0o640)
    with pytest.raises(StartRefused, match="chmod 600"):
        disks.load()


@pytest.mark.parametrize("uri", ["", "keyring.json", "https://example.jp/k", "file:", "file:/", "file://"])
def test_a_uri_that_names_no_file_refuses_the_start(uri: str) -> None:
    with pytest.raises(StartRefused):
        Keyring.load(uri)


def test_a_mirror_on_the_same_file_refuses_the_start(disks: Disks) -> None:
    with pytest.raises(StartRefused, match="same file"):
        Keyring.create(disks.uris[0], disks.uris[0])


def test_a_uri_may_be_written_with_three_slashes(keyring: Keyring, disks: Disks) -> None:
    assert Keyring.load(f"file://{disks.keyring}").id == keyring.id


# --- the mirror


@pytest.mark.parametrize("lost", ["keyring", "mirror"])
@pytest.mark.parametrize("how", ["missing", "damaged", "older"])
def test_the_newer_copy_wins_and_repairs_the_other(keyring: Keyring, disks: Disks, lost: str, how: str) -> None:
    path: Path = getattr(disks, lost)
    old = path.read_bytes()
    keyring.puncture([5])
    match how:
        case "missing":
            path.unlink()
        case "damaged":
            path.write_bytes(old[:-9])
        case _:
            path.write_bytes(old)
    again = disks.load()
    assert leaves(again, [5]) == {5: None}
    assert disks.keyring.read_bytes() == disks.mirror.read_bytes()


# --- puncturing


def test_a_puncture_is_final_for_every_tree_and_every_reader(keyring: Keyring, disks: Disks) -> None:
    vault, other = Vault(keyring), Vault(disks.load())
    _, row = vault.mint(7)
    keyring.rotate_root()
    _, later = vault.mint(7)
    keyring.puncture([7])
    for reader in (vault, other, Vault(disks.load())):
        for wrapped in (row, later):
            with pytest.raises(KeyDestroyed):
                reader.unwrap(**wrapped)
        with pytest.raises(KeyDestroyed):
            reader.mint(7)


def test_the_dead_stay_dead_in_a_new_tree(keyring: Keyring) -> None:
    keyring.puncture([7])
    keyring.rotate_root()
    with pytest.raises(KeyDestroyed):
        Vault(keyring).mint(7)
    Vault(keyring).mint(8)


def test_puncturing_many_is_one_write_and_puncturing_again_is_none(keyring: Keyring) -> None:
    assert keyring.puncture(range(1, 200)) == 2
    assert keyring.puncture(range(50, 60)) == 2
    assert keyring.puncture([]) == 2


def test_a_dropped_tree_opens_nothing(keyring: Keyring) -> None:
    vault = Vault(keyring)
    _, row = vault.mint(7)
    keyring.rotate_root()
    assert vault.unwrap(**row)
    keyring.drop_tree(1)
    with pytest.raises(KeyDestroyed):
        vault.unwrap(**row)
    with pytest.raises(ValueError, match="current"):
        keyring.drop_tree(2)


# --- tokens and epochs


def test_tokens_of_two_epochs_live_side_by_side_until_one_is_destroyed(keyring: Keyring) -> None:
    vault = Vault(keyring)
    first = vault.token("email", "", "a@example.jp")
    assert vault.tokens("email", "", "a@example.jp") == {1: first}
    keyring.rotate_index()
    both = vault.tokens("email", "", "a@example.jp")
    assert vault.epoch == 2 and both == {1: first, 2: vault.token("email", "", "a@example.jp")}
    assert both[1] != both[2]
    keyring.destroy_epoch(1)
    assert set(vault.tokens("email", "", "a@example.jp")) == {2}
    with pytest.raises(ValueError, match="current"):
        keyring.destroy_epoch(2)


def test_an_epoch_begins_only_where_one_is_live(keyring: Keyring, disks: Disks) -> None:
    assert (keyring.rotate_index(), disks.load().rotate_index(), keyring.rotate_index()) == (2, 2, 2)
    keyring.destroy_epoch(1)
    assert disks.load().rotate_index() == 3


def test_no_two_namings_of_one_value_are_alike(keyring: Keyring) -> None:
    vault = Vault(keyring)
    names = [
        vault.token("email", "", "x"),
        vault.token("ema", "il", "x"),
        vault.token("email", "x", ""),
        vault.token("", "email", "x"),
        vault.suppression_token("email", "", "x"),
        vault.digest("email", b"x"),
        vault.digest("emailx", b""),
    ]
    assert len({*names}) == len(names) and {len(name) for name in names} == {16}
    assert len({vault.pseudonym(who, person) for who in ("a", "b", "a1") for person in (1, 11)}) == 6


def test_a_suppression_token_outlives_every_rotation(keyring: Keyring) -> None:
    vault = Vault(keyring)
    token = vault.suppression_token("email", "", "x")
    keyring.rotate_index()
    keyring.destroy_epoch(1)
    keyring.rotate_root()
    assert vault.suppression_token("email", "", "x") == token


def test_credentials_open_under_their_own_name_only(keyring: Keyring) -> None:
    vault = Vault(keyring)
    sealed = vault.seal_credentials("mailer", b"secret")
    assert b"secret" not in sealed
    assert vault.open_credentials("mailer", sealed) == b"secret"
    with pytest.raises(Exception, match="moved or altered"):
        vault.open_credentials("other", sealed)


# --- readers while it changes


def test_a_running_reader_notices_every_change(keyring: Keyring, disks: Disks) -> None:
    reader = disks.load()
    for version in range(2, 60):
        keyring.puncture([version])
        assert reader.version == version
        assert not reader.state().trees[1].has(version)


def test_a_keyring_out_of_reach_gives_no_keys(keyring: Keyring, disks: Disks) -> None:
    vault = Vault(keyring)
    _, row = vault.mint(1)
    hidden = disks.keyring.rename(disks.keyring.with_name("hidden"))
    for act in (lambda: vault.unwrap(**row), lambda: vault.token("a", "", "b"), lambda: vault.mint(2)):
        with pytest.raises(KeyUnavailable):
            act()
    hidden.rename(disks.keyring)
    assert vault.unwrap(**row)


def test_a_running_reader_never_goes_back_to_an_older_copy(keyring: Keyring, disks: Disks) -> None:
    old = disks.keyring.read_bytes()
    keyring.puncture([1])
    disks.keyring.write_bytes(old)
    with pytest.raises(KeyUnavailable):
        keyring.state()


def test_a_running_reader_takes_no_other_keyring(keyring: Keyring, disks: Disks, tmp_path: Path) -> None:
    other = Disks(tmp_path / "other")
    other.create().puncture([9])
    shutil.copy(other.keyring, disks.keyring)
    with pytest.raises(KeyUnavailable):
        keyring.state()


# --- interruptions


@pytest.mark.parametrize("step", STEPS)
def test_a_process_killed_at_any_step_loses_nothing_and_revives_nothing(
    keyring: Keyring, disks: Disks, step: str
) -> None:
    keyring.puncture([1])
    before = leaves(keyring, [1, 2, 3])

    def die() -> None:
        disks.load(on_step=lambda now: os._exit(9) if now == step else None).puncture([2])

    assert os.waitstatus_to_exitcode(os.waitpid(in_child(die), 0)[1]) == 9
    after = disks.load()
    assert leaves(after, [1, 3]) == {1: None, 3: before[3]}
    assert leaves(after, [2])[2] in (None, before[2])
    assert (leaves(after, [2])[2] is None) == (STEPS.index(step) >= STEPS.index("keyring renamed"))
    assert disks.keyring.read_bytes() == disks.mirror.read_bytes()
    assert not [*disks.keyring.parent.glob("*.tmp"), *disks.mirror.parent.glob("*.tmp")]
    after.puncture([2])
    assert leaves(disks.load(), [2]) == {2: None}


@pytest.mark.parametrize("change", ["rotate_root", "rotate_index"])
@pytest.mark.parametrize("step", ["keyring synced", "keyring renamed", "mirror synced", "mirror renamed"])
def test_a_rotation_killed_at_any_step_can_be_taken_up_again(
    keyring: Keyring, disks: Disks, change: str, step: str
) -> None:
    vault = Vault(keyring)
    _, row = vault.mint(7)
    token = vault.token("email", "", "x")

    def die() -> None:
        getattr(disks.load(on_step=lambda now: os._exit(9) if now == step else None), change)()

    assert os.waitstatus_to_exitcode(os.waitpid(in_child(die), 0)[1]) == 9
    again = disks.load()
    getattr(again, change)()
    after = Vault(again)
    assert after.unwrap(**row)
    assert token in after.tokens("email", "", "x").values()


def test_two_processes_that_change_the_keyring_lose_none_of_each_others_changes(keyring: Keyring, disks: Disks) -> None:
    alive = leaves(keyring, [0, 10**6])

    def change(parity: int) -> None:
        mine = disks.load()
        for number in range(CHANGES):
            mine.puncture([10 + 2 * number + parity])

    children = [in_child(lambda parity=parity: change(parity)) for parity in (0, 1)]  # type: ignore[misc]
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]
    after = disks.load()
    assert after.version == keyring.version == 1 + 2 * CHANGES
    assert not any(leaves(after, list(range(10, 10 + 2 * CHANGES))).values())
    assert leaves(after, [0, 10**6]) == alive


def test_threads_of_one_process_lose_none_of_each_others_changes(keyring: Keyring, disks: Disks) -> None:
    threads = [
        threading.Thread(target=lambda mine=mine: [keyring.puncture([10 + 4 * n + mine]) for n in range(15)])
        for mine in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert keyring.version == 61
    assert not any(leaves(disks.load(), list(range(10, 70))).values())


def test_processes_shot_at_any_moment_never_lose_what_they_acknowledged(
    keyring: Keyring, disks: Disks, figures: Figures
) -> None:
    alive = leaves(keyring, [0, 10**6])
    dice, done = random.Random(3), disks.keyring.with_name("done")

    def change(start: int) -> None:
        mine = disks.load()
        with done.open("a") as file:
            for number in range(start, start + 10_000):
                mine.puncture([number])
                file.write(f"{number}\n")
                file.flush()

    rounds = 60 if DEEP else 6
    for round_ in range(rounds):
        child = in_child(lambda start=1 + round_ * 10_000: change(start))  # type: ignore[misc]
        time.sleep(0.02 + dice.random() * 0.1)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        acknowledged = [int(line) for line in done.read_text().split()] if done.exists() else []
        after = disks.load()
        assert not any(leaves(after, acknowledged).values())
        assert leaves(after, [0, 10**6]) == alive
    assert acknowledged
    figures("kill -9 while the keyring changes", kills=rounds, acknowledged=len(acknowledged), lost=0)


class FailingDisk(FileCopy):
    """A disk whose fsync fails when told to."""

    failing = False

    def sync(self, descriptor: int) -> None:
        if self.failing:
            raise SyncFailed(5, "failing as told")
        super().sync(descriptor)


@pytest.mark.parametrize("which", [0, 1])
def test_a_failed_sync_is_fatal_and_never_an_acknowledgement(disks: Disks, which: int) -> None:
    disks.create()
    copies = [FailingDisk(disks.keyring, "keyring"), FailingDisk(disks.mirror, "mirror")]
    keyring = Keyring(list(copies))
    keyring.puncture([1])
    copies[which].failing = True
    with pytest.raises(KeyUnavailable):
        keyring.puncture([2])
    copies[which].failing = False
    with pytest.raises(KeyUnavailable):
        keyring.puncture([2])
    with pytest.raises(KeyUnavailable):
        keyring.state()
    again = disks.load()
    again.puncture([2])
    assert leaves(disks.load(), [1, 2]) == {1: None, 2: None}


def test_a_mirror_out_of_reach_refuses_the_change_until_both_copies_hold_it(keyring: Keyring, disks: Disks) -> None:
    away = disks.mirror.parent.rename(disks.mirror.parent.with_name("away"))
    with pytest.raises(KeyUnavailable):
        keyring.puncture([2])
    away.rename(disks.mirror.parent)
    keyring.puncture([2])
    assert leaves(Keyring.load(disks.uris[1]), [2]) == {2: None}
    assert disks.keyring.read_bytes() == disks.mirror.read_bytes()


def test_the_file_is_a_checksum_and_a_line_of_json(keyring: Keyring, disks: Disks) -> None:
    head, line = disks.keyring.read_text().splitlines()
    assert head.startswith("sekisho-keyring-1 ")
    assert set(json.loads(line)) == {"id", "version", "trees", "index", "keys"}


def test_the_status_describes_without_a_key(keyring: Keyring, disks: Disks) -> None:
    keyring.puncture([0])
    keyring.rotate_index()
    since = keyring.state().since[1]
    assert keyring.status() == {
        "id": keyring.id,
        "version": 3,
        "trees": {1: {"nodes": 32, "since": since}},
        "epochs": [1, 2],
        "copies": [str(disks.keyring), str(disks.mirror)],
    }


@pytest.mark.deep
def test_ten_thousand_punctures_in_a_thousand_writes_stay_one_small_file(keyring: Keyring, disks: Disks) -> None:
    gone = random.Random(2).sample(range(100_000), 10_000)
    for start in range(0, 10_000, 10):
        keyring.puncture(gone[start : start + 10])
    assert disks.keyring.stat().st_size < 1_500_000
    assert not any(leaves(disks.load(), gone).values())
