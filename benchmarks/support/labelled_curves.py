"""Seeded learning curves with labels: nine families under noise, gaps, repeated reports and cadences."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import Generator

Shape = Callable[[Any], Any]
Point = tuple[int, float]

LABELS = {
    "healthy": "improving",
    "lr_steps": "improving",
    "spike": "improving",
    "plateau": "plateaued",
    "slow_overfit": "overfitting",
    "fast_overfit": "overfitting",
    "div_gradual": "diverged",
    "div_sudden": "diverged",
    "not_learning": "not_learning",
}
"""Family -> the verdict that is right at its end."""
FAMILIES = tuple(LABELS)
NOISES = (0.005, 0.01, 0.02, 0.05, 0.10)
"""Standard deviation of an evaluation, as a share of the clean curve's span."""
TUNING_SEED = 1_000
TEST_SEED = 62_000
"""Never used for tuning; examined once. A change of the rules after that takes a fresh one."""
LENGTHS = (20, 40, 80, 160, 320)


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """A curve, its twin, and the truth about it.

    `onset` is the share of the run at which its family's trouble begins, `material` the share at which the clean
    curve has risen by 4 % of its span; `settled` the share at which the learning rate changes for the last time.
    """

    family: str
    noise: float
    num: int
    num_steps: int
    is_maximized: bool
    val: list[Point]
    train: list[tuple[float, float]] | None
    clean: dict[int, float]
    span: float
    onset: float | None
    material: float | None
    settled: float | None
    baseline: float | None

    @property
    def label(self) -> str:
        """The verdict that is right at the end."""
        return LABELS[self.family]

    @property
    def is_clear(self) -> bool:
        """Little noise, enough evaluations, a twin: the cell in which the judge must hardly ever err."""
        return self.noise <= 0.02 and self.num >= 40 and self.train is not None


@dataclass(kw_only=True)
class Truth:
    """A family's clean shapes over the share of the run (validation and train begin at 1), and its marks."""

    val: Shape
    train: Shape
    onset: float | None = None
    settled: float | None = None
    bumps: list[tuple[float, float, float]] = field(default_factory=list)


def labelled(base: int, *, per_cell: int) -> Iterator[Labelled]:
    """Yield every family at every noise, `per_cell` of each, by seeds that follow from `base`."""
    for family in FAMILIES:
        for noise in NOISES:
            for index in range(per_cell):
                yield make(family, noise, base * 1000 + index)


def make(family: str, noise: float, seed: int) -> Labelled:
    """Return one curve."""
    rng = np.random.default_rng([seed, FAMILIES.index(family), int(noise * 1e4)])
    num, cadence = int(rng.choice(LENGTHS)), int(rng.choice([1, 5, 50, 250]))
    scale, per_eval = 10 ** rng.uniform(-0.5, 1.0), int(rng.choice([1, 4]))
    floor = scale * rng.uniform(0.05, 2)
    at, at_train = np.arange(1, num + 1) / num, np.arange(1, num * per_eval + 1) / (num * per_eval)
    truth = SHAPES[family](rng, num)
    base = np.asarray(truth.val(at), float) * np.ones(num)
    clean = floor + scale * (base + bump(truth, at))
    span = scale * (1.0 if family == "not_learning" else 1 - float(np.nanmin(base)))
    val = clean + draw_noise(rng, num, noise * span)
    train = 0.95 * floor + scale * (np.asarray(truth.train(at_train), float) + bump(truth, at_train))
    train = train + draw_noise(rng, num * per_eval, 0.7 * noise * span)
    steps = np.arange(1, num + 1) * cadence
    points = with_gaps_and_repeats(rng, steps, val)
    baseline = floor + scale if family == "not_learning" or rng.random() < 0.5 else None
    if family == "not_learning" and rng.random() < 0.3:
        baseline = None
    sign = -1 if rng.random() < 0.3 else 1
    has_train = rng.random() < 0.75
    return Labelled(
        family=family,
        noise=noise,
        num=num,
        num_steps=num * cadence,
        is_maximized=sign < 0,
        val=[(step, sign * value) for step, value in points],
        train=[(float(x * num * cadence), sign * float(v)) for x, v in zip(at_train, train, strict=True)]
        if has_train
        else None,
        clean={int(s): float(c) for s, c in zip(steps, clean, strict=True)},
        span=span,
        onset=truth.onset,
        material=material_share(family, at, base),
        settled=truth.settled,
        baseline=None if baseline is None else sign * baseline,
    )


