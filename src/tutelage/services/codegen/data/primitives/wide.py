"""What the `wide` level adds: more operations, and further ways to say those of `small`: infix, plain verbs."""

from __future__ import annotations

import numpy as np

from tutelage.services.codegen.data.primitives.primitive import Floats, norm, row


def _pattern(point: Floats) -> Floats:
    """A gentle hash: strong ones multiply rounding errors until no two machines agree."""
    wave = np.sin(point @ np.array([1.9, 3.7], np.float32)) * np.float32(7.5)
    return np.asarray(wave - np.floor(wave), np.float32)


WIDE = (
    row("square", "f", "l", "({0} * {0})",
        ["the square of {0}", "{0} squared", "{0} multiplied with itself"],
        lambda a, n: a[0] * a[0]),
    row("halve", "T", "T", "({0} * 0.5)", ["half of {0}", "{0} halved"], lambda a, n: a[0] * np.float32(0.5)),
    row("exp", "T", "T", "exp2(-{0})", ["two to the power of minus {0}"], lambda a, n: np.exp2(-a[0])),
    row("log", "T", "T", "log(abs({0}) + 1.0)",
        ["the logarithm of one plus the magnitude of {0}", "the log compression of {0}"],
        lambda a, n: np.log(np.abs(a[0]) + 1)),
    row("ceil", "T", "T", "ceil({0})", ["the ceiling of {0}", "{0} rounded up"], lambda a, n: np.ceil(a[0])),
    row("tanh", "T", "T", "tanh({0})", ["the hyperbolic tangent of {0}", "the tanh of {0}"],
        lambda a, n: np.tanh(a[0])),
    row("atan", "f", "ff", "atan2({0}, {1})",
        ["the angle whose sine is like {0} and cosine like {1}", "atan2 of {0} and {1}"],
        lambda a, n: np.arctan2(a[0], a[1])),
    row("divide", "f", "ff", "({0} / (abs({1}) + 1.0))",
        ["{0} divided by one plus the magnitude of {1}", "the safe quotient of {0} and {1}"],
        lambda a, n: a[0] / (np.abs(a[1]) + 1)),
    row("z", "f", "3", "{0}.z", ["the z component of {0}", "the third component of {0}"], lambda a, n: a[0][:, 2]),
    row("alpha", "f", "4", "{0}.w", ["the alpha of {0}", "the fourth component of {0}"], lambda a, n: a[0][:, 3]),
    row("swap", "2", "2", "{0}.yx", ["{0} with its components exchanged", "the transposed pair {0}"],
        lambda a, n: a[0][:, ::-1]),
    row("rotate", "2", "lm",
        "vec2<f32>(cos({0}) * {1}.x - sin({0}) * {1}.y, sin({0}) * {1}.x + cos({0}) * {1}.y)",
        ["the rotation of {1} by the angle {0}", "{1} turned by {0} radians"],
        lambda a, n: np.stack([np.cos(a[0]) * a[1][:, 0] - np.sin(a[0]) * a[1][:, 1],
                               np.sin(a[0]) * a[1][:, 0] + np.cos(a[0]) * a[1][:, 1]], 1)),
    row("capsule", "f", "3", "(length({0} - vec3<f32>(0.0, clamp({0}.y, 0.0, {n0}), 0.0)) - {n1})",
        ["the capsule field of height {n0} and radius {n1} at {0}"],
        lambda a, n: norm(a[0] - np.stack([0 * a[0][:, 0], np.clip(a[0][:, 1], 0, n[0]), 0 * a[0][:, 0]], 1)) - n[1]),
    row("pattern", "f", "2", "fract(sin(dot({0}, vec2<f32>(1.9, 3.7))) * 7.5)",
        ["the pseudo random pattern at {0}", "the hash noise of {0}"],
        lambda a, n: _pattern(a[0])),
    row("union", "f", "ff", "min({0}, {1})", ["the union of the shapes {0} and {1}", "the shapes {0} and {1} joined"],
        lambda a, n: np.minimum(a[0], a[1]), commutative=True),
    row("sepia", "3", "3", "({0} * vec3<f32>(1.2, 1.0, 0.8))", ["the sepia tone of {0}", "{0} warmed"],
        lambda a, n: a[0] * np.array([1.2, 1.0, 0.8], np.float32)),
    row("posterize", "T", "T", "(floor({0} * {n0}) * 0.25)",
        ["{0} posterized by {n0}", "the quantization by {n0} of {0}"],
        lambda a, n: np.floor(a[0] * n[0]) * np.float32(0.25)),
)  # fmt: skip

WIDE_PHRASES = {
    "add": ["{0} plus {1}", "{0} added to {1}"],
    "sub": ["{0} minus {1}", "{1} subtracted from {0}"],
    "mul": ["{0} times {1}", "{0} multiplied by {1}"],
    "min": ["whichever is smaller of {0} and {1}"],
    "max": ["whichever is larger of {0} and {1}"],
    "mix": ["{0} faded to {1} by {2}", "{0} blended with {1} using {2}"],
    "clamp": ["{0} clamped to {n0} and {n1}", "{0} kept within {n0} and {n1}"],
    "sat": ["{0} clamped to zero one", "{0} saturated"],
    "abs": ["{0} without its sign", "absolute {0}"],
    "neg": ["minus {0}", "{0} negated"],
    "sin": ["sin of {0}"],
    "cos": ["cos of {0}"],
    "floor": ["{0} rounded down"],
    "scale": ["{0} times {n0}", "{0} multiplied by {n0}", "{0} scaled by {n0}"],
    "offset": ["{0} plus {n0}", "{0} increased by {n0}"],
    "pow": ["{0} raised to {n0}", "{0} to the power of {n0}"],
    "dot": ["{0} dotted with {1}", "{0} dot {1}"],
    "len": ["how long {0} is"],
    "dist": ["the space between {0} and {1}"],
    "normalize": ["{0} normalized", "{0} as a unit vector"],
    "reflect": ["{0} reflected at {1}"],
    "cross": ["{0} crossed with {1}"],
    "circle": ["a circle of radius {n0} at {0}"],
    "sphere": ["a sphere of radius {n0} at {0}"],
    "lum": ["how bright {0} is"],
    "invert": ["{0} inverted"],
    "step": ["one where {0} reaches {n0} else zero"],
}
"""Name of a primitive -> phrases that only the `wide` level uses."""
