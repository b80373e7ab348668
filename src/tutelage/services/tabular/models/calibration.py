"""Correction of probabilities: what is learned is numbers alone, applied with numpy.

Sigmoid: Platt 1999, on the log-odds. Isotonic: Zadrozny and Elkan 2002. Both class against the rest, normalised for
several classes. Temperature: Guo et al. 2017, one number for all classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

METHODS = ("sigmoid", "isotonic", "temperature")
SMALLEST = 1e-12
"""Probabilities are kept this far from 0 and 1 before their logarithm is taken."""

FAR = 500.0
"""Log-odds beyond it are 0 or 1 in double precision."""

BINS = 15
"""Bins of the expected calibration error (Guo et al. 2017)."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One class's correction: a sigmoid's slope and shift, or the steps of an isotonic one."""

    slope: float = 1.0
    shift: float = 0.0
    said: Any = None
    gives: Any = None

    def apply(self, probabilities: Any) -> Any:
        """Return corrected probabilities of the class."""
        if self.said is not None:
            return np.interp(probabilities, self.said, self.gives)
        scores = np.clip(self.slope * log_odds(probabilities) + self.shift, -FAR, FAR)
        return 1 / (1 + np.exp(-scores))


@dataclass(frozen=True, kw_only=True)
class Calibrator:
    """A learned correction: a temperature, or a curve for each class (for two: of the second alone)."""

    method: str
    num_rows: int
    temperature: float | None = None
    curves: tuple[Curve, ...] = ()

    def apply(self, probabilities: Any) -> Any:
        """Return corrected probabilities (rows, classes); rows sum to 1. A row without a prediction (NaN) stays."""
        given = np.asarray(probabilities, dtype="float64")
        if self.temperature is not None:
            return softmax(np.log(np.maximum(given, SMALLEST)) / self.temperature)
        if len(self.curves) == 1:
            second = self.curves[0].apply(given[:, 1])
            return np.column_stack([1 - second, second])
        apart = np.column_stack([curve.apply(given[:, index]) for index, curve in enumerate(self.curves)])
        whole = apart.sum(axis=1, keepdims=True)
        return np.where(whole > 0, apart / np.where(whole > 0, whole, 1.0), given)

    @property
    def record(self) -> dict[str, Any]:
        """For the result document."""
        record: dict[str, Any] = {"method": self.method, "rows": self.num_rows}
        if self.temperature is not None:
            record["temperature"] = self.temperature
        return record


def log_odds(probabilities: Any) -> Any:
    """Return the logarithm of p / (1 - p), finite for 0 and 1."""
    kept = np.clip(probabilities, SMALLEST, 1 - SMALLEST)
    return np.log(kept) - np.log1p(-kept)


def softmax(scores: Any) -> Any:
    """Return shares that sum to 1 in each row."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def reliability(truth: Any, probabilities: Any, classes: Any) -> dict[str, float]:
    """Return log-loss (nats), Brier score and expected calibration error of probabilities.

    Brier: the mean square of what is missed, of the second of two classes, or summed over several. Expected calibration
    error: the gap of confidence and accuracy in 15 equal bins of the predicted class's probability, weighed by rows.
    """
    codes = np.searchsorted(classes, truth)
    rows = np.arange(len(codes))
    missed = probabilities - np.eye(len(classes))[codes]
    brier = (missed**2).sum(axis=1).mean() / (2 if len(classes) == 2 else 1)
    kept = np.clip(probabilities[rows, codes], np.finfo("float64").eps, 1)
    found = {"log_loss": -np.log(kept).mean(), "brier": brier, "ece": _gap(codes, probabilities)}
    return {name: float(value) for name, value in found.items()}


def _gap(codes: Any, probabilities: Any) -> float:
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == codes
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    # the sum over bins of |sum of (right - confidence)| is the weighed mean gap, times the number of rows
    gaps = np.bincount(bins, weights=right - confidence, minlength=BINS)
    return float(np.abs(gaps).sum() / len(codes))
