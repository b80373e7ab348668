"""The curves' numbers are scikit-learn's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import calibration, metrics

from tutelage.services.tabular.fitting.scores import score_one
from tutelage.services.tabular.report import evaluation


@pytest.fixture(params=[False, True], ids=["all different", "with ties"])
def said(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    """Return (truth, probability) of 400 rows."""
    dice = np.random.default_rng(3)
    truth = dice.random(400) < 0.3
    scores = np.clip(0.3 * truth + 0.7 * dice.random(400), 0, 1)
    return truth, np.round(scores, 1) if request.param else scores


def test_the_roc_curve_is_scikit_learns(said: tuple[Any, Any]) -> None:
    truth, scores = said
    found = evaluation.roc(truth, scores)
    across, up, _ = metrics.roc_curve(truth, scores)
    assert found["auc"] == pytest.approx(metrics.roc_auc_score(truth, scores))
    assert found["false_positive_rate"] == pytest.approx(across.tolist(), abs=1e-6)
    assert found["true_positive_rate"] == pytest.approx(up.tolist(), abs=1e-6)


def test_the_area_by_ranks_is_that_of_the_curve(said: tuple[Any, Any]) -> None:
    truth, scores = said
    both = np.column_stack([1 - scores, scores])
    found = score_one("roc_auc", "classification", truth, both, np.array([False, True]))
    assert found == pytest.approx(metrics.roc_auc_score(truth, scores))


def test_precision_over_recall_is_scikit_learns(said: tuple[Any, Any]) -> None:
    truth, scores = said
    found = evaluation.precision_recall(truth, scores)
    precision, recall, _ = metrics.precision_recall_curve(truth, scores)
    assert found["average_precision"] == pytest.approx(metrics.average_precision_score(truth, scores))
    assert found["precision"] == pytest.approx(precision.tolist(), abs=1e-6)
    assert found["recall"] == pytest.approx(recall.tolist(), abs=1e-6)
    assert found["share"] == pytest.approx(truth.mean())


def test_long_curves_are_thinned_and_keep_their_ends_and_their_area() -> None:
    dice = np.random.default_rng(0)
    truth, scores = dice.random(20_000) < 0.5, dice.random(20_000)
    found = evaluation.roc(truth, scores)
    assert len(found["false_positive_rate"]) == evaluation.MAX_POINTS
    assert (found["true_positive_rate"][0], found["true_positive_rate"][-1]) == (0.0, 1.0)
    assert found["auc"] == pytest.approx(metrics.roc_auc_score(truth, scores))


def test_the_decision_lies_on_both_curves(said: tuple[Any, Any]) -> None:
    truth, scores = said
    point = evaluation.decision(truth, scores, 0.5)
    assert point["precision"] == pytest.approx(metrics.precision_score(truth, scores >= 0.5))
    assert point["recall"] == point["true_positive_rate"] == pytest.approx(metrics.recall_score(truth, scores >= 0.5))


def test_calibration_bins_are_scikit_learns() -> None:
    dice = np.random.default_rng(1)
    probabilities = dice.random(500)
    happened = dice.random(500) < probabilities**2
    found = evaluation.calibration(happened, probabilities)
    observed, predicted = calibration.calibration_curve(happened, probabilities, n_bins=10)
    bins = found["bins"]
    assert [item["observed"] for item in bins] == pytest.approx(observed.tolist())
    assert [item["predicted"] for item in bins] == pytest.approx(predicted.tolist())
    weights = np.array([item["rows"] for item in bins]) / 500
    assert found["expected_error"] == pytest.approx(float(np.sum(weights * np.abs(observed - predicted))))
    assert all(item["low"] <= item["observed"] <= item["high"] for item in bins)
    assert sum(found["histogram"]["counts"]) == 500


def test_wilsons_interval_is_the_textbooks() -> None:
    assert evaluation.wilson(0.5, 100) == pytest.approx((0.4038, 0.5962), abs=1e-4)
    assert evaluation.wilson(0.0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)


def test_the_mean_of_several_classes_curves_has_the_mean_area() -> None:
    dice = np.random.default_rng(2)
    truth = dice.choice(["a", "b", "c"], 300)
    said = dice.dirichlet([1, 1, 1], 300)
    found = evaluation.mean_roc(truth, said, ["a", "b", "c"])
    assert found["auc"] == pytest.approx(metrics.roc_auc_score(truth, said, multi_class="ovr", average="macro"))
    assert np.trapezoid(found["true_positive_rate"], found["false_positive_rate"]) == pytest.approx(
        found["auc"], abs=0.01
    )


def test_residuals_are_actual_less_predicted() -> None:
    dice = np.random.default_rng(4)
    actual = dice.normal(10, 3, 5000)
    predicted = actual + dice.normal(1, 2, 5000)
    found = evaluation.residuals(actual, predicted, seed=0)
    assert (found["mean"], found["std"]) == pytest.approx(((actual - predicted).mean(), (actual - predicted).std()))
    points = found["points"]
    assert len(points["actual"]) == evaluation.MAX_DOTS
    assert points["residual"] == pytest.approx(np.subtract(points["actual"], points["predicted"]).tolist())
    assert sum(found["histogram"]["counts"]) == pytest.approx(4950, abs=2)
