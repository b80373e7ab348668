"""Two classes at every threshold, and what each threshold costs."""

from __future__ import annotations

from typing import Any

import numpy as np

from tutelage.services.tabular.evaluation.measures import Outcome, resamples, spread

GRID = tuple(round(0.05 * step, 2) for step in range(1, 20))
DEFAULT = 0.5
NOTE = "measured on the test, for reading: to choose a threshold here would spoil the test; optimizeFor tunes one"


def threshold_analysis(test: Outcome) -> dict[str, Any] | None:
    """Return precision, recall, F1 and cost over a grid of thresholds; None without two classes."""
    if not test.is_binary:
        return None
    chosen = DEFAULT if test.threshold is None else test.threshold
    grid = sorted({*GRID, chosen})
    return {"note": NOTE, "chosen": chosen, "default": DEFAULT, "grid": [_at(test, value) for value in grid]}


def business_impact(test: Outcome, *, seed: int, deadline_s: float | None = None) -> dict[str, Any] | None:
    """Return what errors cost at the chosen threshold, at one half, and by the cheaper of two constant answers."""
    if not test.is_binary or test.costs is None:
        return None
    chosen = DEFAULT if test.threshold is None else test.threshold
    answers = {
        "chosen": test.shares[:, 1] >= chosen,
        "default": test.shares[:, 1] >= DEFAULT,
        "alwaysFirst": np.zeros(len(test.truth), dtype=bool),
        "alwaysSecond": np.ones(len(test.truth), dtype=bool),
    }
    costs = {name: _costs(test, said) for name, said in answers.items()}
    trivial = min(("alwaysFirst", "alwaysSecond"), key=lambda name: costs[name].sum())
    drawings = resamples(len(test.truth), seed=seed, deadline_s=deadline_s)
    drawn = [{"cost": float(weights @ costs["chosen"] / weights.sum())} for weights in drawings]
    return {
        "falsePositiveCost": test.costs[0],
        "falseNegativeCost": test.costs[1],
        "rows": len(test.truth),
        "threshold": chosen,
        "costChosen": float(costs["chosen"].sum()),
        "costDefault": float(costs["default"].sum()),
        "costTrivial": float(costs[trivial].sum()),
        "trivial": trivial,
        "costPerRow": {"value": float(costs["chosen"].mean()), **spread("cost", drawn)},
        "savedAgainstDefault": float((costs["default"] - costs["chosen"]).sum()),
        "savedAgainstTrivial": float((costs[trivial] - costs["chosen"]).sum()),
    }


def _costs(test: Outcome, said: Any) -> Any:
    assert test.costs is not None
    positive = test.truth == 1
    return test.costs[0] * (said & ~positive) + test.costs[1] * (~said & positive)


def _at(test: Outcome, threshold: float) -> dict[str, float]:
    positive, said = test.truth == 1, test.shares[:, 1] >= threshold
    hits, alarms, misses = (int(item.sum()) for item in (positive & said, ~positive & said, positive & ~said))
    found = {
        "threshold": threshold,
        "precision": hits / max(hits + alarms, 1),
        "recall": hits / max(hits + misses, 1),
        "f1": 2 * hits / max(2 * hits + alarms + misses, 1),
        "predictedShare": (hits + alarms) / len(said),
    }
    if test.costs is not None:
        found["cost"] = test.costs[0] * alarms + test.costs[1] * misses
    return found
