from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tabular_support import Operation, config, job, make_table
from test_tabular_algorithms import INSTALLED, bench_of

from tutelage.core.errors import InvalidSpec, TutelageError
from tutelage.services.tabular.catalog import ALGORITHMS
from tutelage.services.tabular.data.types import as_times
from tutelage.services.tabular.fitting.fit_child import row_weights
from tutelage.services.tabular.fitting.messages import Divide, HoldOut
from tutelage.services.tabular.fitting.validation import divide, final_split, hold_out
from tutelage.services.tabular.models.algorithms import REGISTRY
from tutelage.services.tabular.report.result import out_of_fold

LABELS = np.array(["a", "b"] * 30)
GROUPS = np.arange(60) // 4
TIMES = np.random.default_rng(0).permutation(60).astype(float)


def asked(strategy: str, **more: Any) -> Divide:
    return Divide(**{"strategy": strategy, "folds": 5, "shuffle": True, "seed": 1, **more})


@pytest.mark.parametrize("has_classes", [True, False])
def test_a_group_is_never_on_both_sides(has_classes: bool) -> None:
    target = LABELS if has_classes else TIMES
    request = asked("group", groups=GROUPS)
    pairs = divide(request, target, has_classes=has_classes)
    pairs.append(final_split(request, target, has_classes=has_classes))
    pairs.append(hold_out(HoldOut(labels=target, share=0.2, seed=1, stratify=has_classes, groups=GROUPS)))
    for train, held in pairs:
        assert not set(GROUPS[train]) & set(GROUPS[held])
        assert len(held) > 0
    assert sorted(np.concatenate([held for _, held in pairs[:5]])) == list(range(60))


def test_by_time_the_later_rows_are_held_out() -> None:
    request = asked("timeseries", times=TIMES)
    pairs = divide(request, LABELS, has_classes=True)
    pairs.append(final_split(request, LABELS, has_classes=True))
    pairs.append(hold_out(HoldOut(labels=LABELS, share=0.2, seed=1, stratify=True, times=TIMES)))
    assert all(TIMES[train].max() < TIMES[held].min() for train, held in pairs)
    assert len(pairs[-1][1]) == 12


