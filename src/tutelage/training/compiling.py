"""When `torch.compile` pays: it takes one to two minutes on two cores, so only long runs earn it back."""

from __future__ import annotations

import statistics
from typing import Any

from tutelage.training.plan import Plan
from tutelage.training.task import CompilesTask, Task

MEASURED_STEPS = 10
PAYS_FROM_S = 600.0
"""A compiled step takes about three quarters of the time: over ten minutes that is two and a half, over five not."""


class Compiling:
    """Decides after a step, never before the first one's metrics, whether the rest is trained compiled."""

    def __init__(self, task: Task[Any], plan: Plan) -> None:
        self._task, self._when = task, plan.compile
        self._durations_s: list[float] = []
        self.is_done = False

    def after_step(self, duration_s: float, *, steps_left: int) -> bool:
        """Hear how long a step took; tell whether the model was compiled just now."""
        if self.is_done or self._when == "never" or steps_left <= 0:
            return False
        self._durations_s.append(duration_s)
        if self._when == "auto" and not self._pays(steps_left):
            return False
        self.compile()
        return True

    def compile(self) -> None:
        """Compile in place; the next step pays for it."""
        if isinstance(self._task, CompilesTask):
            self._task.compile()
        else:
            self._task.model.compile()
        self.is_done = True

    def _pays(self, steps_left: int) -> bool:
        if len(self._durations_s) < MEASURED_STEPS:
            return False
        return steps_left * statistics.median(self._durations_s[-MEASURED_STEPS:]) >= PAYS_FROM_S
