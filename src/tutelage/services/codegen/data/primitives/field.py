"""Signed distances and what shapes them."""

from __future__ import annotations

import numpy as np

from tutelage.services.codegen.data.primitives.primitive import Floats, norm, row


def _tile(point: Floats, times: np.float32) -> Floats:
    scaled = point * times
    return np.asarray(scaled - np.floor(scaled) - 0.5, np.float32)


FIELD = (
    row("circle", "f", "2", "(length({0}) - {n0})",
        ["the signed distance to a circle of radius {n0} at {0}", "the circle field with radius {n0} at {0}"],
        lambda a, n: norm(a[0]) - n[0]),
    row("sphere", "f", "3", "(length({0}) - {n0})",
        ["the signed distance to a sphere of radius {n0} at {0}", "the sphere field with radius {n0} at {0}"],
        lambda a, n: norm(a[0]) - n[0]),
    row("box2", "f", "2", "length(max(abs({0}) - vec2<f32>({n0}, {n1}), vec2<f32>(0.0)))",
        ["the outer distance to a box of half size {n0} by {n1} at {0}", "the rectangle field {n0} by {n1} at {0}"],
        lambda a, n: norm(np.maximum(np.abs(a[0]) - np.array(n, np.float32), 0))),
    row("plane", "f", "3", "({0}.y - {n0})",
        ["the height above the plane at {n0} of {0}", "the ground distance at level {n0} of {0}"],
        lambda a, n: a[0][:, 1] - n[0]),
    row("shell", "f", "f", "(abs({0}) - {n0})",
        ["the shell of thickness {n0} around {0}", "the outline with width {n0} of {0}"],
        lambda a, n: np.abs(a[0]) - n[0]),
    row("cut", "f", "ff", "max({0}, -{1})",
        ["the shape {0} cut by {1}", "the carving out of {1} from {0}"],
        lambda a, n: np.maximum(a[0], -a[1])),
    row("repeat", "2", "2", "(fract({0} * {n0}) - 0.5)",
        ["the tiling by {n0} of {0}", "the domain repetition {n0} times of {0}"],
        lambda a, n: _tile(a[0], n[0])),
)  # fmt: skip
