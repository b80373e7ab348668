"""What a training is of: a model, batches that are a pure function of a position, a loss, an evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, runtime_checkable

from torch import Tensor, nn

Batch = TypeVar("Batch")


@dataclass(frozen=True, kw_only=True)
class Loss:
    """The loss of one batch as a sum, so that any number of batches - and ranks - add up to one exact mean.

    `total` is the differentiable sum over the valid items (tokens, rows, pixels), a scalar; `num_items` how many
    there are, padding left out. `sums` holds further sums over the same items: `{"accuracy": num_correct}` is
    reported as `train_accuracy`, divided by `num_items`.
    """

    total: Tensor
    num_items: int
    sums: Mapping[str, Tensor | float] = field(default_factory=dict)

    @property
    def mean(self) -> float:
        """The loss of one item, on average; 0 where there is none."""
        return float(self.total.detach()) / max(self.num_items, 1)


class HasModel(Protocol):
    """Anything that trains one model."""

    @property
    def model(self) -> nn.Module:
        """The module whose parameters are trained; on its device before the training begins."""


class Task(HasModel, Protocol[Batch]):
    """What `fit` trains. `SamplesTask`, `StatefulTask` and `CompilesTask` say what a task may have besides."""

    def batch(self, position: int) -> Batch:
        """Return the batch at a position, counted from 0 over the whole training.

        A pure function: the same position gives the same batch in every process and after every resume. No global
        random state is read; `tutelage.training.ShuffledIndices` turns a position into rows.
        """

    def loss(self, batch: Batch) -> Loss:
        """Return the loss of a batch; the model is in training mode, within the plan's precision."""

    def evaluate(self) -> Mapping[str, float]:
        """Return held-out figures by metric name, the plan's objective among them; `{}` where nothing is held out.

        The model is in evaluation mode and has its averaged weights where the plan keeps them; gradients are off.
        Random numbers drawn here do not change the training.
        """


@runtime_checkable
class SamplesTask(Protocol):
    """A task that can show what its model makes."""

    def sample(self) -> Mapping[str, Any]:
        """Return something the model made, as JSON; called each `sample_every` steps, as `evaluate` is."""


@runtime_checkable
class StatefulTask(Protocol):
    """A task with state beyond its model, such as a memory bank or environments: kept in every checkpoint."""

    def state_dict(self) -> Mapping[str, Any]:
        """Return tensors, numbers, texts, lists and dicts of these."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned."""


@runtime_checkable
class CompilesTask(Protocol):
    """A task that knows which part of its model `torch.compile` pays for; without it, the whole model is compiled."""

    def compile(self) -> None:
        """Compile in place."""
