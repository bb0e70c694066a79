"""Makes a backup: a consistent copy of the database alone, never of a key."""

import json
from pathlib import Path
from typing import Any

from cdp import __version__, policy
from cdp.clock import Clock, SystemClock
from cdp.errors import StartRefused
from cdp.ops.backup import embedded, served
from cdp.ops.backup.manifest import FORM, MANIFEST, described, write
from cdp.policy import PolicyError
from cdp.settings import Settings
from cdp.web.metrics.readings import BACKED_UP


def backup(settings: Settings, target: Path, clock: Clock | None = None) -> dict[str, Any]:
    """Write a consistent copy of the database into a new folder; returns its manifest.

    Others may go on writing meanwhile. Works on an older revision too. Raises StartRefused where
    the folder is not empty.
    """
    if target.exists() and any(target.iterdir()):
        raise StartRefused(f"The folder {target} is not empty: name a new one for the backup.")
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = "sqlite" if settings.url.startswith("sqlite") else "postgresql"
    facts = embedded.copy_out(settings, target) if engine == "sqlite" else served.copy_out(settings, target)
    manifest = {
        "form": FORM,
        "made_at": (clock or SystemClock()).now().isoformat(),
        "program": __version__,
        "engine": engine,
        "policy": _policy_digest(settings),
        **facts,
        "files": {path.name: described(path) for path in sorted(target.iterdir())},
    }
    write(target / MANIFEST, json.dumps(manifest, indent=1).encode())
    _remember(settings)
    return manifest


def _remember(settings: Settings) -> None:
    """Leave in the home when the last backup was made: doctor and metrics ask."""
    if settings.home.is_dir():
        (settings.home / BACKED_UP).touch()


def _policy_digest(settings: Settings) -> str:
    try:
        return policy.load(settings.policies_path).digest
    except (PolicyError, StartRefused):
        return ""
