"""What a curve says by itself: which points are in force, its noise, its best value."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from tutelage.analysis.track import spread

Curve = Sequence[tuple[int, float]]
"""(step, value) in order of steps, each step once."""

NOISE_WINDOW = 50
LARGEST = 1e150
MAX_BREAK = 5
"""Points between two that cannot be told from the best, within which others may lie above by noise."""


@dataclass(frozen=True, kw_only=True)
class BestStep:
    """The best value, and the steps around it that cannot be told apart from it (one standard error)."""

    step: int
    value: float
    first_step: int
    last_step: int


def in_order(points: Iterable[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return points by step; a second value for a step takes the place of the first."""
    return sorted(dict(points).items())


def in_force(points: Iterable[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return the points of a log as they arrived that are in force, in order of steps.

    A repeated step takes the place of the first. A log that goes back to a step it had told and goes on from there was
    resumed: what the earlier attempt told from that step on is dropped. A point that merely comes late is sorted in.
    """
    told = list(points)
    kept: dict[int, float] = {}
    newest = -math.inf
    for index, (step, value) in enumerate(told):
        goes_on = index + 1 < len(told) and step < told[index + 1][0] <= newest
        if step in kept and step < newest and goes_on:
            kept = {at: old for at, old in kept.items() if at < step}
            newest = step
        kept[step] = value
        newest = max(newest, step)
    return sorted(kept.items())


def oriented(curve: Curve, *, maximize: bool) -> list[tuple[int, float]]:
    """Return the finite points, sign flipped where greater is better."""
    sign = -1.0 if maximize else 1.0
    return [(step, sign * value) for step, value in curve if math.isfinite(value)]


def bounded(value: float) -> float:
    """Return a finite value, held to what sums and second differences can bear: a diverging loss comes near 1e308."""
    return max(-LARGEST, min(LARGEST, value))


def noise(curve: Curve) -> float:
    """Return the standard deviation of a value around its curve, from the second differences of the last 50 points."""
    values = [bounded(value) for _, value in curve[-NOISE_WINDOW:]]
    return spread(values, 1) if len(values) >= 3 else 0.0


def best(curve: Curve) -> BestStep | None:
    """Return the best point of a minimised curve and the stretch of steps around it within one standard error.

    It is held against the best median of three, as the best single value is too good by luck, and goes on as long as
    one of the next five medians lies within.
    """
    if not curve:
        return None
    index = min(range(len(curve)), key=lambda i: curve[i][1])
    step, value = curve[index]
    levels = [median(value for _, value in curve[max(i - 1, 0) : i + 2]) for i in range(len(curve))]
    error = noise(curve)
    limit = min(max(value, min(levels)), value + 2 * error) + error
    inside = [i for i, level in enumerate(levels) if level <= limit or i == index]
    first = last = index
    for i in inside[inside.index(index) :]:
        last = i if i - last <= MAX_BREAK else last
    for i in reversed(inside[: inside.index(index)]):
        first = i if first - i <= MAX_BREAK else first
    return BestStep(step=step, value=value, first_step=curve[first][0], last_step=curve[last][0])


def evaluations_since(curve: Curve, step: int) -> int:
    """Return how many points lie after a step."""
    return sum(1 for at, _ in curve if at > step)
