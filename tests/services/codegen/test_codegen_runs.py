"""Whole operations by a worker: the contract."""

from __future__ import annotations

import pytest

from tutelage.core.training import VOLATILE
from tutelage.testing.contracts import ServiceContract

TINY = {
    "preset": "tiny",
    "data": {"num_programs": 64, "num_held_out": 8},
    "model": {"d_model": 32, "num_encoder_layers": 1, "d_ffn": 64},
    "training": {
        "max_steps": 24,
        "eval_steps": 4,
        "save_steps": 4,
        "sample_steps": 0,
        "eval_prompts": 4,
        "log_steps": 1,
    },
}


@pytest.mark.slow  # ten trainings in processes of their own, each of which imports torch
class TestCodegen(ServiceContract):
    service = "tutelage.services.codegen:SERVICE"
    config = TINY
    request = {"prompt": "write a function glow of float x that returns the sine of x", "max_new_tokens": 5}
    volatile = VOLATILE
