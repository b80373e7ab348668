"""Asking a finished model: requests, engines, masks, drafts from retrieved code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from tutelage.core.errors import InvalidSpec, UnknownName
from tutelage.services.codegen.artifacts import STATS, load_saved_model, save_model_files, write_document
from tutelage.services.codegen.config import CodegenConfig, DecodingConfig
from tutelage.services.codegen.generation import Generator
from tutelage.services.codegen.known import KNOWN, load_known, save_known
from tutelage.services.codegen.model.transformer import Transformer
from tutelage.services.codegen.oracle import TintOracle
from tutelage.services.codegen.prepare import known_pairs, prepare
from tutelage.services.codegen.use import read_request, use

PROMPT = "write a function glow of float x that returns the sine of x"
TINY = CodegenConfig.model_validate(
    {
        "preset": "tiny",
        "data": {"num_programs": 64, "num_held_out": 4},
        "model": {"d_model": 32, "num_encoder_layers": 1, "d_ffn": 64},
        "training": {"eval_prompts": 4},
    }
)


@pytest.fixture(scope="module")
def operation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a training leaves it; the weights are random."""
    root = tmp_path_factory.mktemp("operation")
    artifacts = root / "artifacts"
    artifacts.mkdir()
    prepared = prepare(TINY, seed=5)
    torch.manual_seed(0)
    save_model_files(artifacts, Transformer(prepared.model), prepared.vocabulary)
    save_known(known_pairs(TINY, prepared.corpus, []), artifacts / KNOWN)
    write_document(artifacts / STATS, {"retrieve": 0})
    return root


def ask(operation: Path, **request: Any) -> dict[str, Any]:
    answers: list[Any] = []
    use(operation, TINY, iter([{"prompt": PROMPT, "max_new_tokens": 12, **request}]), answers.append)
    return dict(answers[0])


def test_greedy_says_the_same_each_time(operation):
    assert ask(operation) == ask(operation)


@pytest.mark.parametrize("engine", ["ct2", "onnx"])
def test_every_exact_engine_writes_what_torch_writes(operation, engine):
    pytest.importorskip({"ct2": "ctranslate2", "onnx": "onnxruntime"}[engine])
    assert ask(operation, engine=engine)["text"] == ask(operation)["text"]


def test_a_draft_from_retrieved_code_changes_nothing_but_the_steps(operation):
    plain, drafted = ask(operation, max_new_tokens=40), ask(operation, max_new_tokens=40, retrieve=3)
    assert drafted["text"] == plain["text"]
    assert len(drafted["retrieved"]) == 3
    assert drafted["steps"] <= plain["steps"]


def test_many_prompts_are_written_with_examples_where_the_model_reads_them(operation):
    artifacts = operation / "artifacts"
    saved, decoding = load_saved_model(artifacts), DecodingConfig(max_new_tokens=12, temperature=1.0)
    alone = Generator.open(artifacts, saved, engine="torch")
    reader = Generator.open(artifacts, saved, engine="torch", reads_examples=True)
    prompts = [PROMPT, PROMPT]
    plain = alone.write_all(prompts, decoding)
    assert alone.write_all(prompts, decoding, retrieve=2) == plain
    assert reader.write_all(prompts, decoding) == plain
    assert reader.write_all(prompts, decoding, retrieve=2) != plain


def test_what_is_written_under_the_mask_compiles(operation):
    pytest.importorskip("pydawn")
    answer = ask(operation, constrain=True, max_new_tokens=80)
    assert answer["ended"]
    assert TintOracle().check(answer["text"]).ok, answer["text"]


def test_draws_hang_on_the_seed(operation):
    texts = [ask(operation, top_k=40, seed=seed)["text"] for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_a_prompt_that_is_too_long_is_refused(operation):
    with pytest.raises(InvalidSpec, match="the model reads from 1 to"):
        ask(operation, prompt="sine " * 500)


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({}, InvalidSpec),
        ({"prompt": ""}, InvalidSpec),
        ({"prompt": "x", "beams": 4}, UnknownName),
        ({"prompt": "x", "beam": 0}, InvalidSpec),
        ({"prompt": "x", "engine": "abacus"}, InvalidSpec),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused(request_, error):
    with pytest.raises(error):
        read_request(request_)


def test_drawing_begins_where_a_cut_is_asked_for():
    decoding = read_request({"prompt": "x", "top_k": 5}).decoding(DecodingConfig(beam=4))
    assert (decoding.temperature, decoding.beam, decoding.top_k) == (1.0, 1, 5)
    with pytest.raises(InvalidSpec):
        read_request({"prompt": "x", "top_k": 5, "beam": 4}).decoding(DecodingConfig())


def test_known_pairs_are_read_as_they_were_written(operation, tmp_path):
    pairs = load_known(operation / "artifacts" / KNOWN)
    save_known(pairs, tmp_path / KNOWN)
    assert load_known(tmp_path / KNOWN) == pairs
    assert len(pairs) == 64
    assert not any(re.search(r"<[nv]\d", pair.code) for pair in pairs)
