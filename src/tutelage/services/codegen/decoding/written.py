"""What a search gives back, and what it begins with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tutelage.services.codegen.engines.base import PAD_ID, Ids


@dataclass(frozen=True, kw_only=True)
class Written:
    """One program as tokens."""

    ids: tuple[int, ...]
    """Without <sos> and <eos>."""
    log_prob: float
    """Sum of the chosen tokens' log-probabilities, <eos> included, in nats; under a mask, among what it allowed."""
    is_ended: bool
    """Whether <eos> was written; else the bound on tokens, or a mask without any token left, ended it."""
    num_steps: int
    """Steps of the engine that it took."""


def padded(rows: Sequence[Sequence[int]]) -> Ids:
    """Return rows of ids as one array [B, S], padded on the right."""
    filled = np.full((len(rows), max(map(len, rows))), PAD_ID, dtype=np.int64)
    for index, row in enumerate(rows):
        filled[index, : len(row)] = row
    return filled