def draw_noise(rng: Generator, num: int, deviation: float) -> Any:
    """Return noise: a fifth of the curves with heavy tails, three in ten resembling its neighbours."""
    drawn = rng.standard_t(3, num) / math.sqrt(3) if rng.random() < 0.2 else rng.normal(size=num)
    if rng.random() < 0.3:
        mixed = np.empty(num)
        mixed[0] = drawn[0]
        for i in range(1, num):
            mixed[i] = 0.5 * mixed[i - 1] + math.sqrt(0.75) * drawn[i]
        drawn = mixed
    return deviation * drawn


def with_gaps_and_repeats(rng: Generator, steps: Any, values: Any) -> list[Point]:
    """Return the points with up to 15 % missing (never the ends), and in three of ten curves 5 % told twice."""
    kept = rng.random(len(steps)) >= rng.choice([0, 0.05, 0.15])
    kept[-1] = kept[0] = True
    points = [(int(s), float(v)) for s, v, k in zip(steps, values, kept, strict=True) if k]
    if rng.random() < 0.3:
        points = [told for point in points for told in ([point, point] if rng.random() < 0.05 else [point])]
    return points


def bump(truth: Truth, at: Any) -> Any:
    """Return the spikes: they jump up and decay."""
    found = (h * np.exp(-np.maximum(at - c, 0) / t) * (at >= c) for c, h, t in truth.bumps)
    return sum(found, 0.0)


def material_share(family: str, at: Any, base: Any) -> float | None:
    """Return the share at which the clean curve has risen by what counts: 4 % of its span, 25 % for a divergence."""
    if "overfit" not in family and family != "div_gradual":
        return None
    risen = base - np.minimum.accumulate(base)
    least = (0.04 if "over" in family else 0.25) * (1 - np.nanmin(base))
    found = np.flatnonzero(risen > least)
    return float(at[found[0]]) if len(found) else None


def descent(rng: Generator) -> Shape:
    """Return a healthy fall that still gains at least 3 % of its span in the last quarter."""
    while True:
        shape = _power_law(rng) if rng.random() < 0.7 else _straight(rng)
        if (shape(0.75) - shape(1.0)) / (shape(0.0) - shape(1.0)) >= 0.03:
            return shape


def _power_law(rng: Generator) -> Shape:
    power, tau = rng.uniform(0.2, 1.0), 10 ** rng.uniform(-2.3, -0.3)
    return lambda u: (1 + u / tau) ** -power


def _straight(rng: Generator) -> Shape:
    power = rng.uniform(0.35, 1.0)
    return lambda u: 1 - 0.9 * np.asarray(u, float) ** power


def _healthy(rng: Generator, num: int) -> Truth:
    shape = descent(rng)
    return Truth(val=shape, train=lambda x: 0.9 * shape(x) + 0.02)


def _lr_steps(rng: Generator, num: int) -> Truth:
    if rng.random() < 0.6:
        cuts = sorted([rng.uniform(0.3, 0.5), rng.uniform(0.6, 0.8)])
    else:
        cuts = sorted([rng.uniform(0.25, 0.35), rng.uniform(0.5, 0.6), rng.uniform(0.72, 0.85)])
    levels = [rng.uniform(0.3, 0.5)]
    for _ in cuts:
        levels.append(levels[-1] * rng.uniform(0.35, 0.7))
    tau = rng.uniform(0.02, 0.08)

    def shape(share: Any) -> Any:
        x = np.atleast_1d(np.asarray(share, float))
        y = levels[0] + (1 - levels[0]) * np.exp(-x / tau)
        for cut, above, below in zip(cuts, levels, levels[1:], strict=False):
            y = y - (x >= cut) * (above - below) * (1 - np.exp(-(x - cut) / (tau / 3)).clip(0, 1))
        return y

    return Truth(val=shape, train=lambda x: 0.85 * shape(x), settled=cuts[-1])


