"""Sources: the forms of their texts, damaged files, missing ones, the shipped corpus."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tutelage.core.errors import DamagedFile, InvalidSpec, MissingDependency
from tutelage.services.cognate.config import CognateConfig
from tutelage.services.cognate.sources.base import Loaded, SourceMissing
from tutelage.services.cognate.sources.load import load_source, load_texts

GSM = {"question": "2 and 3?", "answer": "2+3 = <<2+3=5>>5\n#### 5"}
SVAMP = {"Body": "Two cats.", "Question": "How many?", "Answer": 2.0}
HOTPOT = {"question": "Who?", "answer": "Ann", "context": [["A", ["Ann is.", " Yes."]]], "level": "easy"}
MAWPS = "Question,Numbers,Answer\nAdd number0 and number1 .,2.0 3.5,5.5\n"


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def config_of(name: str, path: Path, **more: Any) -> CognateConfig:
    return CognateConfig(dataset_sources=[name], **{f"{name.lower()}_path": str(path)}, **more)


@pytest.mark.parametrize(
    ("name", "file", "text", "expected", "answer"),
    [
        ("GSM8K", "a.jsonl", json.dumps(GSM) + "\n", "Problem: 2 and 3? Solution: 2+3 = 5\n#### 5", "5"),
        ("SVAMP", "a.json", json.dumps([SVAMP]), "Problem: Two cats. How many? Answer: 2", "2"),
        ("SVAMP", "a.csv", MAWPS, "Problem: Add 2 and 3.5 . Answer: 5.5", "5.5"),
        ("HotpotQA", "a.json", json.dumps([HOTPOT]), "Context: A: Ann is. Yes. Question: Who? Answer: Ann", "Ann"),
    ],
)
def test_rows_become_texts_of_one_form(
    name: str, file: str, text: str, expected: str, answer: str, tmp_path: Path
) -> None:
    loaded = load_source(name, config_of(name, written(tmp_path / file, text)))
    [sample] = loaded.samples
    assert (sample.text, sample.answer, sample.dataset) == (expected, answer, name)
    assert sample.prompt is not None
    assert sample.text.startswith(sample.prompt)
    assert (sample.seq_type, sample.requires_memory) == (("long", True) if name == "HotpotQA" else ("short", False))
    assert loaded.summary()["rows"] == 1
    assert loaded.summary()["sha256"] == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("name", "file", "text", "line"),
    [
        ("GSM8K", "a.jsonl", json.dumps(GSM) + '\n{"question": \n', 2),
        ("GSM8K", "a.jsonl", json.dumps(GSM) + "\n\n[1]\n", 3),
        ("GSM8K", "a.jsonl", json.dumps({"question": "x"}) + "\n", 1),
        ("GSM8K", "a.jsonl", json.dumps({**GSM, "answer": "5"}) + "\n", 1),
        ("SVAMP", "a.json", '[{"Body": "x"},\n oops]', 2),
        ("SVAMP", "a.csv", MAWPS + "too few\n", 3),
        ("HotpotQA", "a.json", json.dumps([{**HOTPOT, "context": []}]), 1),
        ("HotpotQA", "a.json", json.dumps([HOTPOT, {**HOTPOT, "context": [["A"]]}]), 2),
    ],
)
def test_a_damaged_line_is_named_with_its_file(name: str, file: str, text: str, line: int, tmp_path: Path) -> None:
    path = written(tmp_path / file, text)
    with pytest.raises(DamagedFile, match=f"{path}, line {line} "):
        load_source(name, config_of(name, path))


def test_what_is_no_utf8_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(json.dumps(GSM).encode() + b"\n\xff\n")
    with pytest.raises(DamagedFile, match="line 2 is not UTF-8"):
        load_source("GSM8K", config_of("GSM8K", path))


def missing() -> list[Callable[[Path], CognateConfig]]:
    return [
        lambda folder: CognateConfig(dataset_sources=["GSM8K"]),
        lambda folder: config_of("GSM8K", folder / "nowhere.jsonl"),
        lambda folder: config_of("GSM8K", folder),
        lambda folder: CognateConfig(dataset_sources=["SVAMP"], data_dir=str(folder)),
    ]


@pytest.mark.parametrize("config", missing())
def test_a_missing_source_is_an_error_that_says_what_to_do(
    config: Callable[[Path], CognateConfig], tmp_path: Path
) -> None:
    with pytest.raises(SourceMissing):
        load_texts(config(tmp_path), seed=1)


def test_a_missing_source_may_be_left_out_and_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", (json.dumps(GSM) + "\n") * 10)
    sources = {"dataset_sources": ["GSM8K", "HotpotQA"], "gsm8k_path": str(path), "allow_partial": True}
    found = load_texts(CognateConfig(**sources), seed=1)
    assert list(found.missing) == ["HotpotQA"]
    assert found.summary["missing"]["HotpotQA"]
    assert (len(found.train), len(found.held_out)) == (9, 1)


def test_when_every_source_is_missing_there_is_nothing_to_train() -> None:
    with pytest.raises(SourceMissing, match="none of the sources"):
        load_texts(CognateConfig(allow_partial=True), seed=1)


def test_the_hub_is_refused_where_its_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match="needs the package datasets"):
        load_source("GSM8K", CognateConfig(dataset_sources=["GSM8K"], allow_download=True))


def test_a_folder_of_a_set_keeps_its_own_test_apart(tmp_path: Path) -> None:
    written(tmp_path / "gsm8k" / "train.jsonl", (json.dumps(GSM) + "\n") * 3)
    written(tmp_path / "gsm8k" / "test.jsonl", json.dumps(GSM) + "\n")
    loaded = load_source("GSM8K", CognateConfig(dataset_sources=["GSM8K"], data_dir=str(tmp_path)))
    assert (len(loaded.samples), len(loaded.held_out)) == (3, 1)


def folder_of_texts(tmp_path: Path) -> Loaded:
    written(tmp_path / "b.txt", "second\n")
    written(tmp_path / "a" / "a.md", "first\n")
    written(tmp_path / "a" / "picture.png", "no text\n")
    written(tmp_path / "LICENSE", "free\n")
    config = CognateConfig(dataset_sources=["text"], text_dirs=[str(tmp_path)])
    return load_source("text", config)


def test_a_folder_of_text_is_read_in_order_of_its_paths(tmp_path: Path) -> None:
    loaded = folder_of_texts(tmp_path)
    assert [sample.text for sample in loaded.samples] == ["first\n", "second\n"]
    assert loaded.licence.endswith("LICENSE")


def test_a_long_file_becomes_several_documents(tmp_path: Path) -> None:
    written(tmp_path / "a.txt", "a line of words\n" * 5000)
    loaded = load_source("text", CognateConfig(dataset_sources=["text"], text_dirs=[str(tmp_path)]))
    assert len(loaded.samples) == 3
    assert "".join(sample.text for sample in loaded.samples) == "a line of words\n" * 5000


def test_a_folder_without_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match="holds no text file"):
        load_source("text", CognateConfig(dataset_sources=["text"], text_dirs=[str(tmp_path)]))


def test_pythons_own_library_is_a_corpus() -> None:
    loaded = load_source("stdlib:python", CognateConfig(dataset_sources=["stdlib:python"]))
    assert len(loaded.files) > 300
    assert not any({"test", "tests", "site-packages"} & set(path.parts[-3:]) for path in loaded.files)
    assert loaded.licence.startswith("PSF-2.0")


@pytest.mark.needs_shared_data
def test_the_real_sets_are_read_whole() -> None:
    folder = Path(os.environ["TUTELAGE_TEST_DATA"]) / "lm"
    found = load_texts(CognateConfig(data_dir=str(folder)), seed=42)
    rows = {name: source["rows"] for name, source in found.summary["sources"].items()}
    assert rows == {"GSM8K": 7473 + 1319, "SVAMP": 1000 + 3138, "HotpotQA": 100}
    assert (len(found.train), len(found.held_out)) == (7473 + 3138 + 90, 1319 + 1000 + 10)