def test_repeated_divides_anew_each_time_and_predictions_are_averaged() -> None:
    pairs = divide(asked("repeated", repeats=3), LABELS, has_classes=True)
    assert len(pairs) == 15
    assert not np.array_equal(pairs[0][1], pairs[5][1])
    said = [np.full(len(held), float(index // 5)) for index, (_, held) in enumerate(pairs)]
    np.testing.assert_allclose(out_of_fold(60, pairs, said), 1.0)
    assert np.isnan(out_of_fold(60, pairs[:2], said[:2])).any()


def test_leave_one_out_has_a_fold_for_each_row_up_to_its_cap() -> None:
    assert [held.tolist() for _, held in divide(asked("loo"), LABELS, has_classes=True)] == [[row] for row in range(60)]
    with pytest.raises(TutelageError, match="at most 200; there are 300") as raised:
        divide(asked("loo"), np.tile(LABELS, 5), has_classes=True)
    assert raised.value.code == "too_many_rows"


@pytest.mark.parametrize(
    "request_",
    [
        asked("group", groups=np.zeros(60)),
        asked("group", groups=(LABELS == "a").astype(int), folds=2),
        asked("timeseries", times=(LABELS == "a").astype(float)),
    ],
)
def test_a_division_that_cannot_be_is_refused(request_: Divide) -> None:
    with pytest.raises(TutelageError) as raised:
        divide(request_, LABELS, has_classes=True)
    assert raised.value.code == "too_few_rows"


@pytest.mark.parametrize(
    "more",
    [
        {"validationStrategy": "group"},
        {"validationStrategy": "timeseries"},
        {"validationStrategy": "kfold", "groupColumn": "g"},
        {"validationStrategy": "group", "groupColumn": "g", "timeColumn": "t"},
        {"groupColumn": "target"},
        {"groupColumn": "g", "timeColumn": "t"},
        {"validationStrategy": {"type": "kfold", "repeats": 3}},
        {"validationStrategy": {"type": "loo", "folds": 3}},
        {"validationStrategy": {"type": "loo", "shuffle": True}},
        {"validationStrategy": {"type": "repeated", "shuffle": False}},
        {"validationStrategy": "loo", "metric": "roc_auc"},
        {"classWeight": "balanced", "modelType": "regression"},
        {"classWeight": "balanced", "algorithm": "knn"},
    ],
)
def test_what_would_have_no_effect_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(InvalidSpec):
        config({"trainDataPath": "sklearn:wine", **more})


def test_times_are_numbers_or_dates() -> None:
    assert as_times(pd.Series([3, 1])).tolist() == [3.0, 1.0]
    assert as_times(pd.Series(["1970-01-02", "1970-01-01"])).tolist() == [86400.0, 0.0]
    with pytest.raises(TutelageError, match="'soon'"):
        as_times(pd.Series(["1970-01-02", "soon"], name="t"))


def test_balanced_weights_give_classes_equal_sums() -> None:
    train, classes = np.array(["a"] * 8 + ["b"] * 2), np.array(["a", "b"])
    weights = row_weights(train, train, classes, "balanced")
    assert weights[:8].sum() == pytest.approx(weights[8:].sum())
    assert row_weights(train, np.array(["b", "a"]), classes, [1.0, 7.0]).tolist() == [7.0, 1.0]


WEIGHED = [name for name, entry in ALGORITHMS.items() if "classification" in entry.tasks and entry.takes_weights]


@pytest.mark.slow  # trains every classifier twice
@pytest.mark.parametrize("algorithm", [name for name in WEIGHED if name in INSTALLED])
def test_class_weights_move_every_algorithm_that_takes_them(algorithm: str) -> None:
    bench, entry = bench_of("sklearn:breast_cancer"), REGISTRY[algorithm]
    params = {**entry.defaults, **({"max_depth": 3} if "max_depth" in entry.space else {})}
    plain = bench.fit(algorithm, validation=bench.held, params=params)
    bench.load = messages_with(bench.load, [50.0, 1.0])
    try:
        weighed = bench.fit(algorithm, validation=bench.held, params=params)
    finally:
        bench.load = messages_with(bench.load, None)
    assert weighed.predictions[:, 0].mean() > plain.predictions[:, 0].mean()


def messages_with(load: Any, class_weight: Any) -> Any:
    return type(load)(**{**vars(load), "class_weight": class_weight})


@pytest.mark.slow  # five trainings
@pytest.mark.parametrize(
    "more",
    [
        {"groupColumn": "shop"},
        {"timeColumn": "day", "classWeight": "balanced"},
        {"validationStrategy": {"type": "repeated", "folds": 3, "repeats": 2}, "classWeight": {"stays": 5}},
        {"validationStrategy": "loo"},
    ],
)
def test_every_strategy_trains_and_tells_its_splits(tmp_path: Path, home: Path, more: dict[str, Any]) -> None:
    table = make_table(120)
    table["shop"] = [f"s{index % 17}" for index in range(120)]
    table["day"] = pd.date_range("2024-01-01", periods=120)[::-1].strftime("%Y-%m-%d")
    table.to_csv(tmp_path / "t.csv", index=False)
    search = {"nTrials": 2}
    operation = Operation.create(
        home, job(tmp_path / "t.csv", algorithm="logistic", hyperparameterSearch=search, **more)
    )
    assert operation.run() == 0, operation.events(kind="error")
    splits = json.loads((operation.files.artifacts / "splits.json").read_text())
    if "groupColumn" in more:
        assert not set(table["shop"][splits["train"]]) & set(table["shop"][splits["test"]])
        assert "shop" not in operation.result["metadata"]["features"]
    if "timeColumn" in more:
        assert table["day"][splits["train"]].max() < table["day"][splits["test"]].min()
    assert operation.result["metadata"]["validation"]["folds"] == len(splits["folds"])
    assert operation.result["metrics"]["test"]["accuracy"] > 0.5


def test_an_unknown_class_in_class_weights_is_answered_with_the_nearest(home: Path, small_csv: Path) -> None:
    operation = Operation.create(home, job(small_csv, classWeight={"stay": 5}))
    assert operation.run() == 1
    assert "Did you mean 'stays'" in operation.error()["message"]
