"""The third phase: the model on WebGPU by our own kernels, held against torch, logits and tokens."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from tutelage.core.errors import NotSupported
from tutelage.core.ports import Run
from tutelage.services.codegen.artifacts import SavedModel, load_saved_model
from tutelage.services.codegen.config import CodegenConfig
from tutelage.services.codegen.decoding.sampling import sample
from tutelage.services.codegen.decoding.written import padded
from tutelage.services.codegen.engines.base import SOS_ID, Logits, StepEngine
from tutelage.services.codegen.engines.torch_engine import TorchEngine
from tutelage.services.codegen.engines.webgpu.engine import WebGpuEngine
from tutelage.services.codegen.engines.weights import Weights, weights_of
from tutelage.services.codegen.held_out import Question
from tutelage.services.codegen.phases.asking import GREEDY, asked_of, equal_share, stepwise
from tutelage.services.codegen.phases.base import open_base
from tutelage.services.codegen.phases.carrying import carry
from tutelage.services.codegen.phases.manifest import write_manifest
from tutelage.services.codegen.phases.speed import NEW_TOKENS, SOURCE_TOKENS, NeverEnds

LARGEST_ERROR = {"fp32": 1e-4, "fp16": 3e-2}
"""Of any logit against torch in fp32, relative to the largest logit where that is above 1."""
SOFTWARE_PROMPTS, SOFTWARE_TOKENS = 4, 24
"""What is compared where the adapter is software, thousands of times slower than a GPU."""
ROUNDS = 5


def accelerator(config: CodegenConfig, run: Run) -> dict[str, Any]:
    """Run a trained model on WebGPU; verified where fp32 logits and greedy tokens are torch's.

    Raises MissingDependency where this machine has no adapter.
    """
    base = open_base(config, run.dir)
    artifacts = run.artifact("manifests").parent
    carried = carry(base, artifacts)
    saved = load_saved_model(artifacts)
    engine = WebGpuEngine(weights_of(saved.model))
    run.log(f"adapter: {engine.adapter}")
    run.phase("measuring")
    is_software = "software" in engine.adapter.lower()
    asked = asked_of(artifacts, saved.vocabulary)[: SOFTWARE_PROMPTS if is_software else None]
    figures = _figures(saved, engine, asked, is_software=is_software)
    failures = _failures(figures)
    manifest = write_manifest(
        artifacts, "accelerator", inputs=base.inputs(), outputs=carried, benchmarks=figures, failures=failures
    )
    return {
        "success": not failures,
        "base": base.operation,
        "status": manifest.status,
        "adapter": engine.adapter,
        "is_software": is_software,
        "prompts": len(asked),
        "failures": failures,
        "benchmarks": figures,
    }


def _figures(
    saved: SavedModel, engine: WebGpuEngine, asked: Sequence[Question], *, is_software: bool
) -> dict[str, float]:
    torch_engine = TorchEngine(saved.model)
    most = min(saved.model.config.max_target_tokens, SOFTWARE_TOKENS if is_software else 1 << 30)
    sources = [question.source for question in asked]
    reference, own = (stepwise(each, max_tokens=most)(sources) for each in (torch_engine, engine))
    figures = {
        "wgpu_equal": equal_share(reference, own),
        "wgpu_fp32_logits_error": logits_error(torch_engine, engine, asked[0]),
    }
    half = half_precision(weights_of(saved.model))
    if half is not None:
        figures["wgpu_fp16_logits_error"] = logits_error(torch_engine, half, asked[0])
    if not is_software:
        figures["wgpu_generate_wall_ms"] = generate_wall_ms(engine, saved.model.config.target_vocab_size)
    return figures


def logits_error(reference: StepEngine, engine: StepEngine, question: Question) -> float:
    """Return the largest difference of any logit over the reference text, relative where logits are above 1."""
    wanted, got = _logits(reference, question), _logits(engine, question)
    return float(np.abs(got - wanted).max() / max(1.0, float(np.abs(wanted).max())))


def half_precision(weights: Weights) -> WebGpuEngine | None:
    """Return the engine with half-float weights, or None where the adapter has no half floats."""
    try:
        return WebGpuEngine(weights, precision="fp16")
    except NotSupported:
        return None


def generate_wall_ms(engine: StepEngine, target_vocab_size: int) -> float:
    """Return the median wall time of a whole answer: a GPU's work is not in the process's CPU time."""
    source = np.random.default_rng(0).integers(4, target_vocab_size, SOURCE_TOKENS).tolist()
    found = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        sample(engine, [source], GREEDY, max_tokens=NEW_TOKENS, masks=[NeverEnds(target_vocab_size)])
        found.append(time.perf_counter() - began)
    return round(statistics.median(found[1:]) * 1e3, 4)


def _logits(engine: StepEngine, question: Question) -> Logits:
    ids = [SOS_ID, *question.target]
    cache = engine.open(engine.encode(padded([question.source])), max_tokens=len(ids))
    return engine.step(np.array([ids], dtype=np.int64), cache)


def _failures(figures: dict[str, float]) -> list[str]:
    found = [
        f"{name} is {figures[name]:g}, above {bound:g}"
        for kind, bound in LARGEST_ERROR.items()
        if figures.get(name := f"wgpu_{kind}_logits_error", 0.0) > bound
    ]
    if figures["wgpu_equal"] < 1:
        found.append(f"wgpu_equal is {figures['wgpu_equal']:.3f}: greedy tokens must be torch's")
    return found
