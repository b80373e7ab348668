"""A model's weights as named arrays: what every engine that is not torch is built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from tutelage.services.codegen.config.transformer import TransformerConfig
from tutelage.services.codegen.model.transformer import Transformer

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Weights:
    """The arrays of a model under their names in its state, float32, and its table of positions [N, D]."""

    config: TransformerConfig
    arrays: Mapping[str, Floats]
    positions: Floats

    def __getitem__(self, name: str) -> Floats:
        """Return one array: `decoder_layers.0.feed_forward.inner.weight` [out, in], `... .bias` [out]."""
        return self.arrays[name]

    @property
    def embedding(self) -> Floats:
        """The table [vocabulary, D]; its first `target_vocab_size` rows are the head."""
        return self.arrays["embedding.weight"]

    @property
    def head(self) -> Floats:
        """The rows that can be written [target vocabulary, D]."""
        return self.embedding[: self.config.target_vocab_size]


def weights_of(model: Transformer) -> Weights:
    """Return copies of a model's weights, read-only, on whatever device and in whatever precision it is."""
    arrays = {name: _copy(value) for name, value in model.state_dict().items()}
    return Weights(config=model.config, arrays=arrays, positions=_copy(model.positions.table))


def _copy(value: Tensor) -> Floats:
    copy: Floats = value.detach().float().cpu().numpy().copy()
    copy.setflags(write=False)
    return copy
