"""Multi-head attention. Shapes: B batch, T queries, S keys, H heads, E head width, D model."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SelfAttention(nn.Module):
    """Attention of a sequence to itself; queries, keys and values come from one product."""

    def __init__(self, d_model: int, num_heads: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(d_model, 3 * d_model)
        self.output = nn.Linear(d_model, d_model)
        self._num_heads = num_heads

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map x [B, T, D] to queries, keys and values [B, H, T, E]."""
        query, key, value = self.qkv(x).chunk(3, dim=-1)
        return split(query, self._num_heads), split(key, self._num_heads), split(value, self._num_heads)

    def attend(self, query: Tensor, key: Tensor, value: Tensor, *, mask: Tensor | None, is_causal: bool) -> Tensor:
        """Mix the values by the scores: [B, T, D]."""
        mixed = mix(query, key, value, mask=mask, is_causal=is_causal)
        attended: Tensor = self.output(joined(mixed))
        return attended

    def forward(self, x: Tensor, *, mask: Tensor | None = None, is_causal: bool = False) -> Tensor:
        """Map x [B, T, D] to [B, T, D]; `mask` is True where a key counts."""
        return self.attend(*self.project(x), mask=mask, is_causal=is_causal)


class CrossAttention(nn.Module):
    """Attention of what is written to what was read."""

    def __init__(self, d_model: int, num_heads: int) -> None:
        super().__init__()
        self.query = nn.Linear(d_model, d_model)
        self.key_value = nn.Linear(d_model, 2 * d_model)
        self.output = nn.Linear(d_model, d_model)
        self._num_heads = num_heads

    def keys_and_values(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Map memory [B, S, D] to keys and values [B, H, S, E]: once for a whole sequence."""
        key, value = self.key_value(memory).chunk(2, dim=-1)
        return split(key, self._num_heads), split(value, self._num_heads)

    def forward(self, x: Tensor, key: Tensor, value: Tensor, *, mask: Tensor | None) -> Tensor:
        """Map x [B, T, D] to [B, T, D]; `mask` [B, 1, 1, S] is True where a token was read, False on padding."""
        query = split(self.query(x), self._num_heads)
        mixed = mix(query, key, value, mask=mask, is_causal=False)
        attended: Tensor = self.output(joined(mixed))
        return attended


def mix(query: Tensor, key: Tensor, value: Tensor, *, mask: Tensor | None, is_causal: bool) -> Tensor:
    """Return softmax(q k / sqrt(E)) v (Vaswani et al. 2017, equation 1), [B, H, T, E]; `mask`: whether a key counts.

    Training on a CPU spells it out: torch's fused backward is several times slower there on sequences this short.
    """
    if query.device.type != "cpu" or not torch.is_grad_enabled():
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask, is_causal=is_causal)
    scores = query @ key.transpose(2, 3) / math.sqrt(query.shape[-1])
    if is_causal:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return scores.softmax(-1).to(value.dtype) @ value


def split(x: Tensor, num_heads: int) -> Tensor:
    """Map [B, T, D] to [B, H, T, E]."""
    batch, time, _ = x.shape
    return x.view(batch, time, num_heads, -1).transpose(1, 2)


def joined(x: Tensor) -> Tensor:
    """Map [B, H, T, E] to [B, T, D]."""
    return x.transpose(1, 2).flatten(2)
