"""What a model must beat: the nearest example, as it stands or with the prompt's names and numbers in it."""

from __future__ import annotations

from collections.abc import Sequence

from tutelage.services.codegen.language.slots import detect, unslot
from tutelage.services.codegen.retrieval.index import RetrievalIndex


def nearest_verbatim(index: RetrievalIndex, sentences: Sequence[str]) -> list[str]:
    """Return the code of each sentence's nearest example."""
    return [index.nearest(detect(sentence).text)[0].code for sentence in sentences]


def nearest_filled(index: RetrievalIndex, sentences: Sequence[str]) -> list[str]:
    """Return the code of each sentence's nearest example, slots filled from the sentence as far as it has them."""
    codes = []
    for sentence in sentences:
        prompt = detect(sentence)
        nearest = index.nearest(prompt.text)[0]
        codes.append(unslot(nearest.slotted_code, {**nearest.slots, **prompt.slots}))
    return codes
