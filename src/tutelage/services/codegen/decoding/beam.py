"""Beam search: the likeliest hypotheses of every source side by side, on one static cache."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tutelage.services.codegen.config.decoding import DecodingConfig
from tutelage.services.codegen.decoding.constraint import Masks, constrained
from tutelage.services.codegen.decoding.scores import Floats, log_softmax
from tutelage.services.codegen.decoding.written import Written, padded
from tutelage.services.codegen.engines.base import EOS_ID, SOS_ID, StepEngine
from tutelage.services.codegen.masks.mask import Mask


@dataclass(frozen=True, kw_only=True)
class Hypothesis:
    """A beginning of a program. `row` is its place in the cache before the next step."""

    ids: tuple[int, ...]
    log_prob: float
    row: int
    mask: Mask | None


@dataclass
class _Search:
    """The hypotheses of one source, alive and ended."""

    beam: int
    length_penalty: float
    alive: list[Hypothesis]
    ended: list[Hypothesis] = field(default_factory=list)
    num_steps: int = 0

    @property
    def is_done(self) -> bool:
        """As many have ended as the beam is wide, or none can go on."""
        return len(self.ended) >= self.beam or not self.alive

    def extend(self, log_probs: Floats) -> None:
        """Take the log-probabilities [alive, V]: candidates in order, <eos> among the first `beam` ends one."""
        self.num_steps += 1
        totals = np.array([item.log_prob for item in self.alive])[:, None] + log_probs
        flat = totals.ravel()
        order = np.argsort(-flat, kind="stable")[: 2 * self.beam]
        following: list[Hypothesis] = []
        for rank, place in enumerate(order.tolist()):
            if not math.isfinite(flat[place]) or len(following) == self.beam:
                break
            parent, token = self.alive[place // totals.shape[1]], place % totals.shape[1]
            if token != EOS_ID:
                following.append(_following(parent, token, float(flat[place])))
            elif rank < self.beam:
                self.ended.append(Hypothesis(ids=parent.ids, log_prob=float(flat[place]), row=parent.row, mask=None))
        self.alive = following

    def best(self) -> Written:
        """Return the best ended hypothesis by log_prob / length ** length_penalty; where none ended, a living one."""
        found = self.ended or self.alive
        if not found:
            return Written(ids=(), log_prob=-math.inf, is_ended=False, num_steps=self.num_steps)
        best = max(found, key=lambda item: item.log_prob / max(len(item.ids) + 1, 1) ** self.length_penalty)
        return Written(ids=best.ids, log_prob=best.log_prob, is_ended=bool(self.ended), num_steps=self.num_steps)


def beam_search(
    engine: StepEngine,
    sources: Sequence[Sequence[int]],
    config: DecodingConfig,
    *,
    max_tokens: int,
    masks: Masks = None,
) -> list[Written]:
    """Write the best program that the search finds for each source. Lengths count <eos>; ties go to the lower id."""
    searches = [
        _Search(
            beam=config.beam,
            length_penalty=config.length_penalty,
            alive=[Hypothesis(ids=(), log_prob=0.0, row=row, mask=masks[row] if masks is not None else None)],
        )
        for row in range(len(sources))
    ]
    cache = engine.open(engine.encode(padded(sources)), max_tokens=max_tokens)
    ids = np.full((len(searches), 1), SOS_ID, dtype=np.int64)
    alive = list(searches)
    while alive and cache.length < max_tokens:
        followed = [item.mask for search in alive for item in search.alive if item.mask is not None]
        log_probs = log_softmax(constrained(engine.step(ids, cache)[:, -1], followed or None))
        first = 0
        for search in alive:
            last = first + len(search.alive)
            search.extend(log_probs[first:last])
            first = last
        alive = [search for search in alive if not search.is_done]
        rows = [item for search in alive for item in search.alive]
        if rows:
            cache.select([item.row for item in rows])
            ids = np.array([[item.ids[-1]] for item in rows], dtype=np.int64)
        _number(alive)
    return [search.best() for search in searches]


def _number(searches: Sequence[_Search]) -> None:
    """Give every living hypothesis its new place in the cache."""
    row = 0
    for search in searches:
        renumbered = []
        for item in search.alive:
            renumbered.append(Hypothesis(ids=item.ids, log_prob=item.log_prob, row=row, mask=item.mask))
            row += 1
        search.alive = renumbered


def _following(parent: Hypothesis, token: int, log_prob: float) -> Hypothesis:
    mask = None
    if parent.mask is not None:
        mask = parent.mask.fork()
        mask.advance(token)
    return Hypothesis(ids=(*parent.ids, token), log_prob=log_prob, row=parent.row, mask=mask)
