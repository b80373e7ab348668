"""Recall beyond the attention window: facts of earlier segments are asked for, and only the memory can know them.

A segment is its facts (key and value in one token, here and there among fillers where there are any), then questions
about facts of this and all earlier segments. Shapes: B batch, F facts, L places of facts and fillers, Q questions,
V symbols, D model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tutelage.services.cognate.model.bank import EMPTY, Bank
from tutelage.services.cognate.model.causal_lm import CausalLM, Output
from tutelage.services.cognate.model.settings import MemorySettings, ModelSettings
from tutelage.training import Loss

NUM_SYMBOLS, NUM_SEGMENTS, NUM_FACTS, WIDTH, BATCH = 64, 5, 8, 64, 48
INITIAL_STD = 0.1
"""As in pointer chasing: a small model learns sooner from larger weights."""


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Keys and values of the facts [B, F], their places [B, F] among L, the keys asked for and their values [B, Q].

    `is_far` [B, Q] tells which of these lie in earlier segments.
    """

    keys: Tensor
    values: Tensor
    places: Tensor
    asked: Tensor
    answers: Tensor
    is_far: Tensor


def draw(count: int, seed: int, *, num_fillers: int = 0) -> list[Segment]:
    """Draw the segments of `count` sequences; no key comes twice in one."""
    source = torch.Generator().manual_seed(seed)
    total = NUM_SEGMENTS * NUM_FACTS
    keys = torch.rand(count, NUM_SYMBOLS, generator=source).argsort(1)[:, :total]
    values = torch.randint(0, NUM_SYMBOLS, (count, total), generator=source)
    found = []
    for number in range(NUM_SEGMENTS):
        mine = slice(number * NUM_FACTS, (number + 1) * NUM_FACTS)
        which = torch.randint(0, (number + 1) * NUM_FACTS, (count, NUM_FACTS), generator=source)
        places = torch.rand(count, NUM_FACTS + num_fillers, generator=source).argsort(1)[:, :NUM_FACTS]
        found.append(
            Segment(
                keys=keys[:, mine],
                values=values[:, mine],
                places=places.sort(1).values,
                asked=keys.gather(1, which),
                answers=values.gather(1, which),
                is_far=which < number * NUM_FACTS,
            )
        )
    return found


def fifo_expectation(capacity: int) -> float:
    """Return the share of far questions whose fact is among the last `capacity` ones, plus lucky guesses at the rest.

    Segment g (from 0) asks one of (g + 1) F facts alike; g F of them are far, of which the bank holds `capacity`.
    """
    far = [number / (number + 1) for number in range(NUM_SEGMENTS)]
    held = [min(capacity, number * NUM_FACTS) / ((number + 1) * NUM_FACTS) for number in range(NUM_SEGMENTS)]
    known = sum(held) / sum(far)
    return known + (1 - known) / NUM_SYMBOLS


class RecallModel(nn.Module):
    """One block of the product's model over tokens made of a key and a value; capacity 0 is without memory."""

    def __init__(self, *, capacity: int, rule: str, num_fillers: int) -> None:
        super().__init__()
        self.num_fillers = num_fillers
        memory = MemorySettings(d_mem=WIDTH, capacity=capacity, write_rule=rule) if capacity else None
        self.lm = CausalLM(
            ModelSettings(
                vocab_size=NUM_SYMBOLS,
                d_model=WIDTH,
                n_layers=1,
                n_heads=4,
                d_ffn=2 * WIDTH,
                segment_len=2 * NUM_FACTS + num_fillers,
                memory=memory,
            )
        )
        for name, parameter in self.lm.named_parameters():
            if parameter.dim() == 2 and name != "memory.prior":
                nn.init.normal_(parameter, std=INITIAL_STD)
        self.key, self.value = nn.Embedding(NUM_SYMBOLS, WIDTH), nn.Embedding(NUM_SYMBOLS, WIDTH)
        self.question = nn.Parameter(torch.randn(WIDTH) * 0.5)
        self.filler = nn.Parameter(torch.randn(WIDTH) * 0.5)

    def embed(self, segment: Segment) -> tuple[Tensor, Tensor]:
        """Return the tokens [B, L + Q, D] and which of the first L are facts [B, L]."""
        count, length = len(segment.keys), NUM_FACTS + self.num_fillers
        facts = self.key(segment.keys) + self.value(segment.values)
        is_fact = torch.zeros(count, length, dtype=torch.bool).scatter(1, segment.places, True)
        body = self.filler.expand(count, length, -1).masked_scatter(is_fact.unsqueeze(-1), facts)
        return torch.cat((body, self.key(segment.asked) + self.question), 1), is_fact


@dataclass(frozen=True, kw_only=True)
class Read:
    """A segment as it was read: scores [B, Q, V], the output, and the bank after it (None without memory)."""

    segment: Segment
    scores: Tensor
    output: Output
    bank: Bank | None


def read(model: RecallModel, segments: list[Segment]) -> Iterator[Read]:
    """Read the segments in turn; questions are not offered to the memory, facts and fillers are.

    A token is as surprising as its kind is rare: its cross-entropy with one filler and V x V facts, all alike.
    """
    bank = model.lm.memory.empty(len(segments[0].keys)) if model.lm.memory is not None else None
    for segment in segments:
        x, is_fact = model.embed(segment)
        output = model.lm.forward_embedded(x, memory=bank)
        scores = model.lm.logits(output.hidden[:, -NUM_FACTS:])
        if bank is not None:
            offered = torch.full(x.shape[:2], EMPTY)
            offered[:, : is_fact.shape[1]] = 0
            surprise = torch.zeros(x.shape[:2])
            surprise[:, : is_fact.shape[1]] = _surprise(is_fact)
            current = torch.zeros(len(x), dtype=torch.long)
            bank = model.lm.write(output, surprise=surprise, docs=offered, current=current)
        yield Read(segment=segment, scores=scores, output=output, bank=bank)


def _surprise(is_fact: Tensor) -> Tensor:
    share = is_fact.float().mean()
    if share == 1:
        return torch.ones_like(is_fact, dtype=torch.float32)
    fact = -share.log() + 2 * torch.log(torch.tensor(float(NUM_SYMBOLS)))
    return torch.where(is_fact, fact, -(1 - share).log())


class RecallTask:
    """The task for `fit`."""

    def __init__(self, model: RecallModel) -> None:
        self._model = model

    @property
    def model(self) -> RecallModel:
        """The model."""
        return self._model

    def batch(self, position: int) -> list[Segment]:
        """Return fresh sequences at each position."""
        return draw(BATCH, 1000 + position, num_fillers=self._model.num_fillers)

    def loss(self, batch: list[Segment]) -> Loss:
        """Return the cross-entropy of the answers, over all segments."""
        parts = [
            F.cross_entropy(found.scores.flatten(0, 1), found.segment.answers.flatten(), reduction="sum")
            for found in read(self._model, batch)
        ]
        return Loss(total=torch.stack(parts).sum(), num_items=len(parts) * batch[0].asked.numel())

    def evaluate(self) -> Mapping[str, float]:
        """Return the share of right answers about earlier segments."""
        return {"val_recall": recall(self._model, draw(200, 1, num_fillers=self._model.num_fillers))}


@torch.no_grad()
def recall(model: RecallModel, segments: list[Segment]) -> float:
    """Return the share of right answers to questions about earlier segments."""
    right = [
        (found.scores.argmax(-1) == found.segment.answers)[found.segment.is_far] for found in read(model, segments)
    ]
    return float(torch.cat(right).float().mean())
