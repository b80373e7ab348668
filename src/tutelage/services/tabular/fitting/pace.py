"""How long a fit takes by its rows: measured on small samples, extrapolated, corrected by every fit since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

POWERS = {"svm": 2.0, "gradient_boosting": 1.1, "random_forest": 1.1, "extra_trees": 1.1}
"""Time grows with rows ** power: a kernel matrix is quadratic, sorting is a little more than linear; others 1."""

Points = Sequence[tuple[int, float]]


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Seconds of a fit: `fixed_s + slope_s * rows ** power`."""

    power: float
    fixed_s: float
    slope_s: float

    def seconds(self, rows: float) -> float:
        """Return the time of a fit on `rows`."""
        return float(self.fixed_s + self.slope_s * rows**self.power)

    def times(self, factor: float) -> Pace:
        """Return the pace of other parameters, or of a busier machine."""
        return replace(self, fixed_s=self.fixed_s * factor, slope_s=self.slope_s * factor)


def power_of(algorithm: str) -> float:
    """Return the exponent by which an algorithm's time grows with its rows."""
    return POWERS.get(algorithm, 1.0)


def pace_of(points: Points, *, power: float) -> Pace:
    """Return the line through the last two points over rows ** power; through zero where there is one point.

    A negative part is taken for noise: all of the time then grows with the rows, or none of it.
    """
    rows, seconds = points[-1]
    if len(points) > 1:
        fewer, before_s = points[-2]
        slope_s = max(0.0, (seconds - before_s) / (rows**power - fewer**power))
        fixed_s = seconds - slope_s * rows**power
        if fixed_s >= 0:
            return Pace(power=power, fixed_s=fixed_s, slope_s=slope_s)
    return Pace(power=power, fixed_s=0.0, slope_s=seconds / rows**power)


def rows_within(cost: Pace | Sequence[tuple[Pace, float]], seconds: float, *, most: int) -> int:
    """Return the most rows, up to `most`, whose fits take no longer; 0 where not even one does.

    A sequence holds one (pace, share of the rows) for each fit that must fit in.
    """
    parts = [(cost, 1.0)] if isinstance(cost, Pace) else list(cost)

    def total_s(rows: int) -> float:
        return sum(pace.seconds(share * rows) for pace, share in parts)

    low, high = 0, most + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if total_s(middle) <= seconds else (low, middle)
    return low
