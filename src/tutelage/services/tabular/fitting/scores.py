"""Every score of a task from truth and predictions. Runs in the fit child."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import rankdata
from sklearn import metrics

from tutelage.services.tabular.catalog import CLASSIFICATION
from tutelage.services.tabular.models.thresholds import decide


def score(task: str, truth: Any, predictions: Any, classes: Any, *, threshold: float | None = None) -> dict[str, float]:
    """Return all scores that are defined for these rows; ROC AUC needs every class among them."""
    if task == CLASSIFICATION:
        found = _of_classes(truth, predictions, classes, threshold)
    else:
        found = _of_numbers(truth, predictions)
    return {name: float(value) for name, value in found.items()}


def _of_numbers(truth: Any, predictions: Any) -> dict[str, float]:
    found = {
        "rmse": metrics.root_mean_squared_error(truth, predictions),
        "mae": metrics.mean_absolute_error(truth, predictions),
    }
    if len(truth) > 1:
        found["r2"] = metrics.r2_score(truth, predictions)
    return found


def _of_classes(truth: Any, probabilities: Any, classes: Any, threshold: float | None) -> dict[str, float]:
    """`probabilities` has one column a class, in the order of `classes`, which is sorted."""
    said = decide(probabilities, classes, threshold)
    if len(truth) == 1:
        right = {"accuracy": float(said[0] == truth[0])}
        return {**right, "log_loss": metrics.log_loss(truth, probabilities, labels=classes)}
    binary = len(classes) == 2
    how: dict[str, Any] = {"labels": classes, "average": "macro", "zero_division": 0.0}
    if binary:
        how = {"pos_label": classes[1], "average": "binary", "zero_division": 0.0}
    found = {
        "accuracy": metrics.accuracy_score(truth, said),
        "precision": metrics.precision_score(truth, said, **how),
        "recall": metrics.recall_score(truth, said, **how),
        "f1": metrics.f1_score(truth, said, **how),
        "log_loss": metrics.log_loss(truth, probabilities, labels=classes),
    }
    if len(np.unique(truth)) == len(classes):
        found["roc_auc"] = _roc_auc(truth, probabilities, classes, binary=binary)
    return found


def _roc_auc(truth: Any, probabilities: Any, classes: Any, *, binary: bool) -> float:
    if binary:
        return float(metrics.roc_auc_score(truth == classes[1], probabilities[:, 1]))
    areas = [metrics.roc_auc_score(truth == name, probabilities[:, index]) for index, name in enumerate(classes)]
    return float(np.mean(areas))


def trivial_predictions(task: str, target: Any, num_rows: int) -> Any:
    """Return what the trivial model says: each class's share of the training rows, or their mean."""
    if task == CLASSIFICATION:
        shares = np.unique(target, return_counts=True)[1] / len(target)
        return np.tile(shares, (num_rows, 1))
    return np.full(num_rows, np.mean(target))


def score_one(
    name: str, task: str, truth: Any, predictions: Any, classes: Any, *, threshold: float | None = None
) -> float:
    """Return one score; the usual objectives of classifiers without the time of all the others."""
    if name == "log_loss":
        return float(metrics.log_loss(truth, predictions, labels=classes))
    if name == "roc_auc":
        areas = [area(truth == kind, predictions[:, place]) for place, kind in enumerate(classes)]
        return areas[1] if len(areas) == 2 else float(np.mean(areas))
    return score(task, truth, predictions, classes, threshold=threshold)[name]


def area(truth: Any, scores: Any) -> float:
    """Return the area under the ROC curve by ranks (Mann and Whitney 1947), a tenth of the time of the curve's.

    Raises ValueError where one kind of row is not there.
    """
    hits = int(truth.sum())
    pairs = hits * (len(truth) - hits)
    if not pairs:
        raise ValueError("a ROC curve needs rows of the class and others; the test rows lack one")
    return float((rankdata(scores)[truth].sum() - hits * (hits + 1) / 2) / pairs)
