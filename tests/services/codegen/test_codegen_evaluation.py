"""Scores: what counts as compiled, executed and exact, and what was copied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pytest
from codegen_language_support import LEVELS, pairs
from codegen_oracle_support import needs_adapter

from tutelage.services.codegen.data.headers import signatures_of
from tutelage.services.codegen.data.pairs import fill
from tutelage.services.codegen.data.primitives import Level
from tutelage.services.codegen.data.signature import RESULT, Floats
from tutelage.services.codegen.evaluation.hand_written import evaluate_written, hand_written
from tutelage.services.codegen.evaluation.judge import Judge
from tutelage.services.codegen.evaluation.prompts import as_prompt, held_out_prompts
from tutelage.services.codegen.evaluation.scoring import Execution, evaluate
from tutelage.services.codegen.evaluation.texts import CopiedRuns, bleu
from tutelage.services.codegen.oracle.execution import Executor
from tutelage.services.codegen.oracle.naga import NagaOracle
from tutelage.services.codegen.oracle.tint import TintOracle

PROMPTS = [as_prompt(pair) for pair in pairs("small")[:12]]
BY_CODE = {prompt.pair.code: prompt.pair for prompt in PROMPTS}
BY_SENTENCE = {prompt.pair.sentence: prompt.pair for prompt in PROMPTS}


def interpreted(runs: Sequence[Execution]) -> list[Mapping[str, Floats] | None]:
    """Run what is some prompt's reference by its own semantics; the rest does not run."""
    found = []
    for run in runs:
        program = BY_CODE[run.code].program if run.code in BY_CODE else None
        try:
            found.append(program.evaluate(run.inputs) if program else None)
        except KeyError:
            found.append(None)  # another prompt's reference, whose inputs have other names
    return found


def all_compile(codes: Sequence[str]) -> list[bool]:
    return [bool(code) for code in codes]


def test_the_references_themselves_score_one() -> None:
    found = evaluate(
        lambda sentences: [BY_SENTENCE[sentence].code for sentence in sentences],
        PROMPTS,
        compiles=all_compile,
        execute=interpreted,
        training=CopiedRuns(prompt.pair.slotted_code for prompt in PROMPTS),
    )
    assert (found.scores.compile_at_1, found.scores.exec_at_1, found.scores.exact_match) == (1.0, 1.0, 1.0)
    assert found.bleu == pytest.approx(1.0)
    assert found.copy_rate == 1.0
    assert sum(scores.num for scores in found.by_kind.values()) == len(PROMPTS)
    assert sum(scores.num for scores in found.by_length.values()) == len(PROMPTS)
    assert sum(scores.num for scores in found.by_num_new.values()) == len(PROMPTS)


def test_code_that_does_not_compile_is_not_run_and_scores_nothing() -> None:
    found = evaluate(lambda sentences: [""] * len(sentences), PROMPTS, compiles=all_compile, execute=interpreted)
    assert (found.scores.compile_at_1, found.scores.exec_at_1, found.scores.exact_match) == (0.0, 0.0, 0.0)
    assert found.bleu == 0.0
    assert found.copy_rate is None


def test_another_prompts_code_compiles_but_computes_something_else() -> None:
    codes = [prompt.pair.code for prompt in PROMPTS]
    found = evaluate(lambda sentences: [*codes[1:], codes[0]], PROMPTS, compiles=all_compile, execute=interpreted)
    assert found.scores.compile_at_1 == 1.0
    assert found.scores.exec_at_1 == 0.0


def test_a_baseline_may_call_things_by_other_names() -> None:
    prompt = next(prompt for prompt in PROMPTS if prompt.pair.kind == "function" and "<v1>" in prompt.pair.slots)
    code = fill(prompt.pair.slotted_code, {**prompt.pair.slots, "<v0>": "other", "<v1>": "another"})

    def execute(runs: Sequence[Execution]) -> list[Mapping[str, Floats] | None]:
        [run] = runs
        assert prompt.pair.program is not None
        if run.signature.name != "other":
            return [None]
        names = [place.name for place in prompt.pair.program.signature.inputs]
        return [prompt.pair.program.evaluate(dict(zip(names, run.inputs.values(), strict=True)))]

    def rate(names: Literal["asked", "any"]) -> float:
        found = evaluate(lambda _: [code], [prompt], compiles=all_compile, execute=execute, names=names)
        return found.scores.exec_at_1

    assert (rate("asked"), rate("any")) == (0.0, 1.0)


