"""Presets: how large a model, on what; each is completed by the settings that a spec gives beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "25m": {"dataset_sources": ["GSM8K", "SVAMP", "HotpotQA"], "precision": "bf16"},
    "demo": {
        "dataset_sources": ["stdlib:python"],
        "max_train_samples": 400,
        "max_eval_samples": 40,
        "max_steps": 600,
        "d_model": 128,
        "n_layers": 4,
        "n_heads": 4,
        "vocab_size": 4096,
        "max_seq_len": 2048,
        "segment_len": 256,
        "batch_size": 8,
        "gradient_accumulation_steps": 1,
        "learning_rate": 1e-3,
        "warmup_steps": 50,
        "d_mem": 128,
        "mem_capacity": 256,
        "eval_steps": 50,
        "save_steps": 100,
        "sample_steps": 100,
        "max_eval_tokens": 20_000,
    },
    "nano": {
        "dataset_sources": ["stdlib:python"],
        "max_train_samples": 24,
        "max_eval_samples": 4,
        "max_steps": 30,
        "d_model": 32,
        "n_layers": 2,
        "n_heads": 2,
        "vocab_size": 512,
        "max_seq_len": 256,
        "segment_len": 64,
        "batch_size": 4,
        "gradient_accumulation_steps": 1,
        "learning_rate": 3e-3,
        "warmup_steps": 5,
        "d_mem": 32,
        "mem_capacity": 32,
        "eval_steps": 10,
        "save_steps": 10,
        "sample_steps": 15,
        "max_eval_tokens": 2_000,
        "exact_match_samples": 2,
    },
}
"""`nano` trains in seconds, `demo` in minutes on two cores, `25m` is the model of the name."""

FOCUS: Mapping[str, Mapping[str, Any]] = {
    "reasoning": {},
    "memory_integration": {"short_share": 0.2, "mem_topk": 8},
    "adaptive_computation": {"short_share": 0.6, "act_tau": 0.02},
}
"""What a focus changes of the defaults, where the spec says nothing itself."""
