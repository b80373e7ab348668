"""Token embeddings and positions. Shapes: B batch, T time, D model, V vocabulary."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class TokenEmbedding(nn.Embedding):
    """One table for what is read and what is written; its first rows, transposed, are the head (tied embeddings)."""

    def __init__(self, vocab_size: int, d_model: int, *, target_vocab_size: int) -> None:
        super().__init__(vocab_size, d_model)
        self._target_vocab_size, self._scale = target_vocab_size, math.sqrt(d_model)
        nn.init.normal_(self.weight, std=d_model**-0.5)

    def forward(self, ids: Tensor) -> Tensor:
        """Map ids [B, T] to vectors [B, T, D], scaled by sqrt(D) (Vaswani et al. 2017, section 3.4)."""
        return super().forward(ids) * self._scale

    def logits(self, hidden: Tensor) -> Tensor:
        """Map [B, T, D] to scores [B, T, V] of the tokens that can be written."""
        return F.linear(hidden, self.weight[: self._target_vocab_size])


class PositionalEncoding(nn.Module):
    """Sines and cosines of the position (Vaswani et al. 2017, section 3.5), interleaved; nothing is learned."""

    table: Tensor

    def __init__(self, max_positions: int, d_model: int) -> None:
        super().__init__()
        self.register_buffer("table", sinusoids(max_positions, d_model), persistent=False)

    def forward(self, x: Tensor, *, first: int = 0) -> Tensor:
        """Add positions `first`, `first + 1`, ... to x [B, T, D]."""
        return x + self.table[first : first + x.shape[1]]


def sinusoids(max_positions: int, d_model: int) -> Tensor:
    """Return the table [positions, D]: sin in even columns, cos in odd ones."""
    rates = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10_000.0) / d_model))
    angles = torch.arange(max_positions)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=2).reshape(max_positions, d_model)
