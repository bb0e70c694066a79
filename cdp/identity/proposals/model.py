"""A frozen model: what is compared and what each step weighs, with a version that is the hash of both.

The same people and seed give the same file, byte for byte. Its `settings` are Splink's own and hold no value of
anybody: DuckDB here and Spark elsewhere score by the same ones. There is no model to begin with: weights that
were learnt on other people's names and addresses are wrong for these.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from cdp.identity.proposals import veil
from cdp.identity.proposals.comparisons import OTHER, UNKNOWN

DIGITS = 6
"""Of each weight: two runs of one training differ from the tenth on, by the order in which threads add."""


class Weight(NamedTuple):
    """How often pairs reach one step: among those that match (m), and among others (u); None = never seen."""

    comparison: str
    level: str
    m: float | None
    u: float | None

    @property
    def agrees(self) -> bool:
        """Whether the step is an agreement of any kind."""
        return self.level != OTHER


@dataclass(frozen=True, slots=True)
class Model:
    """What training learnt; `version` names it in every proposal."""

    settings: Mapping[str, Any]
    """As Splink reads them, with m and u of every step and λ, the share of all pairs that match."""
    people: int
    """Clusters that it was trained on."""
    seed: int
    tokens: int = veil.VERSION

    @property
    def version(self) -> str:
        """The SHA-256 of the content."""
        return hashlib.sha256(_canonical(self._content()).encode()).hexdigest()

    @property
    def prior(self) -> float:
        """λ: the probability that two people drawn at random are one."""
        return float(self.settings["probability_two_random_records_match"])

    def settings_for(self, people: int) -> dict[str, Any]:
        """Return the settings for so many people, for DuckDB here or Spark elsewhere.

        Each has as many matches as in training, so among more people any one pair is one less often; among fewer
        λ stays, since that is no reason to believe more.
        """
        fewer = min(1.0, (self.people - 1) / max(people - 1, 1))
        return {**self.settings, "probability_two_random_records_match": rounded(self.prior * fewer)}

    def weights(self) -> Iterator[Weight]:
        """Yield every step that has a weight, strongest agreement first."""
        for one in self.settings["comparisons"]:
            for level in one["comparison_levels"]:
                if level["label_for_charts"] != UNKNOWN:
                    m, u = level.get("m_probability"), level.get("u_probability")
                    yield Weight(one["output_column_name"], level["label_for_charts"], m, u)

    def steps(self) -> dict[str, dict[int, str]]:
        """Return comparison → Splink's number of a step → its name."""
        return {
            one["output_column_name"]: {
                -1: UNKNOWN,
                **dict(enumerate(reversed([level["label_for_charts"] for level in one["comparison_levels"][1:]]))),
            }
            for one in self.settings["comparisons"]
        }

    def to_json(self) -> str:
        """Return the model file."""
        return json.dumps({"version": self.version, **self._content()}, ensure_ascii=False, indent=1) + "\n"

    def _content(self) -> dict[str, Any]:
        return {"people": self.people, "seed": self.seed, "tokens": self.tokens, "settings": dict(self.settings)}


def read(text: str) -> Model:
    """Return the model of a file; raises ValueError for one that was changed since it was made."""
    kept = json.loads(text)
    model = Model(kept["settings"], kept["people"], kept["seed"], kept["tokens"])
    if model.version != kept["version"]:
        raise ValueError("the model file is not the one that its version names")
    return model


def rounded(number: float) -> float:
    """Return a weight as it is kept."""
    return float(f"{number:.{DIGITS - 1}e}")


def _canonical(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
