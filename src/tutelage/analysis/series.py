"""What a curve says by itself: its noise, its best value, its slope. Values are minimised; flip the sign before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

Curve = Sequence[tuple[int, float]]
"""(step, value) in order of steps, each step once."""

MAX_POINTS = 512
NOISE_WINDOW = 50
NUM_BLOCKS = 8


@dataclass(frozen=True, kw_only=True)
class BestStep:
    """The best value, and the steps around it that cannot be told apart from it (one standard error)."""

    step: int
    value: float
    first_step: int
    last_step: int


@dataclass(frozen=True, kw_only=True)
class Trend:
    """A robust slope over the newest part of a curve.

    `slope` is per step, `gain` the fall over the window (positive: better), `error` the gain's standard error.
    """

    slope: float
    gain: float
    error: float
    first_step: int
    last_step: int


def oriented(curve: Curve, *, maximize: bool) -> list[tuple[int, float]]:
    """Return the finite points, sign flipped where greater is better."""
    sign = -1.0 if maximize else 1.0
    return [(step, sign * value) for step, value in curve if math.isfinite(value)]


def noise(curve: Curve) -> float:
    """Return the standard deviation of a value around its curve.

    From second differences, 0.6053 x median |x_i - 2 x_{i+1} + x_{i+2}| over the last 50 points: first differences
    would read curvature as noise. 0.6053 = 1 / (0.6745 sqrt(6)) for normal noise.
    """
    values = [value for _, value in curve[-NOISE_WINDOW:]]
    if len(values) < 3:
        return 0.0
    second = [abs(a - 2 * b + c) for a, b, c in zip(values, values[1:], values[2:], strict=False)]
    return 0.6053 * median(second)


def best(curve: Curve) -> BestStep | None:
    """Return the best point and the unbroken run of steps around it within one standard error."""
    if not curve:
        return None
    index = min(range(len(curve)), key=lambda i: curve[i][1])
    step, value = curve[index]
    limit = value + noise(curve)
    first = index
    while first > 0 and curve[first - 1][1] <= limit:
        first -= 1
    last = index
    while last + 1 < len(curve) and curve[last + 1][1] <= limit:
        last += 1
    return BestStep(step=step, value=value, first_step=curve[first][0], last_step=curve[last][0])


def trend(curve: Curve) -> Trend | None:
    """Return the slope over the newest third of a curve (8 to 64 points), by Theil-Sen on eight block means.

    None below eight points.
    """
    if len(curve) < NUM_BLOCKS:
        return None
    window = curve[-min(64, max(NUM_BLOCKS, len(curve) // 3)) :]
    size = len(window) // NUM_BLOCKS
    window = window[-size * NUM_BLOCKS :]
    blocks = [window[i * size : (i + 1) * size] for i in range(NUM_BLOCKS)]
    xs = [fmean(step for step, _ in block) for block in blocks]
    ys = [fmean(value for _, value in block) for block in blocks]
    slope = median((ys[j] - ys[i]) / (xs[j] - xs[i]) for i in range(NUM_BLOCKS) for j in range(i + 1, NUM_BLOCKS))
    error = noise(curve) * math.sqrt(2 / size)
    return Trend(
        slope=slope, gain=-slope * (xs[-1] - xs[0]), error=error, first_step=window[0][0], last_step=window[-1][0]
    )


def evaluations_since(curve: Curve, step: int) -> int:
    """Return how many points lie after a step."""
    return sum(1 for at, _ in curve if at > step)
