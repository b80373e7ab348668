"""What a program takes and gives: enough to call it, feed it and read its answer, without knowing how it computes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tutelage.core.errors import InvalidSpec

Floats = NDArray[np.float32]

RESULT = "result"
"""Key of a function's answer among outputs; a kernel's outputs are keyed by the names of its bindings."""

DIMENSION = {"f32": 1, "vec2<f32>": 2, "vec3<f32>": 3, "vec4<f32>": 4}
"""Components of each numeric type."""

TEXTURE = "texture_2d<f32>"
INPUT_BOUND = 2.0
"""Random inputs are uniform in [-2, 2]: both signs, beyond the unit range, far from overflow."""

_ARRAY = re.compile(r"array<(f32|vec[234]<f32>)(?:, (\d+))?>")


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A named and typed place: a parameter, or a field of a struct."""

    name: str
    type: str
    """WGSL: `f32`, `vec3<f32>`, `array<f32, 8>`, or the name of one of the signature's structs."""


@dataclass(frozen=True, kw_only=True)
class Struct:
    """A declared structure, by its fields in order."""

    name: str
    fields: tuple[Parameter, ...]


@dataclass(frozen=True, kw_only=True)
class Binding:
    """A resource of a kernel."""

    name: str
    group: int
    index: int
    type: str
    """`array<f32>`, `array<vec4<f32>>` or `texture_2d<f32>`."""
    access: Literal["read", "read_write"]


@dataclass(frozen=True, kw_only=True)
class Signature:
    """How a program is entered: `function` by parameters and result, `kernel` by bindings and workgroup size.

    A kernel runs once for each element of its first binding, along x; where that is a texture, once for each pixel,
    in rows, its outputs indexed `y * width + x`.
    """

    entry: Literal["function", "kernel"]
    name: str
    parameters: tuple[Parameter, ...] = ()
    result: str | None = None
    bindings: tuple[Binding, ...] = ()
    workgroup_size: int | None = None
    structs: tuple[Struct, ...] = ()

    @property
    def inputs(self) -> tuple[Parameter, ...]:
        """What must be fed, flat: struct parameters as `parameter.field`, bindings that are only read."""
        if self.entry == "kernel":
            return tuple(Parameter(name=b.name, type=b.type) for b in self.bindings if b.access == "read")
        return tuple(flat for parameter in self.parameters for flat in self._flatten(parameter))

    @property
    def outputs(self) -> tuple[Parameter, ...]:
        """What is read back: `result` of a function, bindings that are written of a kernel."""
        if self.entry == "kernel":
            return tuple(Parameter(name=b.name, type=b.type) for b in self.bindings if b.access == "read_write")
        assert self.result is not None, "a function without a result cannot be judged"
        return (Parameter(name=RESULT, type=self.result),)

    def _flatten(self, parameter: Parameter) -> tuple[Parameter, ...]:
        struct = next((found for found in self.structs if found.name == parameter.type), None)
        if struct is None:
            return (parameter,)
        return tuple(Parameter(name=f"{parameter.name}.{f.name}", type=f.type) for f in struct.fields)


def element_of(type: str) -> tuple[str, int | None]:
    """Return an array's element type and length (None where it is sized at run time). Raises InvalidSpec otherwise."""
    found = _ARRAY.fullmatch(type)
    if found is None:
        raise InvalidSpec(
            f"{type!r} is not a type that programs are fed with",
            hint="allowed: f32, vec2<f32> to vec4<f32>, arrays of these, texture_2d<f32>",
        )
    return found[1], int(found[2]) if found[2] else None


def input_shape(type: str, n: int) -> tuple[int, ...]:
    """Return the shape of `n` inputs of a type: (n,), (n, components), (n, length); a run-time array is one of n
    elements, a texture is (side, side, 4) with side * side <= n."""
    if type == TEXTURE:
        side = int(n**0.5)
        return (side, side, 4)
    if type in DIMENSION:
        return (n,) if DIMENSION[type] == 1 else (n, DIMENSION[type])
    element, length = element_of(type)
    inner = () if DIMENSION[element] == 1 else (DIMENSION[element],)
    return (n, *inner) if length is None else (n, length, *inner)


def random_inputs(signature: Signature, rng: np.random.Generator, n: int) -> dict[str, Floats]:
    """Draw `n` inputs, float32 uniform in [-2, 2], keyed by `signature.inputs`, shaped by `input_shape`."""
    return {
        place.name: rng.uniform(-INPUT_BOUND, INPUT_BOUND, input_shape(place.type, n)).astype(np.float32)
        for place in signature.inputs
    }


def agrees(got: Mapping[str, Floats], wanted: Mapping[str, Floats], *, tolerance: float = 2e-3) -> bool:
    """Say whether outputs equal the reference: within a tolerance on 97 % of the values, for floor, sign and step may
    flip where rounding decides; NaN answers NaN, infinity infinity."""
    if set(got) != set(wanted):
        return False
    return all(got[name].shape == wanted[name].shape and _close(got[name], wanted[name], tolerance) for name in wanted)


def _close(got: Floats, wanted: Floats, tolerance: float) -> bool:
    with np.errstate(all="ignore"):
        equal = np.isclose(got, wanted, rtol=tolerance, atol=tolerance, equal_nan=True)
    return bool(equal.mean() > 0.97)
