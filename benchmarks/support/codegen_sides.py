"""`python -m benchmarks.support.codegen_sides cpu|adapter quick|full`: measures `codegen` and prints one JSON document.

The model is the preset `fast` with random weights, drawn three times as wide as at the start of a training so that
what it writes varies: how long a product takes does not depend on its numbers. Lengths are forced.
"""

from __future__ import annotations

import json
import logging
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tutelage.core.errors import MissingDependency
from tutelage.services.codegen.config import PRESETS, DecodingConfig, TransformerConfig
from tutelage.services.codegen.data.corpus import Corpus
from tutelage.services.codegen.data.pairs import Pair
from tutelage.services.codegen.decoding.drafting import write_from_draft
from tutelage.services.codegen.decoding.sampling import sample
from tutelage.services.codegen.decoding.write import write
from tutelage.services.codegen.engines.base import EOS_ID, PAD_ID, SOS_ID, StepEngine
from tutelage.services.codegen.engines.ctranslate2_engine import CTranslate2Engine
from tutelage.services.codegen.engines.ctranslate2_export import export_ctranslate2
from tutelage.services.codegen.engines.onnx_engine import OnnxEngine, export_onnx
from tutelage.services.codegen.engines.torch_engine import TorchEngine
from tutelage.services.codegen.engines.weights import Weights, weights_of
from tutelage.services.codegen.language.sentences import SentenceTokenizer
from tutelage.services.codegen.language.tokenizer import CodeTokenizer
from tutelage.services.codegen.model.transformer import Transformer
from tutelage.services.codegen.phases.speed import NEW_TOKENS, SOURCE_TOKENS, NeverEnds, kernel_timings
from tutelage.services.codegen.phases.timing import anchor, measure
from tutelage.services.codegen.retrieval.index import RetrievalIndex
from tutelage.services.codegen.vocabulary import Vocabulary

GREEDY = DecodingConfig(constrain=False, max_new_tokens=512)
BEAM = DecodingConfig(constrain=False, beam=4)
TEXT_CHARS = 500
WIDER = 3.0
VERIFY_TOKENS = 8


def main() -> None:
    """Measure one part and print it."""
    part, is_quick = sys.argv[1], sys.argv[2] == "quick"
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # torch and onnxruntime announce successors of their own int8
    logging.disable(logging.WARNING)
    print(json.dumps(cpu(is_quick) if part == "cpu" else adapter(is_quick)))


def cpu(is_quick: bool) -> dict[str, Any]:
    """Measure everything that one core does, in time of this process's CPU."""
    corpus = Corpus.generate(level="wide", split="train", num_programs=1_000 if is_quick else 20_000).fixed_pairs()
    held_out = Corpus.generate(level="wide", split="composition", num_programs=20 if is_quick else 200).fixed_pairs()
    vocabulary = Vocabulary(
        CodeTokenizer.standard(), SentenceTokenizer.train([pair.slotted_sentence for pair in corpus[:5_000]])
    )
    model = fast_model(vocabulary)
    rounds = 3 if is_quick else 15
    kernels = kernel_timings(model, rounds=rounds)
    with tempfile.TemporaryDirectory() as folder:
        exports = Exports(weights_of(model), Path(folder))
        engines = generation(exports, model, rounds)
        beam = {
            key: ct2_ms(exports.ct2["int8"], config, rounds) for key, config in (("greedy", GREEDY), ("beam", BEAM))
        }
        equal = equal_share(exports.ct2["float32"], model, vocabulary, held_out)
        prompts = held_out[: 5 if is_quick else 40]
        speedups = draft_and_verify(exports.onnx["int8"], vocabulary, corpus, prompts)
        on_torch = draft_and_verify(TorchEngine(model), vocabulary, corpus, prompts)
    anchor_us = anchor(rounds=rounds).median_s * 1e6
    warm, cold = tokenizing(corpus, rounds)
    figures = {
        "tokenize_us_500": warm,
        "tokenize_cold_us_500": cold,
        "softmax_us_512": kernels["softmax_us"].median_s * 1e6,
        "attention_ms_128": kernels["attention_ms"].median_s * 1e3,
        "generate_ms_20_40": engines["ct2_int8"],
        "beam4_vs_greedy": beam["beam"] / beam["greedy"],
        **speedups,
        "draft_verify_speedup_torch": on_torch["draft_verify_speedup"],
        "ct2_equals_torch_share": equal,
        "anchor_us": anchor_us,
        "generate_in_anchors": engines["ct2_int8"] * 1e3 / anchor_us,
    }
    return {"figures": figures, "engines": engines, "huggingface": huggingface(model.config, rounds)}


