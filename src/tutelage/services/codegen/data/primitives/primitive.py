"""One operation of the language: its types, its WGSL, its English and what it computes, in one row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Semantics = Callable[[Sequence[Floats], Sequence[np.float32]], Floats]
"""Arguments, each (n,) or (n, components), and numbers -> the value, float32."""

TYPES = {"f": "f32", "2": "vec2<f32>", "3": "vec3<f32>", "4": "vec4<f32>"}
"""The letters of the tables. `T` stands for any of them, `V` for any vector, `l` and `m` for a scalar
and a vec2 that must be names, for the code repeats them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Primitive:
    """A row. `code` and `phrases` are templates: `{0}` the first argument, `{n0}` the first number, `{T}` the type."""

    name: str
    result: str
    parameters: str
    num_numbers: int
    code: str
    phrases: tuple[str, ...]
    compute: Semantics
    commutative: bool = False
    """Exchanging the arguments is the same program."""
    ordered: bool = False
    """The first number must be below the second."""

    @property
    def generics(self) -> str:
        """The letters that `T` or `V` may stand for; `-` where there is nothing generic."""
        used = self.result + self.parameters
        return "f234" if "T" in used else "234" if "V" in used else "-"

    def result_for(self, generic: str) -> str:
        """The letter of the result where the generic is `generic`."""
        return generic if self.result in "TV" else self.result


def row(
    name: str,
    result: str,
    parameters: str,
    code: str,
    phrases: Sequence[str],
    compute: Semantics,
    *,
    commutative: bool = False,
    ordered: bool = False,
) -> Primitive:
    """Build a row; the count of numbers is read off the code's template."""
    return Primitive(
        name=name,
        result=result,
        parameters=parameters,
        num_numbers=sum(f"{{n{i}}}" in code for i in range(4)),
        code=code,
        phrases=tuple(phrases),
        compute=compute,
        commutative=commutative,
        ordered=ordered,
    )


def spread(scalar: Floats, like: Floats) -> Floats:
    """A scalar (n,) as a column where `like` is a vector (n, components)."""
    return scalar[:, None] if like.ndim == 2 and scalar.ndim == 1 else scalar


def norm(vector: Floats) -> Floats:
    """Euclidean length, (n,)."""
    return np.asarray(np.sqrt((vector * vector).sum(1)), np.float32)


def hermite(value: Floats, low: np.float32, high: np.float32) -> Floats:
    """WGSL `smoothstep`."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
