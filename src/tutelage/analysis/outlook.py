"""What the newest slope of a curve still promises until the end, and whether that is anything."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tutelage.analysis.track import median_of_sorted

if TYPE_CHECKING:
    from tutelage.analysis.pair import Pair

THEIL_SEN_LOSS = 1.05
"""The standard error of a Theil-Sen slope over that of least squares."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """A robust slope over the newest blocks, carried on to the horizon.

    `gain` is the fall that it promises (negative: a rise), `error` its standard error, `matters` the least gain that
    would matter. `slope` is the fall in a step now; the window begins at `first_step`.
    """

    gain: float
    error: float
    matters: float
    slope: float
    first_step: int
    is_flat: bool
    is_falling: bool
    is_undecided: bool


def look_ahead(pair: Pair) -> Outlook | None:
    """Return the outlook of the shortest window that can tell, else that of the longest.

    Slopes are Theil-Sen over block means against ln(step): a curve that falls in a power of the step is straight there.
    """
    rules, val, num = pair.rules, pair.val, len(pair)
    ahead, step = pair.horizon, max(pair.steps[-1], 1)
    span = max(val.first - min(val.best[: len(val.now)], default=val.first), 0.0)
    matters = min(rules.noises_that_matter * val.sigma, rules.share_that_matters * span)
    stretch = math.log(step + ahead) - math.log(step)
    found: Outlook | None = None
    for width in rules.windows:
        if width > rules.windows[0] and width * rules.num_blocks > 0.7 * num:
            break
        slope, error = _slope(pair, width)
        gain, doubt = -slope * stretch, error * stretch
        rises = gain + rules.z_slope * doubt < -matters
        is_flat = not rises and gain + rules.z_flat * doubt <= matters
        is_falling = gain - rules.z_slope * doubt > matters
        found = Outlook(
            gain=gain,
            error=doubt,
            matters=matters,
            slope=-slope / step,
            first_step=pair.steps[num - width * rules.num_blocks],
            is_flat=is_flat,
            is_falling=is_falling and not is_flat,
            is_undecided=not (rises or is_flat or is_falling),
        )
        if not found.is_undecided:
            break
    return found


def _slope(pair: Pair, width: int) -> tuple[float, float]:
    """Return the slope by ln(step) over the newest blocks of `width` evaluations, and its standard error."""
    val, steps, num, blocks = pair.val, pair.steps, len(pair), pair.rules.num_blocks
    xs, ys = [], []
    for block in range(blocks):
        upto = num - (blocks - 1 - block) * width
        ys.append(val.mean(width, upto))
        xs.append(math.log(max(0.5 * (steps[upto - 1] + steps[upto - width]), 0.5)))
    slopes = [(ys[j] - ys[i]) / (xs[j] - xs[i]) for i in range(blocks) for j in range(i + 1, blocks) if xs[j] > xs[i]]
    middle = sum(xs) / blocks
    spread = math.sqrt(sum((x - middle) ** 2 for x in xs))
    if not slopes or spread == 0:
        return 0.0, math.inf
    slopes.sort()
    return median_of_sorted(slopes), THEIL_SEN_LOSS * val.error(width) / spread
