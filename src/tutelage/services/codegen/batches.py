"""Batches as a pure function of their position: drawn in pools, sorted by length to save padding, in shuffled order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tutelage.services.codegen.decoding.written import padded
from tutelage.services.codegen.engines.base import EOS_ID, PAD_ID, SOS_ID

POOL = 16
"""Batches that are drawn together: enough for like lengths, few enough for a curriculum."""
FIRST_SHARE = 0.2
"""Share of the programs, the shortest, that a curriculum begins with."""

Example = tuple[Sequence[int], Sequence[int]]
"""Ids of the source, and of the target without <sos> and <eos>."""
Draw = Callable[[int, float], Example]
"""Returns the example at a position of the endless stream, from this share of the programs."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Padded ids: source [B, S]; target [B, T + 1] with <sos> and <eos>."""

    source: Tensor
    target: Tensor

    @classmethod
    def of(cls, examples: Sequence[Example]) -> Batch:
        """Pad examples into a batch."""
        targets = [[SOS_ID, *target, EOS_ID] for _, target in examples]
        return cls(
            source=torch.from_numpy(padded([source for source, _ in examples])),
            target=torch.from_numpy(padded(targets)),
        )

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        return Batch(source=self.source.to(device), target=self.target.to(device))

    @property
    def num_targets(self) -> int:
        """Tokens that are predicted, <eos> included."""
        return int((self.target[:, 1:] != PAD_ID).sum())


@dataclass(frozen=True, kw_only=True)
class Curriculum:
    """Short programs first: from a fifth of them at the beginning to all of them at batch `num_batches`; 0: none."""

    num_batches: int

    def share(self, position: int) -> float:
        """Return the share of the programs that is drawn from at a batch."""
        if self.num_batches <= 0:
            return 1.0
        return min(1.0, FIRST_SHARE + (1 - FIRST_SHARE) * position / self.num_batches)


class Feed:
    """The batches of a training; the newest pool is remembered, any other is drawn anew."""

    def __init__(self, draw: Draw, *, batch_size: int, seed: int, curriculum: Curriculum) -> None:
        self._draw, self._batch_size, self._seed, self._curriculum = draw, batch_size, seed, curriculum
        self._number, self._pool = -1, list[list[Example]]()

    def at(self, position: int) -> Batch:
        """Return the batch at a position."""
        number, within = divmod(position, POOL)
        if number != self._number:
            self._pool, self._number = self._drawn(number), number
        return Batch.of(self._pool[within])

    def _drawn(self, number: int) -> list[list[Example]]:
        share = self._curriculum.share(number * POOL)
        size = self._batch_size * POOL
        examples = [self._draw(number * size + place, share) for place in range(size)]
        examples.sort(key=lambda example: len(example[0]) + len(example[1]))
        order = np.random.default_rng([self._seed, number]).permutation(POOL)
        return [examples[place * self._batch_size : (place + 1) * self._batch_size] for place in order.tolist()]
