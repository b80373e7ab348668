"""How well verdicts match labels: F1 with bootstrap intervals, delays, and what a policy that acts on them costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.support.labelled_curves import Labelled
from benchmarks.support.verdicts import GROUPS, Said, aligned, patience_ends_at

RESAMPLES = 400
EARLY = 0.02
"""A finding so much of the run before the onset is early, and no hit."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """An F1 with its 95 % interval, from resampled runs."""

    f1: float
    low: float
    high: float
    num: int

    def __str__(self) -> str:
        return f"{self.f1:.3f} [{self.low:.3f}-{self.high:.3f}]"


def score(truth: Sequence[bool], told: Sequence[bool]) -> Score:
    """Compare what was told with what is true."""
    y, p = np.asarray(truth, bool), np.asarray(told, bool)
    rng = np.random.default_rng(0)
    drawn = [f1_of(y[i], p[i]) for i in rng.integers(0, len(y), (RESAMPLES, len(y)))]
    return Score(
        f1=f1_of(y, p), low=float(np.quantile(drawn, 0.025)), high=float(np.quantile(drawn, 0.975)), num=len(y)
    )


def f1_of(y: Any, p: Any) -> float:
    """Return 2 TP / (2 TP + FP + FN)."""
    hits = int((y & p).sum())
    return 2 * hits / (2 * hits + int((~y & p).sum()) + int((y & ~p).sum())) if hits else 0.0


def is_told(label: str, curve: Labelled, said: Sequence[Said]) -> bool:
    """Tell whether a curve was called by a label at its end.

    With a schedule of steps a plateau is wrong before the last of them, and may be right after it.
    """
    if label == "plateaued" and curve.settled is not None:
        settled = curve.settled * curve.num_steps
        return any(item.verdict == label for item in said if item.step < settled)
    return said[-1].verdict in GROUPS[label]


def delays(curves: Sequence[Labelled], said: Sequence[Sequence[Said]]) -> list[float]:
    """Return, for each overfitting run, its share from the material rise to the finding; 1 where that is missed."""
    found = []
    for curve, items in zip(curves, said, strict=True):
        if curve.label != "overfitting" or curve.material is None or curve.onset is None:
            continue
        begins = (curve.onset - EARLY) * curve.num_steps
        first = next((item.step for item in items if item.step >= begins and item.verdict == "overfitting"), None)
        found.append(1.0 if first is None else max(first / curve.num_steps - curve.material, 0.0))
    return found


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What a stop costs: the loss against running to the end, as a share of the span, and what was spent till then."""

    regret: float
    used: float
    is_stopped: bool


Stop = Callable[[Labelled, Sequence[Said]], int | None]


def held(curve: Labelled, said: Sequence[Said]) -> int | None:
    """Stop once the overfitting finding has stood for max(3, 5 % of the expected evaluations)."""
    hold, count = max(round(0.05 * curve.num), 3), 0
    for index, item in enumerate(said):
        count = count + 1 if item.is_overfitting else 0
        if count > hold:
            return index
    return None


def patient(patience: int) -> Stop:
    """Return the policy of early stopping with patience."""

    def stop(curve: Labelled, said: Sequence[Said]) -> int | None:
        return patience_ends_at(aligned(curve)[0], patience)

    return stop


def apply(stop: Stop, curve: Labelled, said: Sequence[Said]) -> Policy:
    """Return what a policy costs on one curve, by its clean values."""
    values = [item.value if math.isfinite(item.value) else math.inf for item in said]
    index = stop(curve, said)
    last = len(values) - 1 if index is None else index
    kept = min(range(last + 1), key=values.__getitem__)
    best = min(range(len(values)), key=values.__getitem__)
    lost = (curve.clean[said[kept].step] - curve.clean[said[best].step]) / curve.span
    return Policy(regret=lost, used=(last + 1) / len(values), is_stopped=index is not None)
