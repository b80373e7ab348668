"""Token streams: batches as a pure function of their position, document after document in parallel lanes.

Shapes: B lanes, T tokens of a segment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tutelage.services.cognate.data.sample import Sample
from tutelage.services.cognate.data.tokenizer import EOS_ID, PAD_ID, TextTokenizer
from tutelage.services.cognate.model.bank import EMPTY

IGNORED = -100
"""The label of a place that has no next token: padding, and the last token of a document."""


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Documents as one row of tokens; each begins with EOS, so that its first token is predicted, and ends with EOS.

    `lengths` in tokens; `num_bytes` of all texts.
    """

    tokens: NDArray[np.int32]
    lengths: NDArray[np.int64]
    num_bytes: int

    @classmethod
    def of(cls, samples: Sequence[Sample], tokenizer: TextTokenizer, *, max_seq_len: int) -> Corpus:
        """Tokenize; a document over `max_seq_len` tokens becomes several."""
        documents = [
            part for ids in tokenizer.encode_all(sample.text for sample in samples) for part in _parts(ids, max_seq_len)
        ]
        return cls(
            tokens=np.fromiter((token for part in documents for token in part), dtype=np.int32),
            lengths=np.asarray([len(part) for part in documents], dtype=np.int64),
            num_bytes=sum(len(sample.text.encode()) for sample in samples),
        )

    @property
    def num_tokens(self) -> int:
        """All tokens, EOS included."""
        return int(self.tokens.shape[0])

    @property
    def fingerprint(self) -> str:
        """SHA-256 of tokens and boundaries."""
        return hashlib.sha256(self.tokens.tobytes() + self.lengths.tobytes()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A batch: tokens [B, T], the labels they are to predict [B, T], and the documents they belong to [B, T].

    `begins` tells that every lane starts anew, so that no memory of earlier segments holds.
    """

    tokens: Tensor
    labels: Tensor
    docs: Tensor
    begins: bool

    def to(self, device: torch.device) -> Segment:
        """Return the batch on a device."""
        return Segment(
            tokens=self.tokens.to(device), labels=self.labels.to(device), docs=self.docs.to(device), begins=self.begins
        )

    @property
    def num_labels(self) -> int:
        """How many tokens are predicted."""
        return int((self.labels != IGNORED).sum())


class Stream:
    """A corpus read in B lanes, one segment of T tokens after the other; each epoch has its own order of documents."""

    def __init__(self, corpus: Corpus, *, lanes: int, segment_len: int, seed: int | None) -> None:
        self._corpus = corpus
        self._lanes, self._segment_len, self._seed = lanes, segment_len, seed
        per_lane = -(-corpus.num_tokens // lanes)
        self.segments = max(1, -(-per_lane // segment_len))
        """Segments of one epoch."""
        self._lane_len = self.segments * segment_len
        self._starts = np.concatenate(([0], np.cumsum(corpus.lengths)))
        self._epoch: tuple[int, NDArray[np.int64], NDArray[np.int64]] | None = None

    def batch(self, position: int) -> Segment:
        """Return the batch at a position, counted over all epochs."""
        epoch, segment = divmod(position, self.segments)
        order, ends = self._order(epoch)
        tokens = np.full((self._lanes, self._segment_len + 1), PAD_ID, dtype=np.int64)
        docs = np.full((self._lanes, self._segment_len + 1), EMPTY, dtype=np.int64)
        for lane in range(self._lanes):
            first = lane * self._lane_len + segment * self._segment_len
            self._fill(tokens[lane], docs[lane], first, order, ends)
        follows = (docs[:, 1:] == docs[:, :-1]) & (docs[:, :-1] != EMPTY)
        labels = np.where(follows, tokens[:, 1:], IGNORED)
        parts: dict[str, Any] = {"tokens": tokens[:, :-1], "labels": labels, "docs": docs[:, :-1]}
        return Segment(
            **{name: torch.from_numpy(np.ascontiguousarray(part)) for name, part in parts.items()},
            begins=segment == 0,
        )

    def _order(self, epoch: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the epoch's order of documents, and where each ends in it; the last epoch asked for is kept."""
        if self._epoch is None or self._epoch[0] != epoch:
            count = len(self._corpus.lengths)
            order = np.arange(count)
            if self._seed is not None:
                order = np.random.default_rng([self._seed, 2, epoch]).permutation(count)
            self._epoch = (epoch, order, np.cumsum(self._corpus.lengths[order]))
        return self._epoch[1], self._epoch[2]

    def _fill(
        self,
        tokens: NDArray[np.int64],
        docs: NDArray[np.int64],
        first: int,
        order: NDArray[np.int64],
        ends: NDArray[np.int64],
    ) -> None:
        """Copy what lies from `first` on in the epoch's order; what lies behind its end stays padding."""
        last = min(first + len(tokens), self._corpus.num_tokens)
        at = first
        place = int(np.searchsorted(ends, first, side="right"))
        while at < last:
            document = int(order[place])
            begin = int(ends[place]) - int(self._corpus.lengths[document])
            stop = min(last, int(ends[place]))
            source = int(self._starts[document]) + at - begin
            tokens[at - first : stop - first] = self._corpus.tokens[source : source + stop - at]
            docs[at - first : stop - first] = place
            at, place = stop, place + 1


def _parts(ids: Sequence[int], max_seq_len: int) -> list[list[int]]:
    size = max_seq_len - 2
    parts = [[EOS_ID, *ids[first : first + size]] for first in range(0, max(1, len(ids)), size)]
    parts[-1].append(EOS_ID)
    return parts
