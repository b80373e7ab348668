"""The speed figures of a model on this machine: attention, softmax, tokenizing, writing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from tutelage.services.codegen.config import DecodingConfig
from tutelage.services.codegen.decoding.sampling import sample
from tutelage.services.codegen.engines.base import EOS_ID, StepEngine
from tutelage.services.codegen.model.layers import EncoderLayer
from tutelage.services.codegen.model.transformer import Transformer
from tutelage.services.codegen.phases.timing import Timing, measure

SOURCE_TOKENS, NEW_TOKENS = 20, 40
ATTENTION_TOKENS, SOFTMAX_WIDTH = 128, 512


class NeverEnds:
    """A mask that allows everything but <eos>, so that a fixed number of tokens is written."""

    def __init__(self, target_vocab_size: int) -> None:
        self._allowed = np.ones(target_vocab_size, dtype=bool)
        self._allowed[EOS_ID] = False

    def allowed(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Return what may come next."""
        return self._allowed

    def advance(self, id: int) -> None:
        """Nothing changes."""

    def fork(self) -> NeverEnds:
        """Return itself: it has no state."""
        return self


def kernel_timings(model: Transformer, *, rounds: int = 9) -> Mapping[str, Timing]:
    """Time one encoder layer's attention at 128 tokens, and the softmax of a row of 512."""
    layer = model.encoder_layers[0]
    assert isinstance(layer, EncoderLayer), "the encoder is made of its layers"
    device = next(model.parameters()).device
    hidden = torch.randn(1, ATTENTION_TOKENS, model.config.d_model, device=device)
    row = torch.randn(SOFTMAX_WIDTH, device=device)
    with torch.inference_mode():
        return {
            "attention_ms": measure(lambda: layer.attention(hidden), rounds=rounds),
            "softmax_us": measure(lambda: row.softmax(-1), rounds=rounds),
        }


def writing_timing(engine: StepEngine, *, target_vocab_size: int, rounds: int = 5) -> Timing:
    """Time a whole answer, greedy: 20 tokens read, 40 written."""
    source = np.random.default_rng(0).integers(4, target_vocab_size, SOURCE_TOKENS).tolist()
    greedy, mask = DecodingConfig(), NeverEnds(target_vocab_size)
    return measure(
        lambda: sample(engine, [source], greedy, max_tokens=NEW_TOKENS, masks=[mask]), rounds=rounds, warmups=1
    )


def in_units(timings: Mapping[str, Timing]) -> dict[str, float]:
    """Return timings as figures, in the unit that ends their name."""
    scale = {"ms": 1e3, "us": 1e6, "s": 1.0}
    return {name: round(timing.median_s * scale[name.rsplit("_", 1)[1]], 4) for name, timing in timings.items()}
