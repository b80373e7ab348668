"""`fit`: the one loop of every torch service."""

from __future__ import annotations

from tutelage.core.errors import NotYet
from tutelage.core.ports import Run
from tutelage.training.outcome import Outcome
from tutelage.training.plan import Plan
from tutelage.training.task import Batch, Task


def fit(task: Task[Batch], plan: Plan, run: Run) -> Outcome:
    """Train: accumulate, filter, clip, step, evaluate, tell, sample, checkpoint, obey commands at step boundaries.

    Goes on from `run.resume()` where there is a checkpoint; the numbers are then those of the undisturbed run, bit
    for bit. Raises NonFinite (the plan's policy), UnknownName for a pattern that matches nothing.
    """
    raise NotYet("fit is being built")
