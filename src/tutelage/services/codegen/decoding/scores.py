"""Scores to choices: masked, tempered, cut to the likeliest. Shapes: B rows, V vocabulary."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tutelage.services.codegen.engines.base import Logits

NEVER = np.float32(-np.inf)

Floats = NDArray[np.float64]


def log_softmax(logits: Logits | Floats) -> Floats:
    """Return log-probabilities over the last axis, in float64; -inf stays, and a row of nothing else becomes NaN."""
    scores = logits.astype(np.float64)
    with np.errstate(invalid="ignore"):
        scores -= scores.max(-1, keepdims=True)
        shifted: Floats = scores - np.log(np.exp(scores).sum(-1, keepdims=True))
    return shifted


def cut(logits: Logits, *, temperature: float, top_k: int | None, top_p: float | None) -> Floats:
    """Return the probabilities [B, V] that are drawn from.

    `temperature` divides the scores; `top_k` keeps the k likeliest (Fan et al. 2018), `top_p` the smallest set of the
    likeliest whose probabilities add up to p or more (Holtzman et al. 2020), at least one. Ties go to the lower id.
    """
    log_probs = log_softmax(logits.astype(np.float64) / temperature)
    order = np.argsort(-log_probs, axis=-1, kind="stable")
    ranked = np.exp(np.take_along_axis(log_probs, order, -1))
    keep = np.ones_like(ranked, dtype=bool)
    if top_k is not None:
        keep[:, top_k:] = False
    if top_p is not None:
        inside = np.where(keep, ranked, 0.0)
        inside /= inside.sum(-1, keepdims=True)
        keep &= np.cumsum(inside, -1) - inside < top_p
    ranked = np.where(keep, ranked, 0.0)
    probabilities: Floats = np.zeros_like(ranked)
    np.put_along_axis(probabilities, order, ranked / ranked.sum(-1, keepdims=True), -1)
    return probabilities


def drawn(probabilities: Floats, draws: Floats) -> NDArray[np.int64]:
    """Return one id a row [B]: where the running sum of its probabilities [B, V] passes its draw [B] in [0, 1)."""
    sums = np.cumsum(probabilities, -1)
    chosen: NDArray[np.int64] = (sums <= (draws * sums[:, -1])[:, None]).sum(-1).astype(np.int64)
    return chosen
