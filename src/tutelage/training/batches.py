"""Which rows a batch holds: a pure function of seed and position, so that one integer says where a training is."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from tutelage.core.errors import InvalidSpec


class ShuffledIndices:
    """Rows in a new order each epoch; every row once an epoch, whatever the batch size.

    The stream of rows is endless: the last batch of an epoch is filled from the next one's beginning. The order of the
    newest epoch is remembered, and drawn anew from (seed, epoch) wherever a training is resumed.
    """

    def __init__(self, num_rows: int, *, batch_size: int, seed: int) -> None:
        if num_rows < 1 or batch_size < 1:
            raise InvalidSpec(f"there must be at least one row and one a batch, got {num_rows} and {batch_size}")
        self._num_rows, self._batch_size, self._seed = num_rows, batch_size, seed
        self._epoch, self._order = -1, np.empty(0, dtype=np.int64)

    def at(self, position: int) -> Tensor:
        """Return the rows of the batch at a position, int64, (batch_size,)."""
        first = position * self._batch_size
        found: list[np.ndarray[tuple[int], np.dtype[np.int64]]] = []
        left = self._batch_size
        while left:
            epoch, within = divmod(first, self._num_rows)
            part = self._order_of(epoch)[within : within + left]
            found.append(part)
            first, left = first + len(part), left - len(part)
        return torch.from_numpy(np.concatenate(found))

    def epoch_at(self, position: int) -> int:
        """Return the epoch, counted from 0, in which the batch at a position begins."""
        return position * self._batch_size // self._num_rows

    def _order_of(self, epoch: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        if epoch != self._epoch:
            self._epoch = epoch
            self._order = np.random.default_rng([self._seed, epoch]).permutation(self._num_rows)
        return self._order
