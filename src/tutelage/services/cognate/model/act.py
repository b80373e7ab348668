"""Adaptive computation time (Graves 2016, arXiv 1603.08983), token by token. Shapes: B batch, T time, D model."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

INITIAL_BIAS = -3.0
"""Tokens begin by pondering long: 0.05 a step."""


class Halting(nn.Module):
    """The probability that a token stops here: sigmoid(w h + b)."""

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.unit = nn.Linear(d_model, 1)

    def reset(self) -> None:
        """Begin with the same small probability everywhere."""
        nn.init.zeros_(self.unit.weight)
        nn.init.constant_(self.unit.bias, INITIAL_BIAS)

    def forward(self, state: Tensor) -> Tensor:
        """Map [..., D] to probabilities [...], in float32 at least."""
        scores = self.unit(state).squeeze(-1)
        return torch.sigmoid(scores.to(torch.promote_types(scores.dtype, torch.float32)))


@dataclass(frozen=True)
class Ponder:
    """How far each token has come: its weighted mean state so far, steps taken (N) and remainder (R), all [B, T].

    The weights of a token's states add up to 1; `spent` is their sum so far. Gradients reach the halting unit through
    the weights and through R; N counts and has none.
    """

    output: Tensor
    spent: Tensor
    steps: Tensor
    remainder: Tensor
    running: Tensor

    @classmethod
    def start(cls, x: Tensor) -> Ponder:
        """Begin with every token of x [B, T, D] running."""
        dtype = torch.promote_types(x.dtype, torch.float32)
        zeros = x.new_zeros(x.shape[:2], dtype=dtype)
        return cls(
            output=torch.zeros_like(x, dtype=dtype),
            spent=zeros,
            steps=zeros,
            remainder=zeros,
            running=torch.ones_like(zeros, dtype=torch.bool),
        )

    def advance(self, x: Tensor, probability: Tensor, *, threshold: float, is_last: bool) -> Ponder:
        """Account for one step that led to states x; `probability` [B, T] counts for running tokens only."""
        halts = self.running & (torch.ones_like(self.running) if is_last else self.spent + probability >= threshold)
        left = 1.0 - self.spent
        weight = torch.where(halts, left, torch.where(self.running, probability, torch.zeros_like(left)))
        return Ponder(
            output=self.output + weight.unsqueeze(-1) * x,
            spent=self.spent + weight,
            steps=self.steps + self.running,
            remainder=torch.where(halts, left, self.remainder),
            running=self.running & ~halts,
        )

    @property
    def cost(self) -> Tensor:
        """N + R for each token, [B, T]: what `act_tau` weighs; between 1 and the greatest number of steps plus 1."""
        return self.steps + self.remainder
