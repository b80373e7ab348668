"""ONNX Runtime: the encoder and one step of the decoder, fp32 or int8 (weights quantized, activations as they come)."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tutelage.core.errors import InvalidSpec, MissingDependency
from tutelage.services.codegen.engines.base import PAD_ID, Ids, Logits
from tutelage.services.codegen.engines.onnx_graph import INSTALL, encoder_graph, library, step_graph
from tutelage.services.codegen.engines.weights import Floats, Weights

ENCODER, STEP = "encoder.onnx", "step.onnx"
Quantization = Literal["float32", "int8"]


def runtime(name: str = "onnxruntime") -> Any:
    """Return a module of ONNX Runtime. Raises MissingDependency."""
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        raise MissingDependency(f"ONNX Runtime is not installed here: {error}", hint=INSTALL) from error


def export_onnx(weights: Weights, folder: Path, *, quantization: Quantization = "float32") -> Path:
    """Write `encoder.onnx` and `step.onnx` into a folder, and return it."""
    onnx = library()
    folder.mkdir(parents=True, exist_ok=True)
    for name, graph in ((ENCODER, encoder_graph(weights)), (STEP, step_graph(weights))):
        onnx.checker.check_model(graph)
        onnx.save(graph, str(folder / name))
        if quantization == "int8":
            _quantize(folder / name)
    return folder


def _quantize(path: Path) -> None:
    """Turn a graph's weights into int8, one scale a column; activations are quantized as they come."""
    quantization = runtime("onnxruntime.quantization")
    quantization.quantize_dynamic(
        str(path),
        str(path),
        weight_type=quantization.QuantType.QInt8,
        per_channel=True,
        op_types_to_quantize=["MatMul"],
        extra_options={"MatMulConstBOnly": True},
    )


@dataclass(frozen=True, kw_only=True)
class OnnxMemory:
    """Keys and values of every decoder layer's cross-attention [B, H, S, E], and the mask [B, 1, 1, S]."""

    keys: tuple[Floats, ...]
    values: tuple[Floats, ...]
    mask: Floats


class OnnxCache:
    """Keys and values of what is written [B, H, P, E]; the runtime returns them grown by each step."""

    def __init__(self, memory: OnnxMemory, *, max_tokens: int) -> None:
        self.memory, self.max_tokens = memory, max_tokens
        batch, heads, _, width = memory.keys[0].shape
        empty = np.zeros((batch, heads, 0, width), np.float32)
        self.keys: list[Floats] = [empty for _ in memory.keys]
        self.values: list[Floats] = [empty for _ in memory.values]

    @property
    def length(self) -> int:
        """Positions written so far."""
        return int(self.keys[0].shape[2])

    @property
    def num_rows(self) -> int:
        """Rows side by side."""
        return int(self.keys[0].shape[0])

    def rewind(self, length: int) -> None:
        """Forget the positions from `length` on."""
        assert 0 <= length <= self.length, "only what was written can be forgotten"
        self.keys = [np.ascontiguousarray(key[:, :, :length]) for key in self.keys]
        self.values = [np.ascontiguousarray(value[:, :, :length]) for value in self.values]

    def select(self, rows: Sequence[int]) -> None:
        """Keep these rows, in this order; a row may be kept several times."""
        picked = np.asarray(rows, np.int64)
        memory = self.memory
        self.keys, self.values = [key[picked] for key in self.keys], [value[picked] for value in self.values]
        self.memory = OnnxMemory(
            keys=tuple(key[picked] for key in memory.keys),
            values=tuple(value[picked] for value in memory.values),
            mask=memory.mask[picked],
        )


class OnnxEngine:
    """Opens a folder that `export_onnx` wrote; the files say whether they are fp32 or int8."""

    name = "onnx"

    def __init__(self, folder: Path, *, num_threads: int = 1) -> None:
        missing = [name for name in (ENCODER, STEP) if not (folder / name).is_file()]
        if missing:
            raise InvalidSpec(f"{folder} lacks {', '.join(missing)}", hint="write them with export_onnx")
        self._encoder, self._step = (_session(folder / name, num_threads) for name in (ENCODER, STEP))
        self._num_layers = len(self._encoder.get_outputs()) // 2

    def encode(self, source: Ids) -> OnnxMemory:
        """Read sources [B, S]."""
        mask = np.where(source == PAD_ID, -np.inf, 0).astype(np.float32)[:, None, None, :]
        positions = np.arange(source.shape[1], dtype=np.int64)
        found = self._encoder.run(None, {"source": source, "positions": positions, "mask": mask})
        return OnnxMemory(keys=tuple(found[0::2]), values=tuple(found[1::2]), mask=mask)

    def open(self, memory: OnnxMemory, *, max_tokens: int) -> OnnxCache:
        """Return an empty cache with room for `max_tokens` positions."""
        return OnnxCache(memory, max_tokens=max_tokens)

    def step(self, ids: Ids, cache: OnnxCache) -> Logits:
        """Write ids [B, T]; return the scores [B, T, V] of the token after each."""
        first, time = cache.length, ids.shape[1]
        assert first + time <= cache.max_tokens, "the cache was opened with room for every token"
        feed: dict[str, Any] = {
            "ids": np.ascontiguousarray(ids, np.int64),
            "positions": np.arange(first, first + time, dtype=np.int64),
            "causal": np.triu(np.full((time, first + time), -np.inf, np.float32), first + 1),
            "mask": cache.memory.mask,
        }
        for index in range(self._num_layers):
            feed[f"key_{index}"], feed[f"value_{index}"] = cache.keys[index], cache.values[index]
            feed[f"memory_key_{index}"] = cache.memory.keys[index]
            feed[f"memory_value_{index}"] = cache.memory.values[index]
        logits, *grown = self._step.run(None, feed)
        cache.keys, cache.values = grown[0::2], grown[1::2]
        found: Logits = logits
        return found


def _session(path: Path, num_threads: int) -> Any:
    library_ = runtime()
    options = library_.SessionOptions()
    options.intra_op_num_threads = num_threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return library_.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
