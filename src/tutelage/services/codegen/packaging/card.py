"""The model card: what the model is, what it was measured on, what it cannot do. Every number is a measured one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tutelage.services.codegen.config import TransformerConfig

TEXT = """# {name}

Turns a sentence into WGSL. An encoder-decoder Transformer trained from scratch with Tutelage's `codegen` service.

| | |
|---|---|
| parameters | {parameters:,} |
| encoder, decoder layers | {config.num_encoder_layers}, {config.num_decoder_layers} |
| width, heads, feed-forward | {config.d_model}, {config.num_heads}, {config.d_ffn} ({config.activation}) |
| tokens read, written at most | {config.max_source_tokens}, {config.max_target_tokens} |
| vocabulary: code, in all | {config.target_vocab_size}, {config.vocab_size} |
| trained on | {programs:,} generated programs (level {level}, seed {seed}), {total_steps:,} steps |
| weights' SHA-256 | `{sha256}` |

## Measured

On {held_out_prompts:,} sentences about programs whose combinations of operations were held out from training.
Times are CPU time of one process; `exact_match` is the share of programs written token for token.

| phase | figure | value |
|---|---|---|
{rows}

## Use

```console
$ python generate.py "write a function glow of float x that returns the sine of x"
$ python generate.py --check --quantization float32 - < sentence.txt
```

`generate.py` needs `numpy`, and `ctranslate2` or `onnxruntime`. `ctranslate2/float32` and `ctranslate2/int8` open in
CTranslate2 (tokens are `t<id>`), `onnx/` in ONNX Runtime; `model.safetensors` holds the weights.

## Limits

It knows the language of its generator: functions, kernels and loops over `f32` and its vectors. Sentences far from
the generator's are answered with what is nearest. Look at what it writes before you run it;
`tutelage codegen validate` tells whether it compiles.
"""


def model_card(
    *,
    name: str,
    config: TransformerConfig,
    stats: Mapping[str, Any],
    sha256: str,
    figures: Mapping[str, Mapping[str, float]],
) -> str:
    """Return the card. `figures` are those of each phase's manifest."""
    rows = [
        f"| {phase} | {key} | {value:g} |" for phase, found in figures.items() for key, value in sorted(found.items())
    ]
    return TEXT.format(
        name=name,
        config=config,
        parameters=stats["parameters"],
        programs=stats["programs"],
        level=stats["level"],
        seed=stats["seed"],
        total_steps=stats["total_steps"],
        held_out_prompts=stats["held_out_prompts"],
        sha256=sha256,
        rows="\n".join(rows),
    )
