"""How a training ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Ending = Literal["max_steps", "early_stopping", "stop", "pause", "cancel"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What `fit` returns. The model holds the weights of the last step; `load_best` loads those of the best one."""

    ended_by: Ending
    steps: int
    best_step: int | None
    best_value: float | None
    latest: Mapping[str, float]
    """The newest evaluation, `train_loss` beside it."""

    @property
    def is_left(self) -> bool:
        """Whether it was paused or cancelled: the service's `train` returns None then."""
        return self.ended_by in ("pause", "cancel")
