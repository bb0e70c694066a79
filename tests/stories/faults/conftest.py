"""What the faults strike: a deployment of real processes, on either kind of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.faults.mortal import Mortal


@pytest.fixture
def mortal(tmp_path: Path, database_url: str) -> Iterator[Mortal]:
    """A deployment that is not running yet."""
    deployment = Mortal(tmp_path / "home", database_url)
    deployment.cdp("init")
    yield deployment
    deployment.stop()
