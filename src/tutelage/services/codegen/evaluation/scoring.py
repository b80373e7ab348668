"""One table from codes and prompts: compile, exec and exact rates, in all and by kind, length and new compositions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tutelage.services.codegen.data.pairs import Pair
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
) -> Evaluation:
    """Ask for every prompt's code, once, and judge it. A prompt without a program counts as executed where its code is
    the reference's, for there is nothing to compare outputs with."""
    codes = list(generate([prompt.pair.sentence for prompt in prompts]))
    compiled = list(compiles(codes))
    exact = [is_same_text(code, p.pair.code) for code, p in zip(codes, prompts, strict=True)]
    right = _computed(codes, prompts, compiled, execute=execute)
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


def execution_of(code: str, pair: Pair, *, seed: int) -> Execution:
    """Return how a code is run against a pair's program: the same seed draws the same inputs."""
    assert pair.program is not None, "only a program says what is computed"
    signature = pair.program.signature
    return Execution(
        code=code, signature=signature, inputs=random_inputs(signature, np.random.default_rng(seed), NUM_INPUTS)
    )


def _computed(
    codes: Sequence[str], prompts: Sequence[AskedPrompt], compiled: Sequence[bool], *, execute: Execute
) -> list[bool]:
    places = [i for i, prompt in enumerate(prompts) if prompt.pair.program and compiled[i]]
    runs = [execution_of(codes[i], prompts[i].pair, seed=i) for i in places]
    right = [False] * len(codes)
    for place, run, outputs in zip(places, runs, execute(runs), strict=True):
        program = prompts[place].pair.program
        assert program is not None, "only programs were run"
        with np.errstate(all="ignore"):
            right[place] = outputs is not None and agrees(outputs, program.evaluate(run.inputs))
    return right


def _scores(table: Table) -> Scores:
    compiled, passed, exact = (float(rate) for rate in table.mean(axis=0))
    return Scores(num=len(table), compile_at_1=compiled, exec_at_1=passed, exact_match=exact)


def _grouped(table: Table, keys: Sequence[str]) -> dict[str, Scores]:
    return {key: _scores(table[[i for i, own in enumerate(keys) if own == key]]) for key in sorted(set(keys))}


def is_same_text(one: str, other: str) -> bool:
    """Say whether two codes are the same up to white space."""
    return _BLANK.sub("", one) == _BLANK.sub("", other)
