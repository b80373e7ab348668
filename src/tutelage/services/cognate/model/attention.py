"""Causal self-attention within a segment.

Shapes: B batch, T new tokens, A active ones, S keys, H heads, E head width, D model.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tutelage.services.cognate.model.active import Active
from tutelage.services.cognate.model.layers import rotate, rotations


@dataclass
class LayerCache:
    """Keys and values of the segment so far, [B, H, S, E], of one application of a block."""

    keys: Tensor | None = None
    values: Tensor | None = None

    def extend(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Append those of new tokens and return all."""
        if self.keys is not None and self.values is not None:
            keys, values = torch.cat((self.keys, keys), 2), torch.cat((self.values, values), 2)
        self.keys, self.values = keys, values
        return keys, values


@dataclass
class KeyValueCache:
    """What generation keeps of the present segment: a layer cache for each application of a block."""

    length: int = 0
    layers: dict[int, LayerCache] = field(default_factory=dict)

    def layer(self, application: int) -> LayerCache:
        """Return the cache of one application, new where there is none."""
        return self.layers.setdefault(application, LayerCache())


@dataclass(frozen=True)
class Window:
    """Where the new tokens stand in their segment, and whom they may attend to.

    `mask` [B or 1, T, S] is None where plain causality within the new tokens says it all.
    """

    cos: Tensor
    sin: Tensor
    mask: Tensor | None
    is_single: bool

    @classmethod
    def of(cls, x: Tensor, docs: Tensor | None, *, past: int, head_dim: int, rope_base: float) -> Window:
        """Describe tokens x [B, T, D] that follow `past` cached ones; `docs` [B, T] numbers their documents."""
        num_new = x.shape[1]
        positions = torch.arange(past, past + num_new, device=x.device)
        cos, sin = rotations(positions, head_dim, rope_base)
        mask = None
        if docs is not None and bool((docs != docs[:, :1]).any()):
            causal = positions.unsqueeze(1) >= positions
            mask = causal & (docs.unsqueeze(2) == docs.unsqueeze(1))
        elif past and num_new > 1:
            mask = (positions.unsqueeze(1) >= torch.arange(past + num_new, device=x.device)).unsqueeze(0)
        return cls(cos=cos, sin=sin, mask=mask, is_single=num_new == 1)

    def causal_mask(self, active: Active, num_keys: int) -> Tensor:
        """Return the mask [B, A, S] of the active tokens alone."""
        num_new = self.cos.shape[0]
        rows = active.index
        if self.mask is None:
            last = rows.unsqueeze(-1) + (num_keys - num_new)
            return torch.arange(num_keys, device=rows.device) <= last
        mask = self.mask.expand(rows.shape[0], -1, -1)
        return mask.gather(1, rows.unsqueeze(-1).expand(-1, -1, num_keys))


class SelfAttention(nn.Module):
    """Multi-head attention with rotary positions; queries, keys and values come from one matrix without bias."""

    def __init__(self, d_model: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.qkv = nn.Linear(d_model, 3 * d_model, bias=False)
        self.out = nn.Linear(d_model, d_model, bias=False)

    def forward(self, y: Tensor, window: Window, *, cache: LayerCache | None = None) -> Tensor:
        """Attend from every token of y [B, T, D]; return [B, T, D]."""
        queries, keys, values = self._heads(self.qkv(y), 3)
        queries, keys = (rotate(part, window.cos, window.sin).transpose(1, 2) for part in (queries, keys))
        keys, values = _with_past(cache, keys, values.transpose(1, 2))
        mask = window.mask.unsqueeze(1) if window.mask is not None else None
        is_causal = mask is None and not window.is_single
        return self._mixed(F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, is_causal=is_causal))

    def forward_active(
        self, y: Tensor, taken: Tensor, active: Active, window: Window, *, cache: LayerCache | None = None
    ) -> Tensor:
        """Attend from the active tokens `taken` [B, A, D] to every token of y [B, T, D]; return [B, A, D]."""
        width = y.shape[-1]
        keys, values = self._heads(F.linear(y, self.qkv.weight[width:]), 2)
        keys, values = rotate(keys, window.cos, window.sin).transpose(1, 2), values.transpose(1, 2)
        keys, values = _with_past(cache, keys, values)
        (queries,) = self._heads(F.linear(taken, self.qkv.weight[:width]), 1)
        queries = rotate(queries, window.cos[active.index], window.sin[active.index]).transpose(1, 2)
        mask = window.causal_mask(active, keys.shape[2]).unsqueeze(1)
        return self._mixed(F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask))

    def remember(self, y: Tensor, window: Window, cache: LayerCache) -> None:
        """Only keep keys and values of tokens that have all halted, for later ones that go deeper."""
        keys, values = self._heads(F.linear(y, self.qkv.weight[y.shape[-1] :]), 2)
        cache.extend(rotate(keys, window.cos, window.sin).transpose(1, 2), values.transpose(1, 2))

    def _heads(self, projected: Tensor, parts: int) -> tuple[Tensor, ...]:
        batch, time, _ = projected.shape
        heads: tuple[Tensor, ...] = projected.view(batch, time, parts, self.n_heads, -1).unbind(2)
        return heads

    def _mixed(self, attended: Tensor) -> Tensor:
        mixed: Tensor = self.out(attended.transpose(1, 2).flatten(2))
        return mixed


def _with_past(cache: LayerCache | None, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    return cache.extend(keys, values) if cache is not None else (keys, values)
