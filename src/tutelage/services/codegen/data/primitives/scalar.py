"""Operations on scalars: thresholds, ramps, polynomials."""

from __future__ import annotations

import numpy as np

from tutelage.services.codegen.data.primitives.primitive import hermite, row

SCALAR = (
    row("select", "f", "ff", "select({0}, {1}, {0} > {n0})",
        ["{0} or when above {n0} instead {1}", "the value {0} replaced beyond {n0} by {1}"],
        lambda a, n: np.where(a[0] > n[0], a[1], a[0])),
    row("smooth", "f", "f", "smoothstep({n0}, {n1}, {0})",
        ["the smooth step from {n0} to {n1} of {0}", "the hermite ramp over {n0} to {n1} of {0}",
         "the soft threshold from {n0} to {n1} of {0}"],
        lambda a, n: hermite(a[0], n[0], n[1]), ordered=True),
    row("step", "f", "f", "step({n0}, {0})",
        ["the step at {n0} of {0}", "the hard threshold at {n0} of {0}"],
        lambda a, n: (a[0] >= n[0]).astype(np.float32)),
    row("poly2", "f", "l", "({n0} + {0} * ({n1} + {0} * {n2}))",
        ["the quadratic with coefficients {n0} {n1} {n2} in {0}", "the polynomial of degree two {n0} {n1} {n2} at {0}"],
        lambda a, n: n[0] + a[0] * (n[1] + a[0] * n[2])),
    row("poly1", "f", "f", "({n0} + {0} * {n1})",
        ["the line with offset {n0} and slope {n1} at {0}", "the affine map {n0} plus slope {n1} of {0}"],
        lambda a, n: n[0] + a[0] * n[1]),
)  # fmt: skip
