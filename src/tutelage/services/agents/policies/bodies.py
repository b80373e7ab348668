"""The part of a network between its input and its outputs: multilayer perceptron, attention, recurrent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import torch
from torch import Generator, Tensor, nn

from tutelage.services.agents.environments.base import Entities
from tutelage.services.agents.policies.stacked import HIDDEN_GAIN, StackedGRUCell, StackedLinear, StackedNorm

ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu}


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a body is made by. `head_width` and `ffn` are attention's; `entities` lie within the input."""

    kind: str
    inputs: int
    width: int
    layers: int
    heads: int = 8
    head_width: int = 4
    ffn: int = 24
    activation: str = "tanh"
    entities: Entities | None = None


class Body(Protocol):
    """Maps inputs (S, B, inputs) to features (S, B, width); a recurrent one also takes and returns a memory."""

    is_recurrent: bool
    width: int

    def __call__(self, x: Tensor) -> Tensor:
        """Return features."""


class Mlp(nn.Module):
    """Layers of equal width."""

    is_recurrent = False

    def __init__(self, shape: Shape, generators: Sequence[Generator]) -> None:
        super().__init__()
        widths = [shape.inputs, *[shape.width] * shape.layers]
        self.width = shape.width
        self.layers = nn.ModuleList(
            StackedLinear(before, after, generators, gain=HIDDEN_GAIN) for before, after in pairwise(widths)
        )
        self._activate = ACTIVATIONS[shape.activation]

    def forward(self, x: Tensor) -> Tensor:
        """Return features (S, B, width)."""
        for layer in self.layers:
            x = self._activate(layer(x))
        return x


class Recurrent(nn.Module):
    """Layers of equal width, the last of them a gated recurrent unit over time."""

    is_recurrent = True

    def __init__(self, shape: Shape, generators: Sequence[Generator]) -> None:
        super().__init__()
        before = Shape(**{**vars(shape), "layers": shape.layers - 1})
        self.width = shape.width
        self.front = Mlp(before, generators)
        self.cell = StackedGRUCell(shape.width, generators)

    def step(self, x: Tensor, memory: Tensor) -> Tensor:
        """Return the memory after one input; it is also the features."""
        features: Tensor = self.cell(self.front(x), memory)
        return features

    def unroll(self, x: Tensor, memory: Tensor, begins: Tensor) -> Tensor:
        """Return the memories (S, B, T, width) of inputs (S, B, T, inputs); `begins` (S, B, T) empties it before."""
        front = self.front(x)
        found = []
        for time in range(x.shape[2]):
            memory = self.cell(front[:, :, time], memory * (~begins[:, :, time, None]))
            found.append(memory)
        return torch.stack(found, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Return the features of a first input."""
        return self.step(x, x.new_zeros((*x.shape[:-1], self.width)))


class Attention(nn.Module):
    """Pre-norm attention over tokens: one of all that is no entity, one an entity; the first is read out."""

    is_recurrent = False

    def __init__(self, shape: Shape, generators: Sequence[Generator]) -> None:
        super().__init__()
        self.width, self._entities = shape.width, shape.entities
        listed = shape.entities.num * shape.entities.size if shape.entities else 0
        self.own = StackedLinear(shape.inputs - listed, shape.width, generators, gain=1.0)
        self.entity = StackedLinear(shape.entities.size, shape.width, generators, gain=1.0) if shape.entities else None
        self.blocks = nn.ModuleList(AttentionBlock(shape, generators) for _ in range(shape.layers))
        self.norm = StackedNorm(shape.width, len(generators))

    def forward(self, x: Tensor) -> Tensor:
        """Return features (S, B, width)."""
        tokens = self._tokens(x)
        for block in self.blocks:
            tokens = block(tokens)
        features: Tensor = self.norm(tokens[:, :, 0])
        return features

    def _tokens(self, x: Tensor) -> Tensor:
        """Return (S, B, tokens, width)."""
        if self._entities is None or self.entity is None:
            own: Tensor = self.own(x)
            return own.unsqueeze(2)
        start, num, size = self._entities.start, self._entities.num, self._entities.size
        end = start + num * size
        rest = torch.cat((x[..., :start], x[..., end:]), -1)
        entities = self.entity(x[..., start:end].reshape(*x.shape[:2], num, size))
        return torch.cat((self.own(rest).unsqueeze(2), entities), 2)


class AttentionBlock(nn.Module):
    """Attention and a narrow feed-forward, each behind a normalisation and beside a short cut."""

    def __init__(self, shape: Shape, generators: Sequence[Generator]) -> None:
        super().__init__()
        self._heads, inner, num = shape.heads, shape.heads * shape.head_width, len(generators)
        self.norm = StackedNorm(shape.width, num)
        self.qkv = StackedLinear(shape.width, 3 * inner, generators, gain=1.0)
        self.out = StackedLinear(inner, shape.width, generators, gain=HIDDEN_GAIN / shape.layers**0.5)
        self.ffn_norm = StackedNorm(shape.width, num)
        self.up = StackedLinear(shape.width, shape.ffn, generators, gain=HIDDEN_GAIN)
        self.down = StackedLinear(shape.ffn, shape.width, generators, gain=HIDDEN_GAIN / shape.layers**0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Return tokens of the same shape (S, B, tokens, width)."""
        seeds, rows, tokens, _ = x.shape
        qkv = self.qkv(self.norm(x)).view(seeds * rows, tokens, 3, self._heads, -1).permute(2, 0, 3, 1, 4)
        read = nn.functional.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2])  # (S x B, heads, tokens, head width)
        x = x + self.out(read.transpose(1, 2).reshape(seeds, rows, tokens, -1))
        fed: Tensor = x + self.down(nn.functional.gelu(self.up(self.ffn_norm(x))))
        return fed


BODIES: dict[str, type[Mlp] | type[Attention] | type[Recurrent]] = {
    "mlp": Mlp,
    "attention": Attention,
    "recurrent": Recurrent,
}


def create_body(shape: Shape, generators: Sequence[Generator]) -> Mlp | Attention | Recurrent:
    """Return a body, its weights drawn by each seed's own generator."""
    return BODIES[shape.kind](shape, generators)
