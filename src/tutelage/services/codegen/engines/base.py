"""The two protocols of engines: one steps, so that every search of ours runs on it; one writes a whole sequence.

Arrays are NumPy's whatever the engine computes with. Shapes: B rows, S source, T new positions, V target vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tutelage.services.codegen.config.decoding import DecodingConfig

Ids = NDArray[np.int64]
"""Token ids; a source [B, S] is padded on the right with 0."""
Logits = NDArray[np.float32]
"""Scores before softmax, [B, T, V]."""

PAD_ID, UNK_ID, SOS_ID, EOS_ID = 0, 1, 2, 3


class Cache(Protocol):
    """What an engine keeps of rows that are being written; static: its room is fixed when it is opened."""

    @property
    def length(self) -> int:
        """Positions written so far; the same for every row."""

    @property
    def num_rows(self) -> int:
        """Rows side by side."""

    def rewind(self, length: int) -> None:
        """Forget the positions from `length` on."""

    def select(self, rows: Sequence[int]) -> None:
        """Keep these rows, in this order; a row may be kept several times."""


@runtime_checkable
class StepEngine(Protocol):
    """An engine that writes token by token; it may check several tokens in one step."""

    name: str

    def encode(self, source: Ids) -> Any:
        """Read sources [B, S] and return what `open` needs of them: the engine's own memory."""

    def open(self, memory: Any, *, max_tokens: int) -> Cache:
        """Return an empty cache over a memory, one row a source, with room for `max_tokens` positions."""

    def step(self, ids: Ids, cache: Any) -> Logits:
        """Write ids [B, T] at the next T positions; return the scores [B, T, V] of the token after each."""


@runtime_checkable
class SequenceEngine(Protocol):
    """An engine that searches by itself, such as CTranslate2: it takes no mask and checks no draft."""

    name: str

    def write(self, sources: Sequence[Sequence[int]], config: DecodingConfig, *, max_tokens: int) -> list[list[int]]:
        """Return the ids written for each source, without <sos> and <eos>."""
