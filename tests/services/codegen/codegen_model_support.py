"""Small models on toy ids, for the tests of model, decoding and training."""

from __future__ import annotations

import numpy as np
import torch

from tutelage.services.codegen.config import TransformerConfig
from tutelage.services.codegen.engines.base import EOS_ID, SOS_ID
from tutelage.services.codegen.model.transformer import Transformer

TOY = TransformerConfig(
    d_model=32,
    num_heads=4,
    num_encoder_layers=2,
    num_decoder_layers=2,
    d_ffn=64,
    max_source_tokens=24,
    max_target_tokens=24,
    vocab_size=40,
    target_vocab_size=24,
)


def toy_model(seed: int = 0, **changes: object) -> Transformer:
    """Return a model with random weights, in evaluation mode."""
    torch.manual_seed(seed)
    return Transformer(TransformerConfig.model_validate({**TOY.model_dump(), **changes})).eval()


def toy_sources(num_rows: int, *, seed: int = 0, at_most: int = 9) -> np.ndarray:
    """Return padded sources [B, S] of different lengths."""
    draw = np.random.default_rng(seed)
    rows = [draw.integers(4, 40, draw.integers(3, at_most + 1)) for _ in range(num_rows)]
    padded = np.zeros((num_rows, max(map(len, rows))), dtype=np.int64)
    for index, row in enumerate(rows):
        padded[index, : len(row)] = row
    return padded


def toy_pairs(num_pairs: int, *, seed: int = 0) -> list[tuple[list[int], list[int]]]:
    """Return pairs of a source and a target that is its tokens in reverse, each mapped to a target token."""
    draw = np.random.default_rng(seed)
    sources = [draw.integers(24, 40, draw.integers(4, 10)).tolist() for _ in range(num_pairs)]
    return [(source, [4 + (token - 24) for token in reversed(source)]) for source in sources]


__all__ = ["EOS_ID", "SOS_ID", "TOY", "toy_model", "toy_pairs", "toy_sources"]
