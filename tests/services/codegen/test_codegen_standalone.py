"""The package's program, as its user runs it: an interpreter of its own, without Tutelage."""

from __future__ import annotations

import hashlib
import itertools
import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tutelage.services.codegen.artifacts import SavedModel, save_model_files
from tutelage.services.codegen.config import DecodingConfig, TransformerConfig
from tutelage.services.codegen.data.corpus import programs
from tutelage.services.codegen.data.pairs import Pair, realise
from tutelage.services.codegen.engines.ctranslate2_export import export_ctranslate2
from tutelage.services.codegen.engines.onnx_engine import export_onnx
from tutelage.services.codegen.engines.weights import weights_of
from tutelage.services.codegen.generation import Generator
from tutelage.services.codegen.language.sentences import SentenceTokenizer
from tutelage.services.codegen.language.tokenizer import CodeTokenizer
from tutelage.services.codegen.model.transformer import Transformer
from tutelage.services.codegen.packaging import inference
from tutelage.services.codegen.packaging.single_file import single_file
from tutelage.services.codegen.vocabulary import Vocabulary

PROMPT = "write a function wobble that takes float x and float amount and returns the sine of x times 2.5"


def pairs(num: int) -> list[Pair]:
    chosen = itertools.islice(programs(level="wide", split="train", seed=0), num)
    return [realise(program, random.Random(index)) for index, program in enumerate(chosen)]


@pytest.fixture(scope="module")
def saved() -> SavedModel:
    """A small model with random weights and a vocabulary of real sentences."""
    known = pairs(200)
    vocabulary = Vocabulary(
        CodeTokenizer.build([pair.slotted_code for pair in known]),
        SentenceTokenizer.train([pair.slotted_sentence for pair in known], vocab_size=600),
    )
    config = TransformerConfig(
        d_model=32, num_heads=4, num_encoder_layers=1, num_decoder_layers=1, d_ffn=64,
        max_source_tokens=64, max_target_tokens=24,
        vocab_size=vocabulary.size, target_vocab_size=vocabulary.target_size,
    )  # fmt: skip
    torch.manual_seed(0)
    return SavedModel(model=Transformer(config).eval(), vocabulary=vocabulary)


@pytest.fixture(scope="module")
def package(saved: SavedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the integrator leaves it."""
    folder = tmp_path_factory.mktemp("package")
    save_model_files(folder, saved.model, saved.vocabulary)
    export_ctranslate2(weights_of(saved.model), folder / "ctranslate2" / "float32")
    export_onnx(weights_of(saved.model), folder / "onnx" / "float32")
    (folder / "generate.py").write_text(single_file(), encoding="utf-8")
    digest = hashlib.sha256((folder / "config.json").read_bytes()).hexdigest()
    (folder / "SHA256SUMS").write_text(f"{digest}  config.json\n")
    return folder


def run(package: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(package / "generate.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=package)


def test_the_program_names_nothing_of_tutelage_and_is_always_the_same() -> None:
    text = single_file()
    assert "import tutelage" not in text
    assert "from tutelage" not in text
    assert text == single_file()
    compile(text, "generate.py", "exec")


@pytest.mark.parametrize("engine", ["ct2", "onnx"])
def test_it_writes_what_the_service_writes(package: Path, saved: SavedModel, engine: str, tmp_path: Path) -> None:
    wanted = Generator.open(package, saved, engine="torch").answer(PROMPT, DecodingConfig(constrain=False))
    done = run(package, PROMPT, "--engine", engine, "--quantization", "float32")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == wanted["text"] + "\n"
    target = tmp_path / "out.wgsl"
    done = run(package, PROMPT, "--engine", engine, "--quantization", "float32", "-o", str(target))
    assert (done.returncode, done.stdout, target.read_text()) == (0, "", wanted["text"] + "\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([PROMPT], "no engine is installed"),
        ([PROMPT, "--quantization", "float32", "--engine", "onnx", "--beam", "2"], "a beam needs CTranslate2"),
        ([PROMPT * 20, "--quantization", "float32"], "the model reads from 1 to 64"),
        (["", "--quantization", "float32"], "the prompt has 0 tokens"),
    ],
    ids=["no int8 model", "a beam on onnx", "too long", "empty"],
)
def test_what_is_amiss_is_said(package: Path, arguments: list[str], said: str) -> None:
    done = run(package, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_changed_file_is_found(package: Path) -> None:
    given = (PROMPT, "--check", "--quantization", "float32")
    assert run(package, *given).returncode == 0
    config = (package / "config.json").read_text()
    try:
        (package / "config.json").write_text(config + " ")
        done = run(package, *given)
        assert (done.returncode, done.stderr) == (1, "error: config.json is missing or was changed\n")
    finally:
        (package / "config.json").write_text(config)


def test_its_sentences_have_the_ids_of_the_tokenizers_library(package: Path, saved: SavedModel) -> None:
    ours = inference.Vocabulary(package)
    texts = [pair.slotted_sentence for pair in pairs(300)[200:]] + [
        PROMPT,
        "a  b\tc",
        " \u00c9t\u00e9's 3.5x_y2 (\u2603)",
        "<v0>",
        "x<n1> ,<v0>!",
    ]
    for text in texts:
        assert ours.source(text) == saved.vocabulary.source(text), text
    ids = saved.vocabulary.target("fn f(x: f32) -> f32 { return x; } // \u00e9\u2603")
    assert ours.text(ids) == saved.vocabulary.text(ids)
