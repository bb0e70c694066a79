"""Times what the vault does in a run: making keys, sealing, unwrapping.

The vault's verbs are replaced, in this process and for the time of the run, by such as call them between two looks at
the clock. What a look costs (some 0.1 µs) counts as sealing; reading wrapped keys from the database counts, too.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cdp import vault


class Stopwatch:
    """Seconds and calls since the last `reset`."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.calls = 0

    def reset(self) -> None:
        self.seconds, self.calls = 0.0, 0

    def around(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """Return the same verb, timed."""

        def timed(*given: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return work(*given, **named)
            finally:
                self.seconds += time.perf_counter() - began
                self.calls += 1

        return timed


_VERBS: tuple[tuple[Any, str], ...] = ((vault, "seal"), (vault, "deks"), (vault.Vault, "mint"))


@contextmanager
def timed_sealing() -> Iterator[Stopwatch]:
    """Time the vault's verbs until the end of the block."""
    watch = Stopwatch()
    kept = [(owner, name, getattr(owner, name)) for owner, name in _VERBS]
    for owner, name, verb in kept:
        setattr(owner, name, watch.around(verb))
    try:
        yield watch
    finally:
        for owner, name, verb in kept:
            setattr(owner, name, verb)