def fast_model(vocabulary: Vocabulary) -> Transformer:
    """Return a model of the preset `fast` for a vocabulary."""
    config = TransformerConfig.model_validate(PRESETS["fast"]["model"])
    torch.manual_seed(0)
    model = Transformer(config.sized(vocab_size=vocabulary.size, target_vocab_size=vocabulary.target_size)).eval()
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.ndim == 2 and "embedding" not in name:
                value.mul_(WIDER)
    return model


class Exports:
    """The model on both libraries, fp32 and int8."""

    def __init__(self, weights: Weights, folder: Path) -> None:
        self.ct2 = {
            kind: CTranslate2Engine(export_ctranslate2(weights, folder / "ct2" / kind, quantization=kind))
            for kind in ("float32", "int8")
        }
        self.onnx = {
            kind: OnnxEngine(export_onnx(weights, folder / "onnx" / kind, quantization=kind))
            for kind in ("float32", "int8")
        }


def generation(exports: Exports, model: Transformer, rounds: int) -> dict[str, float]:
    """Return milliseconds of a whole answer on every engine: 20 tokens read, 40 written."""
    quantized = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)
    steps: dict[str, StepEngine] = {
        "torch_fp32": TorchEngine(model),
        "torch_int8": TorchEngine(quantized),
        "onnx_fp32": exports.onnx["float32"],
        "onnx_int8": exports.onnx["int8"],
    }
    sequences = {"ct2_fp32": exports.ct2["float32"], "ct2_int8": exports.ct2["int8"]}
    vocab = model.config.target_vocab_size
    return {
        **{name: stepping_ms(engine, vocab, rounds) for name, engine in steps.items()},
        **{name: ct2_ms(engine, GREEDY, rounds) for name, engine in sequences.items()},
    }


def stepping_ms(engine: StepEngine, vocab: int, rounds: int) -> float:
    """Return milliseconds of an answer on an engine that steps."""
    call = lambda: sample(engine, [source()], GREEDY, max_tokens=NEW_TOKENS, masks=[NeverEnds(vocab)])  # noqa: E731
    return measure(call, rounds=rounds, warmups=1).median_s * 1e3


def ct2_ms(engine: CTranslate2Engine, config: DecodingConfig, rounds: int) -> float:
    """Return milliseconds of an answer of CTranslate2; its own threads are this process's."""
    call = lambda: engine.write([source()], config, max_tokens=NEW_TOKENS, min_tokens=NEW_TOKENS)  # noqa: E731
    return measure(call, rounds=rounds, warmups=1).median_s * 1e3


def source() -> list[int]:
    """Return the source that is read: 20 tokens."""
    return np.random.default_rng(0).integers(4, 500, SOURCE_TOKENS).tolist()


def tokenizing(pairs: Sequence[Pair], rounds: int) -> tuple[float, float]:
    """Return microseconds to encode 500 characters of code: of lines seen before, and of lines never seen."""
    text = "\n".join(pair.slotted_code for pair in pairs[:1_000])
    pieces = [text[first : first + TEXT_CHARS] for first in range(0, len(text) - TEXT_CHARS, TEXT_CHARS)]

    def encode(tokenizer: CodeTokenizer) -> float:
        began = time.process_time()
        for piece in pieces:
            tokenizer.encode(piece)
        return (time.process_time() - began) / len(pieces) * 1e6

    warm, cold = [], []
    for _ in range(rounds):
        tokenizer = CodeTokenizer.standard()
        cold.append(encode(tokenizer))
        warm.append(encode(tokenizer))
    return statistics.median(warm), statistics.median(cold)


