"""Vector maths: products, lengths, directions, components, constructions."""

from __future__ import annotations

import numpy as np

from tutelage.services.codegen.data.primitives.primitive import norm, row

VECTOR = (
    row("dot", "f", "VV", "dot({0}, {1})",
        ["the dot product of {0} and {1}", "the inner product of {0} and {1}", "the scalar product of {0} and {1}"],
        lambda a, n: (a[0] * a[1]).sum(1), commutative=True),
    row("len", "f", "V", "length({0})",
        ["the length of {0}", "the norm of {0}", "the euclidean length of {0}"],
        lambda a, n: norm(a[0])),
    row("dist", "f", "VV", "distance({0}, {1})",
        ["the distance from {0} to {1}", "how far {0} is from {1}", "the euclidean distance of {0} and {1}"],
        lambda a, n: norm(a[0] - a[1]), commutative=True),
    row("x", "f", "V", "{0}.x",
        ["the x component of {0}", "the first component of {0}"],
        lambda a, n: a[0][:, 0]),
    row("y", "f", "V", "{0}.y",
        ["the y component of {0}", "the second component of {0}"],
        lambda a, n: a[0][:, 1]),
    row("normalize", "V", "V", "normalize({0})",
        ["the unit vector along {0}", "the normalized direction of {0}", "the direction of {0}"],
        lambda a, n: a[0] / norm(a[0])[:, None]),
    row("reflect", "V", "VV", "reflect({0}, {1})",
        ["the reflection of {0} about {1}", "the mirroring of {0} by normal {1}"],
        lambda a, n: a[0] - 2 * (a[0] * a[1]).sum(1)[:, None] * a[1]),
    row("vscale", "V", "Vf", "({0} * {1})",
        ["the vector {0} scaled by {1}", "the stretching of {0} by the scalar {1}"],
        lambda a, n: a[0] * a[1][:, None]),
    row("cross", "3", "33", "cross({0}, {1})",
        ["the cross product of {0} and {1}", "the vector product of {0} and {1}"],
        lambda a, n: np.cross(a[0], a[1])),
    row("vec2", "2", "ff", "vec2<f32>({0}, {1})",
        ["the 2d vector made of {0} and {1}", "the pair of {0} and {1}"],
        lambda a, n: np.stack(a, 1)),
    row("vec3", "3", "fff", "vec3<f32>({0}, {1}, {2})",
        ["the 3d vector made of {0} {1} and {2}", "the triple of {0} {1} and {2}"],
        lambda a, n: np.stack(a, 1)),
    row("xy", "2", "3", "{0}.xy",
        ["the xy part of {0}", "the planar part of {0}"],
        lambda a, n: a[0][:, :2]),
)  # fmt: skip
