"""One person as the matching sees them: a cluster's number and what describes it.

One row per cluster, never per record: what exact identifiers have joined would otherwise bridge strangers.
Sex is not asked for: of an attribute with two values every token can be guessed.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Described:
    """What is known of a cluster; an empty string is unknown. Its repr shows the number and no value."""

    cluster: int
    family: str = field(default="", repr=False)
    given: str = field(default="", repr=False)
    kana_family: str = field(default="", repr=False)
    kana_given: str = field(default="", repr=False)
    latin_family: str = field(default="", repr=False)
    latin_given: str = field(default="", repr=False)
    birth_date: str = field(default="", repr=False)
    """ISO 8601, YYYY-MM-DD; anything else counts as unknown."""
    postal: str = field(default="", repr=False)
    block: str = field(default="", repr=False)
    """The rest of the address down to the house, without the building: 東京都千代田区丸の内1-1-1."""

    @property
    def families(self) -> tuple[str, ...]:
        """The family name in every writing; the kana first, since most people can be compared by it."""
        return (self.kana_family, self.family, self.latin_family)

    @property
    def givens(self) -> tuple[str, ...]:
        """The given name in every writing, in the same order."""
        return (self.kana_given, self.given, self.latin_given)
