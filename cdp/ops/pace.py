"""How much one transaction takes on, so that others pass: on SQLite every writer waits for it."""

from dataclasses import dataclass

LONGEST = 0.05
"""Seconds that one transaction may take, where nothing else is said."""


@dataclass(slots=True)
class Pace:
    """How much one transaction takes on: halved when it was too slow, grown slowly when it was quick."""

    size: int = 50
    most: int = 1000
    least: int = 1
    longest: float = LONGEST

    def took(self, seconds: float) -> None:
        if seconds > self.longest:
            self.size = max(self.least, self.size // 2)
        elif seconds < self.longest / 2:
            self.size = min(self.most, self.size + max(1, self.size // 4))
