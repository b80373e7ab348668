"""The second phase: exports for the CPU, proven equal to torch where they are exact, measured where they are fast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tutelage.core.ports import Run
from tutelage.services.codegen.artifacts import SavedModel, load_saved_model
from tutelage.services.codegen.config import CodegenConfig
from tutelage.services.codegen.engines.ctranslate2_engine import CTranslate2Engine
from tutelage.services.codegen.engines.ctranslate2_export import export_ctranslate2
from tutelage.services.codegen.engines.onnx_engine import OnnxEngine, export_onnx
from tutelage.services.codegen.engines.torch_engine import TorchEngine
from tutelage.services.codegen.engines.weights import weights_of
from tutelage.services.codegen.phases.asking import (
    GREEDY,
    Writer,
    asked_of,
    equal_share,
    exact_match,
    stepwise,
    whole,
)
from tutelage.services.codegen.phases.base import open_base
from tutelage.services.codegen.phases.carrying import carry, files_in
from tutelage.services.codegen.phases.manifest import write_manifest
from tutelage.services.codegen.phases.speed import NEW_TOKENS, SOURCE_TOKENS, in_units, writing_timing
from tutelage.services.codegen.phases.timing import Timing, measure

CTRANSLATE2, ONNX = "ctranslate2", "onnx"
QUANTIZATIONS = ("float32", "int8")


@dataclass(frozen=True, kw_only=True)
class Engines:
    """The engines of the exports, fp32 and int8 each."""

    ctranslate2: Mapping[str, CTranslate2Engine]
    onnx: Mapping[str, OnnxEngine]


def optimizer(config: CodegenConfig, run: Run) -> dict[str, Any]:
    """Export a trained model to CTranslate2 and ONNX; verified where fp32 writes what torch writes on every prompt."""
    base = open_base(config, run.dir)
    artifacts = run.artifact("manifests").parent
    carried = carry(base, artifacts)
    saved = load_saved_model(artifacts)
    run.phase("exporting")
    engines = export_all(saved, artifacts)
    run.phase("measuring")
    asked = asked_of(artifacts, saved.vocabulary)
    equal, quality = _written(saved, engines, asked)
    figures = {**quality, **equal, **in_units(_timings(saved, engines))}
    failures = [
        f"{name} is {share:.3f}: fp32 must write what torch writes" for name, share in equal.items() if share < 1
    ]
    exported = [*files_in(artifacts, CTRANSLATE2), *files_in(artifacts, ONNX)]
    manifest = write_manifest(
        artifacts,
        "optimizer",
        inputs=base.inputs(),
        outputs=sorted({*carried, *exported}),
        benchmarks=figures,
        failures=failures,
    )
    return {"success": not failures, "base": base.operation, "status": manifest.status, "benchmarks": figures,
            "failures": failures, "prompts": len(asked), "exports": exported}  # fmt: skip


def export_all(saved: SavedModel, artifacts: Path) -> Engines:
    """Write every export, and open it."""
    weights = weights_of(saved.model)
    for kind in QUANTIZATIONS:
        export_ctranslate2(weights, artifacts / CTRANSLATE2 / kind, quantization=kind)  # type: ignore[arg-type]
        export_onnx(weights, artifacts / ONNX / kind, quantization=kind)  # type: ignore[arg-type]
    return Engines(
        ctranslate2={kind: CTranslate2Engine(artifacts / CTRANSLATE2 / kind) for kind in QUANTIZATIONS},
        onnx={kind: OnnxEngine(artifacts / ONNX / kind) for kind in QUANTIZATIONS},
    )


def _written(saved: SavedModel, engines: Engines, asked: Sequence[Any]) -> tuple[dict[str, float], dict[str, float]]:
    """Return how often the exact exports equal torch, and how often each engine is right."""
    most = saved.model.config.max_target_tokens
    writers: dict[str, Writer] = {
        "torch": stepwise(TorchEngine(saved.model), max_tokens=most),
        "ctranslate2": whole(engines.ctranslate2["float32"], max_tokens=most),
        "ctranslate2_int8": whole(engines.ctranslate2["int8"], max_tokens=most),
        "onnx": stepwise(engines.onnx["float32"], max_tokens=most),
        "onnx_int8": stepwise(engines.onnx["int8"], max_tokens=most),
    }
    sources = [question.source for question in asked]
    written = {name: writer(sources) for name, writer in writers.items()}
    equal = {f"{name}_equal": equal_share(written["torch"], written[name]) for name in ("ctranslate2", "onnx")}
    quality = {f"{name}_exact_match": exact_match(asked, ids) for name, ids in written.items() if name != "torch"}
    return equal, {"exact_match": quality["ctranslate2_exact_match"], **quality}


def _timings(saved: SavedModel, engines: Engines) -> dict[str, Timing]:
    """Time a whole answer on every engine: 20 tokens read, 40 written; `generate_ms` is the product's, int8."""
    vocab = saved.model.config.target_vocab_size
    timings = {"torch_generate_ms": writing_timing(TorchEngine(saved.model), target_vocab_size=vocab)}
    for kind in QUANTIZATIONS:
        timings[f"onnx_{kind}_generate_ms"] = writing_timing(engines.onnx[kind], target_vocab_size=vocab)
        timings[f"ctranslate2_{kind}_generate_ms"] = sequence_timing(engines.ctranslate2[kind], target_vocab_size=vocab)
    return {**timings, "generate_ms": timings["ctranslate2_int8_generate_ms"]}


def sequence_timing(engine: CTranslate2Engine, *, target_vocab_size: int) -> Timing:
    """Time a whole answer of CTranslate2: as many tokens as of the others."""
    source = np.random.default_rng(0).integers(4, target_vocab_size, SOURCE_TOKENS).tolist()
    return measure(
        lambda: engine.write([source], GREEDY, max_tokens=NEW_TOKENS, min_tokens=NEW_TOKENS), rounds=5, warmups=1
    )
