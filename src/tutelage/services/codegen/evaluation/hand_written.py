"""The sentences written by hand: judged against their programs by running both on the same inputs."""

from __future__ import annotations

import importlib.resources
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tutelage.services.codegen.data import examples
from tutelage.services.codegen.data.examples import Example, load_examples
from tutelage.services.codegen.data.headers import signatures_of
from tutelage.services.codegen.data.signature import agrees
from tutelage.services.codegen.evaluation.scoring import (
    Compiles,
    Execute,
    Execution,
    Generate,
    Scores,
    as_named_in,
    execution_of,
    is_same_text,
)


def hand_written() -> list[Example]:
    """Return the 100 sentences with their programs."""
    with importlib.resources.as_file(importlib.resources.files(examples.__package__)) as folder:
        return load_examples(Path(folder) / "hand_written.toml")


def evaluate_written(generate: Generate, written: Sequence[Example], *, compiles: Compiles, execute: Execute) -> Scores:
    """Ask for every sentence's code. It computes the right thing where it has a function or kernel of the same types
    as the reference, whatever its names, and gives the same outputs."""
    codes = list(generate([example.natural_language for example in written]))
    compiled = list(compiles(codes))
    passed = [False] * len(codes)
    for place, (code, example) in enumerate(zip(codes, written, strict=True)):
        if compiled[place]:
            passed[place] = _computes_alike(code, example.wgsl_code, seed=place, execute=execute)
    exact = [is_same_text(code, example.wgsl_code) for code, example in zip(codes, written, strict=True)]
    return Scores(
        num=len(codes),
        compile_at_1=float(np.mean(compiled)),
        exec_at_1=float(np.mean(passed)),
        exact_match=float(np.mean(exact)),
    )


def _computes_alike(code: str, reference: str, *, seed: int, execute: Execute) -> bool:
    wanted = signatures_of(reference)[0]
    theirs_run = execution_of(reference, wanted, seed=seed)
    ours_run = as_named_in(Execution(code=code, signature=wanted, inputs=theirs_run.inputs))
    if ours_run is None:
        return False
    ours, theirs = execute([ours_run, theirs_run])
    if ours is None or theirs is None:
        return False
    return agrees(dict(zip(theirs, ours.values(), strict=True)), theirs)
