"""Seeds whose update has ended before the others': what they learned is brought back once these are done."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.optim import Optimizer


class Held:
    """Snapshots of single seeds' weights and moments, out of those of all.

    The optimizer's counters of steps go on for all alike, so that a seed's numbers do not hang on who is beside it.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer
        self._kept: dict[int, list[Tensor]] = {}

    def hold(self, index: int) -> None:
        """Keep a seed as it is now, once."""
        if index not in self._kept:
            self._kept[index] = [tensor[index].clone() for tensor in self._tensors()]

    @torch.no_grad()
    def restore(self, *, steps_left_out: int) -> None:
        """Bring the seeds back; count the steps that none of all was left to take."""
        for index, kept in self._kept.items():
            for tensor, own in zip(self._tensors(), kept, strict=True):
                tensor[index].copy_(own)
        if steps_left_out:
            for state in self._optimizer.state.values():
                state["step"] += steps_left_out

    def _tensors(self) -> Iterator[Tensor]:
        for group in self._optimizer.param_groups:
            for parameter in group["params"]:
                yield parameter.detach()
                moments = self._optimizer.state.get(parameter, {})
                yield from (moments[name] for name in ("exp_avg", "exp_avg_sq") if name in moments)
