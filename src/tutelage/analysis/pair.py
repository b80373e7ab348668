"""A judged curve and its training twin, evaluation by evaluation: what the checks of a curve look at."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tutelage.analysis.outlook import Outlook, look_ahead
from tutelage.analysis.rules import Rules
from tutelage.analysis.track import Track

MAX_LATE_TWIN = 3
"""A training twin that begins so many evaluations late still counts as there from the beginning."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a judged curve besides its points.

    `budget` is the step at which it ends, `baseline` the value of the trivial model, `settled_after` the last step at
    which the learning rate is planned to change.
    """

    is_maximized: bool = False
    is_twin_maximized: bool = False
    budget: float | None = None
    baseline: float | None = None
    settled_after: float | None = None


class Pair:
    """Two tracks in step, minimised. `train` is as long as `val`, or the curve has no twin that can be used."""

    __slots__ = ("_missing", "baseline", "budget", "facts", "is_learned", "outlook", "rules", "steps", "train", "val")

    def __init__(self, facts: Facts, rules: Rules) -> None:
        self.facts, self.rules = facts, rules
        self.val, self.train = Track(rules), Track(rules)
        self.steps: list[int] = []
        self.budget: float | None = facts.budget
        sign = -1.0 if facts.is_maximized else 1.0
        self.baseline = None if facts.baseline is None else sign * facts.baseline
        self.is_learned = False
        self.outlook: Outlook | None = None
        self._missing = 0

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def has_train(self) -> bool:
        """Whether train was known at every evaluation."""
        return len(self.train) == len(self.steps)

    @property
    def horizon(self) -> float:
        """How many steps ahead a slope is judged: those that remain, a quarter of the budget at the least."""
        step = self.steps[-1]
        if self.budget is None:
            return self.rules.horizon_floor * max(step - self.steps[0], 1)
        return max(self.budget - step, self.rules.horizon_floor * self.budget)

    def share_spent(self) -> float | None:
        """Return the share of the budget that is spent; None where it is unknown."""
        return self.steps[-1] / self.budget if self.budget else None

    def add(self, step: int, value: float, train: float | None) -> None:
        """Take one evaluation in; `train` is the twin's level since the one before, None where it said nothing."""
        self.steps.append(step)
        self.val.add(value)
        self._add_train(train)
        if len(self.steps) >= self.rules.num_blocks:
            self.is_learned = self.has_learned(self.rules.z_learned)
            self.outlook = look_ahead(self)

    def has_learned(self, z: float, z_train: float | None = None) -> bool:
        """Tell whether train or validation gained beyond `z` errors: over the baseline, or over its own beginning."""
        reference = self.val.start() if self.baseline is None else self.baseline
        return gained(self.val, reference, z, is_exact=self.baseline is not None) or (
            self.has_train and gained(self.train, self.train.start(), z_train or z, is_exact=False)
        )

    def _add_train(self, train: float | None) -> None:
        track = self.train
        if train is not None:
            for _ in range(self._missing if self._missing <= MAX_LATE_TWIN else 0):
                track.add(train)
            self._missing = 0
            track.add(train)
        elif track.raw:
            track.add(track.raw[-1])
        else:
            self._missing += 1


def gained(track: Track, reference: float, z: float, *, is_exact: bool) -> bool:
    """Tell whether any trailing mean was better than a reference by its error, its luck and the reference's error."""
    noise, num, rules = track.sigma * track.inflation, len(track), track.rules
    for k in range(len(track.now)):
        length = rules.scales[k]
        own = math.sqrt(1 / length + (0 if is_exact else 1 / 3))
        luck = rules.selection * math.sqrt(2 * math.log(max(num / length, 2.0)) / length)
        if reference - track.best[k] > noise * (z * own + luck):
            return True
    return False
