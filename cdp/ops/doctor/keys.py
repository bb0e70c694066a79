"""Looks at the keyring, its copies, and the logs that stand beside it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from cdp import migrations, vault
from cdp.deployment import erasure_logs, keyring_paths, load_keyring, silence_logs
from cdp.errors import StartRefused
from cdp.identity import epochs
from cdp.ops.doctor.findings import Finding, Patient, hurts, note
from cdp.rights import remains, tombstones
from cdp.settings import Settings
from cdp.vault.copies import FileCopy
from cdp.vault.state import Damaged, State, decode

OLDEST_COPY = timedelta(days=7)

LONGEST_ROTATION = timedelta(days=1)


def copies_of_keyring(patient: Patient) -> Iterator[Finding]:
    """Every copy is there, whole, the same, and away from the database."""
    paths = keyring_paths(patient.settings)
    found = {path: _read(path) for path in paths}
    if not any(found.values()):
        load_keyring(patient.settings)  # says in one sentence what is wrong
    versions = {state.version for state in found.values() if state}
    for path, state in found.items():
        if state is None:
            yield hurts("copy_missing", path=path)
        elif state.version < max(versions):
            yield hurts("copy_behind", path=path, version=state.version, newest=max(versions))
    if len({state.id for state in found.values() if state}) > 1:
        yield hurts("copies_foreign", paths=" ".join(map(str, paths)))
    if len(paths) == 1:
        yield hurts("keyring_alone")
    elif len({path.parent.stat().st_dev for path in paths if path.parent.exists()}) == 1:
        yield note("mirror_on_same_disk")
    for path in paths:
        if _is_beside_database(path, patient.settings):
            yield hurts("keyring_beside_database", path=path)


def stale_copies(patient: Patient) -> Iterator[Finding]:
    """No older copy of the keyring lies about: each revives who was erased since."""
    ours = {path.resolve() for path in keyring_paths(patient.settings)}
    for folder in sorted({path.parent for path in ours} | {patient.settings.home.resolve()}):
        for copy in remains.copies_in(folder) if folder.is_dir() else ():
            if copy.path.resolve() not in ours:
                days = (patient.clock.now() - copy.written_at).days
                say = hurts if days >= OLDEST_COPY.days else note
                yield say("old_copy", path=copy.path, days=days)


def logs(patient: Patient) -> Iterator[Finding]:
    """The logs of erasures and silences say the same in every copy."""
    paths = erasure_logs(patient.settings)
    known = [{stone.request for stone in tombstones.read([path])} for path in paths]
    if any(one != known[0] for one in known):
        yield hurts("logs_differ", paths=" ".join(map(str, paths)))
    silences = silence_logs(patient.settings)
    lines = [set(path.read_bytes().split(b"\n")) if path.exists() else set() for path in silences]
    if any(one - {b""} != lines[0] - {b""} for one in lines):
        yield note("logs_differ", paths=" ".join(map(str, silences)))


def mark(patient: Patient) -> Iterator[Finding]:
    """The keyring is this database's own and no old copy."""
    if migrations.shape(patient.database.writer) == "current":
        with patient.database.snapshot() as session:
            vault.check_mark(session, load_keyring(patient.settings), patient.clock.now())
    yield from ()


def retired(patient: Patient) -> Iterator[Finding]:
    """No rotation was begun and forgotten, and no older key of the blind index lives on."""
    state = next(filter(None, map(_read, keyring_paths(patient.settings))), None)
    if state is None:
        return
    began = patient.clock.now().timestamp() - state.since[state.generation]
    if len(state.trees) > 1 and began > LONGEST_ROTATION.total_seconds():
        yield hurts("rotation_unfinished", days=int(began // 86_400))
    if len(state.index) > 1:
        yield note("index_epochs", epochs=" ".join(map(str, sorted(state.index))))


def index(patient: Patient) -> Iterator[Finding]:
    """No identifier stands under a key of the blind index that is gone, as in a copy from before a rotation."""
    state = next(filter(None, map(_read, keyring_paths(patient.settings))), None)
    if state is None or migrations.shape(patient.database.writer) != "current":
        return
    with patient.database.snapshot() as session:
        gone = epochs.lost(session, state.index)
    if gone:
        yield hurts("index_lost", epochs=" ".join(map(str, gone)))


def _read(path: Path) -> State | None:
    try:
        return decode(FileCopy(path, "keyring").read()[1])
    except (OSError, Damaged, StartRefused):
        return None


def _is_beside_database(path: Path, settings: Settings) -> bool:
    folder = path.resolve().parent
    if settings.url.startswith("sqlite"):
        home = Path(settings.url.removeprefix("sqlite:///")).resolve().parent
        return folder == home or home in folder.parents
    return settings.home.resolve() in (folder, *folder.parents)
