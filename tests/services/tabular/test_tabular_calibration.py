from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import brier_score_loss, log_loss
from tabular_support import Operation, config, job
from test_tabular_train import ask

from tutelage.core.errors import InvalidSpec
from tutelage.services.tabular.fitting.calibrating import learn_calibrator
from tutelage.services.tabular.models.calibration import METHODS, log_odds, reliability, softmax

DICE = np.random.default_rng(0)


def overconfident(num_classes: int, num_rows: int = 600) -> tuple[Any, Any]:
    """Labels drawn from probabilities, and probabilities three times as sure of themselves."""
    scores = DICE.normal(0, 1, (num_rows, num_classes))
    truth = np.array([DICE.choice(num_classes, p=row) for row in softmax(scores)])
    return np.array([*"abcde"])[truth], softmax(3 * scores)


class Said(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Its features are its scores: what the library's calibration gets is what ours gets."""

    def __init__(self, classes: Any = None) -> None:
        self.classes = classes

    def fit(self, matrix: Any, target: Any) -> Said:
        self.classes_ = self.classes
        return self

    def decision_function(self, matrix: Any) -> Any:
        return log_odds(matrix[:, 1]) if len(self.classes) == 2 else np.log(matrix)

    def predict(self, matrix: Any) -> Any:
        return self.classes_[matrix.argmax(axis=1)]


class SaidShares(Said):
    """The same, whose features are probabilities."""

    decision_function = property()  # type: ignore[assignment]

    def predict_proba(self, matrix: Any) -> Any:
        return matrix


@pytest.mark.parametrize(
    ("method", "num_classes", "reference"),
    [("sigmoid", 2, Said), ("isotonic", 2, SaidShares), ("temperature", 2, Said), ("temperature", 4, Said)],
)
def test_corrected_probabilities_are_the_library_s(method: str, num_classes: int, reference: type[Said]) -> None:
    truth, said = overconfident(num_classes)
    classes = np.unique(truth)
    ours = learn_calibrator(method, truth, said, classes).apply(said)
    frozen = FrozenEstimator(reference(classes).fit(said, truth))
    theirs = CalibratedClassifierCV(frozen, method=method).fit(said, truth).predict_proba(said)
    # a step of ours is never surer than its rows allow; a temperature is searched to six digits
    np.testing.assert_allclose(ours, theirs, atol=2 / len(truth) if method == "isotonic" else 2e-4)


@pytest.mark.parametrize("num_classes", [2, 4])
@pytest.mark.parametrize("method", METHODS)
def test_overconfidence_is_corrected(method: str, num_classes: int) -> None:
    truth, said = overconfident(num_classes)
    classes = np.unique(truth)
    other_truth, other = overconfident(num_classes)
    calibrated = learn_calibrator(method, truth, said, classes).apply(other)
    np.testing.assert_allclose(calibrated.sum(axis=1), 1)
    before, after = (reliability(other_truth, values, classes) for values in (other, calibrated))
    assert after["log_loss"] < before["log_loss"]
    assert after["ece"] < before["ece"] / 2
    assert after["brier"] < before["brier"]


def test_the_temperature_of_scores_three_times_too_sure_is_about_three() -> None:
    truth, said = overconfident(4, 4000)
    found = learn_calibrator("temperature", truth, said, np.unique(truth)).temperature
    assert found == pytest.approx(3, rel=0.08)


@pytest.mark.parametrize("method", METHODS)
def test_rows_without_a_prediction_teach_nothing_and_stay_without(method: str) -> None:
    truth, said = overconfident(2)
    some = np.where((np.arange(len(said)) < 100)[:, None], np.nan, said)
    whole, part = (
        learn_calibrator(method, *pair, np.unique(truth)) for pair in ((truth[100:], said[100:]), (truth, some))
    )
    assert part.num_rows == len(said) - 100
    np.testing.assert_array_equal(whole.apply(said), part.apply(said))
    assert np.isnan(part.apply(some)[:100]).all()


@pytest.mark.parametrize("method", METHODS)
def test_sure_and_wrong_costs_no_infinite_loss(method: str) -> None:
    truth, said = np.array([*"aabb"] * 10), np.tile(np.eye(2)[[0, 0, 1, 1]], (10, 1))
    calibrated = learn_calibrator(method, truth, said, np.unique(truth)).apply(np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert np.isfinite(calibrated).all()
    if method != "temperature":
        assert (calibrated > 0).all()


def test_reliability_by_its_definitions() -> None:
    truth, said = overconfident(2)
    classes = np.unique(truth)
    found = reliability(truth, said, classes)
    assert found["log_loss"] == pytest.approx(log_loss(truth, said, labels=classes))
    assert found["brier"] == pytest.approx(brier_score_loss(truth, said[:, 1], pos_label=classes[1]))
    confidence, right = said.max(axis=1), classes[said.argmax(axis=1)] == truth
    edges = np.linspace(0, 1, 16)
    parts = [(confidence >= low) & (confidence < high) for low, high in zip(edges[:-1], [*edges[1:-1], 2], strict=True)]
    gap = sum(part.mean() * abs(right[part].mean() - confidence[part].mean()) for part in parts if part.any())
    assert found["ece"] == pytest.approx(gap)


def test_calibration_without_classes_is_refused() -> None:
    with pytest.raises(InvalidSpec, match="calibration"):
        config({"trainDataPath": "sklearn:diabetes", "modelType": "regression", "calibration": "sigmoid"})
    assert config({"trainDataPath": "sklearn:wine", "calibration": None}).calibration == "none"


@pytest.mark.slow  # a training
@pytest.mark.parametrize(
    ("method", "more"), [("isotonic", {"optimizeFor": "recall"}), ("temperature", {}), ("sigmoid", {})]
)
def test_the_kept_model_says_what_was_tested(
    home: Path, small_csv: Path, monkeypatch: pytest.MonkeyPatch, method: str, more: dict[str, Any]
) -> None:
    asked = job(small_csv, testDataPath=str(small_csv), algorithm="naive_bayes", calibration=method, **more)
    operation = Operation.create(home, {**asked, "hyperparameterSearch": {"nTrials": 2}})
    assert operation.run() == 0, operation.events(kind="error")
    record = operation.result["metadata"]["calibration"]
    assert record["method"] == method
    (answer,) = ask(operation, monkeypatch, {"dataPath": str(small_csv)})
    truth, said = pd.read_csv(small_csv)["y"].to_numpy(), np.array(answer["probabilities"])
    assert reliability(truth, said, np.array(answer["classes"])) == pytest.approx(record["test"]["after"])
    assert record["test"]["after"]["log_loss"] == pytest.approx(operation.result["metrics"]["test"]["log_loss"])
    assert record["test"]["after"] != record["test"]["before"]
    if more:
        threshold = operation.result["metadata"]["threshold"]["value"]
        expected = np.where(said[:, 1] >= threshold, "stays", "leaves")
        assert answer["predictions"] == expected.tolist()
    assert json.dumps(record)
