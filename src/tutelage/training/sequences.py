"""Documents of different lengths as rows of one: padded, packed without mixing, or as sliding windows.

Legend: B rows, T tokens of a row.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tutelage.core.errors import InvalidSpec
from tutelage.training.losses import IGNORED


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows of tokens with what a model must know to keep documents apart.

    `documents` numbers the document of each place within its row, -1 for padding; `places` counts from 0 in each.
    """

    tokens: Tensor  # (B, T) int64
    documents: Tensor  # (B, T) int64
    places: Tensor  # (B, T) int64

    @property
    def is_valid(self) -> Tensor:
        """Where a token is, and not padding; (B, T) bool."""
        return self.documents >= 0

    def targets(self) -> Tensor:
        """Return the next token of the same document at each place, -100 where there is none; (B, T)."""
        follows = (self.documents[:, 1:] == self.documents[:, :-1]) & self.is_valid[:, 1:]
        shifted = torch.full_like(self.tokens, IGNORED)
        shifted[:, :-1] = torch.where(follows, self.tokens[:, 1:], IGNORED)
        return shifted

    def attention_mask(self, *, causal: bool = True) -> Tensor:
        """Return which place may look at which, (B, T, T) bool: within its document, and itself always."""
        same = self.documents.unsqueeze(2) == self.documents.unsqueeze(1)
        same = same & self.is_valid.unsqueeze(1)
        if causal:
            same = same.tril()
        return same | torch.eye(same.shape[-1], dtype=torch.bool, device=same.device)


def pad_rows(documents: Sequence[Sequence[int]], *, pad: int, length: int | None = None) -> Rows:
    """Return each document as a row of `length` (None: the longest), cut there and filled up with `pad`."""
    width = length or max((len(document) for document in documents), default=1)
    return _rows([[document[:width]] for document in documents], length=width, pad=pad)


def pack_rows(documents: Sequence[Sequence[int]], *, length: int, pad: int) -> Rows:
    """Put documents together into rows of `length`, each whole in one row: best fit by falling length.

    Documents longer than a row are cut into pieces of it first, each a document of its own. Deterministic: the same
    documents give the same rows.
    """
    if length < 1:
        raise InvalidSpec(f"length must be >= 1, got {length}")
    pieces = [document[begin : begin + length] for document in documents for begin in range(0, len(document), length)]
    packed: list[list[Sequence[int]]] = []
    room: list[tuple[int, int]] = []  # (tokens left, row), sorted
    for piece in sorted(pieces, key=len, reverse=True):
        place = bisect_left(room, (len(piece), 0))
        if place < len(room):
            left, row = room.pop(place)
        else:
            left, row = length, len(packed)
            packed.append([])
        packed[row].append(piece)
        insort(room, (left - len(piece), row))
    return _rows(packed, length=length, pad=pad)


def windows(num_tokens: int, *, length: int, stride: int) -> list[tuple[int, int, int]]:
    """Return windows of `length`, one every `stride` tokens and one at the end, as (start, stop, fresh).

    `fresh` is how many of a window's last tokens no window before has covered: those that an evaluation scores, with
    the others as context. Together they are all tokens, each once.
    """
    if length < 1 or not 1 <= stride <= length:
        raise InvalidSpec(f"length must be >= 1 and stride from 1 to it, got {length} and {stride}")
    starts = list(range(0, max(num_tokens - length, 0) + 1, stride))
    if starts[-1] + length < num_tokens:
        starts.append(num_tokens - length)
    found, covered = [], 0
    for start in starts:
        stop = min(start + length, num_tokens)
        found.append((start, stop, stop - max(covered, start)))
        covered = stop
    return found


def _rows(packed: Sequence[Sequence[Sequence[int]]], *, length: int, pad: int) -> Rows:
    shape = (len(packed), length)
    tokens = torch.full(shape, pad, dtype=torch.int64)
    documents = torch.full(shape, -1, dtype=torch.int64)
    places = torch.zeros(shape, dtype=torch.int64)
    for row, members in enumerate(packed):
        begin = 0
        for number, member in enumerate(members):
            end = begin + len(member)
            tokens[row, begin:end] = torch.as_tensor(list(member), dtype=torch.int64)
            documents[row, begin:end] = number
            places[row, begin:end] = torch.arange(len(member))
            begin = end
    return Rows(tokens=tokens, documents=documents, places=places)
