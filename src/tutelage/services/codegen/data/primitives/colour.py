"""Colours: red, green and blue in vec3, with alpha in vec4."""

from __future__ import annotations

import numpy as np

from tutelage.services.codegen.data.primitives.primitive import Floats, row

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Weights of Rec. 709."""


def _with_alpha(colour: Floats, alpha: np.float32) -> Floats:
    return np.concatenate([colour, np.full((len(colour), 1), alpha, np.float32)], 1)


COLOUR = (
    row("lum", "f", "3", "dot({0}, vec3<f32>(0.2126, 0.7152, 0.0722))",
        ["the luminance of {0}", "the perceived brightness of {0}"],
        lambda a, n: a[0] @ LUMINANCE),
    row("gray", "3", "f", "vec3<f32>({0})",
        ["the gray of level {0}", "the colour with every channel {0}"],
        lambda a, n: np.stack([a[0]] * 3, 1)),
    row("extend", "4", "3", "vec4<f32>({0}, {n0})",
        ["the colour {0} with alpha {n0}", "the opaque form with alpha {n0} of {0}"],
        lambda a, n: _with_alpha(a[0], n[0])),
    row("rgb", "3", "4", "{0}.rgb",
        ["the rgb part of {0}", "the colour channels of {0}"],
        lambda a, n: a[0][:, :3]),
    row("invert", "3", "3", "(vec3<f32>(1.0) - {0})",
        ["the inverted colour of {0}", "the negative image of {0}"],
        lambda a, n: 1 - a[0]),
    row("contrast", "3", "3", "(({0} - 0.5) * {n0} + 0.5)",
        ["the contrast boosted by {n0} of {0}", "the contrast adjustment {n0} of {0}"],
        lambda a, n: (a[0] - 0.5) * n[0] + 0.5),
    row("tone", "3", "3", "(vec3<f32>(1.0) - exp(-abs({0})))",
        ["the exponential tone map of {0}", "the filmic exposure of {0}"],
        lambda a, n: 1 - np.exp(-np.abs(a[0]))),
)  # fmt: skip
