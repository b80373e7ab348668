"""The config: presets, names, and what does not fit together."""

from __future__ import annotations

from typing import Any

import pytest

from tutelage.core.errors import InvalidSpec, UnknownName
from tutelage.services.cognate.config import PRESETS, CognateConfig


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_a_config_by_itself(preset: str) -> None:
    config = CognateConfig(preset=preset)
    assert all(getattr(config, name) == value for name, value in PRESETS[preset].items())


def test_the_defaults_are_those_of_the_original_system() -> None:
    config = CognateConfig(preset="25m")
    shape = (config.d_model, config.n_layers, config.n_heads, config.vocab_size, config.max_seq_len)
    assert shape == (216, 11, 4, 32_000, 4096)
    training = (config.max_steps, config.batch_size, config.gradient_accumulation_steps, config.learning_rate)
    assert training == (2000, 2, 4, 2e-4)
    assert (config.grokfast_alpha, config.grokfast_lamb) == (0.98, 2.0)
    assert (config.act_threshold, config.act_epsilon, config.max_act_steps) == (0.99, 0.01, 16)
    assert (config.d_mem, config.mem_capacity, config.mem_topk) == (216, 4096, 4)
    assert (config.max_train_samples, config.max_eval_samples, config.save_steps) == (5000, 500, 1000)


def test_own_settings_win_over_preset_and_focus() -> None:
    config = CognateConfig(preset="nano", focus="memory_integration", short_share=0.7)
    assert (config.short_share, config.mem_topk, config.d_model) == (0.7, 8, 32)
    assert CognateConfig(focus="adaptive_computation").act_tau == 0.02


@pytest.mark.parametrize(
    ("changes", "nearest"),
    [
        ({"preset": "nanno"}, "nano"),
        ({"focus": "reasonin"}, "reasoning"),
        ({"dataset_sources": ["GSM9K"]}, "GSM8K"),
        ({"mem_write_rule": "suprise"}, "surprise"),
        ({"precision": "bf61"}, "bf16"),
        ({"lr_schedule": "cosin"}, "cosine"),
        ({"model_names": ["base"], "variants": {"bsae": {}}}, "base"),
    ],
)
def test_an_unknown_name_says_which_is_nearest(changes: dict[str, Any], nearest: str) -> None:
    with pytest.raises(UnknownName, match=f"Did you mean '{nearest}'"):
        CognateConfig(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"d_model": 100, "n_heads": 3}, "even number"),
        ({"d_mem": 30}, "multiple of n_heads"),
        ({"mem_topk": 9, "mem_capacity": 8}, "more than mem_capacity"),
        ({"segment_len": 512, "max_seq_len": 256}, "more than max_seq_len"),
        ({"n_layers": 20}, "fewer than the 20 blocks"),
        ({"recur_last": 12}, "more than n_layers"),
        ({"recur_last": 1, "act_enabled": False}, "act_enabled is false"),
        ({"text_dirs": ["/tmp"]}, "lacks 'text'"),
        ({"dataset_sources": ["text"]}, "needs text_dirs"),
        ({"model_names": ["../a"]}, "name has letters"),
        ({"model_names": ["a", "a"]}, "not all different"),
        ({"variants": {"a": {"n_layers": 40}}}, "variant 'a': max_act_steps"),
        ({"variants": {"a": {"preset": "nano"}}}, "cannot set 'preset'"),
    ],
)
def test_what_does_not_fit_together_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidSpec, match=message):
        CognateConfig(**changes)


def test_names_are_read_whatever_their_case() -> None:
    assert CognateConfig(dataset_sources=["gsm8k", "hotpotqa", "GSM8K"]).dataset_sources == ["GSM8K", "HotpotQA"]


def test_a_variant_is_the_config_with_its_changes() -> None:
    config = CognateConfig(preset="nano", variants={"no_act": {"act_enabled": False}, "all": {}})
    assert config.names == ["no_act", "all"]
    assert not config.variant("no_act").act_enabled
    assert config.variant("all").act_enabled
    assert config.variant("all").d_model == 32
