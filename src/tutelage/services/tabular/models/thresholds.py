"""The probability from which two classes' second one is predicted: tuned on out-of-fold predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

BETAS = {"recall": 2.0, "precision": 0.5, "f1": 1.0}
"""F-beta: how many times as much recall counts as precision (van Rijsbergen 1979)."""

HALF = 0.5


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """A tuned threshold, with what it reaches on the rows it was tuned on, and what one half reaches there."""

    value: float
    optimize_for: str
    reached: dict[str, float]
    at_half: dict[str, float]
    tuned_on: str = "folds"
    """`folds`: the out-of-fold predictions; `final`: the validation rows of the final fit."""

    @property
    def record(self) -> dict[str, Any]:
        """For the result document."""
        names = {"value": self.value, "optimizeFor": self.optimize_for, "tunedOn": self.tuned_on}
        return {**names, "outOfFold": self.reached, "outOfFoldAtHalf": self.at_half}


def tune(is_second: Any, probabilities: Any, *, optimize_for: str, costs: tuple[float, float] | None) -> Threshold:
    """Return the best threshold between two probabilities that occur; `costs` are of a false positive and negative."""
    known = ~np.isnan(probabilities)
    truth, said = np.asarray(is_second)[known], np.asarray(probabilities)[known]
    values = np.unique(said)
    tried = np.unique([HALF, *(values[:-1] + values[1:]) / 2])
    # counts at each threshold by binary search: all rows at or above it are predicted to be of the second class
    hits = truth.sum() - np.searchsorted(np.sort(said[truth]), tried)
    false_alarms = (~truth).sum() - np.searchsorted(np.sort(said[~truth]), tried)
    misses = truth.sum() - hits
    if costs is not None:
        worth = -(costs[0] * false_alarms + costs[1] * misses)
    else:
        beta2 = BETAS[optimize_for] ** 2
        worth = (1 + beta2) * hits / np.maximum((1 + beta2) * hits + beta2 * misses + false_alarms, 1)
    best = np.flatnonzero(worth == worth.max())
    value = float(tried[best[np.argmin(np.abs(tried[best] - HALF))]])
    reached, at_half = (_reached(truth, said >= at, costs) for at in (value, HALF))
    return Threshold(value=value, optimize_for=optimize_for, reached=reached, at_half=at_half)


def _reached(truth: Any, said: Any, costs: tuple[float, float] | None) -> dict[str, float]:
    hits, alarms, misses = (truth & said).sum(), (~truth & said).sum(), (truth & ~said).sum()
    found = {
        "precision": hits / max(hits + alarms, 1),
        "recall": hits / max(hits + misses, 1),
        "f1": 2 * hits / max(2 * hits + alarms + misses, 1),
    }
    if costs is not None:
        found["cost"] = costs[0] * alarms + costs[1] * misses
    return {name: float(value) for name, value in found.items()}


def decide(probabilities: Any, classes: Any, threshold: float | None) -> Any:
    """Return the predicted classes: the most probable ones, or the second of two from the threshold on."""
    if threshold is None:
        return classes[probabilities.argmax(axis=1)]
    return classes[(probabilities[:, 1] >= threshold).astype(int)]
