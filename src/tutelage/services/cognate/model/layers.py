"""Rotary positions, the norm and the gated feed-forward.

Shapes: B batch, T time, H heads, E head width, D model, F hidden.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def rotations(positions: Tensor, head_dim: int, base: float) -> tuple[Tensor, Tensor]:
    """Return cosine and sine [..., T, E/2] of rotary embedding (Su et al. 2021) at positions [..., T]."""
    exponents = torch.arange(0, head_dim, 2, device=positions.device, dtype=torch.float32) / head_dim
    angles = positions.to(torch.float32)[..., None] * (base**-exponents)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate x [B, T, H, E] by cosine and sine, [T, E/2] or [B, T, E/2]; the two halves of E form the pairs."""
    cos, sin = cos.unsqueeze(-2).to(x.dtype), sin.unsqueeze(-2).to(x.dtype)
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


class RMSNorm(nn.Module):
    """Root mean square norm (Zhang and Sennrich 2019): x / rms(x) * w. Keeps only x and 1 / rms(x) for the gradient."""

    def __init__(self, width: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x: Tensor) -> Tensor:
        """Map [..., D] to [..., D]."""
        normed: Tensor = _RMSNorm.apply(x, self.weight, self.eps)  # type: ignore[no-untyped-call]
        return normed


class _RMSNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        inverse = torch.rsqrt(x.square().mean(-1, keepdim=True) + eps)
        ctx.save_for_backward(x, weight, inverse)
        return x * inverse * weight

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        """With g = dL/dy * w: dL/dx = (g - x mean(g x) / rms^2) / rms; dL/dw = sum(dL/dy * x / rms)."""
        x, weight, inverse = ctx.saved_tensors
        normed = x * inverse
        scaled = gradient * weight
        along = (scaled * normed).mean(-1, keepdim=True)
        return (scaled - normed * along) * inverse, (gradient * normed).flatten(0, -2).sum(0), None


class SwiGLU(nn.Module):
    """Feed-forward with a gate (Shazeer 2020): down(silu(gate x) * up x), without biases; gate and up are fused."""

    def __init__(self, d_model: int, d_ffn: int) -> None:
        super().__init__()
        self.gate_up = nn.Linear(d_model, 2 * d_ffn, bias=False)
        self.down = nn.Linear(d_ffn, d_model, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map [..., D] to [..., D]."""
        gate, up = self.gate_up(x).chunk(2, dim=-1)
        mapped: Tensor = self.down(F.silu(gate) * up)
        return mapped
