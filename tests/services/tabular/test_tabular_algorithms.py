from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tabular_support import Operation, config

from tutelage.core.errors import InvalidSpec, MissingDependency
from tutelage.services.tabular import catalog
from tutelage.services.tabular.catalog import ALGORITHMS, CLASSIFICATION, REGRESSION
from tutelage.services.tabular.data.sources import read_table
from tutelage.services.tabular.data.target import read_target
from tutelage.services.tabular.data.types import ColumnReader, infer_columns
from tutelage.services.tabular.fitting import messages
from tutelage.services.tabular.fitting.fit_child import FitServer
from tutelage.services.tabular.models.algorithms import REGISTRY

INSTALLED = [name for name, entry in ALGORITHMS.items() if entry.is_installed]
SETS = (("wine", CLASSIFICATION), ("breast_cancer", CLASSIFICATION), ("diabetes", REGRESSION))
PAIRS = [(f"sklearn:{name}", algorithm) for name, task in SETS for algorithm in INSTALLED]
PAIRS = [(source, name) for source, name in PAIRS if dict(SETS)[source.split(":")[1]] in ALGORITHMS[name].tasks]
REAL = (("telco_churn.csv", "Churn"), ("california_housing.csv", "median_house_value"), ("adult.csv.gz", "class"))


