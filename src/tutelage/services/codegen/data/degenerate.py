"""Finds programs on which execution would flatter: another, simpler or wrong program gives the same answers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tutelage.services.codegen.data.expressions import Apply, Expression, Name, apply
from tutelage.services.codegen.data.programs.program import Program
from tutelage.services.codegen.data.signature import random_inputs

Floats = NDArray[np.float32]

NUM_INPUTS = 36
CHANGED = 0.05
"""A change counts where it shows on more than this share of the values: a judge forgives 3 %."""
TOLERANCE = 5e-3


def is_degenerate(program: Program, rng: np.random.Generator) -> bool:
    """Say whether the program is constant, or whether at one place of it an operation may be dropped
    (`fract(floor(x))`, `abs(abs(x))`), two arguments exchanged, or a name replaced, and nothing shows."""
    inputs = random_inputs(program.signature, rng, NUM_INPUTS)
    with np.errstate(all="ignore"):
        if any(_is_constant(value) for value in program.evaluate(inputs).values()):
            return True
        return any(_hides_something(expression, known) for expression, known in program.contexts(inputs))


def _is_constant(value: Floats) -> bool:
    return not np.isfinite(value).all() or not _differs(value, np.broadcast_to(value[:1], value.shape))


def _hides_something(expression: Expression, known: Mapping[str, Floats]) -> bool:
    if isinstance(expression, Name):
        return False
    value, mutants = _mutants(expression, known)
    return not all(_differs(mutant, value) for mutant in mutants)


def _mutants(node: Expression, known: Mapping[str, Floats]) -> tuple[Floats, list[Floats]]:
    """Return the value, and the values with one thing wrong somewhere inside."""
    if isinstance(node, Name):
        value = known[node.key]
        return value, [np.roll(value, 1, axis=0)]
    found = [_mutants(argument, known) for argument in node.arguments]
    values = [value for value, _ in found]
    wrong = [
        apply(node, [*values[:place], mutant, *values[place + 1 :]])
        for place, (_, mutants) in enumerate(found)
        for mutant in mutants
    ]
    return apply(node, values), wrong + _wrong_here(node, values)


def _wrong_here(node: Apply, values: list[Floats]) -> list[Floats]:
    """The operation left out in favour of an argument of its type, and its first two arguments exchanged."""
    letters = [argument.letter for argument in node.arguments]
    wrong = [value for letter, value in zip(letters, values, strict=True) if letter == node.letter]
    if not node.primitive.commutative and len(letters) > 1 and letters[0] == letters[1]:
        wrong.append(apply(node, [values[1], values[0], *values[2:]]))
    return wrong


def _differs(one: Floats, other: Floats) -> bool:
    gap = np.abs(one - other)
    return bool((gap > TOLERANCE * (1 + np.abs(other))).mean() > CHANGED)
