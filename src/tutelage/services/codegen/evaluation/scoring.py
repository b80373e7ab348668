"""One table from codes and prompts: compile, exec and exact rates, in all and by kind, length and new compositions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tutelage.services.codegen.data.headers import matching_signature
from tutelage.services.codegen.data.signature import Floats, Signature, agrees, random_inputs
from tutelage.services.codegen.evaluation.prompts import AskedPrompt
from tutelage.services.codegen.evaluation.texts import CopiedRuns, bleu

Generate = Callable[[Sequence[str]], Sequence[str]]
"""Sentences -> codes, one each."""
Compiles = Callable[[Sequence[str]], Sequence[bool]]
"""Codes -> whether every compiler takes them."""

NUM_INPUTS = 64
"""Random inputs that a program is run on; what `agrees` forgives is 3 % of the values."""

Table = NDArray[np.float64]
"""A row a code: compiled, passed, exact."""

_BLANK = re.compile(r"\s")


@dataclass(frozen=True, kw_only=True)
class Execution:
    """A program to run once."""

    code: str
    signature: Signature
    inputs: Mapping[str, Floats]


Execute = Callable[[Sequence[Execution]], Sequence[Mapping[str, Floats] | None]]
"""Programs -> their outputs; None of one that does not run."""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Rates between 0 and 1."""

    num: int
    compile_at_1: float
    exec_at_1: float
    exact_match: float


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What one way of writing code is worth on one set of prompts."""

    scores: Scores
    bleu: float
    copy_rate: float | None
    """Mean share of a code that is its longest run copied from training; None where no training codes were given."""
    by_kind: Mapping[str, Scores]
    by_length: Mapping[str, Scores]
    by_num_new: Mapping[str, Scores]
    codes: Sequence[str] = field(repr=False)
    passed: Sequence[bool] = field(repr=False)
    """Which codes computed the right thing."""


def evaluate(
    generate: Generate,
    prompts: Sequence[AskedPrompt],
    *,
    compiles: Compiles,
    execute: Execute,
    training: CopiedRuns | None = None,
    names: Literal["asked", "any"] = "asked",
) -> Evaluation:
    """Ask for every prompt's code, once, and judge it. A prompt without a program counts as executed where its code is
    the reference's, for there is nothing to compare outputs with.

    With `names` "any" a code may call its function, parameters and buffers as it likes: for baselines, which cannot
    know what they are asked to be called.
    """
    codes = list(generate([prompt.pair.sentence for prompt in prompts]))
    compiled = list(compiles(codes))
    exact = [is_same_text(code, p.pair.code) for code, p in zip(codes, prompts, strict=True)]
    right = _computed(codes, prompts, compiled, execute=execute, names=names)
    passed = [ran if prompt.pair.program else same for ran, same, prompt in zip(right, exact, prompts, strict=True)]
    table = np.array([compiled, passed, exact], dtype=np.float64).T.reshape(len(codes), 3)
    return Evaluation(
        scores=_scores(table),
        bleu=bleu(codes, [prompt.pair.code for prompt in prompts]),
        copy_rate=float(np.mean([training.share(code) for code in codes])) if training else None,
        by_kind=_grouped(table, [prompt.pair.kind for prompt in prompts]),
        by_length=_grouped(table, [prompt.length_band for prompt in prompts]),
        by_num_new=_grouped(table, [str(prompt.num_new) for prompt in prompts]),
        codes=codes,
        passed=passed,
    )


def execution_of(code: str, signature: Signature, *, seed: int) -> Execution:
    """Return how a code is run as if it had a signature: the same seed draws the same inputs."""
    inputs = random_inputs(signature, np.random.default_rng(seed), NUM_INPUTS)
    return Execution(code=code, signature=signature, inputs=inputs)


def as_named_in(run: Execution) -> Execution | None:
    """Return the run under the names that its code has for what its signature takes and gives; None where the code
    has nothing of these types."""
    own = matching_signature(run.code, run.signature)
    if own is None:
        return None
    inputs = {place.name: values for place, values in zip(own.inputs, run.inputs.values(), strict=True)}
    return Execution(code=run.code, signature=own, inputs=inputs)


def _computed(
    codes: Sequence[str],
    prompts: Sequence[AskedPrompt],
    compiled: Sequence[bool],
    *,
    execute: Execute,
    names: Literal["asked", "any"],
) -> list[bool]:
    asked: dict[int, Execution] = {}
    for place, prompt in enumerate(prompts):
        if prompt.pair.program and compiled[place]:
            asked[place] = execution_of(codes[place], prompt.pair.program.signature, seed=place)
    runs = {place: (as_named_in(run) if names == "any" else None) or run for place, run in asked.items()}
    right = [False] * len(codes)
    for place, outputs in zip(runs, execute(list(runs.values())), strict=True):
        program = prompts[place].pair.program
        assert program is not None, "only programs were run"
        with np.errstate(all="ignore"):
            wanted = program.evaluate(asked[place].inputs)
        right[place] = outputs is not None and agrees(dict(zip(wanted, outputs.values(), strict=True)), wanted)
    return right


def _scores(table: Table) -> Scores:
    compiled, passed, exact = (float(rate) for rate in table.mean(axis=0))
    return Scores(num=len(table), compile_at_1=compiled, exec_at_1=passed, exact_match=exact)


def _grouped(table: Table, keys: Sequence[str]) -> dict[str, Scores]:
    return {key: _scores(table[[i for i, own in enumerate(keys) if own == key]]) for key in sorted(set(keys))}


def is_same_text(one: str, other: str) -> bool:
    """Say whether two codes are the same up to white space."""
    return _BLANK.sub("", one) == _BLANK.sub("", other)