class Bench:
    """A fit server that holds one table, of which the last fifth is the test."""

    def __init__(self, source: str, name: str, *, max_rows: int) -> None:
        frame = read_table(source).frame
        frame = frame.sample(frac=1.0, random_state=0).head(max_rows).reset_index(drop=True)
        target = read_target(frame[name], model_type=None)
        frame, self.task, values = frame[target.kept], target.task, target.values
        num_train = len(frame) * 4 // 5
        self.train = np.arange(num_train * 4 // 5)
        self.held = np.arange(len(self.train), num_train)
        columns = infer_columns(frame, names=[item for item in frame.columns if item != name], asked=False)
        reader = ColumnReader(columns)
        typed = reader.transform(frame.reset_index(drop=True))
        parts = {"frame": typed.iloc[:num_train], "target": values[:num_train], "test_frame": typed.iloc[num_train:]}
        self.load = messages.Load(task=self.task, reader=reader, test_target=values[num_train:], threads=1, **parts)

    def fit(self, algorithm: str, **more: Any) -> messages.Fitted:
        server = FitServer(io.BytesIO(), lambda: False)
        channel = {"algorithm": algorithm, "params": REGISTRY[algorithm].defaults}
        server.answer(self.load)
        answer = server.answer(messages.Fit(**{**channel, "seed": 3, "train": self.train, **more}))
        assert isinstance(answer, messages.Fitted), answer
        return answer

    def trivial(self) -> dict[str, float]:
        from tutelage.services.tabular.fitting.scores import score, trivial_predictions

        said = trivial_predictions(self.task, self.load.target[self.train], len(self.load.test_target))
        classes = np.unique(self.load.target) if self.task == CLASSIFICATION else None
        return score(self.task, self.load.test_target, said, classes)


BENCHES: dict[str, Bench] = {}


def bench_of(source: str, name: str = "target", *, max_rows: int = 10_000) -> Bench:
    if source not in BENCHES:
        BENCHES[source] = Bench(source, name, max_rows=max_rows)
    return BENCHES[source]


def is_above(bench: Bench, fitted: messages.Fitted) -> bool:
    trivial, found = bench.trivial(), fitted.test_scores
    if bench.task == REGRESSION:
        return found["rmse"] < 0.9 * trivial["rmse"]
    return found["roc_auc"] > trivial["roc_auc"] + 0.25


@pytest.mark.parametrize(("source", "algorithm"), PAIRS)
def test_every_algorithm_beats_the_trivial_model_and_repeats_itself(
    tmp_path: Path, source: str, algorithm: str
) -> None:
    bench = bench_of(source)
    fitted = bench.fit(algorithm, validation=bench.held, keep=tmp_path / "m")
    assert is_above(bench, fitted)
    assert set(fitted.importance) == set(bench.load.reader.names)
    assert sum(fitted.importance.values()) == pytest.approx(1)
    assert (fitted.num_rounds is not None) is ALGORITHMS[algorithm].has_rounds
    again = bench.fit(algorithm, validation=bench.held)
    np.testing.assert_array_equal(again.predictions, fitted.predictions)
    assert not fitted.warnings


@pytest.mark.parametrize("algorithm", [name for name in INSTALLED if ALGORITHMS[name].has_rounds])
@pytest.mark.parametrize("source", ["sklearn:wine", "sklearn:diabetes"])
def test_early_stopping_keeps_the_best_round(algorithm: str, source: str) -> None:
    bench = bench_of(source)
    counted = REGISTRY[algorithm].rounds
    assert counted is not None
    params = {**REGISTRY[algorithm].defaults, counted.param: 400, "learning_rate": 0.3}
    params = {name: value for name, value in params.items() if name in REGISTRY[algorithm].space}
    asked = {"params": params, "validation": bench.held}
    stopped = bench.fit(algorithm, early_stopping=4, **asked)
    assert stopped.best_rounds is not None
    assert stopped.num_rounds is not None
    assert stopped.best_rounds <= stopped.num_rounds <= min(stopped.best_rounds + 4, 400)
    cut = bench.fit(algorithm, rounds=stopped.best_rounds, **asked)
    np.testing.assert_allclose(cut.predictions, stopped.predictions)


@pytest.mark.slow  # every algorithm on 5,000 rows of a real table
@pytest.mark.needs_shared_data
@pytest.mark.parametrize(("table", "target"), REAL)
def test_every_algorithm_beats_the_trivial_model_on_a_real_table(
    tmp_path: Path, shared_data: Path, table: str, target: str
) -> None:
    bench = bench_of(str(shared_data / "tabular" / table), target, max_rows=5000)
    fitting = [name for name in INSTALLED if bench.task in ALGORITHMS[name].tasks]
    found = {}
    for name in fitting:
        rounds = bench.fit(name, validation=bench.held).best_rounds
        found[name] = bench.fit(name, keep=tmp_path / "m", rounds=rounds)
    assert [name for name, item in found.items() if not is_above(bench, item)] == []


def test_a_network_stops_early_by_itself() -> None:
    bench = bench_of("sklearn:diabetes")
    params = {**REGISTRY["neural_network"].defaults, "max_iter": 200, "learning_rate_init": 0.03}
    fitted = bench.fit("neural_network", validation=bench.held, params=params)
    assert fitted.num_rounds is not None
    assert fitted.num_rounds < 200


@pytest.mark.parametrize("name", [name for name, entry in ALGORITHMS.items() if len(entry.tasks) == 1])
def test_a_wrong_task_is_answered_with_what_fits(name: str) -> None:
    wrong = REGRESSION if ALGORITHMS[name].tasks == (CLASSIFICATION,) else CLASSIFICATION
    with pytest.raises(InvalidSpec, match=f"{name} does not do {wrong}") as raised:
        config({"trainDataPath": "sklearn:wine", "algorithm": name, "modelType": wrong})
    assert "xgboost" in str(raised.value.hint)


@pytest.mark.parametrize(("alias", "meant"), sorted(catalog.ALIASES["algorithm"].items()))
def test_aliases_of_algorithms(alias: str, meant: str) -> None:
    assert config({"trainDataPath": "sklearn:wine", "algorithm": alias.upper()}).algorithm == meant


def test_a_library_that_is_not_installed_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "find_spec", lambda name: None)
    for name in ("catboost", "xgboost"):
        with pytest.raises(MissingDependency) as raised:
            config({"trainDataPath": "sklearn:wine", "algorithm": name})
        assert raised.value.hint == f"pip install {ALGORITHMS[name].package}"


@pytest.mark.slow  # a training
def test_what_has_nothing_to_search_for_has_one_trial(home: Path) -> None:
    document = {"trainDataPath": "sklearn:diabetes", "modelType": "regression", "algorithm": "linear"}
    operation = Operation.create(home, document)
    assert operation.run() == 0
    assert operation.result["metadata"]["nTrials"] == 1
    assert operation.result["metrics"]["test"]["r2"] > 0.3
    assert "nothing to search for" in operation.files.log.read_text()
