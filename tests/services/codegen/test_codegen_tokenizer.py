"""Lexemes and ids: nothing is lost, whatever the text; the generated language has one id a lexeme."""

from __future__ import annotations

from pathlib import Path

import pytest
from codegen_language_support import LEVELS, pairs, tokenizer
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.core.errors import DamagedFile
from tutelage.services.codegen.data.primitives import Level
from tutelage.services.codegen.language.lexer import lexemes
from tutelage.services.codegen.language.sentences import SentenceTokenizer
from tutelage.services.codegen.language.tokenizer import CodeTokenizer

SHADER = """// Lambert's cosine law - with a \u03bb
struct Light {
    direction : vec3f,   /* unit */
\tcolour: vec3<f32>,
};
@group(1) @binding(3) var<uniform> light: Light;
const PI = 3.14159265e0;
@fragment fn main(@location(0) n: vec3<f32>, @builtin(position) p: vec4f) -> @location(0) vec4<f32> {
  let d = max(dot(normalize(n), -light.direction),0.0);
  for(var i:i32=0;i<4;i++){ if (d >= f32(i)*.25 && true) { continue; } }
  var m = mat4x4<f32>();
  return vec4f(light.colour * d / PI, 1.) * m[0][1u] + f32(0x1Fu >> 2u);
}
"""


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n",
        "\n\n  x",
        SHADER,
        SHADER.replace("\n", "\r\n"),
        "a<b>c",
        "<pad><eos><0x41>",
        "<n0><v99>",
        "é😀\x00\x7f",
    ],
)
def test_decoding_gives_back_every_text(text: str) -> None:
    assert "".join(lexemes(text)) == text
    assert tokenizer().decode(tokenizer().encode(text)) == text


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60))
def test_decoding_gives_back_any_unicode(text: str) -> None:
    assert tokenizer().decode(tokenizer().encode(text)) == text


@pytest.mark.parametrize("level", LEVELS)
def test_generated_code_has_one_id_a_lexeme(level: Level) -> None:
    for pair in pairs(level):
        ids = tokenizer().encode(pair.slotted_code)
        assert [tokenizer().tokens[id] for id in ids] == lexemes(pair.slotted_code)
        assert tokenizer().decode(tokenizer().encode(pair.code)) == pair.code


def test_generated_code_of_the_small_level_fits_96_tokens() -> None:
    assert max(len(tokenizer().encode(pair.slotted_code)) for pair in pairs("small")) <= 96


def test_special_tokens_have_the_first_ids_and_no_text_gives_them() -> None:
    assert tokenizer().tokens[:4] == ("<pad>", "<unk>", "<sos>", "<eos>")
    assert (tokenizer().pad, tokenizer().unk, tokenizer().sos, tokenizer().eos) == (0, 1, 2, 3)
    assert min(tokenizer().encode("<pad> <unk> <sos> <eos>")) > 3
    assert tokenizer().decode([2, *tokenizer().encode("fn f"), 3, 0]) == "fn f"


def test_the_vocabulary_is_sorted_and_every_token_is_there_once() -> None:
    tokens = tokenizer().tokens[260:]
    assert list(tokens) == sorted(set(tokens))


def test_a_vocabulary_built_from_codes_holds_their_lexemes_whole() -> None:
    built = CodeTokenizer.build(["fn lambert_term(zenith: f32) -> f32 { return zenith; }"])
    assert built.encode("zenith") == [built.id_of("zenith")]
    assert len(tokenizer().encode("zenith")) > 1


def test_a_second_encoding_from_the_cache_is_the_same_and_cannot_be_spoilt() -> None:
    own = CodeTokenizer.standard()
    first = own.encode(SHADER)
    first.append(99)
    assert own.encode(SHADER) == first[:-1]


def test_a_saved_vocabulary_is_read_back(tmp_path: Path) -> None:
    tokenizer().save(tmp_path / "code.json")
    assert CodeTokenizer.load(tmp_path / "code.json").tokens == tokenizer().tokens


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format": "other", "tokens": []}', "\x00"])
def test_a_damaged_vocabulary_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "code.json").write_text(text)
    with pytest.raises(DamagedFile):
        CodeTokenizer.load(tmp_path / "code.json")


def test_sentences_keep_their_slots_whole_and_are_read_back_from_a_file(tmp_path: Path) -> None:
    learned = SentenceTokenizer.train([pair.slotted_sentence for pair in pairs("small")], vocab_size=700)
    ids = learned.encode("the sum of <v0> and <n11>, Please")
    assert {learned.id_of("<v0>"), learned.id_of("<n11>")} <= set(ids)
    assert ids == learned.encode("the sum of <v0>and <n11>, please")
    assert learned.size <= 700
    learned.save(tmp_path / "sentences.json")
    assert SentenceTokenizer.load(tmp_path / "sentences.json").encode("the sum of <v0>") == learned.encode(
        "the sum of <v0>"
    )


def test_a_damaged_file_of_sentences_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sentences.json").write_text("{")
    with pytest.raises(DamagedFile):
        SentenceTokenizer.load(tmp_path / "sentences.json")


def test_an_unknown_special_token_has_no_id() -> None:
    with pytest.raises(KeyError):
        SentenceTokenizer.train(["a b"], vocab_size=400).id_of("<v999>")
