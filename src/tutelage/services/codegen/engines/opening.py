"""The engines by name: opened from what the optimizer exported, else exported for this process alone."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from tutelage.services.codegen.engines.base import SequenceEngine, StepEngine
from tutelage.services.codegen.engines.ctranslate2_engine import CTranslate2Engine
from tutelage.services.codegen.engines.ctranslate2_export import export_ctranslate2
from tutelage.services.codegen.engines.onnx_engine import OnnxEngine, export_onnx
from tutelage.services.codegen.engines.torch_engine import TorchEngine
from tutelage.services.codegen.engines.webgpu.engine import WebGpuEngine
from tutelage.services.codegen.engines.weights import weights_of
from tutelage.services.codegen.model.transformer import Transformer

EngineName = Literal["torch", "ct2", "ct2-int8", "onnx", "onnx-int8", "wgpu"]
CTRANSLATE2, ONNX = "ctranslate2", "onnx"
FOLDERS: dict[str, tuple[str, Literal["float32", "int8"]]] = {
    "ct2": (CTRANSLATE2, "float32"),
    "ct2-int8": (CTRANSLATE2, "int8"),
    "onnx": (ONNX, "float32"),
    "onnx-int8": (ONNX, "int8"),
}
"""Engine -> (the folder of its exports, how its weights are kept)."""


def open_engine(name: EngineName, model: Transformer, *, exports: Sequence[Path] = ()) -> StepEngine | SequenceEngine:
    """Return an engine over a model; `exports` are folders that may hold its export already.

    Raises MissingDependency where its library or, for `wgpu`, an adapter is absent.
    """
    if name == "torch":
        return TorchEngine(model)
    if name == "wgpu":
        return WebGpuEngine(weights_of(model))
    kind, quantization = FOLDERS[name]
    for folder in exports:
        if (folder / kind / quantization).is_dir():
            return _opened(kind, folder / kind / quantization)
    with tempfile.TemporaryDirectory(prefix="tutelage-codegen-") as temporary:
        export = export_ctranslate2 if kind == CTRANSLATE2 else export_onnx
        return _opened(kind, export(weights_of(model), Path(temporary) / kind, quantization=quantization))


def _opened(kind: str, folder: Path) -> StepEngine | SequenceEngine:
    """Open a folder; both libraries read it whole before they return."""
    return CTranslate2Engine(folder) if kind == CTRANSLATE2 else OnnxEngine(folder)