def equal_share(engine: CTranslate2Engine, model: Transformer, vocabulary: Vocabulary, pairs: Sequence[Pair]) -> float:
    """Return the share of held-out prompts for which CTranslate2 in fp32 writes the very tokens of torch, 40 each."""
    sources = [vocabulary.source(pair.slotted_sentence) for pair in pairs]
    ours = engine.write(sources, GREEDY, max_tokens=NEW_TOKENS)
    theirs = [list(one.ids) for one in write(TorchEngine(model), sources, GREEDY, max_tokens=NEW_TOKENS)]
    return sum(one == other for one, other in zip(ours, theirs, strict=True)) / len(sources)


class Forced:
    """A mask that allows one text alone: the model writes it whatever its weights are."""

    def __init__(self, ids: Sequence[int], vocab: int) -> None:
        self._ids, self._place, self._vocab = [*ids, EOS_ID], 0, vocab

    def allowed(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Return the next token of the text alone."""
        allowed = np.zeros(self._vocab, dtype=bool)
        allowed[self._ids[self._place]] = True
        return allowed

    def advance(self, id: int) -> None:
        """Go on to the next token."""
        self._place += 1

    def fork(self) -> Forced:
        """Not needed: there are no beams here."""
        raise AssertionError("draft-and-verify and greedy keep one row")


def draft_and_verify(
    engine: StepEngine, vocabulary: Vocabulary, corpus: Sequence[Pair], prompts: Sequence[Pair]
) -> dict[str, float]:
    """Return how many times faster drafts make writing: CPU time of plain greedy over that with drafts.

    What is written is what the prompt's reference says, as by a model that is right; the drafts are the codes of the
    three prompts that BM25 finds nearest in the training split. Beside it the share of tokens that drafts gave.
    """
    index, vocab = RetrievalIndex(corpus), vocabulary.target_size
    plain_s = drafted_s = 0.0
    steps = tokens = 0
    for pair in prompts:
        ids, read = vocabulary.target(pair.slotted_code), vocabulary.source(pair.slotted_sentence)
        drafts = [vocabulary.target(near.slotted_code) for near in index.nearest(pair.slotted_sentence, k=3)]
        room = len(ids) + 1
        began = time.process_time()
        write_from_draft(engine, read, [], max_tokens=room, verify_tokens=VERIFY_TOKENS, mask=Forced(ids, vocab))
        between = time.process_time()
        drafted = write_from_draft(
            engine, read, drafts, max_tokens=room, verify_tokens=VERIFY_TOKENS, mask=Forced(ids, vocab)
        )
        plain_s, drafted_s = plain_s + between - began, drafted_s + time.process_time() - between
        assert list(drafted.ids) == ids, "a draft never changes the text"
        steps, tokens = steps + drafted.num_steps, tokens + room
    return {"draft_verify_speedup": plain_s / drafted_s, "draft_tokens_share": 1 - steps / tokens}


def huggingface(config: TransformerConfig, rounds: int) -> dict[str, float | str]:
    """Return milliseconds of transformers' own `generate`, with a model of the same shape."""
    try:
        from transformers import MarianConfig, MarianMTModel
    except ImportError:
        return {"absent": "transformers is not installed: pip install 'tutelage[huggingface]'"}
    peer = MarianMTModel(
        MarianConfig(
            vocab_size=config.target_vocab_size, d_model=config.d_model, encoder_layers=config.num_encoder_layers,
            decoder_layers=config.num_decoder_layers, encoder_attention_heads=config.num_heads,
            decoder_attention_heads=config.num_heads, encoder_ffn_dim=config.d_ffn, decoder_ffn_dim=config.d_ffn,
            activation_function="gelu", max_position_embeddings=512, pad_token_id=PAD_ID, eos_token_id=EOS_ID,
            decoder_start_token_id=SOS_ID, forced_eos_token_id=None, bos_token_id=None,
        )
    ).eval()  # fmt: skip
    ids = torch.tensor([source()])
    options = {"max_new_tokens": NEW_TOKENS, "min_new_tokens": NEW_TOKENS, "num_beams": 1, "do_sample": False}

    def call() -> Any:
        with torch.inference_mode():
            return peer.generate(input_ids=ids, attention_mask=torch.ones_like(ids), **options)

    assert call().shape == (1, NEW_TOKENS + 1)
    return {"generate_ms_marian_fp32": measure(call, rounds=max(3, rounds // 3), warmups=1).median_s * 1e3}


def adapter(is_quick: bool) -> dict[str, Any]:
    """Measure the kernels on the adapter of this machine, by the clock: a GPU's time is not this process's."""
    from tutelage.services.codegen.engines.webgpu.device import Device
    from tutelage.services.codegen.engines.webgpu.engine import WebGpuEngine

    try:
        device = Device()
    except MissingDependency as error:
        return {"absent": f"{error.message}: {error.hint}"}
    vocabulary = Vocabulary(CodeTokenizer.standard(), SentenceTokenizer.train(["write a function"] * 2))
    model = fast_model(vocabulary)
    weights = weights_of(model)
    figures = products(device, is_quick)
    for precision in ("fp32", "fp16"):
        if precision == "fp16" and not device.adapter.has_f16:
            continue
        engine = WebGpuEngine(weights, precision=precision)  # type: ignore[arg-type]
        figures[f"wgpu_token_ms_{precision}"] = token_ms(engine, 4 if is_quick else 16)
        figures[f"wgpu_difference_{precision}"] = difference(engine, model)
    return {"figures": figures, "name": device.adapter.about}


def products(device: Any, is_quick: bool) -> dict[str, float]:
    """Return GFLOP/s of both matrix products, fp32: tiles of 128 rows, and the single row of decoding."""
    inner, columns = 512, 512 if is_quick else 2048
    found = {}
    for name, rows, kernel in (("tile", 128, "linear_tile"), ("row", 1, "linear_row")):
        draw = np.random.default_rng(0)
        x, weight = (
            device.upload(draw.standard_normal(shape).astype(np.float32)) for shape in ((rows, inner), (inner, columns))
        )
        out, bias = device.room(rows * columns * 4), device.upload(np.zeros(columns, np.float32))
        groups = (
            ((columns // 4 + 7) // 8, (rows // 4 + 7) // 8) if name == "tile" else ((columns // 4 + 63) // 64, rows)
        )
        numbers = device.numbers([rows, columns, inner, 0, 0])
        call = device.call(device.kernel(kernel), [x, weight, bias, out, numbers], groups)
        seconds = clocked(lambda call=call, out=out: (device.submit([call] * 4), device.read(out, np.float32, 4)))
        found[f"wgpu_{name}_gflops"] = 4 * 2 * rows * inner * columns / seconds / 1e9
    return found


def token_ms(engine: Any, count: int) -> float:
    """Return milliseconds a token of greedy writing, chosen on the device."""
    cache = engine.open(engine.encode(np.array([source()])), max_tokens=count + 2)
    ids = np.array([[SOS_ID]])
    engine.step_top_k(ids, cache)
    began = time.perf_counter()
    for _ in range(count):
        _, best = engine.step_top_k(ids, cache)
        ids = best[:, :, 0]
    return (time.perf_counter() - began) / count * 1e3


def difference(engine: Any, model: Transformer) -> float:
    """Return how far logits lie from torch's at most, over the spread of torch's: one step of eight tokens."""
    read, ids = np.array([source()]), np.random.default_rng(1).integers(4, 400, (1, 8))
    logits = [one.step(ids, one.open(one.encode(read), max_tokens=8)) for one in (engine, TorchEngine(model))]
    return float(np.abs(logits[0] - logits[1]).max() / logits[1].std())


def clocked(call: Callable[[], object], *, rounds: int = 5) -> float:
    """Return the median seconds of a call by the clock, after one to warm up."""
    call()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


if __name__ == "__main__":
    main()
