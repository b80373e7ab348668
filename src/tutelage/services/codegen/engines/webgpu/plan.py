"""Lists of kernel calls: what runs for one layer, for the encoder, for one step of the decoder."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from tutelage.core.errors import InvalidSpec
from tutelage.services.codegen.config.transformer import TransformerConfig
from tutelage.services.codegen.engines.webgpu.device import Call, Device
from tutelage.services.codegen.engines.weights import Floats, Weights

FLOAT_BYTES = 4
FEW_ROWS = 4
"""Up to so many rows a product is done row by row, above that in tiles of 4 by 4."""

MAX_HEAD_DIM = 128
"""A query and its sum are held in registers."""


class Kernels:
    """A model on a device: its weights, uploaded once, and its compiled kernels."""

    def __init__(self, device: Device, weights: Weights) -> None:
        config = weights.config
        _check(config)
        self.device, self.config = device, config
        head = {"HEAD_QUADS": config.head_dim // 4, "SCORE_SCALE": float(config.head_dim**-0.5)}
        self._kernels = {
            "attention": device.kernel("attention", head),
            **{n: device.kernel(n) for n in ("linear_row", "linear_tile", "layer_norm", "embedding", "keep_keys")},
            **{n: device.kernel(n) for n in ("swiglu", "top_k")},
        }
        self._buffers = {name: self._uploaded(name, array) for name, array in weights.arrays.items()}
        self.positions = device.upload(weights.positions)
        self.head_width = -(-config.target_vocab_size // 4) * 4
        table = np.pad(weights.head.T, [(0, 0), (0, self.head_width - config.target_vocab_size)])
        self._buffers["head.weight"] = device.weights(np.ascontiguousarray(table))
        self._buffers["head.bias"] = device.upload(np.zeros(self.head_width, np.float32))

    def embedding(self, ids: Any, out: Any, first: Any, *, rows: int, time: int) -> Call:
        """Return `out = table[ids] * sqrt(D) + positions`."""
        width = self.config.d_model
        numbers = self.device.numbers([rows, width, time, float(width**0.5)])
        buffers = [ids, self._buffers["embedding.weight"], self.positions, out, numbers, first]
        return self.device.call(self._kernels["embedding"], buffers, (_groups(width // 4, 64), rows))

    def norm(self, x: Any, out: Any, name: str, *, rows: int) -> Call:
        """Return `out = LayerNorm(x)`."""
        numbers = self.device.numbers([self.config.d_model])
        buffers = [x, self._buffers[f"{name}.weight"], self._buffers[f"{name}.bias"], out, numbers]
        return self.device.call(self._kernels["layer_norm"], buffers, (rows, 1))

    def linear(
        self,
        x: Any,
        out: Any,
        name: str,
        *,
        rows: int,
        inner: int,
        columns: int,
        gelu: bool = False,
        adds: bool = False,
    ) -> Call:
        """Return `out = x @ weight + bias`, through GELU, or added to what `out` holds."""
        numbers = self.device.numbers([rows, columns, inner, int(gelu), int(adds)])
        buffers = [x, self._buffers[f"{name}.weight"], self._buffers[f"{name}.bias"], out, numbers]
        if rows <= FEW_ROWS:
            return self.device.call(self._kernels["linear_row"], buffers, (_groups(columns // 4, 64), rows))
        groups = (_groups(columns // 4, 8), _groups(-(-rows // 4), 8))
        return self.device.call(self._kernels["linear_tile"], buffers, groups)

    def attention(
        self, queries: Any, keys: Any, sources: Any, out: Any, first: Any, *, rows: int, time: int, kind: str, room: int
    ) -> Call:
        """Return the mix of the values: `kind` says where queries and keys stand.

        `encoder`: both in [rows, 3D]; `causal`: queries there, keys in a cache [B, room, 2D]; `cross`: queries in
        [rows, D], keys [sources, room, 2D].
        """
        width = self.config.d_model
        query_width = width if kind == "cross" else 3 * width
        key_width, key_at = (3 * width, width) if kind == "encoder" else (2 * width, 0)
        numbers = [rows, time, self.config.num_heads, query_width, key_width, key_at, key_at + width, room]
        uniform = self.device.numbers([*numbers, int(kind == "causal")])
        buffers = [queries, keys, sources, out, uniform, first]
        return self.device.call(self._kernels["attention"], buffers, (_groups(rows, 32), self.config.num_heads))

    def keep_keys(self, projected: Any, cache: Any, first: Any, *, rows: int, time: int, room: int) -> Call:
        """Return the copy of new keys and values into a cache [B, room, 2D]."""
        width = self.config.d_model
        numbers = self.device.numbers([rows, time, width, room])
        groups = (_groups(2 * width // 4, 64), rows)
        return self.device.call(self._kernels["keep_keys"], [projected, cache, numbers, first], groups)

    def swiglu(self, x: Any, out: Any, *, rows: int) -> Call:
        """Return `out = silu(gate) * up`."""
        numbers = self.device.numbers([rows, self.config.d_ffn])
        return self.device.call(self._kernels["swiglu"], [x, out, numbers], (_groups(self.config.d_ffn // 4, 64), rows))

    def top_k(self, scores: Any, values: Any, ids: Any, *, rows: int, count: int, lowest: int) -> Call:
        """Return the choice of each row's `count` best tokens from id `lowest` on."""
        numbers = self.device.numbers([self.head_width, self.config.target_vocab_size, count, lowest])
        return self.device.call(self._kernels["top_k"], [scores, values, ids, numbers], (rows, 1))

    def _uploaded(self, name: str, array: Floats) -> Any:
        if name == "embedding.weight":
            return self.device.weights(array)
        if array.ndim == 2:  # [out, in] -> [in, out]: neighbouring invocations read neighbouring columns
            return self.device.weights(np.ascontiguousarray(array.T))
        return self.device.upload(array)


