"""Draws expressions at random: from the goal's type inwards, one path as deep as asked for."""

from __future__ import annotations

import functools
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from tutelage.services.codegen.data.expressions import Apply, Expression, Name, Number, variable
from tutelage.services.codegen.data.names import FUNCTION_NAMES, NAMES
from tutelage.services.codegen.data.primitives import PRIMITIVES, Level, Primitive

REUSE = 0.35
"""Chance that a leaf is a parameter that is there already."""


class Unlucky(Exception):
    """This draw led nowhere; the caller draws again."""


@functools.cache
def _producers(level: Level) -> dict[str, tuple[tuple[Primitive, str], ...]]:
    """Letter of a result -> (primitive, generic) that give it."""
    found: dict[str, list[tuple[Primitive, str]]] = {}
    for primitive in PRIMITIVES[level]:
        for generic in primitive.generics:
            found.setdefault(primitive.result_for(generic), []).append((primitive, generic))
    return {letter: tuple(rows) for letter, rows in found.items()}


@dataclass
class Soil:
    """What a program grows from: the source of chance, the names left, the numbers drawn so far, the leaves at hand."""

    level: Level
    rng: random.Random
    num_parameters: int = 4
    parameters: list[tuple[str, str]] = field(default_factory=list)
    """(name, letter), in the order of their first use."""
    fixed: Sequence[Name] | None = None
    """Where given, the only leaves there are."""
    numbers: list[Number] = field(default_factory=list)
    _free: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._free = self.rng.sample(NAMES, 14)

    def name(self) -> str:
        """Take a name that is used nowhere else in the program."""
        return self._free.pop()

    def function_name(self) -> str:
        """Draw the name of a function."""
        return self.rng.choice(FUNCTION_NAMES)

    def number(self, text: str | None = None) -> Number:
        """Draw a number between 0.1 and 4, or take the one given."""
        drawn = text or f"{self.rng.uniform(0.1, 4.0):.{self.rng.choice((1, 1, 2))}f}"
        self.numbers.append(Number(len(self.numbers), drawn))
        return self.numbers[-1]

    def leaf(self, letter: str) -> Name:
        """Return a name of a type: one at hand, or a new parameter."""
        if self.fixed is not None:
            return self._choose([leaf for leaf in self.fixed if leaf.letter == letter])
        known = [name for name, type in self.parameters if type == letter]
        full = len(self.parameters) >= self.num_parameters
        if known and (full or self.rng.random() < REUSE):
            return variable(self.rng.choice(known), letter)
        if full:
            raise Unlucky
        self.parameters.append((self.name(), letter))
        return variable(self.parameters[-1][0], letter)

    def _choose(self, leaves: Sequence[Name]) -> Name:
        if not leaves:
            raise Unlucky
        return self.rng.choice(leaves)


def grow(soil: Soil, letter: str, depth: int) -> Expression:
    """Draw an expression of a type, `depth` primitives deep along one path. Raises Unlucky."""
    if depth <= 0:
        return soil.leaf(letter)
    primitive, generic = soil.rng.choice(_producers(soil.level)[letter])
    deepest = soil.rng.randrange(len(primitive.parameters))
    arguments = tuple(
        _argument(soil, parameter, generic, depth=depth, is_deepest=place == deepest)
        for place, parameter in enumerate(primitive.parameters)
    )
    return Apply(primitive, letter, generic, arguments, _numbers(soil, primitive))


def _argument(soil: Soil, parameter: str, generic: str, *, depth: int, is_deepest: bool) -> Expression:
    if parameter in "lm":
        return soil.leaf("f" if parameter == "l" else "2")
    letter = generic if parameter in "TV" else parameter
    return grow(soil, letter, depth - 1 if is_deepest else max(0, depth - 1 - soil.rng.choice((1, 1, 2))))


def _numbers(soil: Soil, primitive: Primitive) -> tuple[Number, ...]:
    if not primitive.ordered:
        return tuple(soil.number() for _ in range(primitive.num_numbers))
    low = soil.number()
    return low, soil.number(f"{float(low.text) + soil.rng.uniform(0.2, 2):.2f}")