def test_held_out_prompts_hold_at_least_one_new_composition_and_iid_ones_none() -> None:
    assert all(prompt.num_new >= 1 for prompt in held_out_prompts(level="small", split="composition", num=15))
    assert all(prompt.num_new == 0 for prompt in held_out_prompts(level="small", split="iid", num=15))


def test_bleu_leaves_layout_out() -> None:
    code = "fn f(x: f32) -> f32 { return x; }"
    assert bleu([code.replace(" { ", "\n{\n  ")], [code]) == pytest.approx(1.0)
    assert bleu(["a"], [code]) == 0.0


def test_bleu_punishes_what_is_too_short() -> None:
    long = "fn f(x: f32) -> f32 { let y = sin(x); return y * cos(x) + 0.5; }"
    short = "fn f(x: f32) -> f32 { let y = sin(x); }"
    assert bleu([short], [long]) < 0.7 < bleu([long], [long])


@pytest.mark.parametrize(
    ("code", "length"),
    [
        ("return sin(<v0>);", 5),
        ("return sin(whatever);", 5),
        ("return cos(x);", 3),
        ("return sin(x) * 2.0;", 4),
        ("fn other(x: f32) {", 8),
        ("", 0),
    ],
)
def test_the_longest_copied_run_is_found_with_names_and_numbers_made_equal(code: str, length: int) -> None:
    training = CopiedRuns(["fn <v0>(<v1>: f32) { return sin(<v1>); } ", "let <v0> = (<n0> + cos(<v1>));"])
    assert training.longest(code) == length


def test_every_sentence_written_by_hand_has_a_program_that_compiles_and_can_be_fed() -> None:
    written = hand_written()
    oracle = TintOracle()
    assert len({example.natural_language for example in written}) == 100
    for example in written:
        assert oracle.check(example.wgsl_code).ok, example.wgsl_code
        assert signatures_of(example.wgsl_code), example.wgsl_code
    oracle.close()


def test_written_sentences_are_judged_by_outputs_whatever_the_names() -> None:
    written = hand_written()[:1]
    other = "fn glow(q: f32) -> f32 { return clamp(q + 0.2, 0.0, 1.0); }"

    def execute(runs: Sequence[Execution]) -> list[Mapping[str, Floats] | None]:
        [[name, values]] = runs[0].inputs.items()
        assert (name, runs[0].signature.name) == ("q", "glow")
        return [{RESULT: np.clip(values + 0.2, 0, 1)}, {RESULT: np.clip(values + 0.2, 0, 1)}]

    found = evaluate_written(lambda sentences: [other], written, compiles=all_compile, execute=execute)
    assert (found.compile_at_1, found.exec_at_1, found.exact_match) == (1.0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("code", "types"),
    [
        ("fn f(x: f32, p: vec3<f32>) -> f32 { return x; }", [["f32", "vec3<f32>"]]),
        ("fn h(x: f32) -> f32 { return x; } fn f(x: vec2f) -> f32 { return 1.0; }", [["f32"]]),
        ("fn f(s: array<f32,8>) -> f32 { return s[0]; }", [["array<f32, 8>"]]),
        ("fn f() {}", []),
        ("", []),
    ],
)
def test_signatures_are_read_off_code(code: str, types: list[list[str]]) -> None:
    assert [[place.type for place in found.parameters] for found in signatures_of(code)] == types


@pytest.mark.slow  # compiles and runs 160 programs on the adapter of this machine
@pytest.mark.parametrize("level", LEVELS)
def test_generated_programs_compile_and_compute_what_they_mean(level: Level) -> None:
    needs_adapter()
    oracles, executor = (TintOracle(), NagaOracle()), Executor()
    judge = Judge(oracles, executor)
    prompts = [as_prompt(pair) for pair in pairs(level)[:80]]
    by_sentence = {prompt.pair.sentence: prompt.pair.code for prompt in prompts}
    found = evaluate(
        lambda sentences: [by_sentence[sentence] for sentence in sentences],
        prompts,
        compiles=judge.compiles,
        execute=judge.execute,
    )
    for holder in (*oracles, executor):
        holder.close()
    assert (found.scores.compile_at_1, found.scores.exec_at_1) == (1.0, 1.0)
