"""CTranslate2 and ONNX Runtime against torch, on small models with random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from codegen_model_support import toy_model, toy_sources

from tutelage.core.errors import InvalidSpec, NotSupported
from tutelage.services.codegen.config import DecodingConfig
from tutelage.services.codegen.decoding.write import write
from tutelage.services.codegen.engines.base import SequenceEngine, StepEngine
from tutelage.services.codegen.engines.ctranslate2_engine import CTranslate2Engine
from tutelage.services.codegen.engines.ctranslate2_export import Quantization, export_ctranslate2
from tutelage.services.codegen.engines.onnx_engine import OnnxEngine, export_onnx
from tutelage.services.codegen.engines.torch_engine import TorchEngine
from tutelage.services.codegen.engines.weights import weights_of

FREE = DecodingConfig(constrain=False)
QUANTIZED: dict[Quantization, float] = {"float32": 1e-4, "int8": 0.2}
"""Kind -> how far logits of a toy model may lie from torch's; its logits reach 4."""


def sources(num_rows: int) -> list[list[int]]:
    return [[int(token) for token in row if token] for row in toy_sources(num_rows)]


def written(engine: StepEngine, rows: list[list[int]], config: DecodingConfig = FREE) -> list[list[int]]:
    return [list(one.ids) for one in write(engine, rows, config, max_tokens=20)]


@pytest.mark.parametrize("activation", ["gelu", "swiglu"])
def test_ctranslate2_writes_what_torch_writes(tmp_path: Path, activation: str) -> None:
    model = toy_model(1, activation=activation)
    engine = CTranslate2Engine(export_ctranslate2(weights_of(model), tmp_path / "model"))
    assert isinstance(engine, SequenceEngine)
    assert engine.compute_type == "float32"
    rows = sources(20)
    assert engine.write(rows, FREE, max_tokens=20) == written(TorchEngine(model), rows)
    assert engine.write([], FREE, max_tokens=20) == []


def test_ctranslate2_in_int8_leaves_the_model_as_it_is_and_nearly_agrees(tmp_path: Path) -> None:
    model = toy_model(1)
    weights = weights_of(model)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    engine = CTranslate2Engine(export_ctranslate2(weights, tmp_path / "model", quantization="int8"))
    assert engine.compute_type.startswith("int8")
    assert all(bool((before[name] == value).all()) for name, value in model.state_dict().items())
    rows = sources(20)
    same = [
        ours == theirs
        for ours, theirs in zip(engine.write(rows, FREE, max_tokens=20), written(TorchEngine(model), rows), strict=True)
    ]
    assert sum(same) >= 15


def test_ctranslate2_keeps_the_bounds_and_writes_no_special_token(tmp_path: Path) -> None:
    engine = CTranslate2Engine(export_ctranslate2(weights_of(toy_model(1)), tmp_path / "model"))
    beam = DecodingConfig(constrain=False, beam=4)
    found = engine.write(sources(4), beam, max_tokens=12, min_tokens=12)
    assert {len(row) for row in found} == {12}
    assert {token for row in found for token in row}.isdisjoint({0, 1, 2, 3})


@pytest.mark.parametrize(
    ("config", "why"), [({"constrain": True}, "takes no mask"), ({"constrain": False, "temperature": 1}, "seed")]
)
def test_what_ctranslate2_cannot_keep_is_refused(tmp_path: Path, config: dict[str, object], why: str) -> None:
    engine = CTranslate2Engine(export_ctranslate2(weights_of(toy_model()), tmp_path / "model"))
    with pytest.raises(NotSupported, match=why):
        engine.write([[5]], DecodingConfig.model_validate(config), max_tokens=4)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match=r"holds no model of CTranslate2"):
        CTranslate2Engine(tmp_path)
    with pytest.raises(InvalidSpec, match=r"lacks encoder\.onnx, step\.onnx"):
        OnnxEngine(tmp_path)


@pytest.mark.parametrize("quantization", QUANTIZED)
@pytest.mark.parametrize("activation", ["gelu", "swiglu"])
def test_onnx_steps_as_torch_does(tmp_path: Path, quantization: Quantization, activation: str) -> None:
    model = toy_model(1, activation=activation)
    engine = OnnxEngine(export_onnx(weights_of(model), tmp_path / "model", quantization=quantization))
    assert isinstance(engine, StepEngine)
    steps_alike(engine, TorchEngine(model), tolerance=QUANTIZED[quantization])
    rows = sources(20)
    same = [
        ours == theirs for ours, theirs in zip(written(engine, rows), written(TorchEngine(model), rows), strict=True)
    ]
    assert sum(same) >= (20 if quantization == "float32" else 15)


def steps_alike(engine: StepEngine, reference: StepEngine, *, tolerance: float) -> None:
    """Compare logits over steps of one and several tokens, a rewind, and rows picked anew."""
    source, draw = toy_sources(5), np.random.default_rng(0)
    caches = [(one, one.open(one.encode(source), max_tokens=12)) for one in (engine, reference)]

    def step(ids: np.ndarray) -> None:
        ours, theirs = (one.step(ids, cache) for one, cache in caches)
        assert (ours.shape, ours.dtype) == (theirs.shape, np.float32)
        assert np.abs(ours - theirs).max() <= tolerance

    step(np.full((5, 1), 2))
    step(draw.integers(4, 24, (5, 3)))
    for _, cache in caches:
        cache.rewind(2)
        assert cache.length == 2
    step(draw.integers(4, 24, (5, 2)))
    for _, cache in caches:
        cache.select([3, 3, 0])
        assert (cache.num_rows, cache.length) == (3, 4)
    step(draw.integers(4, 24, (3, 1)))
    for _, cache in caches:
        cache.select([1, 0, 2, 2, 0, 1])
    step(draw.integers(4, 24, (6, 2)))


def test_beams_are_the_same_on_onnx(tmp_path: Path) -> None:
    model = toy_model(2)
    engine = OnnxEngine(export_onnx(weights_of(model), tmp_path / "model"))
    beam = DecodingConfig(constrain=False, beam=4)
    assert written(engine, sources(4), beam) == written(TorchEngine(model), sources(4), beam)
