"""Users' own pairs and shaders: read as they are, or refused with file, entry and reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tutelage.core.errors import InvalidSpec, NotFound, TooLarge, TutelageError
from tutelage.services.codegen.data import examples
from tutelage.services.codegen.data.examples import Example, load_examples, load_shaders
from tutelage.services.codegen.data.pairs import fill
from tutelage.services.codegen.language.own_pairs import own_pair

GOOD = """
[[examples]]
natural_language = "write a function glow of float r that returns 2.0 times r"
wgsl_code = "fn glow(r: f32) -> f32 {\\n  return 2.0 * r;\\n}"
"""


LONG = json.dumps({"examples": [{"natural_language": "x", "wgsl_code": "y" * 20_001}]})


def test_pairs_are_read_from_toml_and_json_alike(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(GOOD)
    [pair] = load_examples(tmp_path / "own.toml")
    (tmp_path / "own.json").write_text(json.dumps({"examples": [pair.model_dump()]}))
    assert load_examples(tmp_path / "own.json") == [pair]


@pytest.mark.parametrize(
    ("name", "text", "error", "says"),
    [
        ("a.toml", "[[examples", InvalidSpec, "a.toml cannot be parsed"),
        ("a.json", "{", InvalidSpec, "a.json cannot be parsed"),
        ("a.json", "[" * 100_000, InvalidSpec, "a.json cannot be parsed"),
        ("a.yaml", "", InvalidSpec, "neither TOML nor JSON"),
        ("a.toml", "", InvalidSpec, "holds no examples"),
        ("a.json", "[]", InvalidSpec, "holds no examples"),
        ("a.json", '{"examples": [1]}', InvalidSpec, "example 1 is int, not a table"),
        ("a.toml", GOOD + '[[examples]]\nnatural_language = "x"', InvalidSpec, "example 2: wgsl_code is missing"),
        ("a.toml", '[[examples]]\nnatural_language = ""\nwgsl_code = "x"', InvalidSpec, "example 1: natural_language"),
        ("a.toml", '[[examples]]\nnatural_language = 3\nwgsl_code = "x"', InvalidSpec, "valid string"),
        ("a.toml", '[[examples]]\nnatural_languag = "x"\nwgsl_code = "x"', InvalidSpec, "Did you mean"),
        ("a.json", LONG, InvalidSpec, "20000"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_with_its_place(
    tmp_path: Path, name: str, text: str, error: type[TutelageError], says: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(error) as caught:
        load_examples(tmp_path / name)
    assert says in caught.value.message
    assert caught.value.hint


def test_a_file_that_is_not_there_not_utf8_or_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no file"):
        load_examples(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9")
    with pytest.raises(InvalidSpec, match="not UTF-8"):
        load_examples(tmp_path / "latin.toml")
    with pytest.raises(InvalidSpec, match="is a folder"):
        load_examples(tmp_path)


def test_a_file_over_the_bound_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "MAX_FILE_BYTES", 10)
    (tmp_path / "own.toml").write_text(GOOD)
    with pytest.raises(TooLarge, match=r"own\.toml has"):
        load_examples(tmp_path / "own.toml")


def test_a_folder_of_shaders_is_described_by_names_and_comments(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "toonShade.wgsl").write_text("// Cel shading in bands\nfn quantizeLight(x: f32) {}\n")
    [shader] = load_shaders(tmp_path)
    assert shader.description == "toon shade quantize light Cel shading in bands"


def test_a_folder_without_shaders_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match=r"holds no \.wgsl files"):
        load_shaders(tmp_path)
    with pytest.raises(NotFound):
        load_shaders(tmp_path / "none")


def test_an_own_pair_gets_slots_for_what_its_sentence_names() -> None:
    code = "fn glow(r: f32) -> f32 {\n  return 2.0 * r + 0.5;\n}"
    pair = own_pair(
        Example(natural_language="write a function glow of float r that returns 2.0 times r", wgsl_code=code)
    )
    assert pair.slotted_code == "fn <v0>(<v1>: f32) -> f32 {\n  return <n0> * <v1> + 0.5;\n}"
    assert fill(pair.slotted_code, pair.slots) == code
    assert pair.kind == "own"
    assert not pair.composition
