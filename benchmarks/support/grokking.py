"""Grokking on addition modulo 97: steps until 95 % of the unseen half of the table are right."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tutelage.training import (
    GrokFast,
    Group,
    Plan,
    ShuffledIndices,
    Updater,
    cross_entropy,
    seed_everything,
)

MODULUS, WIDTH, BATCH = 97, 128, 512
CAP_STEPS, EVALUATE_EVERY, WARMUP_STEPS, GOAL = 3420, 20, 10, 0.95


@dataclass(frozen=True, kw_only=True)
class Row:
    """One way to train: every parameter decays, as in the paper's own code."""

    key: str
    optimizer: str
    lr: float
    weight_decay: float
    grokfast: bool


GROKKING = (
    Row(key="adam_wd0.005_grokfast", optimizer="adam", lr=1e-3, weight_decay=0.005, grokfast=True),
    Row(key="adam_wd0.005", optimizer="adam", lr=1e-3, weight_decay=0.005, grokfast=False),
    Row(key="adamw_wd1_grokfast", optimizer="adamw", lr=1e-3, weight_decay=1.0, grokfast=True),
    Row(key="adamw_wd1", optimizer="adamw", lr=1e-3, weight_decay=1.0, grokfast=False),
    Row(key="adamw_wd1_lr3e-3", optimizer="adamw", lr=3e-3, weight_decay=1.0, grokfast=False),
)


@dataclass(frozen=True, kw_only=True)
class Grokked:
    """What came of a row: the first step at which enough was right, or the cap."""

    steps: int
    is_reached: bool
    accuracy: float
    seconds: float


class Perceptron(nn.Module):
    """Two embedded numbers, one hidden layer, one class a residue; 103,137 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = nn.Embedding(MODULUS, WIDTH)
        self.hidden = nn.Linear(2 * WIDTH, 2 * WIDTH)
        self.head = nn.Linear(2 * WIDTH, MODULUS)

    def forward(self, pairs: Tensor) -> Tensor:  # (B, 2) -> (B, MODULUS)
        """Return a score for each residue."""
        scores: Tensor = self.head(torch.relu(self.hidden(self.numbers(pairs).flatten(1))))
        return scores


def steps_to_grok(row: Row, *, seed: int = 0, cap_steps: int = CAP_STEPS) -> Grokked:
    """Train on half of the table until the other half is known, at most `cap_steps`."""
    seed_everything(seed)
    pairs = torch.cartesian_prod(torch.arange(MODULUS), torch.arange(MODULUS))
    residues = pairs.sum(1) % MODULUS
    train, val = torch.randperm(len(pairs)).split((len(pairs) + 1) // 2)
    model = Perceptron()
    updater = Updater(
        model,
        Plan(
            max_steps=cap_steps,
            optimizer={"name": row.optimizer, "lr": row.lr, "betas": [0.9, 0.98], "weight_decay": row.weight_decay},
            groups=(Group(pattern="*", weight_decay=row.weight_decay),),
            grokfast=GrokFast(alpha=0.98, lamb=2.0) if row.grokfast else None,
        ),
    )
    order = ShuffledIndices(len(train), batch_size=BATCH, seed=seed)
    began_s = time.monotonic()
    for step in range(1, cap_steps + 1):
        updater.set_rates(lr=row.lr * min(1.0, step / WARMUP_STEPS))
        rows = train[order.at(step - 1)]
        updater.update([lambda rows=rows: cross_entropy(model(pairs[rows]), residues[rows])])
        if step % EVALUATE_EVERY == 0 and (accuracy := _accuracy(model, pairs[val], residues[val])) >= GOAL:
            return Grokked(steps=step, is_reached=True, accuracy=accuracy, seconds=time.monotonic() - began_s)
    accuracy = _accuracy(model, pairs[val], residues[val])
    return Grokked(steps=cap_steps, is_reached=False, accuracy=accuracy, seconds=time.monotonic() - began_s)


@torch.no_grad()
def _accuracy(model: nn.Module, pairs: Tensor, residues: Tensor) -> float:
    return float((model(pairs).argmax(1) == residues).float().mean())
