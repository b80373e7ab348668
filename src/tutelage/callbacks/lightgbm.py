"""LightGBM: `lightgbm.train(..., callbacks=[TutelageCallback()])`, or `fit(..., callbacks=[...])`."""

from __future__ import annotations

from typing import Any

from lightgbm.callback import CallbackEnv, EarlyStopException

from tutelage import current_run


class TutelageCallback:
    """Reports every evaluation as `<data>_<metric>` at its round, and ends the training when asked to."""

    order = 20
    before_iteration = False

    def __init__(self) -> None:
        self._run = current_run()
        self._declared: set[str] = set()

    def __call__(self, env: CallbackEnv) -> None:
        """Take one round's evaluations. Raises LightGBM's own EarlyStopException on a stop."""
        results: list[Any] = list(env.evaluation_result_list or [])
        values: dict[str, float] = {}
        for data, metric, value, is_higher_better, *_ in results:
            name = f"{data}_{metric}"
            values[name] = float(value)
            if name not in self._declared:
                self._run.define(name, direction="maximize" if is_higher_better else "minimize")
                self._declared.add(name)
        if values:
            self._run.metric(env.iteration, values)
        self._run.progress(env.iteration + 1 - env.begin_iteration, env.end_iteration - env.begin_iteration)
        if self._run.should_stop():
            raise EarlyStopException(env.iteration, results)
