"""The model file, what it is learnt from, and that Spark reads the same one."""

import json
import re
import sys
from collections.abc import Iterable
from dataclasses import replace

import pytest

from cdp.errors import Problem
from cdp.identity.proposals import Described, Model, propose, read, train
from cdp.identity.proposals.comparisons import BLOCKING, TRAINED_ON
from cdp.identity.proposals.memory import _schema, holding
from cdp.identity.proposals.scoring import score
from cdp.identity.proposals.veil import tokens
from tests.identity.proposals.conftest import OF_FEBRL
from tests.identity.proposals.crowd import Crowd


def test_the_same_people_and_seed_give_the_same_file(some: Crowd) -> None:
    once, again = train(some.people, drawn=100_000), train(reversed(some.people), drawn=100_000)
    assert again.to_json() == once.to_json()
    assert once.version != replace(once, seed=2).version


def test_a_model_is_read_back_as_it_was_written(model: Model) -> None:
    kept = read(model.to_json())
    assert kept == model
    assert kept.version == model.version


def test_a_changed_file_is_not_the_model_that_it_names(model: Model) -> None:
    changed = json.loads(model.to_json()) | {"people": 4999}
    with pytest.raises(ValueError, match="version"):
        read(json.dumps(changed))


def test_the_model_holds_weights_and_no_value(febrl3: Crowd, model: Model) -> None:
    said = model.to_json().casefold()
    assert not [one for one in febrl3.people if len(one.family) > 6 and one.family.casefold() in said]


def test_among_more_people_a_pair_is_one_less_often(model: Model) -> None:
    more, fewer = model.settings_for(50_000), model.settings_for(100)
    assert more["probability_two_random_records_match"] == pytest.approx(model.prior / 10, rel=0.001)
    assert fewer["probability_two_random_records_match"] == model.prior
    assert more["comparisons"] == model.settings["comparisons"]


def test_a_cluster_that_comes_twice_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="one row per cluster"):
        tokens([Described(1), Described(1)])


def test_every_step_that_was_learnt_tells_people_from_strangers(model: Model) -> None:
    weights = list(model.weights())
    assert {one.comparison for one in weights} == {"given", "family", "birth", "place"}
    assert all((one.m > one.u) == one.agrees for one in weights if one.m and one.u)
    assert len([one for one in weights if one.m and one.u]) == len(weights)


def test_blocking_names_two_independent_things_and_training_no_place() -> None:
    subjects = [{column.partition("_")[0] for column in rule} for rule in BLOCKING]
    assert all(len(one) == 2 and one & {"birth", "place"} for one in subjects)
    assert not [rule for rule in TRAINED_ON if {"postal", "block", "place_keys"} & set(rule)]


SQL = {"IS", "NULL", "AND", "OR", "NOT", "ELSE", "arrays_overlap"}


def test_the_conditions_are_equality_and_overlap_and_read_by_spark(model: Model) -> None:
    from splink import SettingsCreator

    conditions = [level["sql_condition"] for one in model.settings["comparisons"] for level in one["comparison_levels"]]
    words = {word for condition in conditions for word in re.findall(r"\w+", condition)}
    assert {word for word in words if not word.endswith(("_l", "_r"))} == SQL
    spark = SettingsCreator.from_path_or_dict(json.loads(model.to_json())["settings"]).get_settings("spark")
    assert [level.sql_condition for one in spark.comparisons for level in one.comparison_levels] == conditions


@pytest.mark.deep
def test_spark_finds_the_same_pairs_by_the_same_file(febrl3: Crowd, model: Model) -> None:
    pyspark = pytest.importorskip("pyspark.sql")
    from splink import Linker, SparkAPI

    rows = tokens(febrl3.people)
    with holding(rows) as chamber:
        here = {(one.a, one.b): one.log2_odds for one in score(chamber, model)}
    spark = pyspark.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    kinds = {"int64": "bigint", "list<element: int64>": "array<bigint>", "list<element: string>": "array<string>"}
    columns = [(one.name, kinds[str(one.type).replace("item", "element")]) for one in _schema()]
    table = spark.createDataFrame(
        [tuple(row[name] for name, _ in columns) for row in rows], ", ".join(f"{n} {t}" for n, t in columns)
    )
    api = SparkAPI(spark_session=spark, break_lineage_method="persist", register_udfs_automatically=False)
    linker = Linker(api.register(table), json.loads(model.to_json())["settings"], log_level=None)
    there = linker.inference.predict(threshold_match_probability=0.5).as_record_list()
    odds = {tuple(sorted((row["cluster_l"], row["cluster_r"]))): row["match_weight"] for row in there}
    assert odds == pytest.approx(here, abs=1e-5)
    spark.stop()


def people(size: int, **known: str) -> Iterable[Described]:
    return (Described(n, family=f"name{n % 300}", given=f"given{n % 200}", **known) for n in range(size))


def test_too_few_people_teach_nothing() -> None:
    with pytest.raises(Problem) as refused:
        train(people(499, birth_date="1980-01-01"))
    assert refused.value.type == "too_few"


def test_strangers_of_whom_no_two_resemble_each_other_teach_nothing() -> None:
    lone = (Described(n, family=f"f{n}", given=f"g{n}", birth_date=f"{1000 + n}-01-01") for n in range(600))
    with pytest.raises(Problem) as refused:
        train(lone, drawn=10_000)
    assert refused.value.type == "too_few"


def test_names_alone_teach_nothing() -> None:
    with pytest.raises(Problem) as refused:
        train(people(600))
    assert refused.value.type == "name_alone"
    assert refused.value.extra["ja"]


def test_without_splink_it_says_which_extra_is_missing(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "splink", None)
    with pytest.raises(Problem) as refused:
        propose([Described(1)], model, OF_FEBRL)
    assert refused.value.type == "proposals_not_installed"
    assert "sekisho[proposals]" in refused.value.detail
