"""Hands a model's weights to CTranslate2 directly, without a checkpoint of another library in between."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Literal

from tutelage.core.errors import MissingDependency
from tutelage.services.codegen.engines.base import EOS_ID, PAD_ID, SOS_ID, UNK_ID
from tutelage.services.codegen.engines.weights import Weights

Quantization = Literal["float32", "int8"]
INSTALL = "pip install 'tutelage[codegen]'"
SPECIAL = {PAD_ID: "<pad>", UNK_ID: "<unk>", SOS_ID: "<sos>", EOS_ID: "<eos>"}


def library(name: str = "ctranslate2") -> Any:
    """Return a module of CTranslate2. Raises MissingDependency."""
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        raise MissingDependency(f"CTranslate2 is not installed here: {error}", hint=INSTALL) from error


def export_ctranslate2(weights: Weights, folder: Path, *, quantization: Quantization = "float32") -> Path:
    """Write `model.bin`, `config.json` and the vocabularies into a folder, and return it.

    Every array is copied on its way: CTranslate2 quantizes in place, and would change the model - the tied table three
    times over. Tokens are written as `t<id>` but for the four special ones: engines speak in ids.
    """
    spec = _specification(weights)
    spec.validate()
    spec.optimize(quantization=None if quantization == "float32" else quantization)
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    return folder


def token(index: int) -> str:
    """Return how an id is written in CTranslate2's vocabularies."""
    return SPECIAL.get(index, f"t{index}")


def _specification(weights: Weights) -> Any:
    library()
    specs, common = library("ctranslate2.specs"), library("ctranslate2.specs.common_spec")
    config = weights.config
    is_gated = config.activation == "swiglu"
    spec = specs.TransformerSpec.from_config(
        (config.num_encoder_layers, config.num_decoder_layers),
        config.num_heads,
        pre_norm=True,
        activation=common.Activation.SWISH if is_gated else common.Activation.GELU,
        ffn_glu=is_gated,
    )
    _encoder(spec.encoder, weights)
    _decoder(spec.decoder, weights)
    spec.register_source_vocabulary([token(index) for index in range(config.vocab_size)])
    spec.register_target_vocabulary([token(index) for index in range(config.target_vocab_size)])
    spec.config.bos_token = spec.config.decoder_start_token = SPECIAL[SOS_ID]
    spec.config.eos_token, spec.config.unk_token = SPECIAL[EOS_ID], SPECIAL[UNK_ID]
    spec.config.add_source_eos = spec.config.add_source_bos = False
    return spec


def _encoder(spec: Any, weights: Weights) -> None:
    spec.embeddings[0].weight = weights.embedding.copy()
    spec.position_encodings.encodings = weights.positions.copy()
    _norm(spec.layer_norm, weights, "encoder_norm")
    for index, layer in enumerate(spec.layer):
        name = f"encoder_layers.{index}"
        _norm(layer.self_attention.layer_norm, weights, f"{name}.attention_norm")
        _linear(layer.self_attention.linear[0], weights, f"{name}.attention.qkv")
        _linear(layer.self_attention.linear[1], weights, f"{name}.attention.output")
        _feed_forward(layer.ffn, weights, name)


def _decoder(spec: Any, weights: Weights) -> None:
    spec.embeddings.weight, spec.projection.weight = weights.head.copy(), weights.head.copy()
    spec.position_encodings.encodings = weights.positions.copy()
    _norm(spec.layer_norm, weights, "decoder_norm")
    for index, layer in enumerate(spec.layer):
        name = f"decoder_layers.{index}"
        _norm(layer.self_attention.layer_norm, weights, f"{name}.self_attention_norm")
        _linear(layer.self_attention.linear[0], weights, f"{name}.self_attention.qkv")
        _linear(layer.self_attention.linear[1], weights, f"{name}.self_attention.output")
        _norm(layer.attention.layer_norm, weights, f"{name}.cross_attention_norm")
        _linear(layer.attention.linear[0], weights, f"{name}.cross_attention.query")
        _linear(layer.attention.linear[1], weights, f"{name}.cross_attention.key_value")
        _linear(layer.attention.linear[2], weights, f"{name}.cross_attention.output")
        _feed_forward(layer.ffn, weights, name)


def _feed_forward(spec: Any, weights: Weights, name: str) -> None:
    _norm(spec.layer_norm, weights, f"{name}.feed_forward_norm")
    weight, bias = weights[f"{name}.feed_forward.inner.weight"], weights[f"{name}.feed_forward.inner.bias"]
    if weights.config.activation == "swiglu":  # ours holds the gate above the rest, theirs apart
        width = weights.config.d_ffn
        spec.linear_0.weight, spec.linear_0.bias = weight[:width].copy(), bias[:width].copy()
        spec.linear_0_noact.weight, spec.linear_0_noact.bias = weight[width:].copy(), bias[width:].copy()
    else:
        spec.linear_0.weight, spec.linear_0.bias = weight.copy(), bias.copy()
    _linear(spec.linear_1, weights, f"{name}.feed_forward.outer")


def _linear(spec: Any, weights: Weights, name: str) -> None:
    spec.weight, spec.bias = weights[f"{name}.weight"].copy(), weights[f"{name}.bias"].copy()


def _norm(spec: Any, weights: Weights, name: str) -> None:
    spec.gamma, spec.beta = weights[f"{name}.weight"].copy(), weights[f"{name}.bias"].copy()
