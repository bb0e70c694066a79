"""The keyring: one small file outside the database, without which the database is noise.

A change holds the thread lock and the lock file, reads the file again, applies, replaces the
file, then its mirror. Whoever is killed on the way loses nothing and revives nothing: the newer
copy wins, and the older one is repaired at the next start or change. Refuses to start with a
missing, damaged, foreign or contradictory keyring.
"""

import os
import threading
import time
from collections.abc import Callable, Collection
from typing import TypeVar

from cdp.errors import KeyUnavailable, StartRefused
from cdp.vault.copies import FileCopy, OnStep, Stamp, SyncFailed, open_copy
from cdp.vault.state import Damaged, State, decode, encode, new_state

T = TypeVar("T")
Held = tuple[list[Stamp], State]
"""What each file looked like when it was read, and what it said."""

STEPS = (
    "locked",
    "read",
    *(f"{copy} {step}" for copy in ("keyring", "mirror") for step in ("written", "synced", "renamed", "folder synced")),
)
"""Where a change may be interrupted, in order; `on_step` is called with each."""


class Keyring:
    """The keys of one deployment, always as new as the file."""

    def __init__(self, copies: list[FileCopy], on_step: OnStep | None = None) -> None:
        """Read the copies and repair the older; use `create` or `load`, which take URIs."""
        self._copies = copies
        self._on_step = on_step or (lambda step: None)
        self._lock = threading.RLock()
        self._broken = False
        self._held = self._open()

    @classmethod
    def create(cls, uri: str, mirror: str = "", on_step: OnStep | None = None) -> "Keyring":
        """Make a keyring where there is none; raises StartRefused when there is one."""
        copies = _copies(uri, mirror)
        for copy in copies:
            copy.make_folder()
        with copies[0].locked():
            for copy in copies:
                if copy.exists():
                    raise StartRefused(f"There is a keyring at {copy.path} already; it will not be overwritten.")
            content = encode(new_state(int(time.time())))
            for copy in copies:
                copy.write(content, on_step or (lambda step: None))
        return cls(copies, on_step)

    @classmethod
    def load(cls, uri: str, mirror: str = "", on_step: OnStep | None = None) -> "Keyring":
        """Open the keyring; raises StartRefused with a sentence that says what is wrong."""
        return cls(_copies(uri, mirror), on_step)

    def __repr__(self) -> str:
        return f"<Keyring {self._held[1].id} version {self._held[1].version}>"

    def __reduce__(self) -> str:
        raise TypeError("keys are not pickled")

    @property
    def id(self) -> str:
        return self._held[1].id

    @property
    def version(self) -> int:
        return self.state().version

    def status(self) -> dict[str, object]:
        """Describe the keyring for an operator, without a key: id, version, trees, epochs, where the copies are."""
        state = self.state()
        return {
            "id": state.id,
            "version": state.version,
            "trees": {
                number: {"nodes": len(tree), "since": state.since[number]} for number, tree in state.trees.items()
            },
            "epochs": sorted(state.index),
            "copies": [str(copy.path) for copy in self._copies],
        }

    def state(self) -> State:
        """Return the newest state; raises KeyUnavailable when the file cannot be read now."""
        if self._broken:
            raise KeyUnavailable("keyring")
        try:
            seen = self._copies[0].stamp()
        except OSError as error:
            raise KeyUnavailable("keyring") from error
        stamps, state = self._held
        return state if stamps[0] == seen else self.reload()

    def reload(self) -> State:
        """Read the file again; never goes back to an older version or to another keyring."""
        with self._lock:
            try:
                stamp, content = self._copies[0].read()
                state = decode(content)
            except (OSError, Damaged, StartRefused) as error:
                raise KeyUnavailable("keyring") from error
            self._hold([stamp], state)
            return state

    def puncture(self, subjects: Collection[int]) -> int:
        """Destroy these subjects' keys in every tree, for good, in one write; returns the version.

        When it returns, both copies are on disk. Punctured ones are skipped, so it may be repeated.
        """
        wanted = set(subjects)

        def without(state: State) -> State:
            if not any(tree.has(subject) for tree in state.trees.values() for subject in wanted):
                return state
            return state.next(trees={number: tree.punctured(wanted) for number, tree in state.trees.items()})

        return self._change(without).version

    def rotate_root(self) -> int:
        """Start an unrelated tree for new data keys; returns its generation. See `rotation`."""

        def grown(state: State) -> State:
            number = state.generation + 1
            tree = state.trees[state.generation].regrow()
            return state.next(trees={**state.trees, number: tree}, since={**state.since, number: int(time.time())})

        return self._change(grown).generation

    def drop_tree(self, generation: int) -> None:
        """Destroy an older tree: every data key still wrapped under it is lost, in every copy."""

        def felled(state: State) -> State:
            if generation == state.generation:
                raise ValueError("the current tree cannot be dropped")
            return state.next(trees=_without(state.trees, generation), since=_without(state.since, generation))

        self._change(felled)

    def rotate_index(self) -> int:
        """Start a new epoch of the blind index, unless a rotation is under way; returns the newest epoch.

        Readers know both until one is destroyed. Of two who ask at once one begins, and the other finds it begun.
        """

        def begun(state: State) -> State:
            if len(state.index) > 1:
                return state
            return state.next(index={**state.index, state.epoch + 1: os.urandom(32)})

        return self._change(begun).epoch

    def destroy_epoch(self, epoch: int) -> None:
        """Destroy an older epoch's key: its tokens, in every copy of the database, say nothing more."""

        def without(state: State) -> State:
            if epoch == state.epoch:
                raise ValueError("the current epoch cannot be destroyed")
            return state.next(index=_without(state.index, epoch))

        self._change(without)

    def _change(self, change: Callable[[State], State]) -> State:
        """Apply a change to the newest state under both locks; a change that returns it unchanged writes nothing."""
        if self._broken:
            raise KeyUnavailable("keyring")
        try:
            with self._lock, self._copies[0].locked():
                self._on_step("locked")
                state = self._newest()
                self._on_step("read")
                changed = change(state)
                if changed is not state:
                    content = encode(changed)
                    for copy in self._copies:
                        copy.write(content, self._on_step)
                self._hold([copy.stamp() for copy in self._copies], changed)
                return changed
        except SyncFailed as error:
            self._broken = True
            raise KeyUnavailable("keyring") from error
        except (OSError, StartRefused) as error:
            raise KeyUnavailable("keyring") from error

    def _open(self) -> Held:
        for copy in self._copies:
            if not copy.path.parent.is_dir():
                raise StartRefused(f"The folder of the {copy.name} {copy.path} is missing: is its disk mounted?")
        try:
            with self._copies[0].locked():
                return self._repaired()
        except OSError as error:
            raise StartRefused(f"The keyring {self._copies[0].path} cannot be read or written.") from error

    def _newest(self) -> State:
        """Return the state to change, read again unless both files are the very ones we hold; under the lock."""
        stamps, state = self._held
        try:
            if stamps == [copy.stamp() for copy in self._copies]:
                return state
        except FileNotFoundError:
            pass
        return self._repaired()[1]

    def _repaired(self) -> Held:
        """Read every copy, bring all to the newest version, and return it; only under the lock."""
        found = {copy.name: _read(copy) for copy in self._copies}
        newest = _newest(self._copies, [state for state in found.values() if state is not None])
        for copy in self._copies:
            copy.sweep()
            state = found[copy.name]
            if state is None or state.version < newest.version:
                copy.write(encode(newest), lambda step: None)
        return [copy.stamp() for copy in self._copies], newest

    def _hold(self, stamps: list[Stamp], state: State) -> None:
        held = self._held[1]
        if state.id != held.id or state.version < held.version:
            raise KeyUnavailable("keyring")
        self._held = stamps, state


