"""What may be written next: special tokens never, the rest as a mask says."""

from __future__ import annotations

from collections.abc import Sequence

from tutelage.services.codegen.decoding.scores import NEVER
from tutelage.services.codegen.engines.base import PAD_ID, SOS_ID, UNK_ID, Logits
from tutelage.services.codegen.masks.mask import Mask

UNWRITABLE = [PAD_ID, UNK_ID, SOS_ID]


Masks = Sequence[Mask] | None


def constrained(logits: Logits, masks: Masks) -> Logits:
    """Return scores [B, V] in which what may not be written is -inf; row by row as the masks say."""
    scores = logits.copy()
    scores[:, UNWRITABLE] = NEVER
    for row, mask in enumerate(masks or ()):
        allowed = mask.allowed()
        scores[row, : len(allowed)][~allowed] = NEVER
    return scores
