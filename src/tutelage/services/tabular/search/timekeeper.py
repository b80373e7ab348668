"""The search's watch: what each fit may take, whether another trial has room, and what is kept for the end."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tutelage.services.tabular.budget import LEAST_S, Budget
from tutelage.services.tabular.fitting.pace import pace_of, power_of
from tutelage.services.tabular.search.laddered import Limits
from tutelage.services.tabular.search.shares import (
    CLOSING_SHARE,
    HARD_FACTOR,
    Paces,
    Work,
    fold_rows,
    least_rows,
    reserve_s,
)

KEEP_OF_FIT = 1.0
"""What keeping a model is taken to take where no probe has measured it, in fits."""


class Timekeeper:
    """Answers from the budget, the measured paces and the trials so far. Without a limit everything has room."""

    def __init__(
        self, budget: Budget, work: Work, *, algorithm: str, paces: Paces | None, fit_timeout_s: float
    ) -> None:
        self.budget, self.work = budget, work
        self._algorithm, self._paces, self._fit_timeout_s = algorithm, paces, fit_timeout_s
        self._began_s = budget.usable_s

    def fold_rows(self) -> int | None:
        """Return how many training rows a fold may have; None for all of them."""
        if self._paces is None or not self.budget.is_limited:
            return None
        rows = fold_rows(self._paces, self.work, self._began_s)
        rows = max(rows, least_rows(self._algorithm, self.work.fold_rows))
        return None if rows >= self.work.fold_rows else rows

    def fold_s(self) -> float:
        """Return what a fold on all rows is expected to take."""
        return math.nan if self._paces is None else self._paces.fit.seconds(self.work.fold_rows)

    def paces_of(self, rows: int | None, fit_s: Sequence[float], *, same_params: bool = False) -> Paces | None:
        """Return the paces of a trial's own parameters from its fits; those of the probes where it has none.

        `same_params`: the trial has the probes' parameters.
        """
        if not fit_s or not rows:
            return self._paces
        mean_s = float(np.mean(fit_s))
        if self._paces is not None:
            return self._paces.times(mean_s / self._paces.fit.seconds(rows), same_params=same_params)
        fit = pace_of([(rows, mean_s)], power=power_of(self._algorithm))
        return Paces(fit=fit, keep=fit.times(KEEP_OF_FIT))

    def search_left_s(self, *trials: Paces | None, may_take_all: bool = False) -> float:
        """Return what the search has left: the usable time less what the closing fits of the slowest of these need.

        `may_take_all` lets them have all of it: more rows for the kept model rather than more trials on few.
        """
        share = 1.0 if may_take_all else CLOSING_SHARE
        kept = [reserve_s(paces, self.work, self._began_s, share=share) for paces in trials if paces is not None]
        return self.budget.usable_s - max(kept, default=0.25 * self._began_s if self.budget.is_limited else 0.0)

    def fold_limits(self, left_s: float, *, folds_left: int, is_first: bool) -> Limits:
        """Return a fold's limits: a first trial shares the time among its folds, a later one ends with the search."""
        if not self.budget.is_limited:
            return Limits(hard_s=self._fit_timeout_s)
        polite_s = max(LEAST_S / 4, left_s / folds_left if is_first else left_s)
        hard_s = max(LEAST_S / 2, min(left_s, HARD_FACTOR * polite_s + LEAST_S) if is_first else HARD_FACTOR * left_s)
        if self._fit_timeout_s <= hard_s:
            return Limits(hard_s=self._fit_timeout_s, polite_s=polite_s, may_shrink=is_first)
        return Limits(hard_s=hard_s, polite_s=polite_s, by_budget=True, may_shrink=is_first)

    def has_room(self, left_s: float, trials_s: Sequence[float]) -> bool:
        """Tell whether another trial, as short as the shortest complete one, has room in what the search has left.

        A longer one is pruned as soon as its first folds say that it cannot end.
        """
        return left_s > min(trials_s, default=0.0)