def _spike(rng: Generator, num: int) -> Truth:
    shape = descent(rng)
    bumps = [
        (rng.uniform(0.1, 0.8), rng.uniform(0.5, 3), rng.uniform(0.5, min(3.0, num / 40)) / num)
        for _ in range(rng.integers(1, 4))
    ]
    return Truth(val=shape, train=lambda x: 0.9 * shape(x) + 0.02, bumps=bumps)


def _plateau(rng: Generator, num: int) -> Truth:
    onset = rng.uniform(0.15, 0.55)

    def decaying(x: Any) -> Any:
        return np.exp(-np.asarray(x) * 5.3 / onset)  # 0.5 % of its span is left at the onset

    def ending(x: Any) -> Any:
        return 1 - np.minimum(np.asarray(x) / onset, 1.0) ** 0.6

    shape: Shape = decaying if rng.random() < 0.7 else ending
    return Truth(val=shape, train=lambda x: 0.9 * shape(x), onset=onset)


def _overfit(rng: Generator, *, is_slow: bool) -> Truth:
    onset = rng.uniform(0.15, 0.6) if is_slow else rng.uniform(0.05, 0.2)
    if is_slow:
        height, power, tau = rng.uniform(0.08, 0.6), float(rng.choice([1.0, 1.5, 2.0])), 1.0
    else:
        height, power, tau = rng.uniform(0.3, 2.0), 0.0, rng.uniform(0.05, 0.3)

    def shape(share: Any) -> Any:
        x = np.asarray(share, float)
        fall, beyond = 1 - np.minimum(x / onset, 1.0) ** 0.5, np.maximum(x - onset, 0)
        return fall + height * ((beyond / (1 - onset)) ** power if is_slow else 1 - np.exp(-beyond / tau))

    tau_train = onset * rng.uniform(0.3, 1.0)
    return Truth(val=shape, train=lambda x: (1 + np.asarray(x) / tau_train) ** -1.2, onset=onset)


def _div_gradual(rng: Generator, num: int) -> Truth:
    fall = descent(rng)
    onset, height, bend = rng.uniform(0.2, 0.8), rng.uniform(1, 5), rng.uniform(2, 6)

    def up(x: Any) -> Any:
        return height * np.expm1(bend * np.maximum(np.asarray(x) - onset, 0) / (1 - onset)) / np.expm1(bend)

    return Truth(
        val=lambda x: fall(np.minimum(x, onset)) + up(x),
        train=lambda x: 0.9 * fall(np.minimum(x, onset)) + up(x),
        onset=onset,
    )


def _div_sudden(rng: Generator, num: int) -> Truth:
    fall = descent(rng)
    onset = rng.uniform(0.1, 0.85)
    level = math.nan if rng.random() < 0.5 else 10 ** rng.uniform(-0.1, 1.0)
    return Truth(
        val=lambda x: np.where(np.asarray(x) > onset, level, fall(x)),
        train=lambda x: np.where(np.asarray(x) > onset, level, 0.9 * fall(x)),
        onset=onset,
    )


def _not_learning(rng: Generator, num: int) -> Truth:
    drift = rng.uniform(0, 0.003)

    def shape(x: Any) -> Any:
        return 1 - drift * np.asarray(x)

    return Truth(val=shape, train=shape, onset=0.0)


SHAPES: dict[str, Callable[[Generator, int], Truth]] = {
    "healthy": _healthy,
    "lr_steps": _lr_steps,
    "spike": _spike,
    "plateau": _plateau,
    "slow_overfit": lambda rng, num: _overfit(rng, is_slow=True),
    "fast_overfit": lambda rng, num: _overfit(rng, is_slow=False),
    "div_gradual": _div_gradual,
    "div_sudden": _div_sudden,
    "not_learning": _not_learning,
}
