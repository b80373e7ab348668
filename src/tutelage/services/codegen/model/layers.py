"""The layers of both stacks: pre-norm (Xiong et al. 2020), residual, dropout on each branch."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from tutelage.services.codegen.config.transformer import TransformerConfig
from tutelage.services.codegen.model.attention import CrossAttention, SelfAttention
from tutelage.services.codegen.model.cache import LayerCache


class FeedForward(nn.Module):
    """Two matrices with GELU between, or SwiGLU (Shazeer 2020): outer(silu(gate) * up), gate and up fused."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self._is_gated = config.activation == "swiglu"
        self.inner = nn.Linear(config.d_model, config.d_ffn * (2 if self._is_gated else 1))
        self.outer = nn.Linear(config.d_ffn, config.d_model)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, T, D] to [B, T, D]."""
        hidden = self.inner(x)
        if self._is_gated:
            gate, up = hidden.chunk(2, dim=-1)
            hidden = F.silu(gate) * up
        else:
            hidden = F.gelu(hidden)
        mapped: Tensor = self.outer(hidden)
        return mapped


class EncoderLayer(nn.Module):
    """Attention over the whole source, then the feed-forward."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.d_model)
        self.attention = SelfAttention(config.d_model, config.num_heads)
        self.feed_forward_norm = nn.LayerNorm(config.d_model)
        self.feed_forward = FeedForward(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, *, mask: Tensor | None) -> Tensor:
        """Map x [B, S, D] to [B, S, D]; `mask` [B, 1, 1, S] is False on padding."""
        x = x + self.dropout(self.attention(self.attention_norm(x), mask=mask))
        mapped: Tensor = x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))
        return mapped


class DecoderLayer(nn.Module):
    """Attention to what is written so far, then to what was read, then the feed-forward."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.self_attention_norm = nn.LayerNorm(config.d_model)
        self.self_attention = SelfAttention(config.d_model, config.num_heads)
        self.cross_attention_norm = nn.LayerNorm(config.d_model)
        self.cross_attention = CrossAttention(config.d_model, config.num_heads)
        self.feed_forward_norm = nn.LayerNorm(config.d_model)
        self.feed_forward = FeedForward(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, memory: Tensor, *, memory_mask: Tensor | None) -> Tensor:
        """Map x [B, T, D], all its positions at once, to [B, T, D]."""
        x = x + self.dropout(self.self_attention(self.self_attention_norm(x), is_causal=True))
        key, value = self.cross_attention.keys_and_values(memory)
        return self._read(x, key, value, memory_mask)

    def step(
        self, x: Tensor, cache: LayerCache, *, first: int, memory_mask: Tensor | None, mask: Tensor | None
    ) -> Tensor:
        """Map the new positions `first`, ... x [B, T, D] to [B, T, D]; earlier ones are read from the cache."""
        query, key, value = self.self_attention.project(self.self_attention_norm(x))
        keys, values = cache.write(key, value, first=first)
        x = x + self.self_attention.attend(query, keys, values, mask=mask, is_causal=False)
        return self._read(x, cache.memory_key, cache.memory_value, memory_mask)

    def _read(self, x: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        x = x + self.dropout(self.cross_attention(self.cross_attention_norm(x), key, value, mask=mask))
        mapped: Tensor = x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))
        return mapped
