"""Every score as a function of row weights, so that a bootstrap is a loop over weights and not over tables.

With all weights one they are the scores of `fitting.scores`. N rows, K classes, G groups of equal predictions.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tutelage.services.tabular.catalog import CLASSIFICATION
from tutelage.services.tabular.models.thresholds import decide

Scores = dict[str, float]
Measure = Callable[[Any], Scores]
"""Weights of the rows (N) -> scores; one that is not defined for these rows is left out."""

WORK = 5_000_000
MOST, LEAST = 500, 100
FEWEST = 20
"""Resamples below which nothing is said of an interval: its ends would be single draws."""

LEVEL = (2.5, 97.5)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The test as the kept model answered it. `truth` and `said` are class numbers (N), or the numbers themselves.

    `shares` are probabilities (N, K), None for numbers; `frame` has the rows as they were read, `rows` their numbers
    in the source; `columns` are learned from; `costs` are of a false positive and a false negative.
    """

    task: str
    classes: list[Any]
    truth: Any
    said: Any
    shares: Any
    threshold: float | None
    frame: Any
    rows: Any
    costs: tuple[float, float] | None = None

    @property
    def has_classes(self) -> bool:
        """Whether classes were predicted."""
        return self.task == CLASSIFICATION

    @property
    def is_binary(self) -> bool:
        """Whether there are two classes."""
        return self.has_classes and len(self.classes) == 2

    @property
    def loss(self) -> Any:
        """Return each row's loss: 1 for a wrong class, the absolute error for numbers."""
        return (self.truth != self.said).astype(float) if self.has_classes else np.abs(self.said - self.truth)


def part_of(test: Outcome, mask: Any) -> Outcome:
    """Return the outcome on some of the rows."""
    shares = None if test.shares is None else test.shares[mask]
    frame, rows = test.frame[mask], np.asarray(test.rows)[mask]
    return replace(test, truth=test.truth[mask], said=test.said[mask], shares=shares, frame=frame, rows=rows)


def outcome_of(
    *, task: str, classes: list[Any], truth: Any, predictions: Any, threshold: float | None, **more: Any
) -> Outcome:
    """Return the test with classes as numbers, decided at the threshold."""
    if task != CLASSIFICATION:
        numbers = (np.asarray(item, dtype=float) for item in (truth, predictions))
        true, said = numbers
        return Outcome(task=task, classes=[], truth=true, said=said, shares=None, threshold=None, **more)
    names = np.asarray(classes)
    decided = np.searchsorted(names, decide(predictions, names, threshold))
    true = np.searchsorted(names, np.asarray(truth))
    return Outcome(
        task=task, classes=classes, truth=true, said=decided, shares=predictions, threshold=threshold, **more
    )


def measure_of(test: Outcome) -> Measure:
    """Return the scores of a task as a function of weights."""
    return _of_classes(test) if test.has_classes else _of_numbers(test)


def intervals(
    measure: Measure, num_rows: int, *, seed: int, num_classes: int = 1, deadline_s: float | None = None
) -> dict[str, dict[str, Any]]:
    """Return each score with its 95 % percentile interval over resampled rows (Efron 1979).

    A score that fewer than half of the resamples define has no interval, nor has any where the deadline left fewer
    than `FEWEST` resamples.
    """
    drawn = resampled(measure, num_rows, seed=seed, num_classes=num_classes, deadline_s=deadline_s)
    return spreads(measure, num_rows, drawn)


def resampled(
    measure: Measure, num_rows: int, *, seed: int, num_classes: int = 1, deadline_s: float | None = None
) -> list[Scores]:
    """Return the scores of each resample that the deadline leaves time for."""
    weights = resamples(num_rows, seed=seed, num_classes=num_classes, deadline_s=deadline_s)
    return [measure(drawing) for drawing in weights]


def spreads(measure: Measure, num_rows: int, drawn: list[Scores]) -> dict[str, dict[str, Any]]:
    """Return each score of all rows with its interval over what was drawn."""
    value = measure(np.ones(num_rows))
    return {name: {"value": score, **spread(name, drawn)} for name, score in value.items()}


