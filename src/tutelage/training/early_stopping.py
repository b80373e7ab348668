"""When a training ends by itself. Each rule is a fold over the evaluations, so that a resumed run replays them."""

from __future__ import annotations

import math
from typing import Protocol

from tutelage.analysis.fold import Fold
from tutelage.analysis.pair import Facts
from tutelage.analysis.rules import Rules
from tutelage.core.findings import Outcome
from tutelage.core.service import Direction
from tutelage.training.plan import EarlyStopping

WORSENING = frozenset({"H001", "H003"})
"""Overfitting and divergence."""
HOLD_AT_LEAST = 3
HOLD_SHARE = 0.05


class StopRule(Protocol):
    """Hears every evaluation, in order."""

    def observe(self, step: int, value: float, *, train_loss: float | None) -> None:
        """Take the next evaluation in."""

    def is_due(self, *, patience: int) -> bool:
        """Tell whether the training should end now; `patience` as it is tuned."""


class Patience:
    """Ends after so many evaluations in a row that did not beat the best by more than `min_delta`."""

    def __init__(self, options: EarlyStopping, direction: Direction) -> None:
        self._min_delta, self._sign = options.min_delta, 1.0 if direction == "minimize" else -1.0
        self._best, self._bad = math.inf, 0

    def observe(self, step: int, value: float, *, train_loss: float | None) -> None:
        """Take the next evaluation in; one that is not finite does not beat the best."""
        cost = self._sign * value
        if cost < self._best - self._min_delta:
            self._best, self._bad = cost, 0
        else:
            self._bad += 1

    def is_due(self, *, patience: int) -> bool:
        """Tell whether the patience is over."""
        return self._bad >= patience


class NoiseAware:
    """Ends when the judge has found overfitting or divergence for so many evaluations in a row."""

    def __init__(self, options: EarlyStopping, direction: Direction, *, max_steps: int, evaluate_every: int) -> None:
        expected = max_steps / max(evaluate_every, 1)
        self._hold = options.hold or max(HOLD_AT_LEAST, math.ceil(HOLD_SHARE * expected))
        self._fold = Fold(Facts(is_maximized=direction == "maximize", budget=max_steps), Rules())
        self._held = 0

    def observe(self, step: int, value: float, *, train_loss: float | None) -> None:
        """Take the next evaluation in, with the training's own loss at that step."""
        if train_loss is not None:
            self._fold.train(train_loss)
        self._fold.evaluate(step, value)
        is_worse = any(item.code in WORSENING and item.outcome is Outcome.ISSUE for item in self._fold.findings())
        self._held = self._held + 1 if is_worse else 0

    def is_due(self, *, patience: int) -> bool:
        """Tell whether the finding has stood long enough; patience is no part of this rule."""
        return self._held >= self._hold


def create_stop_rule(
    options: EarlyStopping | None, direction: Direction, *, max_steps: int, evaluate_every: int
) -> StopRule | None:
    """Make the rule of the plan, if it has one."""
    if options is None:
        return None
    if options.rule == "patience":
        return Patience(options, direction)
    return NoiseAware(options, direction, max_steps=max_steps, evaluate_every=evaluate_every)
