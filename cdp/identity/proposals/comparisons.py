"""What is compared, in steps from equal to other; written so that DuckDB and Spark read the same words.

Equality and the overlap of arrays only: `arrays_overlap` is Spark's own, and `memory` teaches it to DuckDB. What
depends on each other is one comparison: a postal code and the block within it agree together or not at all, and
counted twice they would make a household one person. A pair is looked at only when two independent things agree
(a name and a birth, a name and a place, a birth and a place), so namesakes never meet by their name.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

SAME, OTHER, UNKNOWN = "same", "other", "unknown"


class Level(NamedTuple):
    """One step of a comparison: pairs that satisfy it and none before it."""

    name: str
    condition: str
    needs: tuple[str, ...]
    """Columns without which nobody reaches this step."""
    rare: str = ""
    """The column whose value counts the more the fewer people have it."""


class Comparison(NamedTuple):
    """What is compared of two people, in steps; whoever reaches none is `other`."""

    name: str
    unknown: str
    levels: tuple[Level, ...]


def _overlap(column: str) -> str:
    return f"arrays_overlap({column}_l, {column}_r)"


def _equal(*columns: str) -> str:
    return " AND ".join(f"{column}_l = {column}_r" for column in columns)


def _absent(*columns: str) -> str:
    return " AND ".join(f"({column}_l IS NULL OR {column}_r IS NULL)" for column in columns)


def _name(name: str) -> Comparison:
    """Return the comparison of a name; two that are in no common writing cannot be compared."""
    unknown = f"{_absent(name)} OR NOT {_overlap(f'{name}_writings')}"
    same, near, alike = f"{name}_same", f"{name}_near", f"{name}_alike"
    return Comparison(
        name,
        unknown,
        (
            Level(SAME, _overlap(same), (same,), rare=name),
            Level("near", _overlap(near), (near,)),
            Level("alike", _overlap(alike), (alike,)),
        ),
    )


COMPARISONS = (
    _name("given"),
    _name("family"),
    Comparison(
        "birth",
        _absent("birth"),
        (
            Level(SAME, _equal("birth"), ("birth",)),
            Level("two parts", _overlap("birth_parts"), ("birth_parts",)),
        ),
    ),
    Comparison(
        "place",
        _absent("postal", "block"),
        (
            Level(SAME, _equal("postal", "block"), ("postal", "block")),
            Level("block", _equal("block"), ("block",)),
            Level("postal", _equal("postal"), ("postal",)),
            Level("area", _equal("postal_area"), ("postal_area",)),
        ),
    ),
)
BLOCKING = (
    ("given_keys", "birth_parts"),
    ("family_keys", "birth_parts"),
    ("given_keys", "place_keys"),
    ("family_keys", "place_keys"),
    ("birth_parts", "place_keys"),
)
"""Each names two independent attributes; people who share a token of both are compared."""

TRAINED_ON = (("given", "family"), ("birth",))
"""What training pairs agree in. Never a place: all of a household agree there, and would pass for one person."""

RARE_ENOUGH = 0.0005
"""A name on fewer than one in 2,000 counts as much as on one in 2,000: of the rarest some are typing errors."""
FEW = 0.05
"""A step or comparison that fewer than this share of the people can reach is left out: nothing can be learnt of it."""


def settings(filled: Mapping[str, float]) -> dict[str, Any]:
    """Return what Splink is to do, without any weight; `filled` is the share of people who have each column."""
    compared = [_declared(one, filled) for one in COMPARISONS]
    compared = [one for one in compared if len(one["comparison_levels"]) > 2]
    names = {one["output_column_name"] for one in compared}
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "cluster",
        "comparisons": compared,
        "blocking_rules_to_generate_predictions": [_block(rule) for rule in BLOCKING if _subjects(rule) <= names],
        "retain_matching_columns": True,  # else Splink does not say which step a pair reached
        "retain_intermediate_calculation_columns": False,
        "max_iterations": 100,
        "em_convergence": 0.00001,
    }


def _declared(one: Comparison, filled: Mapping[str, float]) -> dict[str, Any]:
    reached = [_level(level) for level in one.levels if min(filled[column] for column in level.needs) >= FEW]
    unknown = {"sql_condition": one.unknown, "label_for_charts": UNKNOWN, "is_null_level": True}
    other = {"sql_condition": "ELSE", "label_for_charts": OTHER}
    return {"output_column_name": one.name, "comparison_levels": [unknown, *reached, other]}


def _level(level: Level) -> dict[str, Any]:
    declared: dict[str, Any] = {"sql_condition": level.condition, "label_for_charts": level.name}
    if level.rare:
        declared |= {
            "tf_adjustment_column": level.rare,
            "tf_adjustment_weight": 1.0,
            "tf_minimum_u_value": RARE_ENOUGH,
            "disable_tf_exact_match_detection": True,
        }
    return declared


def _block(columns: tuple[str, ...]) -> dict[str, Any]:
    rule = " AND ".join(f"l.{column} = r.{column}" for column in columns)
    return {"blocking_rule": rule, "arrays_to_explode": list(columns)}


def _subjects(columns: tuple[str, ...]) -> set[str]:
    return {column.partition("_")[0] for column in columns}
