from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import resources

import pytest
from pydantic import ValidationError

from tutelage.core.errors import InvalidSpec, UnknownName
from tutelage.services.codegen import SERVICE
from tutelage.services.codegen.config import PRESETS, CodegenConfig, TransformerConfig


def document() -> dict:
    return tomllib.loads(resources.files("tutelage.services.codegen.config").joinpath("default.toml").read_text())


@pytest.mark.parametrize("section", ["model", "data", "training", "decoding"])
def test_every_default_stands_in_the_file(section):
    config = CodegenConfig().model_dump(mode="json")[section]
    assert {key: value for key, value in config.items() if value is not None} == document()[section]


def test_the_service_offers_every_preset_of_the_file():
    assert set(SERVICE.presets) == set(PRESETS)


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_every_preset_is_a_valid_config(preset):
    config = CodegenConfig.model_validate({"preset": preset})
    for section, settings in PRESETS[preset].items():
        chosen = getattr(config, section).model_dump(mode="json")
        assert {key: chosen[key] for key in settings} == settings


def test_own_settings_win_over_the_preset():
    config = CodegenConfig.model_validate({"preset": "fast", "model": {"d_model": 128}})
    assert (config.model.d_model, config.model.d_ffn) == (128, 2048)


@pytest.mark.parametrize("section", ["model", "data", "training", "decoding"])
def test_every_setting_is_described(section):
    fields = type(getattr(CodegenConfig(), section)).model_fields
    assert [name for name, field in fields.items() if not field.description] == []


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"preset": "huge"}, UnknownName),
        ({"model": {"d_model": 30, "num_heads": 4}}, InvalidSpec),
        ({"model": {"vocab_size": 100, "target_vocab_size": 200}}, InvalidSpec),
        ({"decoding": {"beam": 4, "top_k": 3}}, InvalidSpec),
        ({"training": {"precision": "bf17"}}, UnknownName),
        ({"model": {"dropout": 1.0}}, ValidationError),
        ({"nonsense": 1}, ValidationError),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(given, error):
    with pytest.raises(error):
        CodegenConfig.model_validate(given)


def test_a_vocabulary_that_does_not_fit_is_refused():
    with pytest.raises(InvalidSpec, match="4097 in all"):
        TransformerConfig().sized(vocab_size=4097, target_vocab_size=100)


def test_the_config_imports_no_torch():
    code = "import sys, tutelage.services.codegen.config; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
