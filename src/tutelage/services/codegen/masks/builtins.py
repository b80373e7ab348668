"""Types of the functions, as far as the masks know them. Dimensions stand for types: 1 is f32, 2 to 4 are vectors."""

from __future__ import annotations

from dataclasses import dataclass

ANY = frozenset((1, 2, 3, 4))
VECTORS = frozenset((2, 3, 4))
CONDITION = frozenset((0,))
"""A comparison of two scalars, in `select`."""

TYPE_NAMES = {1: "f32", 2: "vec2<f32>", 3: "vec3<f32>", 4: "vec4<f32>"}


@dataclass(frozen=True, slots=True)
class Builtin:
    """A function. A parameter is a set of dimensions; the generic ones (more than one) all take the first's."""

    name: str
    parameters: tuple[frozenset[int], ...]
    result: int | None
    """None: the generic."""
    low: int | None = None
    """Place of a lower bound which the next argument, its upper bound, must suit where both are constants."""
    strict: bool = False
    """The bounds may not be equal; else the upper may not be less."""


def _same(names: str, count: int, *, of: frozenset[int] = ANY, result: int | None = None) -> list[Builtin]:
    return [Builtin(name, (of,) * count, result) for name in names.split()]


_F = frozenset((1,))
_3 = frozenset((3,))

BUILTINS = (
    *_same(
        "abs acos asin atan ceil cos cosh degrees exp exp2 floor fract inverseSqrt log log2 radians round saturate "
        "sign sin sinh sqrt tan tanh trunc",
        1,
    ),
    *_same("min max pow step atan2", 2),
    *_same("fma", 3),
    Builtin("clamp", (ANY,) * 3, None, low=1),
    Builtin("smoothstep", (ANY,) * 3, None, low=0, strict=True),
    Builtin("mix", (ANY, ANY, _F), None),
    Builtin("select", (ANY, ANY, CONDITION), None),
    *_same("dot distance", 2, of=VECTORS, result=1),
    *_same("length", 1, of=VECTORS, result=1),
    *_same("normalize", 1, of=VECTORS),
    *_same("reflect", 2, of=VECTORS),
    Builtin("cross", (_3, _3), 3),
)
"""What generated code may call. Results are floats."""

SWIZZLES = {
    ".x": (1, 2), ".y": (1, 2), ".z": (1, 3), ".w": (1, 4), ".xy": (2, 2), ".yx": (2, 2), ".xz": (2, 3), ".yz": (2, 3),
    ".zw": (2, 4), ".xyz": (3, 3), ".rgb": (3, 3), ".r": (1, 2), ".g": (1, 2), ".b": (1, 3), ".a": (1, 4),
}  # fmt: skip
"""Components -> (their count, the least dimension that has them)."""
