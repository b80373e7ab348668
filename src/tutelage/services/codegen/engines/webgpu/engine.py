"""The engine: reads sources, keeps caches on the device, one submit a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tutelage.core.errors import InvalidSpec
from tutelage.services.codegen.engines.base import PAD_ID, SOS_ID, Ids, Logits
from tutelage.services.codegen.engines.webgpu.device import Call, Device, Precision
from tutelage.services.codegen.engines.webgpu.plan import (
    FLOAT_BYTES,
    Kernels,
    Scratch,
    decoder_layer,
    encoder_layer,
)
from tutelage.services.codegen.engines.weights import Floats, Weights


@dataclass(frozen=True, kw_only=True)
class WebGpuMemory:
    """Keys and values of each decoder layer's cross-attention on the device [B, room, 2D], and the sources' lengths."""

    keys: tuple[Any, ...]
    lengths: tuple[int, ...]
    room: int


@dataclass(frozen=True, kw_only=True)
class _Step:
    """The calls that write T positions of every row, and where they read and leave their numbers."""

    ids: Any
    logits: Any
    calls: list[Call]


class WebGpuCache:
    """What is written, on the device: keys and values of each decoder layer [B, room, 2D]."""

    def __init__(self, kernels: Kernels, memory: WebGpuMemory, *, max_tokens: int) -> None:
        self._kernels, self.memory, self.max_tokens = kernels, memory, max_tokens
        self._rows = list(range(len(memory.lengths)))
        self._length = 0
        self._row_bytes = max_tokens * 2 * kernels.config.d_model * FLOAT_BYTES
        self.first = kernels.device.numbers([0, 0, 0, 0])
        self.steps: dict[int, _Step] = {}
        self._spare_steps: dict[int, _Step] = {}
        self.keys: list[Any] = []
        self._spare: list[Any] = []
        self._make_room()

    @property
    def length(self) -> int:
        """Positions written so far; the same for every row."""
        return self._length

    @property
    def num_rows(self) -> int:
        """Rows side by side."""
        return len(self._rows)

    def advance(self, num_tokens: int) -> None:
        """Count positions that a step has written."""
        self._length += num_tokens

    def rewind(self, length: int) -> None:
        """Forget the positions from `length` on; they are written anew."""
        assert 0 <= length <= self._length, "only what was written can be forgotten"
        self._length = length

    def select(self, rows: Sequence[int]) -> None:
        """Keep these rows, in this order; a row may be kept several times. Sources are pointed at, never copied."""
        before = self.keys
        was = len(self._rows)
        self._rows = [self._rows[row] for row in rows]
        if len(rows) != was:
            self._make_room()
        else:
            self.keys, self._spare = self._spare, self.keys
            self._point()
            self.steps, self._spare_steps = self._spare_steps, self.steps
        for old, new in zip(before, self.keys, strict=True):
            self._kernels.device.copy_rows(old, new, rows, self._row_bytes)

    def _make_room(self) -> None:
        device, layers = self._kernels.device, self._kernels.config.num_decoder_layers
        size = len(self._rows) * self._row_bytes
        self.keys = [device.room(size) for _ in range(layers)]
        self._spare = [device.room(size) for _ in range(layers)]
        self.sources = device.room(len(self._rows) * 2 * FLOAT_BYTES)
        self.steps, self._spare_steps = {}, {}
        self._point()

    def _point(self) -> None:
        pairs = [(row, self.memory.lengths[row]) for row in self._rows]
        self._kernels.device.write(self.sources, np.array(pairs, np.uint32))


class WebGpuEngine:
    """Runs a model on the adapter of this machine, in fp32, or with half-float weights and sums in fp32."""

    name = "wgpu"

    def __init__(self, weights: Weights, *, precision: Precision = "fp32", device: Device | None = None) -> None:
        self._device = device or Device(precision=precision)
        self._kernels = Kernels(self._device, weights)
        self._config = weights.config
        self._zero = self._device.numbers([0, 0, 0, 0])

    @property
    def adapter(self) -> str:
        """The adapter's name, and whether a CPU plays the GPU."""
        return self._device.adapter.about

    def encode(self, source: Ids) -> WebGpuMemory:
        """Read sources [B, S], in one submit."""
        batch, time = source.shape
        if time > self._config.max_positions:
            raise InvalidSpec(
                f"a source has {time} tokens, allowed are {self._config.max_positions}", hint="shorten it"
            )
        device, width, rows = self._device, self._config.d_model, batch * time
        lengths = tuple(int(count) for count in (source != PAD_ID).sum(axis=1))
        sources = device.upload(np.array(list(enumerate(lengths)), np.uint32))
        scratch = Scratch(device, self._config, rows)
        ids = device.upload(source.astype(np.uint32))
        calls = [self._kernels.embedding(ids, scratch.x, self._zero, rows=rows, time=time)]
        for index in range(self._config.num_encoder_layers):
            calls += encoder_layer(self._kernels, scratch, index, sources, self._zero, batch=batch, time=time)
        calls.append(self._kernels.norm(scratch.x, scratch.normed, "encoder_norm", rows=rows))
        keys = [device.room(rows * 2 * width * FLOAT_BYTES) for _ in range(self._config.num_decoder_layers)]
        for index, out in enumerate(keys):
            name = f"decoder_layers.{index}.cross_attention.key_value"
            calls.append(self._kernels.linear(scratch.normed, out, name, rows=rows, inner=width, columns=2 * width))
        device.submit(calls)
        return WebGpuMemory(keys=tuple(keys), lengths=lengths, room=time)

    def open(self, memory: WebGpuMemory, *, max_tokens: int) -> WebGpuCache:
        """Return an empty cache with room for `max_tokens` positions."""
        return WebGpuCache(self._kernels, memory, max_tokens=max_tokens)

    def step(self, ids: Ids, cache: WebGpuCache) -> Logits:
        """Write ids [B, T]; return the scores [B, T, V] of the token after each."""
        step = self._write(ids, cache)
        self._device.submit(step.calls)
        width = self._kernels.head_width
        logits = self._device.read(step.logits, np.float32, ids.size * width).reshape(*ids.shape, width)
        cut: Logits = logits[:, :, : self._config.target_vocab_size]
        return np.ascontiguousarray(cut)

    def step_top_k(self, ids: Ids, cache: WebGpuCache, *, count: int = 1) -> tuple[Floats, Ids]:
        """Write ids [B, T]; return scores and ids [B, T, count] of the best tokens, largest first.

        Only these leave the device: 8 bytes a choice instead of 4 a token of the vocabulary. <pad>, <unk> and <sos>
        are never chosen.
        """
        step = self._write(ids, cache)
        values, found = (self._device.room(ids.size * count * FLOAT_BYTES) for _ in range(2))
        choice = self._kernels.top_k(step.logits, values, found, rows=ids.size, count=count, lowest=SOS_ID + 1)
        self._device.submit([*step.calls, choice])
        shape = (*ids.shape, count)
        scores = self._device.read(values, np.float32, ids.size * count).reshape(shape)
        return scores, self._device.read(found, np.uint32, ids.size * count).astype(np.int64).reshape(shape)

    def _write(self, ids: Ids, cache: WebGpuCache) -> _Step:
        time = ids.shape[1]
        assert cache.length + time <= cache.max_tokens, "the cache was opened with room for every token"
        step = cache.steps.get(time) or cache.steps.setdefault(time, self._plan(cache, time))
        self._device.write(cache.first, np.array([cache.length, 0, 0, 0], np.uint32))
        self._device.write(step.ids, ids.astype(np.uint32))
        cache.advance(time)
        return step

    def _plan(self, cache: WebGpuCache, time: int) -> _Step:
        """Bind every buffer of a step of T positions: done once a cache and T, then only numbers change."""
        kernels, rows, width = self._kernels, cache.num_rows * time, self._config.d_model
        scratch = Scratch(self._device, self._config, rows)
        ids = self._device.room(rows * FLOAT_BYTES)
        logits = self._device.room(rows * kernels.head_width * FLOAT_BYTES)
        calls = [kernels.embedding(ids, scratch.x, cache.first, rows=rows, time=time)]
        for index, (keys, memory) in enumerate(zip(cache.keys, cache.memory.keys, strict=True)):
            calls += decoder_layer(
                kernels,
                scratch,
                index,
                keys,
                memory,
                cache.sources,
                cache.first,
                batch=cache.num_rows,
                time=time,
                room=cache.max_tokens,
                memory_room=cache.memory.room,
            )
        calls.append(kernels.norm(scratch.x, scratch.normed, "decoder_norm", rows=rows))
        calls.append(kernels.linear(scratch.normed, logits, "head", rows=rows, inner=width, columns=kernels.head_width))
        return _Step(ids=ids, logits=logits, calls=calls)
