"""The WGSL kernels on whatever adapter is here, in CI lavapipe: the same logits and tokens as torch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from codegen_model_support import toy_model, toy_sources
from codegen_oracle_support import needs_adapter
from test_codegen_engines import FREE, sources, steps_alike, written

from tutelage.core.errors import InvalidSpec, NotSupported
from tutelage.services.codegen.config import DecodingConfig
from tutelage.services.codegen.engines.base import StepEngine
from tutelage.services.codegen.engines.torch_engine import TorchEngine
from tutelage.services.codegen.engines.webgpu.device import Device, Precision, kernel_names, kernel_source
from tutelage.services.codegen.engines.webgpu.engine import WebGpuEngine
from tutelage.services.codegen.engines.weights import weights_of
from tutelage.services.codegen.model.transformer import Transformer
from tutelage.services.codegen.oracle import NagaOracle, TintOracle

TOLERANCE: dict[Precision, float] = {"fp32": 1e-4, "fp16": 3e-2}
ATTENTION = {"HEAD_QUADS": 16, "SCORE_SCALE": 0.125}


@pytest.fixture(scope="module")
def devices() -> dict[Precision, Device]:
    """A device of each precision that the adapter has."""
    needs_adapter()
    plain = Device()
    half = {"fp16": Device(precision="fp16", adapter=plain.adapter)} if plain.adapter.has_f16 else {}
    return {"fp32": plain, **half}  # type: ignore[dict-item]


def wide_model(activation: str = "gelu") -> Transformer:
    """Return a model as wide as the tests of the design go."""
    return toy_model(4, d_model=128, num_heads=4, d_ffn=256, activation=activation)


@pytest.mark.parametrize("precision", TOLERANCE)
def test_both_compilers_take_every_kernel(precision: Precision) -> None:
    needs_adapter()
    judges = (TintOracle(), NagaOracle())
    try:
        for name in kernel_names():
            code = kernel_source(name, ATTENTION if name == "attention" else {}, precision=precision)
            assert [judge.check(code).messages for judge in judges] == [(), ()], name
    finally:
        judges[1].close()


@pytest.mark.parametrize("activation", ["gelu", "swiglu"])
def test_logits_are_those_of_torch_over_steps_rewinds_and_picked_rows(
    devices: dict[Precision, Device], activation: str
) -> None:
    model = wide_model(activation)
    engine = WebGpuEngine(weights_of(model), device=devices["fp32"])
    assert isinstance(engine, StepEngine)
    assert engine.adapter
    steps_alike(engine, TorchEngine(model), tolerance=TOLERANCE["fp32"])


def test_logits_with_half_float_weights_are_near_those_of_torch(devices: dict[Precision, Device]) -> None:
    if "fp16" not in devices:
        pytest.skip("this adapter has no shader-f16")
    model = wide_model()
    engine = WebGpuEngine(weights_of(model), device=devices["fp16"])
    steps_alike(engine, TorchEngine(model), tolerance=TOLERANCE["fp16"])


@pytest.mark.parametrize("search", [{}, {"beam": 4}, {"temperature": 1.5, "top_k": 8}], ids=str)
def test_every_search_writes_what_it_writes_on_torch(
    devices: dict[Precision, Device], search: dict[str, object]
) -> None:
    model = toy_model(2)
    engine = WebGpuEngine(weights_of(model), device=devices["fp32"])
    config = DecodingConfig.model_validate({"constrain": False, **search})
    rows = sources(5)
    assert written(engine, rows, config) == written(TorchEngine(model), rows, config)


def test_the_best_tokens_are_chosen_on_the_device(devices: dict[Precision, Device]) -> None:
    model = toy_model(2)
    engine, source = WebGpuEngine(weights_of(model), device=devices["fp32"]), toy_sources(3)
    ids = np.array([[2, 5], [2, 9], [2, 7]])
    logits = engine.step(ids, engine.open(engine.encode(source), max_tokens=4))
    values, found = engine.step_top_k(ids, engine.open(engine.encode(source), max_tokens=4), count=6)
    logits[:, :, :3] = -np.inf
    wanted = np.argsort(-logits, axis=-1, kind="stable")[:, :, :6]
    assert np.array_equal(found, wanted)
    assert np.array_equal(values, np.take_along_axis(logits, wanted, axis=-1))


def test_greedy_by_the_choice_of_the_device_is_greedy(devices: dict[Precision, Device]) -> None:
    model, rows = toy_model(2), sources(1)
    engine = WebGpuEngine(weights_of(model), device=devices["fp32"])
    cache, ids, found = engine.open(engine.encode(np.array(rows)), max_tokens=12), np.array([[2]]), []
    for _ in range(12):
        _, best = engine.step_top_k(ids, cache)
        ids = best[:, :, 0]
        found.append(int(ids[0, 0]))
    wanted = written(TorchEngine(model), rows, FREE)[0]
    assert found[: len(wanted)] == wanted[:12]


def test_half_floats_are_refused_where_the_adapter_has_none(devices: dict[Precision, Device]) -> None:
    poor = replace(devices["fp32"].adapter, has_f16=False)
    with pytest.raises(NotSupported, match="has no `shader-f16`"):
        Device(precision="fp16", adapter=poor)


@pytest.mark.parametrize("shape", [{"d_model": 20, "num_heads": 10}, {"d_ffn": 66}, {"d_model": 264, "num_heads": 2}])
def test_a_shape_that_the_kernels_cannot_read_is_refused(
    devices: dict[Precision, Device], shape: dict[str, int]
) -> None:
    with pytest.raises(InvalidSpec, match="reads four numbers at once"):
        WebGpuEngine(weights_of(toy_model(**shape)), device=devices["fp32"])
