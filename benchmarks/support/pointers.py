"""Pointer chasing: a random map over n symbols, a start and a number of hops; the answer lies that many hops on.

One token for each symbol with what it points to, then one for start and hops. Shapes: B batch, T = n + 1 tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tutelage.services.cognate.model.causal_lm import CausalLM
from tutelage.services.cognate.model.settings import ActSettings, ModelSettings
from tutelage.training import Loss

NUM_SYMBOLS, MAX_HOPS, MAX_STEPS, WIDTH = 6, 4, 6, 64
BATCH = 96
INITIAL_STD = 0.12
"""Weights of a 64-channel model this small learn the task sooner when they begin larger than a language model's."""


@dataclass(frozen=True, kw_only=True)
class Chases:
    """Questions: tokens [B, T], hops [B] from 1 to MAX_HOPS, answers [B]; `price` of a ponder step."""

    tokens: Tensor
    hops: Tensor
    answers: Tensor
    price: float = 0.0


def draw(count: int, seed: int, *, hops: int | None = None, price: float = 0.0) -> Chases:
    """Draw questions by a seed, all of one number of hops where it is given."""
    source = torch.Generator().manual_seed(seed)
    pointers = torch.randint(0, NUM_SYMBOLS, (count, NUM_SYMBOLS), generator=source)
    start = torch.randint(0, NUM_SYMBOLS, (count,), generator=source)
    steps = torch.randint(1, MAX_HOPS + 1, (count,), generator=source)
    steps = torch.full_like(steps, hops) if hops is not None else steps
    answers = start.clone()
    for hop in range(MAX_HOPS):
        answers = torch.where(steps > hop, pointers.gather(1, answers[:, None]).squeeze(1), answers)
    pairs = torch.arange(NUM_SYMBOLS) * NUM_SYMBOLS + pointers
    question = NUM_SYMBOLS**2 + start * MAX_HOPS + steps - 1
    return Chases(tokens=torch.cat((pairs, question[:, None]), 1), hops=steps, answers=answers, price=price)


def build_model(seed: int) -> CausalLM:
    """Return the product's model with one block, applied up to MAX_STEPS times."""
    torch.manual_seed(seed)
    model = CausalLM(
        ModelSettings(
            vocab_size=NUM_SYMBOLS**2 + NUM_SYMBOLS * MAX_HOPS,
            d_model=WIDTH,
            n_layers=1,
            n_heads=4,
            d_ffn=2 * WIDTH,
            segment_len=NUM_SYMBOLS + 1,
            act=ActSettings(max_steps=MAX_STEPS, recur_last=1),
        )
    )
    for name, parameter in model.named_parameters():
        if parameter.dim() == 2 and not name.startswith(("halting", "step_embedding")):
            nn.init.normal_(parameter, std=1.0 if name.startswith("embedding") else INITIAL_STD)
    return model


class PointerTask:
    """The task for `fit`: the price of a ponder step rises with the steps taken, so that thinking is learned first."""

    def __init__(self, model: CausalLM, *, tau: float, ramp_steps: int) -> None:
        self._model, self._tau, self._ramp_steps = model, tau, ramp_steps

    @property
    def model(self) -> CausalLM:
        """The model."""
        return self._model

    def batch(self, position: int) -> Chases:
        """Return fresh questions at each position."""
        return draw(BATCH, 1000 + position, price=self._tau * min(1.0, position / self._ramp_steps))

    def loss(self, batch: Chases) -> Loss:
        """Return cross-entropy of the answers plus the price of all tokens' ponder steps."""
        scores, cost, _ = answer(self._model, batch)
        total = F.cross_entropy(scores, batch.answers, reduction="sum") + batch.price * cost.sum()
        return Loss(total=total, num_items=len(batch.answers))

    def evaluate(self) -> Mapping[str, float]:
        """Return the share of right answers to fresh questions."""
        asked = draw(1000, 1)
        scores, _, _ = answer(self._model, asked)
        return {"val_accuracy": float((scores.argmax(1) == asked.answers).float().mean())}


def answer(model: CausalLM, asked: Chases) -> tuple[Tensor, Tensor, Tensor]:
    """Return scores [B, n] of the answers, mean ponder cost [B] of all tokens, and the question token's steps [B]."""
    output = model(asked.tokens)
    assert output.ponder is not None, "this model ponders"
    scores = model.logits(output.hidden[:, -1])[:, :NUM_SYMBOLS]
    return scores, output.ponder.cost.mean(1), output.ponder.steps[:, -1]
