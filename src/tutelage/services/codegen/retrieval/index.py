"""BM25 over pairs of sentence and code (Robertson and Zaragoza 2009), by the words of the sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence

import bm25s
import numpy as np

from tutelage.core.errors import InvalidSpec
from tutelage.services.codegen.data.pairs import Pair

_WORD = re.compile(r"<[nv]|[a-z]+|\d+d?\b")
_SLOT_NUMBER = re.compile(r"(?<=<[nv])\d+>")


def words_of(slotted_sentence: str) -> list[str]:
    """Return what a sentence is found by: its words, and that it has names and numbers, not which."""
    return _WORD.findall(_SLOT_NUMBER.sub(" ", slotted_sentence.lower()))


class RetrievalIndex:
    """Finds the pairs whose sentences share the rarest words with a prompt."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        if not pairs:
            raise InvalidSpec("there is nothing to retrieve from", hint="give at least one pair")
        self.pairs = tuple(pairs)
        self._bm25 = bm25s.BM25()
        self._bm25.index([words_of(pair.slotted_sentence) for pair in pairs], show_progress=False)

    def nearest(self, slotted_sentence: str, k: int = 1, *, leave_out: str | None = None) -> list[Pair]:
        """Return the `k` nearest pairs, the nearest first; equal scores in the corpus's order.

        `leave_out` is a code that may not come back: a training pair must not find itself.
        """
        words = [word for word in words_of(slotted_sentence) if word in self._bm25.vocab_dict]
        scores = self._bm25.get_scores(words) if words else np.zeros(len(self.pairs), np.float32)
        order = np.argsort(-scores, kind="stable")
        found = (self.pairs[int(i)] for i in order)
        chosen: list[Pair] = []
        for pair in found:
            if len(chosen) == k:
                break
            if pair.slotted_code != leave_out:
                chosen.append(pair)
        return chosen
