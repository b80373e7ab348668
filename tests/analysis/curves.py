"""Curves that the tests of the judge share, and a look at the fold over one."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from tutelage.analysis.fold import Fold
from tutelage.analysis.pair import Facts
from tutelage.analysis.rules import Rules

NAN, INF = math.nan, math.inf
Points = list[tuple[int, float]]


def curve(num: int, shape: Callable[[float], float], *, noise: float = 0.0, seed: int = 0) -> Points:
    """Return `num` points of a shape over the share of the run, with normal noise."""
    draw = random.Random(seed)
    return [(step, shape(step / num) + draw.gauss(0, noise)) for step in range(1, num + 1)]


def falling(num: int, *, noise: float = 0.0, seed: int = 0) -> Points:
    """Falls by a power of the step to the end."""
    return curve(num, lambda share: 3.0 * (1 + 20 * share) ** -0.5, noise=noise, seed=seed)


def flat(num: int, *, noise: float = 0.0, seed: int = 0) -> Points:
    """Never gains."""
    return curve(num, lambda share: 1.0, noise=noise, seed=seed)


def levelling(num: int, *, noise: float = 0.0, seed: int = 0) -> Points:
    """Falls, and is done at a quarter."""
    return curve(num, lambda share: 1.0 + 2.0 * math.exp(-24 * share), noise=noise, seed=seed)


def turning(num: int, *, at: float = 0.4, by: float = 0.8, noise: float = 0.0, seed: int = 0) -> Points:
    """Falls, and rises again from a share on."""

    def shape(share: float) -> float:
        return 3.0 - 2.0 * min(share / at, 1.0) ** 0.5 + by * max(share - at, 0.0) / (1 - at)

    return curve(num, shape, noise=noise, seed=seed)


def exploding(num: int, *, at: float = 0.5, noise: float = 0.0, seed: int = 0) -> Points:
    """Falls, and grows beyond all bounds from a share on."""

    def shape(share: float) -> float:
        return 3.0 * (1 + 20 * min(share, at)) ** -0.5 + math.expm1(6 * max(share - at, 0.0) / (1 - at)) / 20

    return curve(num, shape, noise=noise, seed=seed)


def folded(
    val: Points,
    train: Points | None = None,
    *,
    is_maximized: bool = False,
    budget: float | None = None,
    baseline: float | None = None,
    settled_after: float | None = None,
) -> Fold:
    """Return the fold over a curve and its twin."""
    facts = Facts(
        is_maximized=is_maximized,
        is_twin_maximized=is_maximized,
        budget=val[-1][0] if budget is None else budget,
        baseline=baseline,
        settled_after=settled_after,
    )
    fold, twin = Fold(facts, Rules()), dict(train or [])
    for step, value in val:
        if step in twin:
            fold.train(twin[step])
        fold.evaluate(step, value)
    return fold


def negated(points: Points | None) -> Points | None:
    """Return the curve as a maximised metric would have it."""
    return None if points is None else [(step, -value) for step, value in points]
