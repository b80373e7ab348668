"""Writing text: token by token, with a cache of keys and values, the memory filled at each segment's end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from tutelage.core.errors import InvalidSpec
from tutelage.services.cognate.data.tokenizer import EOS_ID
from tutelage.services.cognate.model.attention import KeyValueCache
from tutelage.services.cognate.model.bank import Bank
from tutelage.services.cognate.model.causal_lm import CausalLM, Output, shifted_surprise
from tutelage.services.cognate.model.memory import MemoryView


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How the next token is drawn. `temperature` 0: the likeliest; `top_k`, `top_p` leave the unlikely out."""

    max_new_tokens: int = 128
    temperature: float = 0.8
    top_k: int | None = None
    top_p: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        rules = (
            ("max_new_tokens", 1 <= self.max_new_tokens <= 100_000, "from 1 to 100000"),
            ("temperature", 0 <= self.temperature <= 100, "from 0 to 100"),
            ("top_k", self.top_k is None or self.top_k >= 1, "at least 1"),
            ("top_p", self.top_p is None or 0 < self.top_p <= 1, "above 0, at most 1"),
        )
        for name, holds, allowed in rules:
            if not holds:
                raise InvalidSpec(f"{name} must be {allowed}, got {getattr(self, name)}")


@torch.no_grad()
def generate(model: CausalLM, prompt: Sequence[int], sampling: Sampling, *, use_cache: bool = True) -> Iterator[int]:
    """Yield new tokens after the prompt's, until EOS or `max_new_tokens`; EOS itself is not yielded."""
    was_training = model.training
    model.eval()
    try:
        reader = SegmentReader(model, use_cache=use_cache)
        draw = torch.Generator().manual_seed(sampling.seed)
        logits = reader.read(list(prompt))
        for _ in range(sampling.max_new_tokens):
            token = choose(logits, sampling, draw)
            if token == EOS_ID:
                return
            yield token
            logits = reader.read([token])
    finally:
        model.train(was_training)


def choose(logits: Tensor, sampling: Sampling, draw: torch.Generator) -> int:
    """Draw one token from logits [V]."""
    if sampling.temperature == 0:
        return int(logits.argmax())
    scores = logits.double().cpu() / sampling.temperature
    if sampling.top_k is not None and sampling.top_k < len(scores):
        scores[scores < scores.topk(sampling.top_k).values[-1]] = -torch.inf
    if sampling.top_p is not None:
        ordered, places = scores.softmax(-1).sort(descending=True)
        before = ordered.cumsum(-1) - ordered
        scores[places[before >= sampling.top_p]] = -torch.inf
    return int(torch.multinomial(scores.softmax(-1), 1, generator=draw))


class SegmentReader:
    """Reads one text segment by segment, as training does. With memory a full segment is written to the bank and left;
    without, its second half is read again, so that the next token always has context.

    `use_cache` False computes the whole segment for each new token: the same numbers, slowly.
    """

    def __init__(self, model: CausalLM, *, use_cache: bool = True) -> None:
        self._model, self._use_cache = model, use_cache
        self._device = next(model.parameters()).device
        self._bank = model.memory.empty(1) if model.memory is not None else None
        self._tokens: list[int] = []
        self._outputs: list[Output] = []
        self._cache = KeyValueCache()
        self._view = self._fresh_view()

    @property
    def bank(self) -> Bank | None:
        """What the memory holds of the segments that are full."""
        return self._bank

    def read(self, tokens: Sequence[int]) -> Tensor:
        """Read tokens and return the logits [V] of the one that follows. Raises InvalidSpec for none."""
        if not tokens:
            raise InvalidSpec("the prompt has no token", hint="give a text")
        rest = list(tokens)
        while rest:
            if len(self._tokens) == self._model.settings.segment_len:
                rest = self._turn() + rest
            room = self._model.settings.segment_len - len(self._tokens)
            chunk, rest = rest[:room], rest[room:]
            self._extend(chunk)
        return self._model.logits(self._outputs[-1].hidden[0, -1])

    def _extend(self, chunk: list[int]) -> None:
        self._tokens += chunk
        if self._use_cache:
            self._outputs.append(self._forward(chunk, self._cache))
        else:
            self._view = self._fresh_view()
            self._outputs = [self._forward(self._tokens, None)]

    def _forward(self, tokens: list[int], cache: KeyValueCache | None) -> Output:
        output: Output = self._model(torch.tensor([tokens], device=self._device), memory=self._view, cache=cache)
        return output

    def _turn(self) -> list[int]:
        """Leave a full segment; return the tokens that are to be read again."""
        again = [] if self._bank is not None else self._tokens[len(self._tokens) // 2 :]
        if self._bank is not None:
            self._bank = self._written()
        self._begin()
        return again

    def _begin(self) -> None:
        self._tokens, self._outputs = [], []
        self._cache, self._view = KeyValueCache(), self._fresh_view()

    def _fresh_view(self) -> MemoryView | None:
        if self._model.memory is None or self._bank is None:
            return None
        return self._model.memory.view(self._bank)

    def _written(self) -> Bank:
        hidden = torch.cat([output.hidden for output in self._outputs], 1)
        whole = Output(
            hidden=hidden,
            ponder=None,
            view=self._view,
            trace=torch.cat([output.trace for output in self._outputs], 1),
        )
        tokens = torch.tensor([self._tokens], device=self._device)
        logits = self._model.logits(hidden[:, :-1]).flatten(0, 1).float()
        losses = F.cross_entropy(logits, tokens[:, 1:].flatten(), reduction="none").view(1, -1)
        return self._model.write(whole, surprise=shifted_surprise(losses), docs=torch.zeros_like(tokens))
