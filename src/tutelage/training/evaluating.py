"""Evaluations and samples: on averaged weights where there are any, and without a trace in the training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import nn

from tutelage.training import randomness
from tutelage.training.task import SamplesTask, Task
from tutelage.training.updater import Updater


def evaluate(task: Task[Any], updater: Updater) -> dict[str, float]:
    """Return the task's held-out figures."""
    with undisturbed(task.model, updater):
        return {name: float(value) for name, value in task.evaluate().items()}


def sample(task: Task[Any], updater: Updater) -> Mapping[str, Any] | None:
    """Return something the model makes, where the task can show it."""
    if not isinstance(task, SamplesTask):
        return None
    with undisturbed(task.model, updater):
        return task.sample()


@contextmanager
def undisturbed(model: nn.Module, updater: Updater) -> Iterator[None]:
    """Hold the model in evaluation mode with its averaged weights, and leave modes and random state as they were."""
    modes = {module: module.training for module in model.modules()}
    averaged = updater.average.applied() if updater.average is not None else nullcontext()
    with randomness.preserved(), averaged, torch.no_grad(), updater.precision.forward():
        model.eval()
        try:
            yield
        finally:
            for module, is_training in modes.items():
                module.training = is_training
