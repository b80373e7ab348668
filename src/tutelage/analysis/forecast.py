"""When a curve will reach a target, by three parametric forms, with an interval over what fits as well.

pow3: a + b x^-c; exp3: a + b exp(-c x); log-power: a / (1 + (x / e^b)^c) (Domhan, Springenberg, Hutter 2015).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tutelage.analysis.rules import MIN_EVALUATIONS
from tutelage.analysis.series import Curve, noise

Basis = Callable[[float], float]
Form = Callable[[float], Basis]
GRID = 0.125
LOG_RATES = tuple(GRID * exponent for exponent in range(-12, 9))
"""Exponents that are tried, 0.03 to 10, by their common logarithm."""
NUM_THIRDS = 24
LEAST_EXPLAINED = 0.5
"""A form that leaves more of the variance than this is no description of the curve."""
BENDS = (0.01, 0.1, 1.0, 10.0)
"""Where a log-power form bends, as a share of the steps seen."""
CHI_SQUARE = 3.84
"""95 % of one parameter."""
MAX_STRETCH = 10.0
"""A forecast beyond ten times what was seen is none."""
NUM_FITTED = 128


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """The step at which a target is reached: the likeliest, and the interval of forms that fit as well.

    `low` or `high` is None where some such form never reaches it within ten times the steps seen.
    """

    step: int | None
    low: int | None
    high: int | None


@dataclass(frozen=True)
class Fit:
    """offset + height * basis(x), and its sum of squared errors."""

    offset: float
    height: float
    basis: Basis
    squared: float

    def __call__(self, x: float) -> float:
        """Return the form's value at a step."""
        return self.offset + self.height * self.basis(x)


def time_to_target(curve: Curve, target: float) -> Arrival | None:
    """Return when a minimised, finite curve reaches a target; None below eight points and without a fall.

    The interval spans all forms whose errors are not worse than the best one's by more than chance (likelihood ratio).
    """
    if len(curve) < MIN_EVALUATIONS:
        return None
    points = curve[:: -(-len(curve) // NUM_FITTED)]
    fits = sorted(_fits([step for step, _ in points], [value for _, value in points]), key=lambda fit: fit.squared)
    if not fits:
        return None
    sigma = max(noise(curve), math.sqrt(fits[0].squared / len(points)), 1e-12)
    likely = [fit for fit in fits if fit.squared - fits[0].squared <= CHI_SQUARE * sigma**2]
    first, last = max(curve[0][0], 1), max(curve[-1][0], 1)
    arrivals = [_arrival(fit, target, first, last) for fit in likely]
    reached = [step for step in arrivals if step is not None]
    return Arrival(
        step=arrivals[0],
        low=min(reached, default=None),
        high=max(reached) if len(reached) == len(arrivals) else None,
    )


def _fits(steps: Sequence[int], values: Sequence[float]) -> Iterator[Fit]:
    """Yield every form at every rate that explains the fall, and each form's best rate between those."""
    scale, mean = float(max(steps[-1], 1)), sum(values) / len(values)
    total = sum((value - mean) ** 2 for value in values)
    forms: list[tuple[Form, bool]] = [(_pow3, True), (lambda rate: _exp3(rate * 4 / scale), True)]
    forms += [(_log_power(scale * share), False) for share in BENDS]
    for form, has_offset in forms:

        def fitted(log_rate: float, form: Form = form, has_offset: bool = has_offset) -> Fit | None:
            basis = form(10**log_rate)
            return _least_squares([basis(step) for step in steps], values, basis, has_offset=has_offset)

        found = [(fit.squared, rate) for rate in LOG_RATES if (fit := fitted(rate))]
        rates = [rate for _, rate in found] + ([_refined(fitted, min(found)[1])] if found else [])
        yield from (fit for rate in rates if (fit := fitted(rate)) and fit.squared < LEAST_EXPLAINED * total)


def _refined(fitted: Callable[[float], Fit | None], near: float) -> float:
    """Return the best rate around one of the grid, by thirds."""
    low, high = near - GRID, near + GRID
    for _ in range(NUM_THIRDS):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        one, other = fitted(left), fitted(right)
        if one is not None and (other is None or one.squared < other.squared):
            high = right
        else:
            low = left
    return (low + high) / 2


def _pow3(power: float) -> Basis:
    return lambda x: max(x, 1.0) ** -power


def _exp3(rate: float) -> Basis:
    return lambda x: math.exp(-rate * x)


def _log_power(bend: float) -> Form:
    return lambda power: lambda x: 1 / (1 + (max(x, 1.0) / bend) ** power)


def _least_squares(xs: Sequence[float], ys: Sequence[float], basis: Basis, *, has_offset: bool) -> Fit | None:
    """Fit a falling form; None where it would rise."""
    num = len(xs)
    mean_x, mean_y = (sum(xs) / num, sum(ys) / num) if has_offset else (0.0, 0.0)
    spread = sum((x - mean_x) ** 2 for x in xs)
    if spread <= 0:
        return None
    height = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread
    offset = mean_y - height * mean_x
    if height <= 0:
        return None
    return Fit(offset, height, basis, sum((y - offset - height * x) ** 2 for x, y in zip(xs, ys, strict=True)))


def _arrival(fit: Fit, target: float, first: int, last: int) -> int | None:
    """Return the first step at which a falling form is at its target, by bisection."""
    low, high = float(first), MAX_STRETCH * last
    if fit(low) <= target:
        return first
    if fit(high) > target:
        return None
    while high - low > 0.5:
        middle = (low + high) / 2
        low, high = (low, middle) if fit(middle) <= target else (middle, high)
    return round(high)
