"""The model as two ONNX graphs, node by node: the encoder, and one step of the decoder with its cache.

Shapes: B rows, S source, T new positions, P positions before, N = P + T, H heads, E head width, D model, V vocabulary.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from tutelage.core.errors import MissingDependency
from tutelage.services.codegen.engines.weights import Floats, Weights

INSTALL = "pip install 'tutelage[onnx]'"
OPSET = 20
"""The first with Gelu."""

IR_VERSION = 10
EPSILON = 1e-5
"""Of torch's LayerNorm."""


def library() -> Any:
    """Return the module `onnx`. Raises MissingDependency."""
    try:
        return importlib.import_module("onnx")
    except (ImportError, OSError) as error:
        raise MissingDependency(f"ONNX is not installed here: {error}", hint=INSTALL) from error


def encoder_graph(weights: Weights) -> Any:
    """Return the encoder: `source` [B, S] and `mask` [B, 1, 1, S], 0 or -inf, to the keys and values of each decoder
    layer's cross-attention: `memory_key_0`, `memory_value_0`, ... [B, H, S, E]."""
    graph = _Graph(weights)
    x = graph.embedded("source", "positions")
    for index in range(weights.config.num_encoder_layers):
        name = f"encoder_layers.{index}"
        query, key, value = graph.heads3(graph.linear(graph.norm(x, f"{name}.attention_norm"), f"{name}.attention.qkv"))
        x = graph.add(x, graph.attention(query, key, value, "mask", f"{name}.attention.output"))
        x = graph.add(x, graph.feed_forward(graph.norm(x, f"{name}.feed_forward_norm"), name))
    memory = graph.norm(x, "encoder_norm")
    outputs = []
    for index in range(weights.config.num_decoder_layers):
        key, value = graph.heads2(graph.linear(memory, f"decoder_layers.{index}.cross_attention.key_value"))
        outputs += [graph.named(key, f"memory_key_{index}"), graph.named(value, f"memory_value_{index}")]
    inputs: dict[str, Any] = {
        "source": ("INT64", ["B", "S"]),
        "positions": ("INT64", ["S"]),
        "mask": ("FLOAT", ["B", 1, 1, "S"]),
    }
    shapes: dict[str, Any] = dict.fromkeys(outputs, _heads(weights, "S"))
    return graph.model(inputs, shapes)


def step_graph(weights: Weights) -> Any:
    """Return one step of the decoder.

    From `ids` [B, T], their `positions` [T], `causal` [T, N] and `mask` [B, 1, 1, S] (both 0 or -inf), and of each
    layer `key_i`, `value_i` [B, H, P, E], `memory_key_i`, `memory_value_i` [B, H, S, E] to `logits` [B, T, V] and
    `new_key_i`, `new_value_i` [B, H, N, E].
    """
    graph = _Graph(weights)
    inputs: dict[str, Any] = {
        "ids": ("INT64", ["B", "T"]),
        "positions": ("INT64", ["T"]),
        "causal": ("FLOAT", ["T", "N"]),
        "mask": ("FLOAT", ["B", 1, 1, "S"]),
    }
    outputs: dict[str, Any] = {"logits": ("FLOAT", ["B", "T", weights.config.target_vocab_size])}
    x = graph.embedded("ids", "positions")
    for index in range(weights.config.num_decoder_layers):
        name = f"decoder_layers.{index}"
        normed = graph.norm(x, f"{name}.self_attention_norm")
        query, key, value = graph.heads3(graph.linear(normed, f"{name}.self_attention.qkv"))
        keys = graph.named(graph.joined(f"key_{index}", key), f"new_key_{index}")
        values = graph.named(graph.joined(f"value_{index}", value), f"new_value_{index}")
        x = graph.add(x, graph.attention(query, keys, values, "causal", f"{name}.self_attention.output"))
        x = _read(graph, x, name, index)
        x = graph.add(x, graph.feed_forward(graph.norm(x, f"{name}.feed_forward_norm"), name))
        for place in ("key", "value"):
            inputs[f"{place}_{index}"] = _heads(weights, "P")
            inputs[f"memory_{place}_{index}"] = _heads(weights, "S")
            outputs[f"new_{place}_{index}"] = _heads(weights, "N")
    head = graph.constant("head", np.ascontiguousarray(weights.head.T))
    graph.named(graph.node("MatMul", [graph.norm(x, "decoder_norm"), head]), "logits")
    return graph.model(inputs, outputs)


def _read(graph: _Graph, x: str, name: str, index: int) -> str:
    normed = graph.norm(x, f"{name}.cross_attention_norm")
    query = graph.head(graph.linear(normed, f"{name}.cross_attention.query"))
    keys, values = f"memory_key_{index}", f"memory_value_{index}"
    return graph.add(x, graph.attention(query, keys, values, "mask", f"{name}.cross_attention.output"))


def _heads(weights: Weights, length: str) -> tuple[str, list[Any]]:
    return "FLOAT", ["B", weights.config.num_heads, length, weights.config.head_dim]


