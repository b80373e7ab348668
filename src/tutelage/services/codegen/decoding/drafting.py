"""Draft-and-verify: a span of retrieved code is proposed, and checked in one step; the text is plain greedy's.

Speculative decoding (Leviathan et al. 2023) with the draft looked up instead of computed, as in prompt lookup.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tutelage.services.codegen.decoding.constraint import constrained
from tutelage.services.codegen.decoding.scores import log_softmax
from tutelage.services.codegen.decoding.written import Written, padded
from tutelage.services.codegen.engines.base import EOS_ID, SOS_ID, StepEngine
from tutelage.services.codegen.masks.mask import Mask

LONGEST_MATCH = 4


def write_from_draft(
    engine: StepEngine,
    source: Sequence[int],
    drafts: Sequence[Sequence[int]],
    *,
    max_tokens: int,
    verify_tokens: int,
    mask: Mask | None = None,
) -> Written:
    """Write greedily; each step also checks up to `verify_tokens` tokens that a draft goes on with.

    `drafts` are ids of nearby programs, without <sos> and <eos>.
    """
    texts = [[SOS_ID, *draft, EOS_ID] for draft in drafts]
    cache = engine.open(engine.encode(padded([source])), max_tokens=max_tokens)
    written, log_prob, num_steps = [SOS_ID], 0.0, 0
    while cache.length < max_tokens:
        room = max_tokens - cache.length - 1
        proposed = proposal(written, texts, at_most=min(verify_tokens, room))
        first = cache.length
        logits = engine.step(np.array([[written[-1], *proposed]], dtype=np.int64), cache)[0]
        num_steps += 1
        for place in range(len(proposed) + 1):
            scores = constrained(logits[place : place + 1], None if mask is None else [mask])
            token = int(scores[0].argmax())
            gained = float(log_softmax(scores)[0, token])
            if np.isnan(gained):
                return Written(ids=tuple(written[1:]), log_prob=log_prob, is_ended=False, num_steps=num_steps)
            log_prob += gained
            if token == EOS_ID:
                return Written(ids=tuple(written[1:]), log_prob=log_prob, is_ended=True, num_steps=num_steps)
            written.append(token)
            if mask is not None:
                mask.advance(token)
            if place == len(proposed) or token != proposed[place]:
                cache.rewind(first + place + 1)
                break
    return Written(ids=tuple(written[1:]), log_prob=log_prob, is_ended=False, num_steps=num_steps)


def proposal(written: Sequence[int], texts: Sequence[Sequence[int]], *, at_most: int) -> list[int]:
    """Return what a text goes on with after the longest end of `written` that occurs in it; the first text wins."""
    for length in range(min(LONGEST_MATCH, len(written)), 0, -1):
        end = list(written[-length:])
        for text in texts:
            for place in range(len(text) - length):
                if list(text[place : place + length]) == end:
                    return [token for token in text[place + length : place + length + at_most] if token != EOS_ID]
    return []
