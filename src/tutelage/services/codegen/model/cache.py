"""The static cache of decoding: room for every position from the start, so that a step writes and never grows.

Shapes: B rows, T new positions, N room, S source, H heads, E head width.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class LayerCache:
    """Keys and values of one decoder layer: of what is written, and of what was read."""

    def __init__(self, memory_key: Tensor, memory_value: Tensor, *, max_tokens: int) -> None:
        batch, heads, _, width = memory_key.shape
        self.memory_key, self.memory_value = memory_key.contiguous(), memory_value.contiguous()
        self._key = memory_key.new_zeros(batch, heads, max_tokens, width)
        self._value = torch.zeros_like(self._key)

    def write(self, key: Tensor, value: Tensor, *, first: int) -> tuple[Tensor, Tensor]:
        """Keep keys and values [B, H, T, E] at positions `first`, ...; return those of all positions so far."""
        end = first + key.shape[2]
        self._key[:, :, first:end] = key
        self._value[:, :, first:end] = value
        return self._key[:, :, :end], self._value[:, :, :end]

    def select(self, rows: Tensor, *, length: int, memory_too: bool) -> None:
        """Keep these rows, in this order; only positions below `length` hold anything."""
        self._key, self._value = _picked(self._key, rows, length), _picked(self._value, rows, length)
        if memory_too:
            self.memory_key = self.memory_key.index_select(0, rows)
            self.memory_value = self.memory_value.index_select(0, rows)


class KeyValueCache:
    """The caches of all layers, and how many positions every row has written."""

    def __init__(self, layers: Sequence[LayerCache], memory_mask: Tensor, *, max_tokens: int) -> None:
        self.layers, self.memory_mask, self.max_tokens = list(layers), memory_mask, max_tokens
        self._length = 0
        self._sources = torch.arange(memory_mask.shape[0], device=memory_mask.device)

    @property
    def length(self) -> int:
        """Positions written so far; the same for every row."""
        return self._length

    @property
    def num_rows(self) -> int:
        """Sequences side by side."""
        return self._sources.shape[0]

    def advance(self, num_tokens: int) -> None:
        """Count positions that a step has written."""
        assert self._length + num_tokens <= self.max_tokens, "the cache was opened with room for every token"
        self._length += num_tokens

    def rewind(self, length: int) -> None:
        """Forget the positions from `length` on; they are written anew."""
        assert 0 <= length <= self._length, "only what was written can be forgotten"
        self._length = length

    def select(self, rows: Sequence[int]) -> None:
        """Keep these rows, in this order; a row may be kept several times, as beams need."""
        picked = torch.as_tensor(rows, dtype=torch.long, device=self._sources.device)
        sources = self._sources[picked]
        memory_too = sources.shape != self._sources.shape or not torch.equal(sources, self._sources)
        for layer in self.layers:
            layer.select(picked, length=self._length, memory_too=memory_too)
        if memory_too:
            self.memory_mask = self.memory_mask.index_select(0, picked)
        self._sources = sources


def _picked(kept: Tensor, rows: Tensor, length: int) -> Tensor:
    chosen = kept.new_empty(rows.shape[0], *kept.shape[1:])
    chosen[:, :, :length] = kept[:, :, :length].index_select(0, rows)
    return chosen
