"""The masks: every program of the language is allowed, and whatever is allowed ends in one that compiles."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from codegen_language_support import LEVELS, lexicon, pairs, tokenizer

from tutelage.core.errors import InvalidSpec
from tutelage.services.codegen.data.pairs import Pair
from tutelage.services.codegen.data.primitives import Level
from tutelage.services.codegen.data.signature import Parameter, Signature
from tutelage.services.codegen.language.slots import unslot
from tutelage.services.codegen.language.vocabulary import EOS
from tutelage.services.codegen.masks.grammar_mask import Grammar
from tutelage.services.codegen.masks.mask import Mask
from tutelage.services.codegen.masks.type_mask import TypeMask
from tutelage.services.codegen.oracle.tint import TintOracle

SLOTS = {"<v0>": "f", "<v1>": "p", "<n0>": "0.5", "<n1>": "8", "<n2>": "0.0"}


@pytest.fixture(scope="module")
def tint() -> Iterator[TintOracle]:
    oracle = TintOracle()
    yield oracle
    oracle.close()


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return Grammar(tokenizer())


def first_refused(mask: Mask, code: str) -> str | None:
    """Return the text up to and with the first token that the mask does not allow."""
    ids = [*tokenizer().encode(code), EOS]
    for place, id in enumerate(ids):
        if not mask.allowed()[id]:
            return tokenizer().decode(ids[: place + 1]) or "<eos>"
        mask.advance(id)
    return None


def walk(mask: Mask, rng: np.random.Generator, limit: int) -> str:
    """Follow allowed tokens at random to the end."""
    ids: list[int] = []
    while True:
        choices = np.flatnonzero(mask.allowed())
        assert len(choices), f"a dead end after {tokenizer().decode(ids)!r}"
        id = int(rng.choice(choices))
        mask.advance(id)
        if id == EOS:
            return tokenizer().decode(ids)
        ids.append(id)
        assert len(ids) <= limit, "longer than the mask promised"


@pytest.mark.parametrize("level", LEVELS)
def test_every_generated_program_is_allowed_by_the_type_mask(level: Level) -> None:
    for pair in pairs(level)[:150]:
        assert first_refused(TypeMask(lexicon(), slots=pair.slots), pair.slotted_code) is None


@pytest.mark.parametrize("level", LEVELS)
def test_every_generated_program_is_allowed_by_the_grammar_mask(level: Level, grammar: Grammar) -> None:
    for pair in pairs(level)[:40]:
        assert first_refused(grammar.mask(), pair.slotted_code) is None


def _check_walks(tint: TintOracle, candidates: list[Pair], *, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for pair in candidates:
        limit = int(rng.choice([40, 96, 192]))
        code = unslot(walk(TypeMask(lexicon(), slots=pair.slots, max_tokens=limit), rng, limit), pair.slots)
        verdict = tint.check(code)
        assert verdict.ok, f"{code}\n{verdict.messages}"


def test_random_walks_under_the_type_mask_end_in_programs_that_compile(tint: TintOracle) -> None:
    _check_walks(tint, [*pairs("small")[:60], *pairs("wide")[:60]], seed=0)


@pytest.mark.slow  # 1,000 walks: a dead end that one in hundreds meets
def test_a_thousand_random_walks_end_in_programs_that_compile(tint: TintOracle) -> None:
    _check_walks(tint, [*pairs("small"), *pairs("wide")] * 2, seed=1)


def test_walks_without_any_slot_find_names_of_their_own(tint: TintOracle) -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        assert tint.check(walk(TypeMask(lexicon(), slots={}, max_tokens=80), rng, 80)).ok


@pytest.mark.parametrize(
    ("code", "refused"),
    [
        ("fn <v0>(<v1>: f32) -> f32 { return sin(<v1>); }", None),
        ("fn <v0>(<v1>: f32) -> f32 { return <v2>; }", "<v2>"),
        ("fn <v0>(<v1>: f32) -> f32 { return color; }", "color"),
        ("fn <v0>(<v1>: f32, <v1>", "<v1>"),
        ("fn <v0>(<v1>: f32) -> vec2<f32> { return <v1>; }", "; "),
        ("fn <v0>(<v1>: vec2<f32>) -> f32 { return <v1>.z; }", ".z"),
        ("fn <v0>(<v1>: vec2<f32>) -> f32 { return sin(<v1>); }", "; "),
        ("fn <v0>(<v1>: f32) -> f32 { return length(<v1>); }", ")"),
        ("fn <v0>(<v1>: f32) -> f32 { return min(<v1>); }", ")"),
        ("fn <v0>(<v1>: f32) -> f32 { return sin(<v1>, <v1>); }", ", "),
        ("fn <v0>(<v1>: f32) -> f32 { return sqrt(<n0>); }", ")"),
        ("fn <v0>(<v1>: f32) -> f32 { return clamp(<v1>, <n0>, <n2>); }", "<n2>"),
        ("fn <v0>(<v1>: f32) -> f32 { return clamp(<v1>, <n2>, <n0>); }", None),
        ("fn <v0>(<v1>: f32) -> f32 { return smoothstep(<n0>, <n0>, <v1>); }", "<n0>"),
        ("fn <v0>(<v1>: f32) -> f32 { return <n0> / <n2>; }", "<n2>"),
        ("fn <v0>(<v1>: array<f32, <n0>>", "<n0>"),
        ("fn <v0>(<v1>: array<f32, <n1>>) -> f32 { return <v1>[i]; }", "<v1>"),
        ("fn <v0>(<v1>: f32) -> f32 { return <v0>(<v1>); }", "<v0>"),
        ("fn <v0>(<v1>: f32) -> f32 { <v1> = 1.0; }", "<v1>"),
        ("fn <v0>(<v1>: f32) -> f32 { }", "}"),
        ("fn <v0>(<v1>: vec3<f32>) -> vec3<f32> { return <v1> * vec2<f32>(1.0); }", "; "),
    ],
)
def test_the_type_mask_refuses_at_the_first_token_that_cannot_be_right(code: str, refused: str | None) -> None:
    found = first_refused(TypeMask(lexicon(), slots=SLOTS), code)
    assert (found is None) if refused is None else (found is not None and found.endswith(refused))


@pytest.mark.parametrize(
    ("code", "is_refused"),
    [
        ("fn f(x: f32) -> f32 {\n    return x;\n}\n", False),
        ("fn f(x: f32) -> f32 { return undeclared(x) + 1u; }", False),
        ("fn f(x: f32) -> f32 { return x }", True),
        ("fn f(x f32)", True),
        ("let x = 1;", True),
    ],
)
def test_the_grammar_mask_knows_syntax_in_any_layout(grammar: Grammar, code: str, is_refused: bool) -> None:
    assert (first_refused(grammar.mask(), code) is not None) is is_refused


def test_a_known_signature_leaves_only_its_types() -> None:
    signature = Signature(
        entry="function",
        name="f",
        parameters=(Parameter(name="p", type="vec2<f32>"), Parameter(name="t", type="f32")),
        result="f32",
    )

    def refused(code: str) -> bool:
        return first_refused(TypeMask(lexicon(), slots=SLOTS, signature=signature), code) is not None

    assert not refused("fn <v0>(<v1>: vec2<f32>, value: f32) -> f32 { return value; }")
    assert refused("fn <v0>(<v1>: f32, value: f32) -> f32 { return value; }")
    assert refused("fn <v0>(<v1>: vec2<f32>) -> f32 { return <v1>.x; }")
    assert refused("fn <v0>(<v1>: vec2<f32>, value: f32) -> vec2<f32> { return <v1>; }")


@pytest.mark.parametrize("kind", ["types", "grammar"])
def test_a_fork_goes_its_own_way(kind: str, grammar: Grammar) -> None:
    mask: Mask = TypeMask(lexicon(), slots=SLOTS) if kind == "types" else grammar.mask()
    mask.advance(tokenizer().id_of("fn "))
    fork = mask.fork()
    before = mask.allowed().copy()
    for token in ("<v0>", "(", "<v1>"):
        fork.advance(tokenizer().id_of(token))
    assert np.array_equal(mask.allowed(), before)
    assert not np.array_equal(fork.allowed(), before)


@pytest.mark.parametrize("kind", ["types", "grammar"])
def test_a_token_that_is_not_allowed_is_refused_by_name(kind: str, grammar: Grammar) -> None:
    mask: Mask = TypeMask(lexicon(), slots=SLOTS) if kind == "types" else grammar.mask()
    with pytest.raises(InvalidSpec, match=r"'\]' may not come here"):
        mask.advance(tokenizer().id_of("]"))


def test_after_the_end_only_the_end_is_allowed() -> None:
    mask = TypeMask(lexicon(), slots=SLOTS)
    for id in [*tokenizer().encode("fn <v0>(<v1>: f32) -> f32 { return <v1>; }"), EOS, EOS]:
        mask.advance(id)
    assert list(np.flatnonzero(mask.allowed())) == [EOS]


def test_a_sequence_too_short_for_any_program_is_refused() -> None:
    with pytest.raises(InvalidSpec, match="max_tokens is 10"):
        TypeMask(lexicon(), slots=SLOTS, max_tokens=10)
