"""The judging of one curve with its training twin, as a fold over evaluations in step order."""

from __future__ import annotations

import math

from tutelage.analysis.checks.h001_overfitting import Overfitting
from tutelage.analysis.checks.h002_plateau import Plateau
from tutelage.analysis.checks.h003_divergence import Divergence
from tutelage.analysis.checks.h007_not_learning import NotLearning
from tutelage.analysis.checks.h012_improving import Improving
from tutelage.analysis.pair import Facts, Pair
from tutelage.analysis.rules import MAX_EVALUATIONS, MIN_EVALUATIONS, Rules
from tutelage.analysis.series import bounded
from tutelage.analysis.track import median_of_sorted
from tutelage.core.findings import Verdict
from tutelage.core.wire import Finding

Row = tuple[int, float, float | None]
"""Step, value and train at one evaluation; minimised."""


class Fold:
    """Takes points in step order; at each moment it stands where a fold over the same points would stand.

    A curve that reaches 512 evaluations is halved: neighbours are merged, and from then on two (four, ...) evaluations
    make one. What was found is found anew over the merged ones, so that it hangs on the points alone.
    """

    def __init__(self, facts: Facts, rules: Rules) -> None:
        self._facts, self._rules = facts, rules
        self._rows: list[Row] = []
        self._stride = 1
        self._pending: list[Row] = []
        self._bucket: list[float] = []
        self.last_step: int | None = None
        self._start()

    def _start(self) -> None:
        rules = self._rules
        self.pair = Pair(self._facts, rules)
        self.overfitting, self.plateau, self.divergence = Overfitting(rules), Plateau(rules), Divergence(rules)
        self.not_learning, self.improving = NotLearning(rules), Improving()

    def train(self, value: float) -> None:
        """Take in a value of the twin that lies after the newest evaluation and not after the next one."""
        if math.isfinite(value):
            self._bucket.append(bounded(-value if self._facts.is_twin_maximized else value))

    def evaluate(self, step: int, value: float) -> None:
        """Take the next evaluation in; one that is not finite is left to H004."""
        self.last_step = step
        if not math.isfinite(value):
            self._bucket.clear()
            return
        train = median_of_sorted(sorted(self._bucket)) if self._bucket else None
        self._bucket.clear()
        row = (step, bounded(-value if self._facts.is_maximized else value), train)
        if self._stride == 1:
            self._take(row)
            return
        self._pending.append(row)
        if len(self._pending) == self._stride:
            self._take(merged(self._pending))
            self._pending = []

    def _take(self, row: Row) -> None:
        self._rows.append(row)
        if len(self._rows) < MAX_EVALUATIONS:
            self._observe(row)
            return
        self._rows = [merged(self._rows[i : i + 2]) for i in range(0, len(self._rows), 2)]
        self._stride *= 2
        self._start()
        for kept in self._rows:
            self._observe(kept)

    def _observe(self, row: Row) -> None:
        pair = self.pair
        pair.add(*row)
        if len(pair) < MIN_EVALUATIONS:
            return
        self.divergence.observe(pair)
        is_diverging = self.divergence.is_hot or self.divergence.latch.is_on
        self.overfitting.observe(pair, is_diverging=is_diverging)
        self.not_learning.observe(pair)
        self.plateau.observe(pair)
        is_rising = self.overfitting.latch.is_on or self.divergence.latch.is_on
        self.improving.observe(pair, is_rising=is_rising)

    @property
    def verdict(self) -> Verdict:
        """What these checks say together, in the order of precedence."""
        if self.divergence.latch.is_on:
            return Verdict.DIVERGED
        if self.overfitting.latch.is_on:
            return Verdict.OVERFITTING
        if self.not_learning.latch.is_on:
            return Verdict.NOT_LEARNING
        if self.plateau.latch.is_on:
            return Verdict.PLATEAUED
        return Verdict.IMPROVING if self.improving.is_on else Verdict.INSUFFICIENT_EVIDENCE

    def findings(self) -> list[Finding]:
        """Return what each check of a curve says now."""
        checks = (self.overfitting, self.plateau, self.divergence, self.not_learning, self.improving)
        return [check.finding(self.pair) for check in checks]


def merged(rows: list[Row]) -> Row:
    """Return evaluations as one: the last step, the mean value, the mean of train where it is known."""
    trains = [train for _, _, train in rows if train is not None]
    value = sum(value for _, value, _ in rows) / len(rows)
    return rows[-1][0], value, sum(trains) / len(trains) if trains else None
