"""XGBoost's callback: reports its rounds. Apart from the other learners, as it needs the library. In the child."""

from __future__ import annotations

from typing import Any

import numpy as np
from xgboost.callback import TrainingCallback

from tutelage.services.tabular.models.rounds import Deadline, Report, RoundCount


class XgboostRounds(TrainingCallback):
    """Reports XGBoost's rounds, ends after `patience` rounds that bring nothing or at a deadline, keeps the best."""

    def __init__(self, loss: str, report: Report, patience: int | None, deadline: Deadline) -> None:
        super().__init__()
        self._loss, self._report, self._patience, self._deadline = loss, report, patience, deadline
        self._watched: list[float] = []

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Take one round's losses; True ends the training."""
        values = {}
        for split, items in zip(("train", "val"), evals_log.values(), strict=False):
            values[f"{split}_{self._loss}"] = float(next(iter(items.values()))[-1])
        self._watched.append(values.get(f"val_{self._loss}", values[f"train_{self._loss}"]))
        self._report(epoch, values)
        if self._deadline.is_near():
            return True
        return self._patience is not None and epoch - int(np.argmin(self._watched)) >= self._patience

    def after_training(self, model: Any) -> Any:
        """Cut the trees after the best round away where the training may end early."""
        return model[: self.count.best] if self._patience is not None else model

    @property
    def count(self) -> RoundCount:
        """Rounds trained and the best one."""
        return RoundCount(len(self._watched), int(np.argmin(self._watched)) + 1)
