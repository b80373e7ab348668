"""XGBoost: `xgboost.train(..., callbacks=[TutelageCallback()])`, or an estimator's `callbacks`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xgboost.callback import TrainingCallback

from tutelage import current_run
from tutelage.attach.protocol import Direction


class TutelageCallback(TrainingCallback):
    """Reports every evaluation as `<data>_<metric>` at its round, and ends the training when asked to.

    `directions` declares metrics to judge, as `{"val_auc": "maximize"}`; the others are kept and shown.
    """

    def __init__(self, directions: Mapping[str, Direction] | None = None) -> None:
        self._run = current_run()
        for name, direction in (directions or {}).items():
            self._run.define(name, direction=direction)

    def after_iteration(self, model: Any, epoch: int, evals_log: Mapping[str, Mapping[str, list[Any]]]) -> bool:
        """Take one round's evaluations; True ends the training."""
        values = {
            f"{data}_{name}": _last(series) for data, names in evals_log.items() for name, series in names.items()
        }
        if values:
            self._run.metric(epoch, values)
        return self._run.should_stop()


def _last(series: list[Any]) -> float:
    """Return the newest value; cross-validation has (mean, deviation) pairs."""
    newest = series[-1]
    return float(newest[0] if isinstance(newest, tuple) else newest)
