"""A perceptron with dropout on drawn points: what the tests train."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tutelage.training import Loss, seed_everything

NUM_ROWS, NUM_FEATURES, NUM_CLASSES = 96, 6, 3


class PointsTask:
    """Three classes of drawn points; the weights and the points come from the seed, batches from their position."""

    def __init__(
        self, *, seed: int = 0, batch_size: int = 8, dropout: float = 0.2, pause_s: float = 0.0, hidden: int = 16
    ) -> None:
        seed_everything(seed)
        self.model = nn.Sequential(
            nn.Linear(NUM_FEATURES, hidden),
            nn.LayerNorm(hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, NUM_CLASSES),
        )
        draw = torch.Generator().manual_seed(seed)
        centres = torch.randn(NUM_CLASSES, NUM_FEATURES, generator=draw)
        self.targets = torch.randint(NUM_CLASSES, (2 * NUM_ROWS,), generator=draw)
        self.features = centres[self.targets] + torch.randn(2 * NUM_ROWS, NUM_FEATURES, generator=draw)
        self._seed, self._batch_size, self._pause_s = seed, batch_size, pause_s
        self.positions: list[int] = []

    def batch(self, position: int) -> tuple[Tensor, Tensor]:
        self.positions.append(position)
        time.sleep(self._pause_s)
        draw = torch.Generator().manual_seed(self._seed * 1_000_003 + position)
        rows = torch.randint(NUM_ROWS, (self._batch_size,), generator=draw)
        return self.features[rows], self.targets[rows]

    def loss(self, batch: tuple[Tensor, Tensor]) -> Loss:
        features, targets = batch
        logits = self.model(features)
        total = F.cross_entropy(logits.float(), targets, reduction="sum")
        num_right = (logits.argmax(1) == targets).sum()
        return Loss(total=total, num_items=len(targets), sums={"accuracy": num_right})

    def evaluate(self) -> Mapping[str, float]:
        logits = self.model(self.features[NUM_ROWS:])
        torch.rand(7)  # an evaluation may draw: it must leave no trace
        return {"val_loss": F.cross_entropy(logits.float(), self.targets[NUM_ROWS:]).item()}


def weight_hash(model: nn.Module) -> str:
    """Return a hash of all weights and buffers, bit by bit."""
    found = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        found.update(name.encode())
        found.update(tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def state_hash(item: Any) -> str:
    """Return a hash of nested lists and dicts of tensors and plain values, bit by bit."""
    if isinstance(item, Tensor):
        return hashlib.sha256(item.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()).hexdigest()
    if isinstance(item, Mapping):
        item = [(str(key), state_hash(value)) for key, value in sorted(item.items(), key=lambda pair: str(pair[0]))]
    elif isinstance(item, list | tuple):
        item = [state_hash(value) for value in item]
    return hashlib.sha256(repr(item).encode()).hexdigest()
