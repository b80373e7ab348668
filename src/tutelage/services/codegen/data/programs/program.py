"""What every kind of program answers: its text, ways to say it, its signature, and what it computes."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tutelage.services.codegen.data.expressions import Edge, Expression, Number
from tutelage.services.codegen.data.signature import Signature

Floats = NDArray[np.float32]
Context = tuple[Expression, Mapping[str, Floats]]
"""An expression, and the values of the names that it sees."""


class Program(Protocol):
    """A program of the generator. Templates hold `$name$` and `#place#` where slots go."""

    @property
    def kind(self) -> str:
        """Its form: `function, let, branch, helper, struct, kernel, reduction, texture`."""

    @property
    def numbers(self) -> Sequence[Number]:
        """Its numbers, by place."""

    @property
    def signature(self) -> Signature:
        """How it is entered."""

    def code(self) -> str:
        """Return the template of the WGSL."""

    def say(self, rng: random.Random) -> str:
        """Return the template of one sentence that asks for it."""

    def edges(self) -> set[Edge]:
        """Return which primitives stand directly inside which: what the split goes by."""

    def contexts(self, inputs: Mapping[str, Floats]) -> list[Context]:
        """Return its expressions with what their names are worth on these inputs."""

    def evaluate(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return what it computes, float32, keyed by `signature.outputs`."""


SPOKEN_TYPES = {
    "f": ("float {}", "scalar {}", "f32 {}", "number {}"),
    "2": ("vec2 {}", "2d vector {}", "two component {}"),
    "3": ("vec3 {}", "3d vector {}", "three component {}"),
    "4": ("vec4 {}", "4d vector {}", "four component {}"),
}
"""Letter of a type -> ways to introduce a name of it."""


def introduce(places: Sequence[tuple[str, str]], rng: random.Random) -> str:
    """Say names with their types: `float x and vec3 p`."""
    said = [rng.choice(SPOKEN_TYPES[letter]).format(f"${name}$") for name, letter in places]
    return rng.choice((", ", " and ")).join(said)
