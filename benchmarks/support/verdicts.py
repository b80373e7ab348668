"""How curves are judged on-line: ours, evaluation by evaluation, and what peers say of the same points."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.support.labelled_curves import Labelled
from tutelage.analysis.fold import Fold
from tutelage.analysis.pair import Facts
from tutelage.analysis.rules import Rules

PATIENCES = (5, 10, 20, 40, 100)
GROUPS: Mapping[str, tuple[str, ...]] = {
    "overfitting": ("overfitting",),
    "plateaued": ("plateaued",),
    "diverged": ("diverged", "non_finite"),
    "not_learning": ("not_learning",),
}
"""Label -> the verdicts that name it."""
NON_FINITE_FOR = 3
"""Evaluations for which a NaN is the verdict here; in a run it is for good."""


@dataclass(frozen=True, slots=True)
class Said:
    """What stood after one evaluation; `value` is minimised."""

    step: int
    value: float
    verdict: str
    is_overfitting: bool
    is_plateaued: bool
    is_diverged: bool


def judge(curve: Labelled, rules: Rules, clock_ns: list[int] | None = None) -> list[Said]:
    """Judge a labelled curve evaluation by evaluation; `clock_ns` collects what each took."""
    return judge_points(curve.val, curve.train or [], facts_of(curve), rules, clock_ns)


def folded(curve: Labelled, rules: Rules) -> Fold:
    """Return the fold over a whole labelled curve."""
    fold = Fold(facts_of(curve), rules)
    for _ in _evaluations(fold, curve.val, curve.train or []):
        pass
    return fold


def facts_of(curve: Labelled) -> Facts:
    """Return what a judge knows of a labelled curve: its length, its baseline where it has one, its schedule."""
    return Facts(
        is_maximized=curve.is_maximized,
        is_twin_maximized=curve.is_maximized,
        budget=curve.num_steps,
        baseline=curve.baseline,
        settled_after=curve.settled * curve.num_steps if curve.settled else None,
    )


def judge_points(
    val: Sequence[tuple[int, float]],
    train: Sequence[tuple[float, float]],
    facts: Facts,
    rules: Rules,
    clock_ns: list[int] | None = None,
) -> list[Said]:
    """Judge points in the order in which they arrived; a step told again is skipped."""
    fold, said, non_finite = Fold(facts, rules), [], 0
    sign = -1.0 if facts.is_maximized else 1.0
    for step, value, is_finite, cost_ns in _evaluations(fold, val, train):
        if clock_ns is not None:
            clock_ns.append(cost_ns)
        non_finite = max(non_finite - 1, 0) if is_finite else NON_FINITE_FOR
        on = (fold.overfitting.latch.is_on, fold.plateau.latch.is_on, fold.divergence.latch.is_on)
        said.append(Said(step, sign * value, "non_finite" if non_finite else str(fold.verdict), *on))
    return said


def _evaluations(
    fold: Fold, val: Sequence[tuple[int, float]], train: Sequence[tuple[float, float]]
) -> Iterator[tuple[int, float, bool, int]]:
    """Feed a fold, and yield after each evaluation its step and value, whether all was finite, and what it took."""
    told = 0
    for step, value in val:
        if fold.last_step is not None and step <= fold.last_step:
            continue
        began_ns, is_finite = time.thread_time_ns(), math.isfinite(value)
        while told < len(train) and train[told][0] <= step + 1e-9:
            is_finite = is_finite and math.isfinite(train[told][1])
            fold.train(train[told][1])
            told += 1
        fold.evaluate(step, value)
        yield step, value, is_finite, time.thread_time_ns() - began_ns


def aligned(curve: Labelled) -> tuple[Any, Any]:
    """Return validation and, at each of its points, the newest train value; minimised, repeats dropped."""
    sign = -1.0 if curve.is_maximized else 1.0
    values = {step: sign * value for step, value in curve.val}
    steps = sorted(values)
    val = np.array([values[step] for step in steps])
    if curve.train is None:
        return val, None
    at = np.array([step for step, _ in curve.train])
    train = sign * np.array([value for _, value in curve.train])
    return val, train[np.clip(np.searchsorted(at, np.array(steps) + 1e-9, "right") - 1, 0, None)]


def half_means_trend(values: Any) -> str:
    """Return the word of W&B's `diagnose_run` for a curve: means of two halves, 5 %."""
    if len(values) < 10:
        return "insufficient"
    half = len(values) // 2
    first, second, tail = values[:half].mean(), values[half:].mean(), values[-max(1, len(values) // 10) :].mean()
    if second < first * 0.95:
        return "plateaued" if abs(tail - second) / max(abs(second), 1e-8) < 0.05 else "decreasing"
    return "increasing" if second > first * 1.05 else "plateaued"


def half_means_overfits(train: Any, val: Any) -> bool:
    """Tell what W&B's `diagnose_run` says of overfitting."""
    half = len(val) // 2
    if train is None or len(val) < 10:
        return False
    splits = half_means_trend(train) == "decreasing" and half_means_trend(val) in ("increasing", "plateaued")
    gap_first, gap_second = np.abs(val[:half] - train[:half]).mean(), np.abs(val[half:] - train[half:]).mean()
    return bool(splits or gap_second > 1.3 * gap_first)


def naive_overfits(train: Any, val: Any, window: int = 5) -> bool:
    """Tell whether over the last five evaluations train fell and validation rose."""
    if train is None or len(val) <= window:
        return False
    return bool(train[-1] < train[-1 - window] and val[-1] > val[-1 - window])


def patience_ends_at(values: Sequence[float], patience: int) -> int | None:
    """Return the index at which patience runs out, if it does."""
    best, at = math.inf, 0
    for index, value in enumerate(values):
        if value < best:
            best, at = value, index
        if index - at >= patience:
            return index
    return None
