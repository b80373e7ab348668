"""Requests to a finished model: what is taken, and what is refused with its reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cognate_support import small_model, small_tokenizer

from tutelage.core.errors import DamagedFile, InvalidSpec, UnknownName
from tutelage.services.cognate.artifacts import load_saved_model, save_model_files
from tutelage.services.cognate.config import CognateConfig
from tutelage.services.cognate.use import read_request, use


class Shelf:
    """Artifacts in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder

    def path(self, name: str) -> Path:
        return self.folder / name


def finished(folder: Path, *names: str) -> CognateConfig:
    for name in names or ("",):
        save_model_files(Shelf(folder / "artifacts" / name), small_model(vocab_size=270), small_tokenizer(), None)
    return CognateConfig(preset="nano", model_names=list(names))


def ask(folder: Path, config: CognateConfig, **request: Any) -> dict[str, Any]:
    answers: list[Any] = []
    use(folder, config, iter([request]), answers.append)
    return dict(answers[0])


def test_the_same_seed_writes_the_same_text(tmp_path: Path) -> None:
    config = finished(tmp_path)
    first, again, other = (
        ask(tmp_path, config, prompt="the cat", max_new_tokens=12, temperature=1.0, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert first["text"] != other["text"]
    assert first["prompt"] == "the cat"


@pytest.mark.parametrize(
    ("request_", "error", "message"),
    [
        ({"promt": "x"}, UnknownName, "Did you mean 'prompt'"),
        ({"prompt": "x", "temperature": -1}, InvalidSpec, "temperature"),
        ({"prompt": 3}, InvalidSpec, "prompt"),
        ({"prompt": "x", "top_p": 0}, InvalidSpec, "top_p"),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused(request_: dict[str, Any], error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        read_request(request_)


def test_one_of_several_models_is_chosen_by_its_name(tmp_path: Path) -> None:
    config = finished(tmp_path, "a", "b")
    assert ask(tmp_path, config, prompt="x", model="b", max_new_tokens=3)["new_tokens"] <= 3
    with pytest.raises(UnknownName, match="unknown model"):
        ask(tmp_path, config, prompt="x", model="c")


def test_a_model_without_a_name_is_not_asked_by_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match="without a name"):
        ask(tmp_path, finished(tmp_path), prompt="x", model="a")


def test_a_damaged_model_is_named(tmp_path: Path) -> None:
    finished(tmp_path)
    folder = tmp_path / "artifacts"
    for name in ("tokenizer.json", "config.json", "model.safetensors"):
        (folder / name).write_bytes(b"{}")
        with pytest.raises(DamagedFile, match="cannot be read"):
            load_saved_model(folder)
    with pytest.raises(InvalidSpec, match="no model"):
        load_saved_model(tmp_path)
