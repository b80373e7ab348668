"""The processes that train together, one a rank: started by `torchrun`, joined over gloo (nccl on GPUs)."""

from __future__ import annotations

import gc
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist


@dataclass(frozen=True)
class World:
    """This process among `size`. Rank 0 tells, checkpoints and hears commands; the others follow."""

    rank: int = 0
    size: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this is rank 0."""
        return self.rank == 0

    def sums(self, values: Sequence[float]) -> list[float]:
        """Return each value's sum over all ranks, in float64."""
        return self._reduced(values, dist.ReduceOp.SUM) if self.size > 1 else list(values)

    def largest(self, value: float) -> float:
        """Return the largest of all ranks' values."""
        return self._reduced([value], dist.ReduceOp.MAX)[0] if self.size > 1 else value

    def gathered(self, item: Any) -> list[Any]:
        """Return what each rank gave, on rank 0; elsewhere an empty list."""
        if self.size == 1:
            return [item]
        found: list[Any] | None = [None] * self.size if self.is_main else None
        dist.gather_object(item, found)
        return found or []

    def shared(self, item: Any) -> Any:
        """Return what rank 0 gave, on every rank."""
        if self.size == 1:
            return item
        box = [item]
        dist.broadcast_object_list(box)
        return box[0]

    def wait(self) -> None:
        """Return when every rank is here."""
        if self.size > 1:
            dist.barrier()

    def leave(self) -> None:
        """End the group; to be called once by each rank, after `fit`."""
        if self.size == 1:
            return
        # DistributedDataParallel sits in reference cycles: what is left of it at the exit ends the process by abort.
        gc.collect()
        dist.barrier()
        dist.destroy_process_group()

    def _reduced(self, values: Sequence[float], operation: Any) -> list[float]:
        device = "cuda" if dist.get_backend() == "nccl" else "cpu"
        box = torch.tensor(list(values), dtype=torch.float64, device=device)
        dist.all_reduce(box, op=operation)
        return [float(value) for value in box.tolist()]


ALONE = World()
"""One process."""


def join_world() -> World:
    """Join the processes that `torchrun` started; ALONE where it did not start this one."""
    if not dist.is_torchelastic_launched():
        return ALONE
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return World(rank=dist.get_rank(), size=dist.get_world_size())


def power_of_two_above(value: float) -> float:
    """Return the smallest power of two that is at least `value`: dividing by it changes no digit."""
    return float(2 ** math.ceil(math.log2(max(value, 1.0))))
