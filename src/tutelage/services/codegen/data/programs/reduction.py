"""Reductions: a loop over an array that sums, counts, or keeps the largest or smallest."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tutelage.services.codegen.data.expressions import (
    Edge,
    Expression,
    Number,
    code_of,
    edges_of,
    say,
    value_of,
    variable,
)
from tutelage.services.codegen.data.growing import Soil, grow
from tutelage.services.codegen.data.programs.program import Context, Floats
from tutelage.services.codegen.data.signature import RESULT, Parameter, Signature

Fold = Literal["sum", "max", "min", "count"]
FOLDS: tuple[Fold, ...] = ("sum", "max", "min", "count")
FIRST = {"sum": "0.0", "count": "0.0", "max": "-1000000.0", "min": "1000000.0"}
STEP = {
    "sum": "acc = acc + {e};",
    "max": "acc = max(acc, {e});",
    "min": "acc = min(acc, {e});",
    "count": "if ({e} > {t}) {{ acc = acc + 1.0; }}",
}
HEADS = (
    "write a function {f} over an array {s} of {n} floats that ",
    "define a loop function {f} which takes {n} floats {s} and ",
)
COUNTS = ("counts the elements {x} where {e} exceeds {t}", "returns how many elements {x} have {e} above {t}")
WORDS = {
    "sum": ("accumulated sum", "running total"),
    "max": ("highest", "peak"),
    "min": ("lowest", "bottom"),
}
OVERS = (" over elements {x} of {e}", " across every {x} of {e}")


@dataclass(frozen=True, kw_only=True)
class Reduction:
    """A function of one array of floats of fixed length."""

    name: str
    source: str
    element: str
    fold: Fold
    length: Number
    limit: Number
    """`count`: what an element must exceed. Of the others it is not said."""
    body: Expression
    numbers: tuple[Number, ...]
    kind: Literal["reduction"] = "reduction"

    @property
    def signature(self) -> Signature:
        """Return how it is called."""
        array = Parameter(name=self.source, type=f"array<f32, {self.length.text}>")
        return Signature(entry="function", name=self.name, parameters=(array,), result="f32")

    def code(self) -> str:
        """Return the template of the WGSL."""
        n, s = self.length.mark, f"${self.source}$"
        step = STEP[self.fold].format(e=code_of(self.body), t=self.limit.mark)
        return (
            f"fn ${self.name}$({s}: array<f32, {n}>) -> f32 {{ var acc = {FIRST[self.fold]}; "
            f"for (var i = 0; i < {n}; i++) {{ let ${self.element}$ = {s}[i]; {step} }} return acc; }}"
        )

    def say(self, rng: random.Random) -> str:
        """Return the template of one sentence that asks for it."""
        head = rng.choice(HEADS).format(f=f"${self.name}$", s=f"${self.source}$", n=self.length.mark)
        said = {"x": f"${self.element}$", "e": say(self.body, rng), "t": self.limit.mark}
        if self.fold == "count":
            return head + rng.choice(COUNTS).format(**said)
        return f"{head}returns the {rng.choice(WORDS[self.fold])}{rng.choice(OVERS).format(**said)}"

    def edges(self) -> set[Edge]:
        """Return which primitives stand directly inside which; the fold counts as one."""
        return edges_of(self.body, outer=self.fold, tops={})

    def contexts(self, inputs: Mapping[str, Floats]) -> list[Context]:
        """Return its expression with what the element is worth, over all elements at once."""
        return [(self.body, {self.element: inputs[self.source].reshape(-1)})]

    def evaluate(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return `result`, (n,)."""
        array = inputs[self.source]
        values = value_of(self.body, {self.element: array.reshape(-1)}).reshape(array.shape)
        return {RESULT: np.asarray(self._folded(values), np.float32)}

    def _folded(self, values: Floats) -> Floats:
        if self.fold == "count":
            return np.asarray((values > self.limit.value).sum(1), np.float32)
        fold = {"sum": np.add, "max": np.maximum, "min": np.minimum}[self.fold]
        return np.asarray(fold.reduce(values, axis=1))


def grow_reduction(soil: Soil, depth: int) -> Reduction:
    """Draw a reduction over 4 to 24 floats."""
    source, element = soil.name(), soil.name()
    soil.fixed = [variable(element, "f")]
    body = grow(soil, "f", depth)
    fold = soil.rng.choice(FOLDS)
    return Reduction(
        name=soil.function_name(),
        source=source,
        element=element,
        fold=fold,
        length=soil.number(str(soil.rng.choice((4, 8, 12, 16, 24)))),
        limit=soil.number(),
        body=body,
        numbers=tuple(soil.numbers),
    )
