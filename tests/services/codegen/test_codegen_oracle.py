from __future__ import annotations

from collections.abc import Iterator

import pytest
from codegen_oracle_support import BAD, GOOD, KERNEL, needs_adapter

from tutelage.core.errors import MissingDependency
from tutelage.services.codegen.oracle import NagaOracle, Oracle, TintOracle
from tutelage.services.codegen.oracle.framing import Frame
from tutelage.services.codegen.oracle.lexing import deepest, without_comments
from tutelage.services.codegen.oracle.naga import MODULE
from tutelage.services.codegen.oracle.prechecks import MAX_BYTES, MAX_WORKGROUP_BYTES, precheck
from tutelage.services.codegen.oracle.sizes import workgroup_variables
from tutelage.services.codegen.oracle.supervised import Lost, SupervisedProcess


@pytest.fixture(scope="module", params=["tint", "naga"])
def oracle(request: pytest.FixtureRequest) -> Iterator[Oracle]:
    """Each oracle in turn, one for all tests of this file."""
    if request.param == "naga":
        needs_adapter()
    made: Oracle = TintOracle() if request.param == "tint" else NagaOracle()
    yield made
    made.close()


@pytest.mark.parametrize("name", GOOD)
def test_a_good_shader_is_accepted(oracle: Oracle, name: str) -> None:
    verdict = oracle.check(GOOD[name])
    assert verdict.ok, verdict.messages
    assert (verdict.oracle, bool(verdict.version)) == (oracle.name, True)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_shader_is_refused_with_words(oracle: Oracle, name: str) -> None:
    verdict = oracle.check(BAD[name])
    assert not verdict.ok
    assert all(message.text for message in verdict.messages)
    assert verdict.messages


def test_the_place_of_an_error_counts_characters_from_one(oracle: Oracle) -> None:
    verdict = oracle.check("fn a() {}\n/* \u00e9\u2603 */ fn f() -> f32 { return foo(1.0); }")
    assert [(m.line, m.column) for m in verdict.messages][:1] == [(2, 33)]


def test_a_function_that_was_asked_for_must_be_there(oracle: Oracle) -> None:
    assert oracle.check(GOOD["a function"], function="f").ok
    refused = oracle.check(GOOD["a function"], function="g")
    assert (refused.ok, "'g'" in refused.messages[0].text, "declared are: f" in refused.messages[0].text) == (
        False,
        True,
        True,
    )


def test_a_warning_is_said_and_does_not_refuse() -> None:
    verdict = TintOracle().check("fn f() -> f32 { return 1.0; let unused = 2.0; }")
    assert verdict.ok
    assert [message.severity for message in verdict.messages] == ["warning"]


def test_tint_alone_refuses_a_loop_without_an_exit() -> None:
    """naga takes it; whoever needs both to accept asks both."""
    verdict = TintOracle().check("@compute @workgroup_size(1) fn main() { loop {} }")
    assert (verdict.ok, verdict.messages[0].line, verdict.messages[0].column) == (False, 1, 41)


def test_a_crash_and_a_hang_of_the_process_are_answers_and_the_next_request_finds_a_new_one() -> None:
    needs_adapter()
    process = SupervisedProcess(MODULE)
    try:
        bomb = f"fn f() -> f32 {{ return {'(' * 20_000}1.0{')' * 20_000}; }}"
        crashed = process.ask(Frame(header={"code": bomb}), timeout_s=20)
        assert isinstance(crashed, Lost)
        assert (crashed.how, "SIGSEGV" in crashed.reason) == ("crashed", True)
        hung = process.ask(Frame(header={"code": GOOD["a kernel"]}), timeout_s=0)
        assert isinstance(hung, Lost)
        assert hung.how == "timed_out"
        answer = process.ask(Frame(header={"code": GOOD["a kernel"]}), timeout_s=20)
        assert isinstance(answer, Frame)
        assert (answer.header["ok"], process.num_starts) == (True, 3)
    finally:
        process.close()
    assert process.pid is None