def resamples(num_rows: int, *, seed: int, num_classes: int = 1, deadline_s: float | None = None) -> Any:
    """Yield how often each row is drawn, 100 to 500 times, fewer the larger the table; none after the deadline."""
    count = num_resamples(num_rows, num_classes)
    dice = np.random.default_rng(seed)
    for _ in range(count):
        if deadline_s is not None and time.monotonic() > deadline_s:
            return
        yield np.bincount(dice.integers(0, num_rows, num_rows), minlength=num_rows).astype(float)


def num_resamples(num_rows: int, num_classes: int = 1) -> int:
    """Return how many resamples are drawn of so many rows."""
    return int(np.clip(WORK // max(1, num_rows * num_classes), LEAST, MOST))


def spread(name: str, drawn: list[Scores]) -> dict[str, float | None]:
    """Return the 95 % percentile interval of one score."""
    values = [scores[name] for scores in drawn if name in scores]
    if len(values) * 2 < len(drawn) or len(drawn) < FEWEST:
        return {"low": None, "high": None}
    low, high = np.percentile(values, LEVEL)
    return {"low": float(low), "high": float(high)}


def _of_numbers(test: Outcome) -> Measure:
    error = test.said - test.truth
    centred = test.truth - test.truth.mean()

    def measure(weights: Any) -> Scores:
        total = weights.sum()
        squares = float(weights @ error**2)
        found = {"rmse": float(np.sqrt(squares / total)), "mae": float(weights @ np.abs(error) / total)}
        variance = float(weights @ centred**2 - (weights @ centred) ** 2 / total)
        return {**found, "r2": 1 - squares / variance} if variance > 0 else found

    return measure


def _of_classes(test: Outcome) -> Measure:
    count = len(test.classes)
    pair = test.truth * count + test.said
    own = test.shares[np.arange(len(test.truth)), test.truth]
    tiny = np.finfo(test.shares.dtype).eps
    log_loss = -np.log(np.clip(own, tiny, 1 - tiny))
    areas = [area_of(test.truth == index, test.shares[:, index]) for index in ([1] if count == 2 else range(count))]

    def measure(weights: Any) -> Scores:
        total = weights.sum()
        matrix = np.bincount(pair, weights=weights, minlength=count * count).reshape(count, count)
        found = {"accuracy": float(np.trace(matrix) / total), **_rates(matrix)}
        found["log_loss"] = float(weights @ log_loss / total)
        known = [area(weights) for area in areas]
        if all(value is not None for value in known):
            found["roc_auc"] = float(np.mean([value for value in known if value is not None]))
        return found

    return measure


def _rates(matrix: Any) -> Scores:
    """Return precision, recall and F1 of the second of two classes, or their means over the classes (truth by row)."""
    hits, said, true = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
    parts = {
        "precision": _share(hits, said),
        "recall": _share(hits, true),
        "f1": _share(2 * hits, said + true),
    }
    return {name: float(part[1] if len(matrix) == 2 else part.mean()) for name, part in parts.items()}


def _share(part: Any, whole: Any) -> Any:
    return np.divide(part, whole, out=np.zeros_like(part, dtype=float), where=whole > 0)


def area_of(is_positive: Any, scores: Any) -> Callable[[Any], float | None]:
    """Return the area under the ROC curve as a function of weights: sorted once (Mann and Whitney 1947)."""
    order = np.argsort(scores, kind="stable")
    positive = is_positive[order].astype(float)
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) != 0])

    def area(weights: Any) -> float | None:
        weighed = weights[order]
        ups = np.add.reduceat(weighed * positive, starts)
        downs = np.add.reduceat(weighed * (1 - positive), starts)
        pairs = ups.sum() * downs.sum()
        if pairs <= 0:
            return None
        below = np.cumsum(downs) - downs
        return float((ups * (below + downs / 2)).sum() / pairs)

    return area