def _copies(uri: str, mirror: str) -> list[FileCopy]:
    copies = [open_copy(uri, "keyring")]
    if mirror:
        copies.append(open_copy(mirror, "mirror"))
        if copies[0].path.resolve() == copies[1].path.resolve():
            raise StartRefused("The keyring and its mirror are the same file: put the mirror on another disk.")
    return copies


def _read(copy: FileCopy) -> State | None:
    try:
        return decode(copy.read()[1])
    except (FileNotFoundError, Damaged):
        return None


def _newest(copies: list[FileCopy], states: list[State]) -> State:
    where = " and ".join(str(copy.path) for copy in copies)
    if not states:
        what = "damaged" if any(copy.exists() for copy in copies) else "missing"
        raise StartRefused(
            f"The keyring {where} is {what}: bring back its newest copy, or run `cdp init` for a new home."
        )
    if len({state.id for state in states}) > 1:
        raise StartRefused(f"The copies {where} belong to two different keyrings: name the mirror of this one.")
    newest = max(states, key=lambda state: state.version)
    if any(state != newest for state in states if state.version == newest.version):
        raise StartRefused(f"The copies {where} have one version and differ: bring back the copy that was in use.")
    return newest


def _without(mapping: dict[int, T], number: int) -> dict[int, T]:
    return {key: value for key, value in mapping.items() if key != number}
