"""Small models and texts for the tests of `cognate`."""

from __future__ import annotations

from typing import Any

import torch

from tutelage.services.cognate.data.sample import Sample
from tutelage.services.cognate.data.tokenizer import TextTokenizer
from tutelage.services.cognate.model.causal_lm import CausalLM
from tutelage.services.cognate.model.settings import ActSettings, MemorySettings, ModelSettings

ACT = ActSettings(max_steps=4)
RECURRENT = ActSettings(max_steps=5, recur_last=1)
MEMORY = MemorySettings(d_mem=12, capacity=20)
FORMS: dict[str, dict[str, Any]] = {
    "plain": {},
    "act": {"act": ACT},
    "recurrent": {"act": RECURRENT},
    "memory": {"memory": MEMORY},
    "act and memory": {"act": ACT, "memory": MEMORY},
    "recurrent with memory": {"act": ActSettings(max_steps=3, recur_last=2), "memory": MEMORY},
}
"""Every part alone and with the others."""


def small_model(seed: int = 0, *, varied: bool = True, **parts: Any) -> CausalLM:
    """Return a model of 16 channels; `varied` weights are large, so that tokens halt at different steps."""
    torch.manual_seed(seed)
    shape = {"vocab_size": 50, "d_model": 16, "n_layers": 4, "n_heads": 4, "d_ffn": 32, "segment_len": 8}
    model = CausalLM(ModelSettings(**{**shape, **parts}))
    if varied:
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.dim() == 2:
                    parameter.mul_(5)
            if model.halting is not None:
                model.halting.unit.weight.normal_(std=3.0)
                model.halting.unit.bias.fill_(-0.5)
    return model.eval()


def some_tokens(batch: int = 2, time: int = 8, *, vocab_size: int = 50, seed: int = 1) -> torch.Tensor:
    """Return tokens [batch, time]."""
    return torch.randint(0, vocab_size, (batch, time), generator=torch.Generator().manual_seed(seed))


def texts(count: int = 12) -> list[Sample]:
    """Return some short texts with words in common."""
    words = [
        "the",
        "cat",
        "sat",
        "on",
        "a",
        "mat",
        "and",
        "saw",
        "one",
        "dog",
        "run",
        "to",
        "its",
        "house",
        "by",
        "day",
    ]
    return [
        Sample.of(" ".join(words[(index * 3 + place * 5) % len(words)] for place in range(30)), "test")
        for index in range(count)
    ]


def small_tokenizer(vocab_size: int = 270) -> TextTokenizer:
    """Return a tokenizer of the texts."""
    return TextTokenizer.train([sample.text for sample in texts()], vocab_size=vocab_size)
