"""The test's curves as numbers: ROC, precision and recall, calibration, residuals. No ML library is imported."""

from __future__ import annotations

from typing import Any

import numpy as np

MAX_POINTS = 500
"""Points kept of a curve, and bins of a mean curve's axis; areas are computed on all of them."""

NUM_BINS = 10
MAX_DOTS = 2000
Z_95 = 1.959963984540054
DIGITS = 6


def roc(truth: Any, scores: Any) -> dict[str, Any]:
    """Return the ROC curve of `truth` (booleans) and its area; needs rows of both kinds."""
    hits, alarms = _counts(truth, scores)
    corners = _corners(alarms, hits)
    across, up = (np.r_[0.0, counts[corners] / counts[-1]] for counts in (alarms, hits))
    return {"auc": float(np.trapezoid(up, across)), **_curve(false_positive_rate=across, true_positive_rate=up)}


def precision_recall(truth: Any, scores: Any) -> dict[str, Any]:
    """Return precision over falling recall, the average precision, and the share of true rows."""
    hits, alarms = _counts(truth, scores)
    precision, recall = hits / (hits + alarms), hits / hits[-1]
    area = float(np.sum(np.diff(np.r_[0.0, recall]) * precision))
    reached = np.r_[precision[::-1], 1.0], np.r_[recall[::-1], 0.0]
    curve = _curve(precision=reached[0], recall=reached[1])
    return {"average_precision": area, "share": float(np.mean(truth)), **curve}


def mean_roc(truth: Any, probabilities: Any, classes: list[Any]) -> dict[str, Any]:
    """Return the mean over classes of their ROC curves, and of their areas."""
    axis = np.linspace(0.0, 1.0, MAX_POINTS - 1)
    rates, areas = [], []
    for place in range(len(classes)):
        hits, alarms = _counts(truth == classes[place], probabilities[:, place])
        across, up = np.r_[0.0, alarms / alarms[-1]], np.r_[0.0, hits / hits[-1]]
        areas.append(float(np.trapezoid(up, across)))
        rates.append(np.interp(axis, across, up))
    rates_mean = np.r_[0.0, np.mean(rates, axis=0)]
    return {"auc": float(np.mean(areas)), **_curve(false_positive_rate=np.r_[0.0, axis], true_positive_rate=rates_mean)}


def decision(truth: Any, scores: Any, threshold: float) -> dict[str, float]:
    """Return where on both curves the model decides that predicts true from `threshold` on."""
    said = scores >= threshold
    hits, alarms = int((said & truth).sum()), int((said & ~truth).sum())
    recall = hits / max(int(truth.sum()), 1)
    return {
        "threshold": threshold,
        "false_positive_rate": alarms / max(int((~truth).sum()), 1),
        "true_positive_rate": recall,
        "recall": recall,
        "precision": hits / max(hits + alarms, 1),
    }


def calibration(happened: Any, probabilities: Any) -> dict[str, Any]:
    """Return ten equal bins with what was predicted and observed in each, and the expected calibration error.

    Intervals are Wilson's (1927) at 95 %; the error is the bins' mean distance, weighed by their rows (Naeini 2015).
    """
    edges = np.linspace(0.0, 1.0, NUM_BINS + 1)
    places = np.clip(np.searchsorted(edges, probabilities, side="right") - 1, 0, NUM_BINS - 1)
    bins, error = [], 0.0
    for place in range(NUM_BINS):
        inside = places == place
        count = int(inside.sum())
        if count:
            said, seen = float(np.mean(probabilities[inside])), float(np.mean(happened[inside]))
            low, high = wilson(seen, count)
            bins.append({"predicted": said, "observed": seen, "low": low, "high": high, "rows": count})
            error += count / len(places) * abs(seen - said)
    counts, fine = np.histogram(probabilities, bins=4 * NUM_BINS, range=(0.0, 1.0))
    histogram = {"edges": fine.tolist(), "counts": counts.tolist()}
    return {"expected_error": error, "bins": bins, "histogram": histogram}


def wilson(share: float, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a share seen in `count` rows."""
    wide = 1 + Z_95**2 / count
    middle = (share + Z_95**2 / (2 * count)) / wide
    half = Z_95 / wide * float(np.sqrt(share * (1 - share) / count + Z_95**2 / (4 * count**2)))
    return max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share))


def confusion_counts(truth: Any, said: Any, classes: list[Any]) -> Any:
    """Return counts, true class by row and predicted class by column, in the order of `classes`."""
    index = {name: place for place, name in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes)), dtype="int64")
    for true, predicted in zip(truth.tolist(), said.tolist(), strict=True):
        counts[index[true], index[predicted]] += 1
    return counts


def residuals(actual: Any, predicted: Any, *, seed: int) -> dict[str, Any]:
    """Return actual - predicted: mean, deviation, a histogram of the middle 99 %, and at most 2,000 drawn rows."""
    errors = actual - predicted
    low, high = np.quantile(errors, [0.005, 0.995])
    counts, edges = np.histogram(errors, bins=40, range=(low, high) if low < high else None)
    rows = np.arange(len(errors))
    if len(rows) > MAX_DOTS:
        rows = np.sort(np.random.default_rng(seed).choice(rows, MAX_DOTS, replace=False))
    return {
        "mean": float(errors.mean()),
        "std": float(errors.std()),
        "quantiles": {f"{share:g}": float(np.quantile(errors, share)) for share in (0.05, 0.25, 0.5, 0.75, 0.95)},
        "histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
        "points": _curve(actual=actual[rows], predicted=predicted[rows], residual=errors[rows], digits=None),
    }


def _counts(truth: Any, scores: Any) -> tuple[Any, Any]:
    """Return true and false rows at or above each different score, from the highest score down."""
    order = np.argsort(-scores, kind="stable")
    ends = np.r_[np.flatnonzero(np.diff(scores[order])), len(order) - 1]
    hits = np.cumsum(truth[order])[ends]
    return hits.astype("float64"), (ends + 1 - hits).astype("float64")


def _corners(across: Any, up: Any) -> Any:
    """Return the places of points that do not lie on a straight line between their neighbours; takes whole counts."""
    if len(across) < 3:
        return np.arange(len(across))
    bent = np.logical_or(np.diff(across, 2), np.diff(up, 2))
    return np.flatnonzero(np.r_[True, bent, True])


def _curve(*, digits: int | None = DIGITS, **columns: Any) -> dict[str, list[float]]:
    """Return equally long columns as lists, thinned to MAX_POINTS (dots are thinned before)."""
    count = len(next(iter(columns.values())))
    places = np.arange(count)
    if digits is not None and count > MAX_POINTS:
        places = np.unique(np.linspace(0, count - 1, MAX_POINTS).round().astype(int))
    return {
        name: (values[places] if digits is None else np.round(values[places], digits)).tolist()
        for name, values in columns.items()
    }
