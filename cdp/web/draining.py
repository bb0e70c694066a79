"""Whether this deployment is about to stop: then it is no longer ready, and still answers.

`cdp serve` raises the flag at SIGTERM, so that a load balancer looks elsewhere before the door closes.
"""

import os
from pathlib import Path

FOLDER = "SEKISHO_RUN"
"""Names the folder that the web processes of one `cdp serve` share."""

_FLAG = "draining"


def begin(folder: Path) -> None:
    """Raise the flag for every process that shares the folder."""
    (folder / _FLAG).touch()


def is_draining() -> bool:
    """Whether the flag is up."""
    folder = os.environ.get(FOLDER, "")
    return folder != "" and (Path(folder) / _FLAG).exists()
