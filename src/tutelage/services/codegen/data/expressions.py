"""Expressions as trees: one tree gives the WGSL, any number of ways to say it, and its value."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tutelage.services.codegen.data.primitives import TYPES, Primitive

Floats = NDArray[np.float32]
Edge = tuple[str, str]
"""(outer, inner): the second primitive directly inside the first."""


@dataclass(frozen=True, slots=True)
class Number:
    """One occurrence of a number: its place in the program's list, and its text in the sentence and the code."""

    place: int
    text: str

    @property
    def mark(self) -> str:
        """Where it stands in a template, until the slots are numbered."""
        return f"#{self.place}#"

    @property
    def value(self) -> np.float32:
        """Its value."""
        return np.float32(self.text)


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, a field (`ray.origin`), or a call of a helper (`shape(p)`)."""

    letter: str
    """The letter of its type."""
    key: str
    """What its value is kept under while evaluating."""
    code: str
    said: str


@dataclass(frozen=True, slots=True, eq=False)
class Apply:
    """A primitive applied to arguments."""

    primitive: Primitive
    letter: str
    generic: str
    arguments: tuple[Expression, ...]
    numbers: tuple[Number, ...]


Expression = Name | Apply


def variable(name: str, letter: str) -> Name:
    """Return the leaf for a variable."""
    return Name(letter=letter, key=name, code=f"${name}$", said=f"${name}$")


def code_of(node: Expression) -> str:
    """Return the WGSL, with `$name$` and `#place#` where slots go."""
    if isinstance(node, Name):
        return node.code
    marks = {f"n{i}": number.mark for i, number in enumerate(node.numbers)}
    return node.primitive.code.format(*map(code_of, node.arguments), T=TYPES.get(node.generic, ""), **marks)


def say(node: Expression, rng: random.Random) -> str:
    """Return one way to say it, drawn with `rng`."""
    if isinstance(node, Name):
        return node.said
    marks = {f"n{i}": number.mark for i, number in enumerate(node.numbers)}
    return rng.choice(node.primitive.phrases).format(*[say(argument, rng) for argument in node.arguments], **marks)


def value_of(node: Expression, known: Mapping[str, Floats]) -> Floats:
    """Return the value, (n,) or (n, components), float32. `known` holds the values of names."""
    if isinstance(node, Name):
        return known[node.key]
    return apply(node, [value_of(argument, known) for argument in node.arguments])


def apply(node: Apply, values: Sequence[Floats]) -> Floats:
    """Return a node's value from its arguments' values."""
    return np.asarray(node.primitive.compute(values, [number.value for number in node.numbers]), np.float32)


def nodes(node: Expression) -> Iterator[Apply]:
    """Every applied primitive, outermost first."""
    if isinstance(node, Apply):
        yield node
        for argument in node.arguments:
            yield from nodes(argument)


def numbers_of(node: Expression) -> list[Number]:
    """Every number, in the order of the nodes."""
    return [number for found in nodes(node) for number in found.numbers]


def edges_of(node: Expression, *, outer: str | None, tops: Mapping[str, str]) -> set[Edge]:
    """Return the pairs of primitives directly inside each other. `outer` stands around the expression; `tops` names
    the outermost primitive of what a name was bound to, so that `let` hides no composition."""
    if isinstance(node, Name):
        return {(outer, tops[node.key])} if outer and node.key in tops else set()
    found = {(outer, node.primitive.name)} if outer else set()
    for argument in node.arguments:
        found |= edges_of(argument, outer=node.primitive.name, tops=tops)
    return found
