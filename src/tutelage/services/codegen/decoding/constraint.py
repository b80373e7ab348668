"""What may be written next: special tokens never, the rest as a mask says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tutelage.services.codegen.decoding.scores import NEVER
from tutelage.services.codegen.engines.base import PAD_ID, SOS_ID, UNK_ID, Logits

UNWRITABLE = [PAD_ID, UNK_ID, SOS_ID]


class Mask(Protocol):
    """Follows one program as it is written, and tells what may come next."""

    def allowed(self) -> NDArray[np.bool_]:
        """Return which ids may come next, [V]; <eos> where the program may end."""

    def advance(self, token: int) -> None:
        """Hear of the token that was written."""

    def fork(self) -> Mask:
        """Return a mask that goes on from here by itself."""


Masks = Sequence[Mask] | None


def constrained(logits: Logits, masks: Masks) -> Logits:
    """Return scores [B, V] in which what may not be written is -inf; row by row as the masks say."""
    scores = logits.copy()
    scores[:, UNWRITABLE] = NEVER
    for row, mask in enumerate(masks or ()):
        allowed = mask.allowed()
        scores[row, : len(allowed)][~allowed] = NEVER
    return scores
