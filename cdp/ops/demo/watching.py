"""Opens the demo's own deployment from this process, to look and to check; it changes nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cdp import deployment
from cdp.db import Database
from cdp.ops.demo.home import Home
from cdp.settings import Settings


@contextmanager
def database_of(home: Home) -> Iterator[Database]:
    """Yield the database of a running home."""
    told: dict[str, Any] = {"home": Path(home.environment["CDP_HOME"]), "base_url": home.environment["CDP_BASE_URL"]}
    settings = Settings(**told)
    opened = deployment.assemble(settings)
    try:
        yield opened.database
    finally:
        opened.database.dispose()
