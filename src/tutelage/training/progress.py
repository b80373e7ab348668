"""How far a training is: counters, the best so far, every evaluation; plain numbers, kept in the checkpoint."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tutelage.core.service import Direction


@dataclass(kw_only=True)
class Evaluation:
    """One evaluation of the objective, with the training's own loss at that step."""

    step: int
    value: float
    train_loss: float | None


@dataclass(kw_only=True)
class Progress:
    """Counters of a training. `position` is the next batch's, over all ranks."""

    step: int = 0
    position: int = 0
    skipped: int = 0
    train_loss: float | None = None
    best_step: int | None = None
    best_value: float | None = None
    evaluated_at: int | None = None
    precision: str = ""
    """The precision in use: what `auto` chose stays chosen."""
    is_compiled: bool = False
    latest: dict[str, float] = field(default_factory=dict)
    evaluations: list[Evaluation] = field(default_factory=list)

    def observe(self, value: float, direction: Direction) -> bool:
        """Take an evaluation of the objective in; tell whether it is the best so far."""
        self.evaluations.append(Evaluation(step=self.step, value=value, train_loss=self.train_loss))
        if not math.isfinite(value):
            return False
        is_best = self.best_value is None or (
            value < self.best_value if direction == "minimize" else value > self.best_value
        )
        if is_best:
            self.best_step, self.best_value = self.step, value
        return is_best

    def state_dict(self) -> dict[str, Any]:
        """Return everything as plain types."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Progress:
        """Take back what `state_dict` returned."""
        evaluations = [Evaluation(**item) for item in state["evaluations"]]
        return cls(**{**state, "evaluations": evaluations})
