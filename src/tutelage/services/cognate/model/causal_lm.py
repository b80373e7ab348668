"""The decoder-only language model. Shapes: B batch, T time, D model, V vocabulary, C memory slots."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tutelage.services.cognate.model.act import Halting, Ponder
from tutelage.services.cognate.model.attention import KeyValueCache, Window
from tutelage.services.cognate.model.bank import EMPTY, Bank
from tutelage.services.cognate.model.block import Block, Surroundings
from tutelage.services.cognate.model.layers import RMSNorm
from tutelage.services.cognate.model.memory import Memory, MemoryView
from tutelage.services.cognate.model.settings import ModelSettings

INITIAL_STD = 0.02


@dataclass(frozen=True)
class Output:
    """What a segment gave: final states [B, T, D], the pondering (None: off), and what its memory may keep of it."""

    hidden: Tensor
    ponder: Ponder | None
    view: MemoryView | None
    trace: Tensor
    """States [B, T, D] of half the depth, without gradient: what memory keys are projected from."""


@dataclass(frozen=True)
class Step:
    """One application of a block; `shift` is learned and tells repetitions apart (None: applied once)."""

    number: int
    block: Block
    shift: Tensor | None
    halts: bool


class CausalLM(nn.Module):
    """Token embedding, blocks, final norm and head; halting and long-term memory where the settings ask for them.

    Attention spans a segment; what lies further back is reached through the memory alone.
    """

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.settings = settings
        self.embedding = nn.Embedding(settings.vocab_size, settings.d_model)
        self.blocks = nn.ModuleList(Block(settings) for _ in range(settings.n_layers))
        self.norm = RMSNorm(settings.d_model)
        self.head = nn.Linear(settings.d_model, settings.vocab_size, bias=False)
        if settings.tie_embeddings:
            self.head.weight = self.embedding.weight
        self.halting = Halting(settings.d_model) if settings.act else None
        recurs = settings.act is not None and settings.act.recur_last > 0
        self.step_embedding = (
            nn.Embedding(settings.act.max_steps, settings.d_model) if settings.act and recurs else None
        )
        self.memory = Memory(settings.memory, settings.d_model) if settings.memory else None
        self.reset()

    def reset(self) -> None:
        """Initialise: normal(0, 0.02), layers that add to the stream scaled by 1/sqrt(2 n_layers) (GPT-2)."""
        for name, parameter in self.named_parameters():
            if parameter.dim() < 2:
                continue
            adds = name.endswith(("attention.out.weight", "memory.out.weight", "ffn.down.weight"))
            scale = 1 / math.sqrt(2 * self.settings.n_layers) if adds else 1.0
            nn.init.normal_(parameter, std=INITIAL_STD * scale)
        if self.halting is not None:
            self.halting.reset()
        if self.step_embedding is not None:
            nn.init.zeros_(self.step_embedding.weight)

    def forward(
        self,
        tokens: Tensor,
        *,
        docs: Tensor | None = None,
        memory: Bank | MemoryView | None = None,
        cache: KeyValueCache | None = None,
    ) -> Output:
        """Read a segment of tokens [B, T]; `docs` [B, T] numbers documents, which do not see one another.

        `memory` is what is held of earlier segments, as a bank or as the view that a former call returned; `cache` is
        what generation keeps of this segment, extended in place.
        """
        return self.forward_embedded(self.embedding(tokens), docs=docs, memory=memory, cache=cache)

    def forward_embedded(
        self,
        x: Tensor,
        *,
        docs: Tensor | None = None,
        memory: Bank | MemoryView | None = None,
        cache: KeyValueCache | None = None,
    ) -> Output:
        """Read a segment that is embedded already, x [B, T, D]."""
        settings = self.settings
        past = cache.length if cache is not None else 0
        window = Window.of(x, docs, past=past, head_dim=settings.head_dim, rope_base=settings.rope_base)
        view = self.memory.view(memory) if self.memory is not None and isinstance(memory, Bank) else memory
        assert not isinstance(view, Bank), "a model without memory is given none"
        x, ponder, trace = self._climb(x, Surroundings(window=window, docs=docs, memory=view), cache)
        if cache is not None:
            cache.length += x.shape[1]
        hidden = self.norm((ponder.output if ponder else x).to(x.dtype))
        return Output(hidden=hidden, ponder=ponder, view=view, trace=trace.detach())

    def logits(self, hidden: Tensor) -> Tensor:
        """Map states [..., D] to scores of the next token [..., V]."""
        scores: Tensor = self.head(hidden)
        return scores

    def write(self, output: Output, *, surprise: Tensor, docs: Tensor, current: Tensor | None = None) -> Bank:
        """Return the bank after a segment; `surprise` [B, T]: each token's cross-entropy; `docs`: EMPTY if padded."""
        assert self.memory is not None, "only a model with memory writes"
        assert output.view is not None, "the segment was read with a bank"
        keys = F.rms_norm(output.trace, output.trace.shape[-1:])
        return self.memory.write(
            output.view, keys=keys, values=output.hidden.detach(), surprise=surprise, docs=docs, current=current
        )

    def steps(self) -> Iterator[Step]:
        """Yield the applications of blocks in order."""
        act = self.settings.act
        blocks = cast("list[Block]", list(self.blocks))
        if act is None or act.recur_last == 0 or self.step_embedding is None:
            for number, block in enumerate(blocks):
                yield Step(number=number, block=block, shift=None, halts=act is not None)
            return
        once = len(blocks) - act.recur_last
        for number, block in enumerate(blocks[:once]):
            yield Step(number=number, block=block, shift=None, halts=False)
        group = blocks[once:]
        for repetition in range(act.max_steps):
            shift = self.step_embedding.weight[repetition]
            for place, block in enumerate(group):
                number = once + repetition * len(group) + place
                yield Step(number=number, block=block, shift=shift, halts=place == len(group) - 1)

    def _climb(
        self, x: Tensor, around: Surroundings, cache: KeyValueCache | None
    ) -> tuple[Tensor, Ponder | None, Tensor]:
        """Apply the blocks until every token has halted; return states, pondering and the trace."""
        ponder = Ponder.start(x) if self.halting is not None else None
        trace, trace_at = x, self._trace_depth()
        steps = list(self.steps())
        for step in steps:
            if step.number <= trace_at:
                trace = x
            running = ponder.running if ponder is not None else None
            layer = cache.layer(step.number) if cache is not None else None
            if running is None or bool(running.all()):
                x = step.block(x, around, shift=step.shift, cache=layer)
            elif cache is None and not bool(running.any()):
                break
            else:
                x = step.block.forward_active(x, running, around, shift=step.shift, cache=layer)
            if ponder is not None and step.halts:
                ponder = self._ponder(ponder, x, is_last=step is steps[-1])
        return x, ponder, trace

    def _ponder(self, ponder: Ponder, x: Tensor, *, is_last: bool) -> Ponder:
        assert self.halting is not None, "only a model that halts ponders"
        assert self.settings.act is not None, "only a model that halts ponders"
        return ponder.advance(x, self.halting(x), threshold=self.settings.act.threshold, is_last=is_last)

    def _trace_depth(self) -> int:
        act = self.settings.act
        half = self.settings.n_layers // 2
        return min(half, self.settings.n_layers - act.recur_last) if act and act.recur_last else half


def surprise_of(logits: Tensor, tokens: Tensor) -> Tensor:
    """Return each token's cross-entropy [B, T] by logits [B, T, V] of those before it; the first gets the mean."""
    with torch.no_grad():
        later = F.cross_entropy(logits[:, :-1].flatten(0, 1).float(), tokens[:, 1:].flatten(), reduction="none")
        return shifted_surprise(later.view(tokens.shape[0], -1))


def shifted_surprise(losses: Tensor) -> Tensor:
    """Return surprise [B, T] from the losses [B, T-1] of the second token onwards."""
    first = losses.mean(1, keepdim=True) if losses.shape[1] else losses.new_ones(losses.shape[0], 1)
    return torch.cat((first, losses), 1)


__all__ = ["EMPTY", "CausalLM", "Output", "shifted_surprise", "surprise_of"]
