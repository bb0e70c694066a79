"""A desk that records what people say."""

from pathlib import Path

import pytest

from tests.consent.speaking import Desk


@pytest.fixture
def desk(house, tmp_path: Path) -> Desk:
    return Desk(house, tmp_path)
