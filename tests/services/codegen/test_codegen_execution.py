from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import numpy as np
import pytest
from codegen_oracle_support import KERNEL, needs_adapter

from tutelage.core.errors import InvalidSpec
from tutelage.services.codegen.data.corpus import programs
from tutelage.services.codegen.data.pairs import realise
from tutelage.services.codegen.data.signature import Binding, Parameter, Signature, Struct, agrees, random_inputs
from tutelage.services.codegen.oracle import Executor, Launch, launch_of

ONE = Signature(entry="function", name="f", parameters=(Parameter(name="a", type="f32"),), result="f32")
MAP = Signature(
    entry="kernel",
    name="main",
    bindings=(
        Binding(name="x", group=0, index=0, type="array<f32>", access="read"),
        Binding(name="y", group=0, index=1, type="array<f32>", access="read_write"),
    ),
    workgroup_size=32,
)


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    """One process for all tests of this file."""
    needs_adapter()
    made = Executor()
    yield made
    made.close()


def launch(code: str, signature: Signature = ONE, *, num_inputs: int = 40) -> Launch:
    return launch_of(code, signature, random_inputs(signature, np.random.default_rng(0), num_inputs))


def test_every_kind_of_parameter_reaches_a_function(executor: Executor) -> None:
    struct = Struct(name="S", fields=(Parameter(name="u", type="f32"), Parameter(name="v", type="vec2<f32>")))
    signature = Signature(
        entry="function",
        name="f",
        parameters=(
            Parameter(name="a", type="vec3<f32>"),
            Parameter(name="s", type="S"),
            Parameter(name="x", type="array<f32, 4>"),
        ),
        result="vec3<f32>",
        structs=(struct,),
    )
    code = (
        "struct S { u: f32, v: vec2<f32> }\n"
        "fn f(a: vec3<f32>, s: S, x: array<f32, 4>) -> vec3<f32> { return a + vec3<f32>(s.u, s.v) * x[3]; }"
    )
    given = random_inputs(signature, np.random.default_rng(0), 70)
    [outcome] = executor.run([launch_of(code, signature, given)])
    wanted = given["a"] + np.concatenate([given["s.u"][:, None], given["s.v"]], axis=1) * given["x"][:, 3:]
    assert (outcome.status, outcome.reason) == ("ran", "")
    assert agrees(outcome.outputs, {"result": wanted}, tolerance=1e-6)


def test_vectors_of_three_are_padded_in_and_out(executor: Executor) -> None:
    signature = Signature(
        entry="kernel",
        name="main",
        bindings=(
            Binding(name="x", group=0, index=0, type="array<vec3<f32>>", access="read"),
            Binding(name="y", group=0, index=1, type="array<vec3<f32>>", access="read_write"),
        ),
        workgroup_size=32,
    )
    code = KERNEL.replace("array<f32>", "array<vec3<f32>>").replace("BODY", "y[id.x] = x[id.x] * 2.0;")
    given = random_inputs(signature, np.random.default_rng(0), 40)
    [outcome] = executor.run([launch_of(code, signature, given)])
    assert np.array_equal(outcome.outputs["y"], given["x"] * 2)


def test_generated_programs_compute_what_their_reference_says(executor: Executor) -> None:
    chosen = list(itertools.islice(programs(level="wide", split="train", seed=3), 24))
    given = [random_inputs(program.signature, np.random.default_rng(0), 64) for program in chosen]
    wanted = [program.evaluate(inputs) for program, inputs in zip(chosen, given, strict=True)]
    launches = [
        launch_of(
            realise(program, random.Random(0)).code,
            program.signature,
            inputs,
            output_shapes={name: values.shape for name, values in outputs.items()},
        )
        for program, inputs, outputs in zip(chosen, given, wanted, strict=True)
    ]
    outcomes = executor.run(launches)
    assert [outcome.status for outcome in outcomes] == ["ran"] * len(chosen)
    assert all(agrees(outcome.outputs, outputs) for outcome, outputs in zip(outcomes, wanted, strict=True))
    assert executor.adapter


def test_a_program_that_computes_something_else_is_told_apart(executor: Executor) -> None:
    given = random_inputs(ONE, np.random.default_rng(0), 64)
    [outcome] = executor.run([launch_of("fn f(a: f32) -> f32 { return a + 0.1; }", ONE, given)])
    assert not agrees(outcome.outputs, {"result": given["a"]})


@pytest.mark.parametrize(
    "code",
    [
        "fn g(a: f32) -> f32 { return a; }",
        "fn f(a: u32) -> f32 { return 1.0; }",
        "fn f(a: f32) -> u32 { return 1u; }",
        "fn f(a: f32) -> f32 { return",
        "",
    ],
)
def test_a_program_of_another_signature_is_refused_and_its_neighbours_run(executor: Executor, code: str) -> None:
    sound = launch("fn f(a: f32) -> f32 { return a; }")
    outcomes = executor.run([sound, launch(code), sound])
    assert [outcome.status for outcome in outcomes] == ["ran", "refused", "ran"]
    assert outcomes[1].reason


def test_a_program_over_its_time_limit_is_said_so() -> None:
    needs_adapter()
    executor = Executor(timeout_s=0)
    try:
        [outcome] = executor.run([launch("fn f(a: f32) -> f32 { return a; }")])
        assert (outcome.status, "loop without an end" in outcome.reason) == ("timed_out", True)
    finally:
        executor.close()


def test_a_loop_without_an_end_harms_no_neighbour(executor: Executor) -> None:
    """lavapipe gives up any loop after 65,536 rounds; a GPU's driver, or the time limit, ends it elsewhere."""
    endless = KERNEL.replace("BODY", "loop { y[id.x] = fract(y[id.x] * 1.5); if (y[id.x] > 2.0) { break; } }")
    sound = launch("fn f(a: f32) -> f32 { return a; }")
    outcomes = executor.run([sound, launch(endless, MAP), sound])
    assert [outcome.status for outcome in outcomes][::2] == ["ran", "ran"]


def test_inputs_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidSpec, match="inputs are missing: a"):
        launch_of("fn f(a: f32) -> f32 { return a; }", ONE, {})
