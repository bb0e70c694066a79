"""Splink by itself on the attributes, set up as its documentation advises and trained on the records without labels.

Names by Jaro-Winkler with term frequencies, and changed over; dates and numbers by edit distance, since a date with
an error is often none; the parts of an address as one comparison, since they are right or wrong together, and never
trained within one address. Pairs from 0.95 on are joined: chosen beforehand, for all sets alike.
"""

import logging
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from cdp.ops.bench.matching.packages import needed
from cdp.ops.bench.matching.record import Record, Told

THRESHOLD = 0.95
_COLUMNS = ("given", "family", "birth_date", "national_id", "house", "street", "suburb", "postal", "state")
_BLOCKS = (
    ("given", "family"),
    ("family", "birth_date"),
    ("given", "birth_date"),
    ("birth_date", "postal"),
    ("family", "postal"),
    ("given", "postal"),
    ("birth_date",),
    ("suburb", "given"),
    ("suburb", "family"),
    ("suburb", "street"),
    ("street", "postal"),
    ("house", "street"),
    ("national_id",),
)
"""Pairs that agree in one of these are compared; of a set without a column, those without it."""
_SURE = (("family", "birth_date"), ("given", "birth_date"), ("national_id",))
"""Agreement in one of these is almost always one person, and finds most of what there is to find."""
_SURE_RECALL = 0.8
_PAIRS, _SEED = 2e6, 1


def splink_alone(records: Sequence[Record], told: Told) -> list[int]:
    """Return clusters by Splink; raises StartRefused where it is not installed."""
    with needed("splink"):
        import pyarrow
        from splink import DuckDBAPI, Linker
    logging.getLogger("splink").setLevel(logging.ERROR)
    columns = [name for name in _COLUMNS if any(name in record.attributes for record in records)]
    rows = [_row(number, record, columns) for number, record in enumerate(records)]
    table = DuckDBAPI().register(pyarrow.Table.from_pylist(rows))
    linker = Linker(table, _settings(columns), log_level=logging.ERROR)
    _train(linker, columns)
    scored = linker.inference.predict(threshold_match_probability=THRESHOLD)
    found = linker.clustering.cluster_pairwise_predictions_at_threshold(scored, THRESHOLD).as_dict()
    labels = dict(zip(found["unique_id"], found["cluster_id"], strict=True))
    return [int(labels[number]) for number in range(len(records))]


def _row(number: int, record: Record, columns: list[str]) -> dict[str, Any]:
    return {"unique_id": number} | {name: record.attributes.get(name) for name in columns}


def _settings(columns: list[str]) -> Any:
    from splink import SettingsCreator, block_on

    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=_comparisons(columns),
        blocking_rules_to_generate_predictions=[block_on(*some) for some in _within(_BLOCKS, columns)],
    )


def _comparisons(columns: list[str]) -> list[Any]:
    from splink import comparison_library as compare

    found = [_name("given"), _name("family"), _birth_date()]
    if "national_id" in columns:
        found.append(compare.DamerauLevenshteinAtThresholds("national_id", [1, 2]))
    if "postal" in columns:
        found.append(_address())
    return found


def _name(column: str) -> Any:
    """Return a comparison of one name: the same (the rarer, the more), changed over, nearly the same, similar."""
    from splink import comparison_level_library as level
    from splink import comparison_library as compare

    return compare.CustomComparison(
        output_column_name=column,
        comparison_levels=[
            level.NullLevel(column),
            level.ExactMatchLevel(column, term_frequency_adjustments=True),
            level.ColumnsReversedLevel("given", "family", symmetrical=True),
            level.JaroWinklerLevel(column, 0.92),
            level.JaroWinklerLevel(column, 0.8),
            level.ElseLevel(),
        ],
    )


def _birth_date() -> Any:
    """Return a comparison of dates written YYYYMMDD: the same, one slip, two of year, month and day the same."""
    from splink import comparison_level_library as level
    from splink import comparison_library as compare

    parts = [f"substr(birth_date_l, {at}, {n}) = substr(birth_date_r, {at}, {n})" for at, n in ((1, 4), (5, 2), (7, 2))]
    two = " or ".join(f"({one} and {other})" for one, other in combinations(parts, 2))
    return compare.CustomComparison(
        output_column_name="birth_date",
        comparison_levels=[
            level.NullLevel("birth_date"),
            level.ExactMatchLevel("birth_date"),
            level.DamerauLevenshteinLevel("birth_date", 1),
            level.CustomLevel(two, "two parts the same"),
            level.ElseLevel(),
        ],
    )


def _address() -> Any:
    """Return one comparison of all that says where somebody lives, from the whole of it to none."""
    from splink import comparison_level_library as level
    from splink import comparison_library as compare

    house, street, suburb = (
        level.ExactMatchLevel("house"),
        level.JaroWinklerLevel("street", 0.88),
        level.JaroWinklerLevel("suburb", 0.88),
    )
    postal = level.Or(level.ExactMatchLevel("postal"), level.DamerauLevenshteinLevel("postal", 1))
    return compare.CustomComparison(
        output_column_name="address",
        comparison_levels=[
            level.And(level.NullLevel("street"), level.NullLevel("postal"), level.NullLevel("suburb")),
            level.And(house, street, postal),
            level.And(house, street),
            level.And(street, postal, suburb),
            level.And(postal, suburb),
            level.Or(street, level.And(house, suburb), level.And(house, postal)),
            level.Or(postal, suburb),
            level.ElseLevel(),
        ],
    )


def _train(linker: Any, columns: list[str]) -> None:
    """Learn by chance pairs, then within three blocks, each of which teaches what the others hold fixed."""
    from splink import block_on

    sure = [block_on(*some) for some in _within(_SURE, columns)]
    linker.training.estimate_probability_two_random_records_match(sure, recall=_SURE_RECALL)
    linker.training.estimate_u_using_random_sampling(max_pairs=_PAIRS, seed=_SEED)
    for one in ("birth_date", "given", "family"):
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(one))


def _within(rules: Sequence[tuple[str, ...]], columns: list[str]) -> list[tuple[str, ...]]:
    return [some for some in rules if set(some) <= set(columns)]
