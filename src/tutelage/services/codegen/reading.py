"""What the encoder reads beside a sentence: the nearest known examples, as many as there is room for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tutelage.services.codegen.data.pairs import Pair
from tutelage.services.codegen.retrieval.index import RetrievalIndex
from tutelage.services.codegen.retrieval.neighbours import as_examples
from tutelage.services.codegen.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True)
class Retrieval:
    """Finds `count` examples, and puts as many of them as fit into `most` tokens behind the sentence."""

    index: RetrievalIndex
    vocabulary: Vocabulary
    count: int
    most: int

    def nearest(self, sentence: str, *, leave_out: str | None = None) -> list[Pair]:
        """Return the nearest pairs, the nearest first."""
        return self.index.nearest(sentence, self.count, leave_out=leave_out)

    def source(self, sentence: str, *, slots: Mapping[str, str], leave_out: str | None = None) -> list[int]:
        """Return the ids of a slotted sentence and its examples; `leave_out` is a code that may not come back."""
        examples = as_examples(self.nearest(sentence, leave_out=leave_out), slots=slots)
        while examples:
            ids = self.vocabulary.source(sentence, examples)
            if len(ids) <= self.most:
                return ids
            examples.pop()
        return self.vocabulary.source(sentence)
