"""What only the benchmark needs comes with the extra `bench`; without it, one sentence says so."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from cdp.errors import StartRefused


def folder_of(package: str) -> Path:
    """Return where a package lies, without running any of it; raises StartRefused where it is not installed."""
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise _missing(package)
    return Path(found.submodule_search_locations[0])


@contextmanager
def needed(package: str) -> Iterator[None]:
    """Import within this; raises StartRefused in an ImportError's place."""
    try:
        yield
    except ImportError:
        raise _missing(package) from None


def _missing(package: str) -> StartRefused:
    return StartRefused(f"{package} is not installed: pip install 'sekisho[bench]' brings it, or choose without it.")
