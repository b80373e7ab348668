"""Averaged weights: an exponential mean of them along the training, evaluated in their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """`mean = decay * mean + (1 - decay) * weight` after each step, of all floating-point parameters.

    The first mean is the first weight; decay grows from 0.1 as `(1 + n) / (10 + n)` until it reaches `decay`, so that
    the beginning does not weigh for ever.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        named = [(name, param) for name, param in model.named_parameters() if param.is_floating_point()]
        self._names = [name for name, _ in named]
        self._live = [param for _, param in named]
        self._means = [param.detach().clone() for param in self._live]
        self._decay, self._steps = decay, 0

    @torch.no_grad()
    def update(self) -> None:
        """Take the weights as they stand into the mean."""
        self._steps += 1
        decay = min(self._decay, (1 + self._steps) / (10 + self._steps))
        torch._foreach_lerp_(self._means, [param.data for param in self._live], 1 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Have the model hold the averaged weights inside."""
        live = [param.data for param in self._live]
        for param, mean in zip(self._live, self._means, strict=True):
            param.data = mean
        try:
            yield
        finally:
            for param, data in zip(self._live, live, strict=True):
                param.data = data

    def state_dict(self) -> dict[str, Tensor]:
        """Return the averaged weights by name, and the number of steps as `num_steps`."""
        return {**dict(zip(self._names, self._means, strict=True)), "num_steps": torch.tensor(self._steps)}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take back what `state_dict` returned; a parameter it does not hold stays the present one."""
        for name, mean in zip(self._names, self._means, strict=True):
            if name in state:
                mean.copy_(state[name])
        self._steps = int(state["num_steps"])