def test_a_crash_within_the_prechecks_is_a_verdict() -> None:
    """A sum of 50,000 terms nests in the tree alone, not in the text."""
    needs_adapter()
    oracle = NagaOracle()
    try:
        verdict = oracle.check(f"fn f() -> f32 {{ return 1.0{' + 1.0' * 50_000}; }}")
        assert not verdict.ok
        assert "crashed" in verdict.messages[0].text
        assert oracle.check(GOOD["a function"]).ok
    finally:
        oracle.close()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a // b\nc", "a     \nc"),
        ("a /* b /* c */ d */ e", "a                   e"),
        ("a /* // b */ c", "a            c"),
        ("a /* never\nended", "a         \n     "),
        ("a // /* b\nc", "a        \nc"),
    ],
)
def test_comments_become_blanks(text: str, kept: str) -> None:
    assert without_comments(text) == kept


@pytest.mark.parametrize(
    ("text", "depth"),
    [("", 0), ("f()", 1), ("((", 2), ("())(()", 2), ("{([])}", 3), ("x = - - -y;", 3), ("array<array<f32, 2>, 2>", 2)],
)
def test_depth_is_that_of_the_deepest_nesting(text: str, depth: int) -> None:
    assert deepest(text)[0] == depth


@pytest.mark.parametrize(
    ("declared", "num_bytes"),
    [
        ("f32", 4),
        ("atomic<u32>", 4),
        ("vec3<f32>", 12),
        ("vec3f", 12),
        ("vec4<f16>", 8),
        ("mat3x3<f32>", 48),
        ("array<vec3<f32>, 4>", 64),
        ("array<array<f32, 2>, 3>", 24),
        ("array<f32, N>", 40),
        ("S", 32),
        ("array<S, 2>", 64),
        ("Short", 8),
        ("array<f32, M>", None),
        ("Unknown", None),
        ("Loop", None),
    ],
)
def test_bytes_of_workgroup_variables_follow_the_memory_layouts(declared: str, num_bytes: int | None) -> None:
    types = "const N = 10u;\nalias Short = vec2<f32>;\nalias Loop = Loop;\nstruct S { a: f32, b: vec3<f32> }\n"
    [found] = workgroup_variables(f"{types}var<workgroup> w: {declared};")
    assert (found.name, found.num_bytes) == ("w", num_bytes)


def test_workgroup_memory_is_bounded_in_all() -> None:
    two = "var<workgroup> a: array<f32, 3000>; var<workgroup> b: array<f32, 2000>; fn f() {}"
    [message] = precheck(two)
    assert f"20,000 bytes, allowed are {MAX_WORKGROUP_BYTES:,}" in message.text
    assert (message.line, message.column) == (1, 1)


def test_a_text_of_the_largest_size_is_looked_at() -> None:
    start = "fn f() {} //"
    assert precheck(start + "a" * (MAX_BYTES - len(start))) == ()
    assert precheck(KERNEL) == ()


def test_structures_of_structures_are_sized_once_each() -> None:
    types = "struct S0 { a: f32, b: f32 }\n"
    types += "".join(f"struct S{n} {{ a: S{n - 1}, b: S{n - 1} }}\n" for n in range(1, 15))
    [found] = workgroup_variables(f"{types}var<workgroup> w: S14;")
    assert found.num_bytes == 8 * 2**14


def test_a_machine_without_an_adapter_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VK_ICD_FILENAMES", "VK_DRIVER_FILES"):
        monkeypatch.setenv(name, "/nonexistent")
    oracle = NagaOracle()
    try:
        with pytest.raises(MissingDependency, match="no adapter") as raised:
            oracle.check(GOOD["a function"])
        assert "mesa-vulkan-drivers" in raised.value.hint
    finally:
        oracle.close()