class Scratch:
    """What passes between kernels, for a number of rows."""

    def __init__(self, device: Device, config: TransformerConfig, rows: int) -> None:
        width, hidden = config.d_model, config.d_ffn * (2 if config.activation == "swiglu" else 1)
        size = rows * FLOAT_BYTES
        self.x, self.normed, self.mixed, self.query = (device.room(size * width) for _ in range(4))
        self.projected = device.room(size * 3 * width)
        self.hidden, self.gated = device.room(size * hidden), device.room(size * config.d_ffn)


def feed_forward(kernels: Kernels, scratch: Scratch, name: str, *, rows: int) -> list[Call]:
    """Return norm, inner product, activation, outer product added to the stream."""
    config = kernels.config
    is_gated = config.activation == "swiglu"
    inner, outer = f"{name}.feed_forward.inner", f"{name}.feed_forward.outer"
    width, hidden = config.d_model, config.d_ffn * (2 if is_gated else 1)
    calls = [
        kernels.norm(scratch.x, scratch.normed, f"{name}.feed_forward_norm", rows=rows),
        kernels.linear(
            scratch.normed, scratch.hidden, inner, rows=rows, inner=width, columns=hidden, gelu=not is_gated
        ),
    ]
    calls += [kernels.swiglu(scratch.hidden, scratch.gated, rows=rows)] if is_gated else []
    through = scratch.gated if is_gated else scratch.hidden
    last = kernels.linear(through, scratch.x, outer, rows=rows, inner=config.d_ffn, columns=width, adds=True)
    return [*calls, last]


def encoder_layer(
    kernels: Kernels, scratch: Scratch, index: int, sources: Any, first: Any, *, batch: int, time: int
) -> list[Call]:
    """Return the calls of one encoder layer."""
    name, rows, width = f"encoder_layers.{index}", batch * time, kernels.config.d_model
    return [
        kernels.norm(scratch.x, scratch.normed, f"{name}.attention_norm", rows=rows),
        kernels.linear(
            scratch.normed, scratch.projected, f"{name}.attention.qkv", rows=rows, inner=width, columns=3 * width
        ),
        kernels.attention(
            scratch.projected,
            scratch.projected,
            sources,
            scratch.mixed,
            first,
            rows=rows,
            time=time,
            kind="encoder",
            room=time,
        ),
        kernels.linear(
            scratch.mixed, scratch.x, f"{name}.attention.output", rows=rows, inner=width, columns=width, adds=True
        ),
        *feed_forward(kernels, scratch, name, rows=rows),
    ]


def decoder_layer(
    kernels: Kernels,
    scratch: Scratch,
    index: int,
    cache: Any,
    memory: Any,
    sources: Any,
    first: Any,
    *,
    batch: int,
    time: int,
    room: int,
    memory_room: int,
) -> list[Call]:
    """Return the calls of one decoder layer over `time` new positions."""
    name, rows, width = f"decoder_layers.{index}", batch * time, kernels.config.d_model
    linear = partial(kernels.linear, rows=rows, inner=width)
    return [
        kernels.norm(scratch.x, scratch.normed, f"{name}.self_attention_norm", rows=rows),
        linear(scratch.normed, scratch.projected, f"{name}.self_attention.qkv", columns=3 * width),
        kernels.keep_keys(scratch.projected, cache, first, rows=rows, time=time, room=room),
        kernels.attention(
            scratch.projected, cache, sources, scratch.mixed, first, rows=rows, time=time, kind="causal", room=room
        ),
        linear(scratch.mixed, scratch.x, f"{name}.self_attention.output", columns=width, adds=True),
        kernels.norm(scratch.x, scratch.normed, f"{name}.cross_attention_norm", rows=rows),
        linear(scratch.normed, scratch.query, f"{name}.cross_attention.query", columns=width),
        kernels.attention(
            scratch.query, memory, sources, scratch.mixed, first, rows=rows, time=time, kind="cross", room=memory_room
        ),
        linear(scratch.mixed, scratch.x, f"{name}.cross_attention.output", columns=width, adds=True),
        *feed_forward(kernels, scratch, name, rows=rows),
    ]


def _groups(count: int, size: int) -> int:
    return -(-count // size)


def _check(config: TransformerConfig) -> None:
    odd = {"head_dim": config.head_dim, "d_ffn": config.d_ffn}
    found = [f"{name} {value}" for name, value in odd.items() if value % 4]
    if found or config.head_dim > MAX_HEAD_DIM:
        raise InvalidSpec(
            f"the engine wgpu reads four numbers at once and heads of up to {MAX_HEAD_DIM}, got "
            f"head_dim {config.head_dim} and d_ffn {config.d_ffn}",
            hint="take multiples of 4",
        )