class _Graph:
    """Collects nodes and weights; every method adds what it says and returns the name of its output."""

    def __init__(self, weights: Weights) -> None:
        self._onnx = library()
        self._weights, self._config = weights, weights.config
        self._nodes: list[Any] = []
        self._arrays: dict[str, Any] = {}

    def node(self, kind: str, inputs: Sequence[str], *, num_outputs: int = 1, **attributes: Any) -> str:
        """Add a node; of several outputs, the first is named, the others follow as `_1`, `_2`."""
        name = f"{kind.lower()}_{len(self._nodes)}"
        outputs = [name, *(f"{name}_{index}" for index in range(1, num_outputs))]
        if num_outputs > 1:
            attributes["num_outputs"] = num_outputs
        self._nodes.append(self._onnx.helper.make_node(kind, list(inputs), outputs, name=name, **attributes))
        return name

    def constant(self, name: str, value: Any) -> str:
        if name not in self._arrays:
            self._arrays[name] = self._onnx.numpy_helper.from_array(np.asarray(value), name)
        return name

    def named(self, name: str, wanted: str) -> str:
        self._nodes.append(self._onnx.helper.make_node("Identity", [name], [wanted], name=f"to_{wanted}"))
        return wanted

    def add(self, left: str, right: str) -> str:
        return self.node("Add", [left, right])

    def embedded(self, ids: str, positions: str) -> str:
        scale = self.constant("scale", np.float32(self._config.d_model**0.5))
        vectors = self.node("Gather", [self.constant("embedding", self._weights.embedding), ids])
        places = self.node("Gather", [self.constant("position_table", self._weights.positions), positions])
        return self.add(self.node("Mul", [vectors, scale]), places)

    def linear(self, x: str, name: str) -> str:
        weight = self.constant(f"{name}.weight", np.ascontiguousarray(self._array(f"{name}.weight").T))
        return self.add(self.node("MatMul", [x, weight]), self.constant(f"{name}.bias", self._array(f"{name}.bias")))

    def norm(self, x: str, name: str) -> str:
        scale = self.constant(f"{name}.weight", self._array(f"{name}.weight"))
        shift = self.constant(f"{name}.bias", self._array(f"{name}.bias"))
        return self.node("LayerNormalization", [x, scale, shift], axis=-1, epsilon=EPSILON)

    def feed_forward(self, x: str, name: str) -> str:
        hidden = self.linear(x, f"{name}.feed_forward.inner")
        if self._config.activation == "swiglu":
            gate, up = self._split(hidden, 2)
            hidden = self.node("Mul", [self.node("Mul", [gate, self.node("Sigmoid", [gate])]), up])
        else:
            hidden = self.node("Gelu", [hidden])
        return self.linear(hidden, f"{name}.feed_forward.outer")

    def attention(self, query: str, key: str, value: str, mask: str, output: str) -> str:
        scale = self.constant("attention_scale", np.float32(self._config.head_dim**-0.5))
        turned = self.node("Transpose", [key], perm=[0, 1, 3, 2])
        scores = self.node("MatMul", [self.node("Mul", [query, scale]), turned])
        shares = self.node("Softmax", [self.add(scores, mask)], axis=-1)
        mixed = self.node("Transpose", [self.node("MatMul", [shares, value])], perm=[0, 2, 1, 3])
        flat = self.constant("flat", np.array([0, 0, self._config.d_model], np.int64))
        return self.linear(self.node("Reshape", [mixed, flat]), output)

    def heads3(self, x: str) -> tuple[str, str, str]:
        query, key, value = self._split(x, 3)
        return self.head(query), self.head(key), self.head(value)

    def heads2(self, x: str) -> tuple[str, str]:
        key, value = self._split(x, 2)
        return self.head(key), self.head(value)

    def head(self, x: str) -> str:
        shape = self.constant("head_shape", np.array([0, 0, self._config.num_heads, self._config.head_dim], np.int64))
        return self.node("Transpose", [self.node("Reshape", [x, shape])], perm=[0, 2, 1, 3])

    def joined(self, before: str, new: str) -> str:
        return self.node("Concat", [before, new], axis=2)

    def _split(self, x: str, count: int) -> list[str]:
        first = self.node("Split", [x], num_outputs=count, axis=-1)
        return [first, *(f"{first}_{index}" for index in range(1, count))]

    def model(self, inputs: dict[str, tuple[str, list[Any]]], outputs: dict[str, tuple[str, list[Any]]]) -> Any:
        helper = self._onnx.helper
        graph = helper.make_graph(
            self._nodes, "codegen", self._values(inputs), self._values(outputs), list(self._arrays.values())
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = IR_VERSION
        return model

    def _values(self, places: dict[str, tuple[str, list[Any]]]) -> list[Any]:
        kinds, make = self._onnx.TensorProto, self._onnx.helper.make_tensor_value_info
        return [make(name, getattr(kinds, kind), shape) for name, (kind, shape) in places.items()]

    def _array(self, name: str) -> Floats:
        return self._weights[name]
