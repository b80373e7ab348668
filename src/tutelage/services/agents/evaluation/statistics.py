"""Claims from a few seeds: interquartile means with stratified bootstrap intervals, and probability of improvement.

Agarwal et al. 2021, Deep Reinforcement Learning at the Edge of the Statistical Precipice. Scores are (R, K): R runs
(seeds) on each of K tasks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
NUM_RESAMPLES = 2000


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A statistic of runs with its bootstrap interval."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """Return it as JSON values."""
        return {"value": round(self.value, 6), "low": round(self.low, 6), "high": round(self.high, 6)}


def interquartile_mean(scores: Reals) -> float:
    """Return the mean of the middle half of all scores: a quarter of them, rounded down, is left out at each end."""
    ordered = np.sort(scores, axis=None)
    num_out = len(ordered) // 4
    return float(ordered[num_out : len(ordered) - num_out].mean())


def estimate(
    scores: Reals,
    *,
    random: np.random.Generator,
    statistic: Callable[[Reals], float] = interquartile_mean,
    level: float = 0.95,
) -> Estimate:
    """Return a statistic with the percentile interval of resampled runs, drawn for each task by itself."""
    scores = scores.reshape(len(scores), -1)
    drawn = [statistic(resampled(scores, random)) for _ in range(NUM_RESAMPLES)]
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value=statistic(scores), low=float(low), high=float(high))


def resampled(scores: Reals, random: np.random.Generator) -> Reals:
    """Return as many runs of each task, drawn with replacement."""
    return np.take_along_axis(scores, random.integers(len(scores), size=scores.shape), axis=0)


def probability_of_improvement(scores: Reals, others: Reals) -> float:
    """Return the chance that a run of `scores` beats one of `others` on a task, ties counted half, mean over tasks."""
    ours, theirs = scores.reshape(len(scores), -1), others.reshape(len(others), -1)
    wins = (ours[:, None] > theirs[None]).mean((0, 1)) + 0.5 * (ours[:, None] == theirs[None]).mean((0, 1))
    return float(wins.mean())


def improvement(scores: Reals, others: Reals, *, random: np.random.Generator, level: float = 0.95) -> Estimate:
    """Return the probability of improvement with its interval; both sides are resampled."""
    ours, theirs = scores.reshape(len(scores), -1), others.reshape(len(others), -1)
    drawn = [
        probability_of_improvement(resampled(ours, random), resampled(theirs, random)) for _ in range(NUM_RESAMPLES)
    ]
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value=probability_of_improvement(ours, theirs), low=float(low), high=float(high))
