"""Learns the correction of probabilities from out-of-fold predictions. Runs in the fit child."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax
from sklearn.isotonic import IsotonicRegression

from tutelage.services.tabular.models.calibration import FAR, SMALLEST, Calibrator, Curve, log_odds

COLDEST, HOTTEST = -4.0, 4.0
"""Bounds of the temperature's natural logarithm."""


def learn_calibrator(method: str, truth: Any, probabilities: Any, classes: Any) -> Calibrator:
    """Return the correction that fits (rows, classes) `probabilities` to `truth`; rows of NaN are left out."""
    known = ~np.isnan(probabilities).any(axis=1)
    said, codes = np.asarray(probabilities)[known], np.searchsorted(classes, np.asarray(truth)[known])
    if method == "temperature":
        return Calibrator(method=method, num_rows=len(codes), temperature=_temperature(codes, said))
    learn = _sigmoid if method == "sigmoid" else _isotonic
    places = [1] if len(classes) == 2 else list(range(len(classes)))
    curves = tuple(learn(codes == place, said[:, place]) for place in places)
    return Calibrator(method=method, num_rows=len(codes), curves=curves)


def _temperature(codes: Any, said: Any) -> float:
    """Return the temperature with the least log-loss (Guo et al. 2017, equation 9)."""
    scores, rows = np.log(np.maximum(said, SMALLEST)), np.arange(len(codes))

    def loss(log_temperature: float) -> float:
        return -float(log_softmax(scores / np.exp(log_temperature), axis=1)[rows, codes].mean())

    found = minimize_scalar(loss, bounds=(COLDEST, HOTTEST), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))


def _sigmoid(is_class: Any, said: Any) -> Curve:
    """Return Platt's sigmoid of the log-odds; his smoothed targets keep it finite where classes part cleanly."""
    odds = log_odds(said)
    num_in = int(is_class.sum())
    num_out = len(is_class) - num_in
    wanted = np.where(is_class, (num_in + 1) / (num_in + 2), 1 / (num_out + 2))

    def loss(parts: Any) -> tuple[float, Any]:
        scores = parts[0] * odds + parts[1]
        missed = 1 / (1 + np.exp(-np.clip(scores, -FAR, FAR))) - wanted
        value = (np.logaddexp(0, scores) - wanted * scores).mean()
        return float(value), np.array([(missed * odds).mean(), missed.mean()])

    start = np.array([1.0, 0.0])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"ftol": 1e-14, "gtol": 1e-9})
    return Curve(slope=float(found.x[0]), shift=float(found.x[1]))


def _isotonic(is_class: Any, said: Any) -> Curve:
    """Return rising steps; none is surer than so many rows allow (Laplace), so that no log-loss is infinite."""
    steps = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(said, is_class.astype("float64"))
    sure = 1 / (len(said) + 2)
    return Curve(said=steps.X_thresholds_, gives=np.clip(steps.y_thresholds_, sure, 1 - sure))
