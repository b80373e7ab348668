"""The training layer: one loop, its parts, and what makes a run exact to resume. Imports torch."""

from tutelage.training.loop import fit
from tutelage.training.outcome import Outcome
from tutelage.training.plan import Clip, EarlyStopping, GrokFast, Group, NonFinite, Plan
from tutelage.training.task import CompilesTask, Loss, SamplesTask, StatefulTask, Task

__all__ = [
    "Clip",
    "CompilesTask",
    "EarlyStopping",
    "GrokFast",
    "Group",
    "Loss",
    "NonFinite",
    "Outcome",
    "Plan",
    "SamplesTask",
    "StatefulTask",
    "Task",
    "fit",
]
