"""Names and numbers of prompts: found, and put back."""

from __future__ import annotations

import pytest
from codegen_language_support import LEVELS, pairs

from tutelage.services.codegen.data.primitives import Level
from tutelage.services.codegen.language.slots import detect, unslot


@pytest.mark.parametrize("level", LEVELS)
def test_the_slots_of_generated_sentences_are_found_as_they_were_put(level: Level) -> None:
    for pair in pairs(level):
        prompt = detect(pair.sentence)
        assert (prompt.text, dict(prompt.slots)) == (pair.slotted_sentence, dict(pair.slots))
        assert unslot(pair.slotted_code, pair.slots) == pair.code


@pytest.mark.parametrize(
    ("prompt", "text", "slots"),
    [
        (
            "Write a function named glow that takes a float radius and returns radius times 2",
            "Write a function named <v0> that takes a float <v1> and returns <v1> times <n0>",
            {"<v0>": "glow", "<v1>": "radius", "<n0>": "2"},
        ),
        ("a circle of radius 2 at p", "a circle of radius <n0> at <v0>", {"<n0>": "2", "<v0>": "p"}),
        ("clamp x to -1 and .5", "clamp <v0> to <n0> and <n1>", {"<v0>": "x", "<n0>": "-1", "<n1>": "0.5"}),
        ("`sample` plus light_dir", "<v0> plus <v1>", {"<v0>": "sample", "<v1>": "light_dir"}),
        ("the x component of q", "the x component of <v0>", {"<v0>": "q"}),
        ("a 3d vector normal", "a 3d vector <v0>", {"<v0>": "normal"}),
        (
            "the vec3 a towards a vec3 b, or a",
            "the vec3 <v0> towards a vec3 <v1>, or <v0>",
            {"<v0>": "a", "<v1>": "b"},
        ),
        ("the vec2 points p and q", "the vec2 points <v0> and <v1>", {"<v0>": "p", "<v1>": "q"}),
        ("each float of src", "each float of <v0>", {"<v0>": "src"}),
        ("the dot product of two vectors", "the dot product of two vectors", {}),
        ("the sum of <v0> and <n0>", "the sum of <v0> and <n0>", {}),
        ("", "", {}),
    ],
)
def test_names_and_numbers_of_a_prompt_are_found(prompt: str, text: str, slots: dict[str, str]) -> None:
    found = detect(prompt)
    assert (found.text, dict(found.slots)) == (text, slots)


def test_more_names_than_slots_are_left_as_they_are() -> None:
    prompt = detect(" ".join(f"name_{i}" for i in range(40)))
    assert len(prompt.slots) == 18
    assert "name_39" in prompt.text


@pytest.mark.parametrize(
    ("code", "slots", "filled"),
    [
        ("<v0> * <n0>", {"<v0>": "x", "<n0>": "2"}, "x * 2.0"),
        ("array<f32, <n0>>", {"<n0>": "8"}, "array<f32, 8>"),
        ("@workgroup_size(<n0>)", {"<n0>": "64"}, "@workgroup_size(64)"),
        ("i < <n0>; <n1>", {"<n0>": "8", "<n1>": "8"}, "i < 8; 8.0"),
        ("<v0> - <n0>", {"<v0>": "x", "<n0>": "-1.5"}, "x - (-1.5)"),
        ("fn <v0>(", {"<v0>": "sample"}, "fn sample("),
        ("fn <v0>(", {"<v0>": "filter"}, "fn filter_("),
        ("fn <v0>(", {"<v0>": "mix"}, "fn mix_("),
        ("fn <v0>(", {"<v0>": "__f"}, "fn f_("),
        ("acc + <v0>.x", {"<v0>": "acc"}, "acc + acc_.x"),
        ("<v7>", {}, "<v7>"),
    ],
)
def test_slots_are_filled_so_that_the_code_stays_valid(code: str, slots: dict[str, str], filled: str) -> None:
    assert unslot(code, slots) == filled
