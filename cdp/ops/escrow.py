"""A copy of the keyring for a safe. Its mark stays beside the keyring, so that erasure certificates name the copy."""

import os
from pathlib import Path

from cdp import ledger
from cdp.deployment import Deployment, keyring_paths
from cdp.errors import StartRefused
from cdp.rights import remains
from cdp.vault.state import decode


def write_copy(deployment: Deployment, file: Path) -> int:
    """Write the keyring as it is now into a new file, mark and note it, and return its version."""
    content = keyring_paths(deployment.settings)[0].read_bytes()
    state = decode(content)
    _write_new(file, content)
    remains.write_mark(deployment.erasures[0].parent, state.id, state.version)
    with deployment.database.transaction() as session:
        header = {"keyring": state.id, "version": state.version}
        ledger.note(session, "keys.escrowed", header, deployment.clock.now())
    return state.version


def _write_new(file: Path, content: bytes) -> None:
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise StartRefused(f"There is a file {file} already: name a new one.") from None
    except OSError:
        raise StartRefused(f"The file {file} cannot be written: is its medium there?") from None
    with os.fdopen(descriptor, "wb") as target:
        target.write(content)
        target.flush()
        os.fsync(descriptor)
