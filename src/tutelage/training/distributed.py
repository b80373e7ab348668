"""How ranks exchange gradients: torch's DistributedDataParallel around the loss of a task."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from torch import nn
from torch.nn.parallel import DistributedDataParallel

from tutelage.training.task import Loss, Task
from tutelage.training.updater import LossOf
from tutelage.training.world import World


class Exchange:
    """Computes the losses of a task; with several ranks, such that their backward passes average the gradients."""

    def __init__(self, task: Task[Any], world: World) -> None:
        module = _LossAt(task)
        self._module = module if world.size == 1 else _wrapped(module)

    def loss_at(self, position: int) -> LossOf:
        """Return what computes the loss of the batch at a position."""
        return lambda: self._module(position)

    def without_sync(self) -> AbstractContextManager[Any]:
        """Return the context in which gradients stay with their rank: all batches of a step but the last."""
        if isinstance(self._module, DistributedDataParallel):
            return self._module.no_sync()
        return nullcontext()


class _LossAt(nn.Module):
    """The loss as a module, so that DistributedDataParallel sees every way in which a task uses its model."""

    def __init__(self, task: Task[Any]) -> None:
        super().__init__()
        self.model = task.model
        self._task = task

    def forward(self, position: int) -> Loss:
        """Return the loss of the batch at a position."""
        return self._task.loss(self._task.batch(position))


def _wrapped(module: nn.Module) -> DistributedDataParallel:
    device = next(module.parameters()).device
    return DistributedDataParallel(module, device_ids=[device] if device.type == "cuda" else None)
