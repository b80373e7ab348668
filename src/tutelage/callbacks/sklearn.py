"""scikit-learn: `fit_in_rounds(estimator, ...)` for estimators with `partial_fit`, watched round by round."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import joblib

from tutelage import current_run

Score = Callable[[Any], Mapping[str, float]]
"""Measures the estimator after a round: metric -> value."""

STATE = "estimator.joblib"


def fit_in_rounds(
    estimator: Any,
    inputs: Any,
    target: Any,
    *,
    rounds: int,
    score: Score,
    classes: Any = None,
    checkpoint_every: int = 10,
) -> Any:
    """Call `partial_fit` once a round, report what `score` measures, and return the estimator.

    Goes on from the newest checkpoint after a restart, and ends early, with a checkpoint, when asked to.
    """
    run, first = current_run(), 0
    folder = run.resume()
    if folder is not None:
        estimator, first = joblib.load(folder / STATE), int(folder.name)

    def save(place: Path) -> None:
        joblib.dump(estimator, place / STATE)

    extra = {} if classes is None else {"classes": classes}
    for step in range(first + 1, rounds + 1):
        estimator.partial_fit(inputs, target, **extra)
        measured = dict(score(estimator))
        run.metric(step, measured)
        run.progress(step, rounds)
        is_stopping = run.should_stop()
        if is_stopping or run.should_checkpoint() or step % checkpoint_every == 0:
            run.checkpoint(step, save, measured)
        if is_stopping:
            break
    return estimator
