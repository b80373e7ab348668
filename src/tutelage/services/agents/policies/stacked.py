"""Layers of S independent networks in one: weights stacked along a first axis, one batched product for all."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

HIDDEN_GAIN = 2**0.5


class StackedLinear(nn.Module):
    """S linear layers side by side: (S, B, in) -> (S, B, out). Orthogonal weights by each seed's own generator."""

    def __init__(self, inputs: int, outputs: int, generators: Sequence[Generator], *, gain: float) -> None:
        super().__init__()
        weights = [_orthogonal(inputs, outputs, generator, gain) for generator in generators]
        self.weight = nn.Parameter(torch.stack(weights))
        self.bias = nn.Parameter(torch.zeros(len(weights), 1, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Return (S, ..., out) of (S, ..., in)."""
        if x.dim() == 3:
            return torch.baddbmm(self.bias, x, self.weight)
        rows = torch.baddbmm(self.bias, x.flatten(1, -2), self.weight)
        return rows.view(*x.shape[:-1], -1)


class StackedNorm(nn.Module):
    """S layer normalisations side by side over the last axis."""

    def __init__(self, width: int, num: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(num, 1, width))
        self.bias = nn.Parameter(torch.zeros(num, 1, width))

    def forward(self, x: Tensor) -> Tensor:
        """Return x (S, ..., width), each row of mean 0 and variance 1 before scale and shift."""
        shape = (-1, *[1] * (x.dim() - 2), x.shape[-1])
        normal = nn.functional.layer_norm(x, x.shape[-1:])
        return normal * self.weight.view(shape) + self.bias.view(shape)


class StackedGRUCell(nn.Module):
    """S gated recurrent units side by side, in the equations of `torch.nn.GRUCell`."""

    def __init__(self, width: int, generators: Sequence[Generator]) -> None:
        super().__init__()
        self.input = StackedLinear(width, 3 * width, generators, gain=1.0)
        self.memory = StackedLinear(width, 3 * width, generators, gain=1.0)

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        """Return the next memory (S, B, width) of an input and a memory of that shape."""
        reset_x, update_x, new_x = self.input(x).chunk(3, -1)
        reset_m, update_m, new_m = self.memory(memory).chunk(3, -1)
        reset, update = torch.sigmoid(reset_x + reset_m), torch.sigmoid(update_x + update_m)
        new = torch.tanh(new_x + reset * new_m)
        return torch.lerp(new, memory, update)


def _orthogonal(inputs: int, outputs: int, generator: Generator, gain: float) -> Tensor:
    weight = torch.empty(outputs, inputs)
    nn.init.orthogonal_(weight, gain, generator=generator)
    return weight.T.contiguous()
