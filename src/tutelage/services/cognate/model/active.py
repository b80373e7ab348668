"""Which tokens still work: those that halted are left out of the query and feed-forward work."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Active:
    """The running tokens of each sequence, packed to the left: `index` [B, A] into time, `valid` [B, A]."""

    index: Tensor
    valid: Tensor

    @classmethod
    def of(cls, running: Tensor) -> Active:
        """Pack a mask [B, T]; A is the greatest number of running tokens of a sequence."""
        counts = running.sum(1)
        widest = int(counts.max())
        order = torch.argsort((~running).to(torch.uint8), dim=1, stable=True)
        return cls(index=order[:, :widest], valid=torch.arange(widest, device=running.device) < counts.unsqueeze(1))

    @property
    def is_empty(self) -> bool:
        """No token runs."""
        return self.index.shape[1] == 0

    def take(self, x: Tensor) -> Tensor:
        """Return the rows of x [B, T, D] that run, [B, A, D]."""
        return x.gather(1, self.index.unsqueeze(-1).expand(-1, -1, x.shape[-1]))

    def put(self, x: Tensor, rows: Tensor) -> Tensor:
        """Return x [B, T, D] with the running tokens replaced by `rows` [number of valid, D], in packed order."""
        batch, slot = self.valid.nonzero(as_tuple=True)
        return x.index_put((batch, self.index[batch, slot]), rows.to(x.dtype))
