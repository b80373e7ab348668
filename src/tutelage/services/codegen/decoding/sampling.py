"""Token by token: greedy, or drawn with temperature, top-k and nucleus; all rows side by side on one static cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tutelage.services.codegen.config.decoding import DecodingConfig
from tutelage.services.codegen.decoding.constraint import Masks, constrained
from tutelage.services.codegen.decoding.scores import cut, drawn, log_softmax
from tutelage.services.codegen.decoding.written import Written, padded
from tutelage.services.codegen.engines.base import EOS_ID, SOS_ID, Logits, StepEngine


@dataclass
class _Row:
    """One program being written."""

    draw: np.random.Generator
    ids: list[int] = field(default_factory=list)
    log_prob: float = 0.0
    is_ended: bool = False
    num_steps: int = 0

    def written(self) -> Written:
        return Written(ids=tuple(self.ids), log_prob=self.log_prob, is_ended=self.is_ended, num_steps=self.num_steps)


def sample(
    engine: StepEngine,
    sources: Sequence[Sequence[int]],
    config: DecodingConfig,
    *,
    max_tokens: int,
    masks: Masks = None,
    streams: Sequence[int] | None = None,
) -> list[Written]:
    """Write one program for each source, greedily at temperature 0. Rows that have ended leave the batch.

    `masks` has one mask a source, which is advanced; `streams` a number a source, its place by default: a row's draws
    hang on the seed and that number alone.
    """
    rows = [_Row(np.random.default_rng([config.seed, each])) for each in streams or range(len(sources))]
    alive, followed = list(rows), (list(masks) if masks is not None else None)
    cache = engine.open(engine.encode(padded(sources)), max_tokens=max_tokens)
    ids = np.full((len(rows), 1), SOS_ID, dtype=np.int64)
    while alive and cache.length < max_tokens:
        scores = constrained(engine.step(ids, cache)[:, -1], followed)
        chosen = choose(scores, config, [row.draw for row in alive])
        log_probs = log_softmax(scores)[np.arange(len(alive)), chosen]
        kept = []
        for place, row in enumerate(alive):
            row.num_steps += 1
            if _goes_on(row, int(chosen[place]), float(log_probs[place])):
                kept.append(place)
                if followed is not None:
                    followed[place].advance(int(chosen[place]))
        if len(kept) < len(alive):
            alive = [alive[place] for place in kept]
            followed = [followed[place] for place in kept] if followed is not None else None
            if kept:
                cache.select(kept)
        ids = chosen[kept][:, None]
    return [row.written() for row in rows]


def choose(scores: Logits, config: DecodingConfig, draws: Sequence[np.random.Generator]) -> NDArray[np.int64]:
    """Return one id a row of scores [B, V]; the lowest id wins a tie."""
    if not config.draws:
        return np.asarray(scores.argmax(-1), dtype=np.int64)
    probabilities = cut(scores, temperature=config.temperature, top_k=config.top_k, top_p=config.top_p)
    return drawn(probabilities, np.array([draw.random() for draw in draws]))


def _goes_on(row: _Row, token: int, log_prob: float) -> bool:
    """Take a token; tell whether the row is written further. Nothing that is allowed has a log-probability of NaN."""
    if np.isnan(log_prob):
        return False
    row.log_prob += log_prob
    if token == EOS_ID:
        row.is_ended = True
        return False
    row.ids.append(token)
    return True
